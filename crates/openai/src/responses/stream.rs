//! A reply as Responses server-sent events (spec/clients.md §3.3, §4).
//!
//! ```text
//! reply     := created in_progress ( item | keepalive )* ( completed | incomplete | failed error )
//! item      := output_item.added ( message | reasoning | call | custom ) output_item.done     output_index 0, 1, 2 …
//! message   := content_part.added output_text.delta* output_text.done content_part.done
//! reasoning := [ reasoning_summary_part.added reasoning_summary_text.delta* reasoning_summary_text.done
//!                reasoning_summary_part.done ]
//! call      := function_call_arguments.delta* function_call_arguments.done
//! custom    := custom_tool_call_input.delta custom_tool_call_input.done
//! ```
//!
//! `sequence_number` counts all of them from 0. A call that the bound on tokens cut short is begun and never done.
//! The text that a custom tool takes comes upstream inside JSON, so it is held until it is whole.

mod events;

use bytes::{Bytes, BytesMut};
use qm_canon::{Block, Encoder, Event, Fault, Finish, Sink};

use self::events::Events;
use super::item::{self, Call, Kind};
use super::note::Reply;
use super::response::{self, Answer, State};
use crate::fault::{self, Api};
use crate::json;

/// Writes one reply as server-sent events.
pub struct Stream {
    answer: Answer,
    events: Events,
    state: Course,
}

/// How far the stream has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Course {
    Before,
    Begun,
    /// In a reasoning item whose summary has begun.
    Summing,
    Ended,
}

// === impl Stream ===

impl Stream {
    /// A stream that answers with this.
    #[must_use]
    pub fn answering(reply: Reply) -> Self {
        Self { answer: Answer::to(reply), events: Events::default(), state: Course::Before }
    }

    fn start(&mut self) {
        if self.state == Course::Before {
            self.state = Course::Begun;
            self.respond("response.created", State::InProgress);
            self.respond("response.in_progress", State::InProgress);
        }
    }

    /// An event that holds the response object.
    fn respond(&mut self, kind: &str, state: State<'_>) {
        self.events.begin(kind);
        self.events.out.extend_from_slice(b",\"response\":");
        self.answer.write(&mut self.events.out, state);
        self.events.end();
    }

    fn open(&mut self, block: Block<'_>) {
        self.answer.begin(block);
        self.events.next_item();
        let index = self.answer.count;
        let Some(item) = &self.answer.open else { return };
        self.events.item("response.output_item.added", index, |out| item.write_begun(out));
        if matches!(item.kind, Kind::Message) {
            self.events.part("response.content_part.added", item, index, "content_index");
            self.events.value("part", |out| item::write_text(out, ""));
            self.events.end();
        }
    }

    fn delta(&mut self, text: &str) {
        self.answer.add(text);
        let index = self.answer.count;
        let Some(item) = &self.answer.open else { return };
        let events = &mut self.events;
        match &item.kind {
            Kind::Message => {
                events.delta("response.output_text.delta", item, index, Some("content_index"));
                json::string(&mut events.out, text);
                events.value("logprobs", |out| out.extend_from_slice(b"[]"));
            }
            Kind::Reasoning(reasoning) if reasoning.shown && !text.is_empty() => {
                if self.state != Course::Summing {
                    self.state = Course::Summing;
                    events.part("response.reasoning_summary_part.added", item, index, "summary_index");
                    events.value("part", |out| item::write_summary(out, ""));
                    events.end();
                }
                events.delta("response.reasoning_summary_text.delta", item, index, Some("summary_index"));
                json::string(&mut events.out, text);
            }
            Kind::Call(Call { custom: false, .. }) => {
                events.delta("response.function_call_arguments.delta", item, index, None);
                json::string(&mut events.out, text);
            }
            Kind::Reasoning(_) | Kind::Call(_) => return,
        }
        events.end();
    }

    fn close(&mut self) {
        let index = self.answer.count;
        let Some((item, done)) = self.answer.complete() else { return };
        let events = &mut self.events;
        match &item.kind {
            Kind::Message => {
                events.part("response.output_text.done", &item, index, "content_index");
                events.value("text", |out| json::string(out, &item.said));
                events.value("logprobs", |out| out.extend_from_slice(b"[]"));
                events.end();
                events.part("response.content_part.done", &item, index, "content_index");
                events.value("part", |out| item::write_text(out, &item.said));
                events.end();
            }
            Kind::Reasoning(_) if self.state == Course::Summing => {
                self.state = Course::Begun;
                events.part("response.reasoning_summary_text.done", &item, index, "summary_index");
                events.value("text", |out| json::string(out, &item.said));
                events.end();
                events.part("response.reasoning_summary_part.done", &item, index, "summary_index");
                events.value("part", |out| item::write_summary(out, &item.said));
                events.end();
            }
            Kind::Reasoning(_) => {}
            Kind::Call(Call { custom: true, .. }) => {
                let input = item.custom_input();
                events.of("response.custom_tool_call_input.delta", &item, index);
                events.value("delta", |out| json::string(out, &input));
                events.end();
                events.of("response.custom_tool_call_input.done", &item, index);
                events.value("input", |out| json::string(out, &input));
                events.end();
            }
            Kind::Call(_) => {
                events.of("response.function_call_arguments.done", &item, index);
                events.value("arguments", |out| json::string(out, &item.said));
                events.end();
            }
        }
        events.item("response.output_item.done", index, |out| out.extend_from_slice(done));
    }

    fn finish(&mut self, finish: &Finish) {
        if let Some(fault) = self.answer.breach(finish) {
            self.fault(&fault);
            return;
        }
        let state = State::Finished(finish);
        let kind = match state.word() {
            "incomplete" => "response.incomplete",
            _ => "response.completed",
        };
        self.respond(kind, state);
        self.answer.keep(finish);
        self.state = Course::Ended;
    }
}

impl Sink for Stream {
    fn event(&mut self, event: Event<'_>) {
        if self.state == Course::Ended {
            return;
        }
        self.start();
        match event {
            Event::Open(block) => self.open(block),
            Event::Delta(text) => self.delta(text),
            Event::Signature(seal) => self.answer.seal(seal),
            Event::Close => self.close(),
            Event::Finish(finish) => self.finish(finish),
        }
    }

    /// Says it twice: Codex acts on the first form alone, the SDKs on the second (spec/clients.md §3.5).
    fn fault(&mut self, fault: &Fault) {
        if self.state == Course::Ended {
            return;
        }
        self.start();
        self.respond("response.failed", State::Failed(fault));
        let events = &mut self.events;
        let (code, message) = (response::code(fault), response::message(fault));
        events.begin("error");
        events.value("code", |out| json::string(out, code));
        events.value("message", |out| json::string(out, &message));
        let param = fault::param(fault, Api::Responses);
        let write_param = |out: &mut BytesMut| match &param {
            Some(param) => json::string(out, param),
            None => out.extend_from_slice(b"null"),
        };
        events.value("param", write_param);
        events.out.extend_from_slice(b",\"error\":{\"type\":");
        json::string(&mut events.out, fault::kind_name(fault));
        events.value("code", |out| json::string(out, code));
        events.value("message", |out| json::string(out, &message));
        events.value("param", write_param);
        events.out.extend_from_slice(b"}");
        events.end();
        self.state = Course::Ended;
    }

    /// Codex counts events, not bytes, and the SDKs want `response.created` before any other (spec/clients.md §0.6,
    /// §3.3): so silence before the first event begins the response.
    fn idle(&mut self) {
        match self.state {
            Course::Ended => {}
            Course::Before => self.start(),
            Course::Begun | Course::Summing => {
                self.events.begin("keepalive");
                self.events.end();
            }
        }
    }
}

impl Encoder for Stream {
    fn take(&mut self) -> Bytes {
        self.events.out.split().freeze()
    }
}
