//! The grammar of a reply, and a sink that checks it.
//!
//! ```text
//! reply := block* ( Finish | fault )            a fault may also come inside a block
//! block := Open(Text | Thinking | Tool) Delta* Signature? Close        Signature only in Thinking
//!        | Open(Redacted) Close
//! ```
//!
//! A fault is terminal and never followed by a `Finish`: a truncated answer cannot be dressed as a good one.

use crate::event::{Block, Event};
use crate::fault::Fault;
use crate::sink::Sink;

/// Passes everything on and remembers the first breach of the grammar. For tests, fuzzing and debug builds.
pub struct Checked<S> {
    inner: S,
    state: State,
    violation: Option<Violation>,
}

/// A breach of the grammar: what came, in which state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The state the reply was in.
    pub state: &'static str,
    /// What came then.
    pub came: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Between,
    InText,
    InThinking,
    Sealed,
    InRedacted,
    InTool,
    Finished,
    Faulted,
}

// === impl Checked ===

impl<S> Checked<S> {
    /// Checks what goes into `inner`.
    pub fn new(inner: S) -> Self {
        Self { inner, state: State::Between, violation: None }
    }

    /// The first breach, if there was one.
    #[must_use]
    pub fn violation(&self) -> Option<Violation> {
        self.violation
    }

    /// Whether the reply has ended, well or not.
    #[must_use]
    pub fn ended(&self) -> bool {
        matches!(self.state, State::Finished | State::Faulted)
    }

    /// The sink that was wrapped.
    pub fn into_inner(self) -> S {
        self.inner
    }

    /// The sink that is wrapped.
    pub fn inner(&mut self) -> &mut S {
        &mut self.inner
    }

    fn go(&mut self, next: Option<State>, came: &'static str) {
        match next {
            Some(state) => self.state = state,
            None if self.violation.is_none() => {
                self.violation = Some(Violation { state: self.state.name(), came });
            }
            None => {}
        }
    }
}

impl<S: Sink> Sink for Checked<S> {
    fn event(&mut self, event: Event<'_>) {
        let (next, came) = self.state.after(event);
        self.go(next, came);
        self.inner.event(event);
    }

    fn fault(&mut self, fault: &Fault) {
        let open = !matches!(self.state, State::Finished | State::Faulted);
        self.go(open.then_some(State::Faulted), "fault");
        self.inner.fault(fault);
    }

    fn idle(&mut self) {
        self.inner.idle();
    }
}

// === impl State ===

impl State {
    fn after(self, event: Event<'_>) -> (Option<Self>, &'static str) {
        match event {
            Event::Open(block) => {
                let inside = match block {
                    Block::Text => Self::InText,
                    Block::Thinking => Self::InThinking,
                    Block::Redacted(_) => Self::InRedacted,
                    Block::Tool { .. } => Self::InTool,
                };
                ((self == Self::Between).then_some(inside), "Open")
            }
            Event::Delta(_) => {
                (matches!(self, Self::InText | Self::InThinking | Self::InTool).then_some(self), "Delta")
            }
            Event::Signature(_) => ((self == Self::InThinking).then_some(Self::Sealed), "Signature"),
            Event::Close => {
                let inside = matches!(
                    self,
                    Self::InText | Self::InThinking | Self::Sealed | Self::InRedacted | Self::InTool
                );
                (inside.then_some(Self::Between), "Close")
            }
            Event::Finish(_) => ((self == Self::Between).then_some(Self::Finished), "Finish"),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Between => "between blocks",
            Self::InText => "in a text block",
            Self::InThinking => "in a thinking block",
            Self::Sealed => "in a sealed thinking block",
            Self::InRedacted => "in a redacted block",
            Self::InTool => "in a tool block",
            Self::Finished => "after the finish",
            Self::Faulted => "after a fault",
        }
    }
}
