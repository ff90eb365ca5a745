//! Writing server-sent events (WHATWG HTML, "Server-sent events").

use bytes::BytesMut;

/// Begins an event of this name; its data must follow, on one line, and then [`end`].
pub fn begin(out: &mut BytesMut, event: &str) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(event.as_bytes());
    out.extend_from_slice(b"\ndata: ");
}

/// Begins an event without a name.
pub fn begin_unnamed(out: &mut BytesMut) {
    out.extend_from_slice(b"data: ");
}

/// Ends the event that was begun.
pub fn end(out: &mut BytesMut) {
    out.extend_from_slice(b"\n\n");
}

/// Writes a comment, which clients skip but which keeps a connection alive.
pub fn comment(out: &mut BytesMut, text: &str) {
    out.extend_from_slice(b": ");
    out.extend_from_slice(text.as_bytes());
    out.extend_from_slice(b"\n\n");
}
