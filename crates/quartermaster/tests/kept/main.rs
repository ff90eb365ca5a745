//! What is kept between starts, by the real binary before a simulated upstream: accounts, their logins, the master key.
#![expect(clippy::unwrap_used, reason = "a test that cannot start its program should fail loudly")]

mod adding;
mod audit;
mod commands;
mod doors;
mod house;
mod imports;
mod keys;
mod master_key;
mod settings;
mod start;
