//! Accounts before the simulated upstream: how a login is renewed and kept, which face serves it, how people log in.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot be set up has failed")]

mod faces;
mod house;
mod logins;
mod proxies;
mod renewals;
