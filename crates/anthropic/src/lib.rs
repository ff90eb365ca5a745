//! Anthropic's Messages format, both ways: what a client asks, read into the canon; what the canon says, written as
//! Messages events, whole messages, errors, counts and model lists.
//!
//! Knows: the Messages API as real clients speak it (docs/MESSAGES.md, spec/clients.md), and its wordings.
//! Must not know: HTTP beyond a status number, the upstream and its limits, keys, accounts, any I/O or clock.

pub mod count;
pub mod fault;
mod id;
mod json;
mod message;
pub mod models;
pub mod request;
mod stream;
mod whole;

pub use message::Reply;
pub use stream::Stream;
pub use whole::Whole;
