//! Structured outputs: the JSON that was asked for, and nothing around it.
//!
//! The upstream cannot be asked for a form, so the answer is held against it here. White space and a Markdown code
//! fence around the value are taken off while it streams; an answer that has other text around the value, or whose
//! value does not fit, breaks off as a fault and never ends well. Text before a tool call is the model's own affair,
//! and an answer that was cut at a bound is passed on as it is.

mod cut;
mod fit;
mod pattern;
mod rule;
mod schema;
mod value;

use qm_canon::{Block, Choice, Conversation, Event, Fault, Finish, Format, Kind, Origin, Sink, Stop};
use serde_json::Value;

use self::cut::{Cut, Piece};
use self::rule::Misfit;
use self::schema::Schema;

/// Most bytes the value may have: twice what the longest answer of a model comes to.
const MAX_VALUE_BYTES: usize = 1 << 20;

/// The form that an answer must have.
pub(crate) struct Form {
    /// `None`: any object.
    schema: Option<Schema>,
    /// Whether a tool call may still follow a text that is not the value.
    may_call: bool,
}

/// Takes off what surrounds the value; holds the value against the form. Without a form, passes everything on.
pub(crate) struct Shape<S> {
    state: Option<Box<State>>,
    inner: S,
}

struct State {
    form: Form,
    cut: Cut,
    /// The value so far.
    value: String,
    block: Open,
    done: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    /// No block, or one that is not text.
    Other,
    /// A text block that the inner sink has not heard of: nothing of it was worth passing on yet.
    Unsaid,
    Text,
}

/// Why an answer is not what was asked for.
enum Flaw {
    Around,
    Missing,
    Syntax(serde_json::Error),
    TooLarge,
    NoObject,
    Misfit(Misfit),
}

// === impl Form ===

impl Form {
    /// The form that this conversation asks for, if it asks for one.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for a schema that cannot be held to.
    pub(crate) fn of(conversation: &Conversation<'_>) -> Result<Option<Self>, Fault> {
        let schema = match conversation.format() {
            Format::Free => return Ok(None),
            Format::Json => None,
            Format::Schema(schema) => Some(Schema::read(schema.get())?),
        };
        let may_call = !conversation.tools().is_empty() && !matches!(conversation.choice(), Choice::None);
        Ok(Some(Self { schema, may_call }))
    }

    fn check(&self, value: &str) -> Result<(), Flaw> {
        if value.is_empty() {
            return Err(Flaw::Missing);
        }
        let value: Value = serde_json::from_str(value).map_err(Flaw::Syntax)?;
        match &self.schema {
            Some(schema) => schema.check(&value).map_err(Flaw::Misfit),
            None if value.is_object() => Ok(()),
            None => Err(Flaw::NoObject),
        }
    }
}

// === impl Shape ===

impl<S: Sink> Shape<S> {
    pub(crate) fn new(form: Option<Form>, inner: S) -> Self {
        let state = form.map(|form| {
            Box::new(State {
                form,
                cut: Cut::default(),
                value: String::new(),
                block: Open::Other,
                done: false,
            })
        });
        Self { state, inner }
    }

    /// Whether the answer has been broken off here.
    pub(crate) fn done(&self) -> bool {
        self.state.as_ref().is_some_and(|state| state.done)
    }

    pub(crate) fn inner(&mut self) -> &mut S {
        &mut self.inner
    }

    pub(crate) fn into_inner(self) -> S {
        self.inner
    }
}

impl<S: Sink> Sink for Shape<S> {
    fn event(&mut self, event: Event<'_>) {
        match &mut self.state {
            None => self.inner.event(event),
            Some(state) => state.event(event, &mut self.inner),
        }
    }

    fn fault(&mut self, fault: &Fault) {
        if !self.done() {
            self.inner.fault(fault);
        }
    }

    fn idle(&mut self) {
        self.inner.idle();
    }
}

// === impl State ===

impl State {
    fn event(&mut self, event: Event<'_>, inner: &mut impl Sink) {
        if self.done {
            return;
        }
        match event {
            Event::Open(Block::Text) => self.block = Open::Unsaid,
            Event::Open(block) => {
                if matches!(block, Block::Tool { .. }) {
                    // What was said before a call is not the answer.
                    (self.cut, self.value) = (Cut::default(), String::new());
                }
                inner.event(event);
            }
            Event::Delta(text) if self.block != Open::Other => self.delta(text, inner),
            Event::Close => self.close(inner),
            Event::Finish(finish) => self.finish(finish, inner),
            Event::Delta(_) | Event::Signature(_) => inner.event(event),
        }
    }

    fn delta(&mut self, mut text: &str, inner: &mut impl Sink) {
        while !text.is_empty() {
            let (piece, rest) = self.cut.next(text);
            text = rest;
            match piece {
                Piece::Nothing => {}
                Piece::Value(part) => {
                    self.value.push_str(part);
                    if self.value.len() > MAX_VALUE_BYTES {
                        return self.refuse(&Flaw::TooLarge, inner);
                    }
                    self.say(part, inner);
                }
                // Nothing that can still come would make it right.
                Piece::Around(_) if !self.form.may_call => return self.refuse(&Flaw::Around, inner),
                Piece::Around(held) => {
                    self.say(&held, inner);
                    self.say(text, inner);
                    return;
                }
            }
        }
    }

    fn say(&mut self, text: &str, inner: &mut impl Sink) {
        if text.is_empty() {
            return;
        }
        if self.block == Open::Unsaid {
            self.block = Open::Text;
            inner.event(Event::Open(Block::Text));
        }
        inner.event(Event::Delta(text));
    }

    fn close(&mut self, inner: &mut impl Sink) {
        if self.block != Open::Other {
            // Half a fence is text like any other when nothing follows it.
            let held = self.cut.flush();
            self.say(&held, inner);
        }
        if std::mem::replace(&mut self.block, Open::Other) != Open::Unsaid {
            inner.event(Event::Close);
        }
    }

    fn finish(&mut self, finish: &Finish, inner: &mut impl Sink) {
        if finish.stop == Stop::EndTurn {
            let checked = if self.cut.is_around() { Err(Flaw::Around) } else { self.form.check(&self.value) };
            if let Err(flaw) = checked {
                return self.refuse(&flaw, inner);
            }
        }
        self.done = true;
        inner.event(Event::Finish(finish));
    }

    fn refuse(&mut self, flaw: &Flaw, inner: &mut impl Sink) {
        self.done = true;
        inner.fault(&flaw.fault());
    }
}

// === impl Flaw ===

impl Flaw {
    /// Names rules and places of the client's own schema, never what the model said.
    fn fault(&self) -> Fault {
        let (what, code) = match self {
            Self::Around => ("there is other text around the value".to_owned(), "shape/around"),
            Self::Missing => ("it has no text at all".to_owned(), "shape/missing"),
            Self::Syntax(error) => (
                format!("it cannot be parsed at line {} column {}", error.line(), error.column()),
                "shape/syntax",
            ),
            Self::TooLarge => (format!("it is longer than {} MiB", MAX_VALUE_BYTES >> 20), "shape/too-large"),
            Self::NoObject => ("it is not an object".to_owned(), "shape/no-object"),
            Self::Misfit(Misfit::Breaks(rule)) => {
                (format!("it does not fit the schema at {rule}"), "shape/misfit")
            }
            Self::Misfit(Misfit::Costly) => (
                "checking it takes too much work, which a simpler schema would avoid".to_owned(),
                "shape/costly",
            ),
        };
        let message =
            format!("The model's answer is not the JSON that was asked for: {what}. Send the request again.");
        Fault::new(Kind::Broken, Origin::Upstream, message).code(code)
    }
}

#[cfg(test)]
mod tests;
