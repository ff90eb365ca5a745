//! HTTP/1.1 as a client writes and reads it (RFC 9112): a request's head into bytes, an answer out of them.
//!
//! Knows: start lines, fields, how long a body is and how it is cut into chunks, what ends a connection.
//! Must not know: sockets, TLS, who is at the other end, what a body means.
//!
//! Why not the library that serves our own clients: its connection keeps 18 KB more for each open stream, which was most
//! of what a stream cost on this side (docs/BENCHMARKS.md).

mod body;
mod chunked;
mod head;
mod request;

pub use body::Body;
pub use head::{Answer, HeadReader};
pub use request::head;

/// Why bytes are no HTTP/1.1 answer. Nothing behind them can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The head does not follow the grammar.
    #[error("the head of the answer cannot be read")]
    Head,
    /// The head goes on for too long.
    #[error("the head of the answer is too long")]
    HeadTooLong,
    /// The head says in two ways, or in none that can be read, how long the body is.
    #[error("the length of the answer's body is not clear")]
    Length,
    /// The connection was to speak another protocol, which nobody had asked for.
    #[error("the upstream changes the protocol")]
    Protocol,
    /// A chunk of the body does not follow the grammar.
    #[error("a chunk of the answer cannot be read")]
    Chunk,
    /// What surrounds the chunks goes on for too long.
    #[error("an extension or a trailer of the answer is too long")]
    ChunkTooLong,
    /// The connection was closed before the answer was whole.
    #[error("the answer broke off")]
    Cut,
}
