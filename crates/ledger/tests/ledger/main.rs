//! The ledger over a real store.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what fails here fails the test")]
#![expect(
    clippy::disallowed_methods,
    reason = "tests have clients of their own, and one is killed by the clock on the wall"
)]

mod asked;
mod house;
mod kept;
mod killed;
mod summed;
