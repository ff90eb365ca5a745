//! The open block of text or reasoning.

use qm_canon::{Block, Display, Event, Sink};

use crate::thinking::Piece;

/// Opens and closes blocks of text and reasoning as what comes asks for.
pub(super) struct Page {
    show: Option<Display>,
    open: Open,
    /// The last thinking block was closed without the upstream's seal.
    unsealed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Nothing,
    Text,
    Thinking,
}

// === impl Page ===

impl Page {
    pub(super) fn new(show: Option<Display>) -> Self {
        Self { show, open: Open::Nothing, unsealed: false }
    }

    pub(super) fn text(&mut self, text: &str, sink: &mut impl Sink) {
        if text.is_empty() {
            return;
        }
        self.turn_to(Open::Text, sink);
        sink.event(Event::Delta(text));
    }

    /// Reasoning; a client that did not ask for it sees nothing of it, not even a break in the text.
    pub(super) fn thinking(&mut self, text: &str, sink: &mut impl Sink) {
        let Some(show) = self.show else { return };
        self.turn_to(Open::Thinking, sink);
        if show == Display::Shown && !text.is_empty() {
            sink.event(Event::Delta(text));
        }
    }

    /// The seal ends its block. One that comes without any reasoning text stands for reasoning that was withheld.
    pub(super) fn signature(&mut self, signature: &str, sink: &mut impl Sink) {
        if self.show.is_none() {
            return;
        }
        if self.open != Open::Thinking {
            // A seal that comes after its block was closed fits no text that could still be sent.
            if std::mem::take(&mut self.unsealed) {
                return;
            }
            self.turn_to(Open::Thinking, sink);
        }
        sink.event(Event::Signature(signature));
        self.close(sink);
        self.unsealed = false;
    }

    pub(super) fn redacted(&mut self, sealed: &str, sink: &mut impl Sink) {
        if self.show.is_none() {
            return;
        }
        self.close(sink);
        sink.event(Event::Open(Block::Redacted(sealed)));
        sink.event(Event::Close);
    }

    /// A piece of text in which reasoning was marked by tags.
    pub(super) fn piece(&mut self, piece: Piece<'_>, sink: &mut impl Sink) {
        match piece {
            Piece::Text(text) => self.text(text, sink),
            Piece::Thinking(text) => self.thinking(text, sink),
        }
    }

    pub(super) fn close(&mut self, sink: &mut impl Sink) {
        if self.open != Open::Nothing {
            self.unsealed = self.open == Open::Thinking;
            self.open = Open::Nothing;
            sink.event(Event::Close);
        }
    }

    fn turn_to(&mut self, open: Open, sink: &mut impl Sink) {
        if self.open == open {
            return;
        }
        self.close(sink);
        self.open = open;
        sink.event(Event::Open(if open == Open::Text { Block::Text } else { Block::Thinking }));
    }
}
