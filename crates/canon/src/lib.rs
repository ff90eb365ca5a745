//! What a conversation, an event and a fault are: the language every other room speaks.
//!
//! Knows: the canonical conversation and the rules that make it regular, the grammar of reply events, the
//! vocabulary of faults and usage.
//! Must not know: any wire name or format, any I/O, clock or runtime, and how to serialise itself. No type here
//! implements `Serialize`, so that nobody can leak one to a client or into a table; and none that carries a
//! user's words implements `Debug`, so that nobody can log one.

pub mod conversation;
pub mod estimate;
pub mod event;
pub mod fault;
pub mod grammar;
mod regular;
mod remote;
pub mod sink;
pub mod text;
pub mod usage;

pub use conversation::{
    At, Choice, Conversation, Display, Document, Draft, Effort, Format, Image, MediaType, Part, Role,
    Sampling, Thinking, Tool, ToolResult, ToolUse, Turn,
};
pub use event::{Block, Event, Finish, Stop};
pub use fault::{Fault, Kind, Origin, Place};
pub use grammar::{Checked, Violation};
pub use remote::Remote;
pub use sink::{Encoder, Sink};
pub use text::{Text, Written};
pub use usage::{Basis, Usage};
