//! Chat Completions.

mod chunk;
pub mod request;
mod stream;
mod whole;

use qm_canon::Display;

pub use self::stream::Stream;
pub use self::whole::Whole;

/// What an answer says of itself besides what the upstream said.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Its id, `chatcmpl-…`; the front makes it.
    pub id: String,
    /// When it was begun, in seconds since 1970.
    pub created: u64,
    /// The model, as the client named it.
    pub model: String,
    /// Estimated input tokens, for when the upstream reports none.
    pub input_tokens: u64,
    /// How reasoning is shown; `None` leaves it out (see [`qm_canon::Thinking::display`]).
    pub display: Option<Display>,
    /// What to remember of the request.
    pub note: Note,
}

/// What the answer must remember of its request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Note {
    /// Whether a stream ends with a chunk of usage.
    pub include_usage: bool,
    /// Names of the tools that take text instead of JSON.
    pub custom: Vec<String>,
    /// Whether calls go out as `function_call`.
    pub legacy: bool,
}

impl Reply {
    /// Whether reasoning text is shown. The format has no place for a seal alone.
    fn shows_reasoning(&self) -> bool {
        self.display == Some(Display::Shown)
    }
}
