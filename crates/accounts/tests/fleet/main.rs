//! Fleets over a real store and before the simulated upstream.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod environment;
mod feed;
mod files;
mod house;
mod killed;
mod lives;
mod logins;
mod renewals;
mod secrets;
