//! Keys and sessions over a real store, with time and chance in hand.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod admission;
mod first;
mod house;
mod limits;
mod lives;
mod processes;
mod racing;
mod sessions;
