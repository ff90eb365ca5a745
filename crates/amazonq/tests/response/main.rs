//! The response side: frames built with AWS's own encoder go in, canonical events come out.
#![expect(clippy::unwrap_used, reason = "a test that cannot build its input should fail loudly")]

mod faults;
mod models;
mod replies;
mod soup;
mod tags;
mod vectors;
mod wire;
