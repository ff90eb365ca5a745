//! What a reply must remember of the request it answers.

use std::sync::Arc;

use qm_canon::Display;

use super::thread::Keeper;

/// What a response says of itself besides what the upstream said.
#[derive(Clone)]
pub struct Reply {
    /// Its id, `resp_…`; the front makes it.
    pub id: String,
    /// When it was asked for, in seconds since 1970.
    pub created: u64,
    /// The model, as the client named it.
    pub model: String,
    /// Estimated input tokens, for when the upstream reports none.
    pub input_tokens: u64,
    /// How reasoning is shown; `None` leaves it out (see [`qm_canon::Thinking::display`]).
    pub display: Option<Display>,
    /// What the request said that the reply must know.
    pub note: Note,
}

/// What a request says that its reply repeats or needs; [`crate::responses::request::Ask::reply_note`] makes it.
#[derive(Clone, Default)]
pub struct Note {
    /// Fields of the request that a response repeats: JSON text from the first key to the last value, on one line.
    pub(super) echo: Box<str>,
    /// Tools whose calls are not plain function calls under the name that the upstream knows.
    pub(super) named: Vec<Named>,
    /// Whether reasoning comes with what the client must send back for the model to read it again.
    pub(super) sealed: bool,
    /// Who keeps the response once it is complete.
    pub(super) keeper: Option<Arc<dyn Keeper>>,
}

/// A tool as the client declared it.
#[derive(Clone)]
pub(super) struct Named {
    /// Its name upstream.
    pub(super) flat: Box<str>,
    /// Its own name.
    pub(super) name: Box<str>,
    /// The namespace it stood in.
    pub(super) namespace: Option<Box<str>>,
    /// Whether it takes text instead of JSON.
    pub(super) custom: bool,
}

// === impl Note ===

impl Note {
    /// Has the response kept once it is complete.
    #[must_use]
    pub fn kept_by(mut self, keeper: Option<Arc<dyn Keeper>>) -> Self {
        self.keeper = keeper;
        self
    }

    /// The tool of this upstream name, unless it is a plain function.
    pub(super) fn tool(&self, flat: &str) -> Option<&Named> {
        self.named.iter().find(|tool| &*tool.flat == flat)
    }
}
