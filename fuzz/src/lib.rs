//! What the targets share: streams made of frames whose checksums are right, models to ask, answers to give, and
//! readers of what clients are sent.
//!
//! Knows: just enough of the wire to get past the checksums, which chance alone never would.
//! Must not know: what the decoders make of it.

pub mod answer;
pub mod models;
pub mod sse;
pub mod stream;
