//! Frames → canonical events.

use qm_canon::Sink;
use qm_framing::eventstream::Frame;

use crate::fault::Failure;
use crate::request::Note;

/// The state of one answer.
pub struct Decoder {
    _note: Note,
}

/// What a frame is, at a glance: whether the answer has begun.
pub enum Glance {
    /// Nothing for the client yet.
    Silent,
    /// The answer has begun.
    Speaks,
    /// The answer has failed.
    Fails(Failure),
}

impl Decoder {
    /// A decoder for the answer to the request this note belongs to.
    #[must_use]
    pub fn new(note: Note) -> Self {
        Self { _note: note }
    }

    /// What this frame is, without taking it in.
    #[must_use]
    pub fn glance(&self, _frame: Frame<'_>) -> Glance {
        Glance::Silent
    }

    /// Takes a frame in.
    pub fn frame(&mut self, _frame: Frame<'_>, _sink: &mut impl Sink) {}

    /// The upstream has closed the stream: ends the reply, well or with a fault.
    pub fn end(&mut self, _sink: &mut impl Sink) {}
}
