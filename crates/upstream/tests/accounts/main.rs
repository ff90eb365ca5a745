//! Accounts before the simulated upstream: how a login is renewed and kept, which face serves it, how people log in.

mod faces;
mod house;
mod logins;
mod renewals;
