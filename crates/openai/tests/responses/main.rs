//! Responses, both ways: bodies of real clients, refusals, and replies in full.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    reason = "a test fails by panicking, its helpers too"
)]

mod reader;
mod refused;
mod reply;
mod thread;
mod understood;
