//! Frames → canonical events (spec/upstream.md §3, §7, §8).
//!
//! The upstream marks only the end of a tool call; every other beginning and end of a block is found here. What
//! comes out obeys [`qm_canon::grammar`] whatever comes in.

mod call;
mod page;
mod payload;
mod said;
mod tally;

use qm_canon::estimate::Meter;
use qm_canon::{Event, Fault, Kind, Origin, Sink};
use qm_framing::eventstream::Frame;

use crate::fault::{Context, Failure};
use crate::request::Note;
use crate::thinking::{Piece, Splitter};
use call::{Calls, Whole};
use page::Page;
use payload::{Reasoning, ToolSaid};
use said::Said;
use tally::Tally;

/// The state of one answer.
pub struct Decoder {
    note: Note,
    page: Page,
    calls: Calls,
    tags: Option<Splitter>,
    tally: Tally,
    /// Whether the model has said anything, shown to the client or not.
    said: bool,
    ended: bool,
    unknown: u32,
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

// === impl Decoder ===

impl Decoder {
    /// A decoder for the answer to the request this note belongs to.
    #[must_use]
    pub fn new(note: Note) -> Self {
        Self {
            page: Page::new(note.show_thinking),
            calls: Calls::default(),
            tags: note.thinking_tags.then(Splitter::default),
            tally: Tally::default(),
            said: false,
            ended: false,
            unknown: 0,
            note,
        }
    }

    /// What this frame is, without taking it in.
    #[must_use]
    pub fn glance(&self, frame: Frame<'_>) -> Glance {
        match said::read(frame, &self.context()) {
            Said::Silent | Said::Unknown => Glance::Silent,
            Said::Text(text) if text.is_empty() => Glance::Silent,
            Said::Reasoning(reasoning) if reasoning.is_empty() => Glance::Silent,
            Said::Fails(failure) => Glance::Fails(failure),
            _ => Glance::Speaks,
        }
    }

    /// Takes a frame in. After the end of the reply, good or bad, frames are ignored.
    pub fn frame(&mut self, frame: Frame<'_>, sink: &mut impl Sink) {
        if self.ended {
            return;
        }
        match said::read(frame, &self.context()) {
            Said::Silent => {}
            Said::Unknown => self.unknown = self.unknown.saturating_add(1),
            Said::Text(text) => self.text(&text, sink),
            Said::Reasoning(reasoning) => self.reasoning(&reasoning, sink),
            Said::Tool(tool) => self.tool(&tool, sink),
            Said::Metadata(metadata) => self.tally.metadata(&metadata),
            Said::WindowShare(percent) => self.tally.window_share(percent),
            Said::Credits(credits) => self.tally.credits(credits),
            // Some clients turn a ContentLengthExceededException after text into a good end at `max_tokens`. Not
            // here: it is an error of the upstream, sent in place of the rest of the answer, and the answer must
            // not pass for one that ran to its bound. Before the first event the relay sees it by `glance`.
            Said::Fails(failure) => self.fail(&failure.fault, sink),
        }
    }

    /// The upstream has closed the stream: ends the reply, well or with a fault.
    pub fn end(&mut self, sink: &mut impl Sink) {
        if self.ended {
            return;
        }
        self.flush_tags(sink);
        // An answer that is whole ends with metadata, context usage or metering (spec/upstream.md §3.2, §3.5).
        if !self.tally.is_closed() {
            let message = "The upstream ended the answer without finishing it. Send the request again.";
            return self.fail(&broken(message, "end without metadata"), sink);
        }
        let cut = self.tally.is_cut_at_bound();
        if self.calls.is_open() && self.settle(cut, sink).is_none() {
            return;
        }
        self.page.close(sink);
        if !self.said && self.tally.needs_content() {
            let message = "The upstream sent an empty answer. Send the request again.";
            return self.fail(&broken(message, "empty answer"), sink);
        }
        let finish = self.tally.finish(&self.note, self.calls.any_whole());
        self.ended = true;
        sink.event(Event::Finish(&finish));
    }

    /// Ends the reply with this fault, unless it has ended: the transport broke, or whoever reads will wait no longer.
    pub fn fail(&mut self, fault: &Fault, sink: &mut impl Sink) {
        if !self.ended {
            self.ended = true;
            sink.fault(fault);
        }
    }

    /// What the model has produced so far, reasoning that is not shown included, as far as it was counted here.
    #[must_use]
    pub fn produced(&self) -> Meter {
        self.tally.produced()
    }

    /// How many frames were skipped because nothing is known of them.
    #[must_use]
    pub fn unknown(&self) -> u32 {
        self.unknown
    }

    /// Whether the reply has ended, well or not.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    fn context(&self) -> Context<'static> {
        Context { window: self.note.window, input_tokens: self.note.input_tokens, model: "" }
    }

    fn text(&mut self, text: &str, sink: &mut impl Sink) {
        if text.is_empty() || self.settle(false, sink).is_none() {
            return;
        }
        self.said = true;
        self.tally.output(text);
        match &mut self.tags {
            None => self.page.text(text, sink),
            Some(tags) => tags.feed(text, &mut |piece| self.page.piece(piece, sink)),
        }
    }

    fn reasoning(&mut self, reasoning: &Reasoning<'_>, sink: &mut impl Sink) {
        if reasoning.is_empty() || self.settle(false, sink).is_none() {
            return;
        }
        self.said = true;
        self.flush_tags(sink);
        if let Some(text) = reasoning.text() {
            self.tally.output(text);
            self.page.thinking(text, sink);
        }
        if let Some(signature) = reasoning.signature() {
            self.page.signature(signature, sink);
        }
        if let Some(sealed) = reasoning.redacted() {
            self.page.redacted(sealed, sink);
        }
    }

    fn tool(&mut self, tool: &ToolSaid<'_>, sink: &mut impl Sink) {
        let begun = match self.calls.place(tool) {
            Ok(call::Place::Ignored) => return,
            Ok(call::Place::Open) => false,
            Ok(call::Place::New) => true,
            Err(code) => return self.fail(&broken_tool(code), sink),
        };
        if begun {
            if self.settle(false, sink).is_none() {
                return;
            }
            self.said = true;
            self.flush_tags(sink);
            self.page.close(sink);
            self.calls.begin(tool, &self.note, sink);
        }
        if let Err(code) = self.calls.extend(tool, &mut self.tally, sink) {
            self.fail(&broken_tool(code), sink);
        }
    }

    /// Closes the open call, if there is one. `None`: it was not whole and the reply has ended.
    fn settle(&mut self, cut_at_bound: bool, sink: &mut impl Sink) -> Option<()> {
        match self.calls.close(cut_at_bound, &mut self.tally, sink) {
            Whole::Yes => Some(()),
            Whole::No => {
                self.fail(&broken_tool("tool input not whole"), sink);
                None
            }
        }
    }

    fn flush_tags(&mut self, sink: &mut impl Sink) {
        if let Some(tags) = &mut self.tags {
            tags.finish(&mut |piece: Piece<'_>| self.page.piece(piece, sink));
        }
    }
}

fn broken(message: &'static str, code: &'static str) -> Fault {
    Fault::new(Kind::Broken, Origin::Upstream, message).code(code)
}

/// Never answered with a made-up `{}`: a client would run the tool with it.
fn broken_tool(code: &'static str) -> Fault {
    broken("The upstream's tool call is cut or not valid JSON. Send the request again.", code)
}
