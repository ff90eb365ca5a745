//! How frames are cut: AWS event-stream frames out of bytes, server-sent events into bytes.
//!
//! Knows: lengths, checksums, header layout; the `event:`/`data:` lines of SSE.
//! Must not know: what is in a frame, who sent it, any I/O or clock.

pub mod eventstream;
pub mod sse;
