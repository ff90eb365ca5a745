//! The events of a reply, pushed one by one into a [`crate::Sink`]. Their grammar is in [`crate::grammar`].

use crate::usage::Usage;

/// Something the upstream said. Borrowed: a sink that wants to keep it copies it.
#[derive(Clone, Copy)]
pub enum Event<'a> {
    /// A block begins.
    Open(Block<'a>),
    /// More of the open block: text, reasoning, or JSON text of a tool's input (fragments; whole at `Close`).
    Delta(&'a str),
    /// The upstream's seal on the open thinking block. At most once a block, after its deltas.
    Signature(&'a str),
    /// The open block is complete. A tool's input is a whole JSON object by now, unless the next event is a
    /// [`Finish`] with [`Stop::MaxTokens`].
    Close,
    /// The reply is complete.
    Finish(&'a Finish),
}

/// What kind of block begins.
#[derive(Clone, Copy)]
pub enum Block<'a> {
    /// Text for the user.
    Text,
    /// Reasoning.
    Thinking,
    /// Reasoning in encrypted form; has no deltas.
    Redacted(&'a str),
    /// A tool call.
    Tool {
        /// The upstream's id of the call; a front adds its own prefix.
        id: &'a str,
        /// The tool's name as the client declared it.
        name: &'a str,
    },
}

/// How a reply ended well.
#[derive(Clone, PartialEq)]
pub struct Finish {
    /// Why.
    pub stop: Stop,
    /// What it took.
    pub usage: Usage,
}

/// Why a reply ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The model had no more to say.
    EndTurn,
    /// The model wants its tool calls answered.
    ToolUse,
    /// The bound on the answer's tokens was reached.
    MaxTokens,
    /// This stop sequence was met.
    Sequence(String),
    /// The upstream withheld the rest.
    Refusal,
    /// The model's window is full.
    WindowFull,
    /// The upstream paused a long turn.
    Pause,
}
