//! What the targets share: streams made of frames whose checksums are right, and models to ask.
//!
//! Knows: just enough of the wire to get past the checksums, which chance alone never would.
//! Must not know: what the decoders make of it.

pub mod models;
pub mod stream;
