//! A reply as chunks of a chat completion (spec/clients.md §3.2, §4).
//!
//! ```text
//! reply := comment* role ( delta | comment )* reason usage? [DONE]      usage only if it was asked for
//!        | comment* ( role ( delta | comment )* )? error                and nothing after it
//! ```

use bytes::{Bytes, BytesMut};
use qm_canon::{Block, Encoder, Event, Fault, Finish, Sink};
use qm_framing::sse;

use super::chunk::{self, Form};
use super::{Reply, whole};
use crate::fault::{self, Api};
use crate::{custom, json};

/// Writes one reply as server-sent events.
pub struct Stream {
    reply: Reply,
    out: BytesMut,
    /// What every chunk begins with, up to its choices; the line's beginning too, so that it is one piece.
    head: Bytes,
    started: bool,
    /// How many calls there have been.
    calls: u64,
    open: Open,
    /// Arguments of the open custom call: its text can be told only from the whole.
    arguments: String,
}

/// The open block, as far as its deltas depend on it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    /// None is, or one that this format does not show.
    Nothing,
    Text,
    Thinking,
    Call(Form),
}

// === impl Stream ===

impl Stream {
    /// A stream that answers with this.
    #[must_use]
    pub fn answering(reply: Reply) -> Self {
        let mut head = BytesMut::with_capacity(160);
        sse::begin_unnamed(&mut head);
        head.extend_from_slice(b"{");
        chunk::head(&mut head, &reply, "chat.completion.chunk");
        head.extend_from_slice(b",\"choices\":[");
        Self {
            reply,
            out: BytesMut::with_capacity(1024),
            head: head.freeze(),
            started: false,
            calls: 0,
            open: Open::Nothing,
            arguments: String::new(),
        }
    }

    /// Begins a chunk, up to what stands inside its delta.
    fn begin(&mut self) {
        self.out.extend_from_slice(&self.head);
        self.out.extend_from_slice(b"{\"index\":0,\"delta\":{");
    }

    /// Ends the chunk that was begun.
    fn end(&mut self) {
        self.out.extend_from_slice(b"},\"logprobs\":null,\"finish_reason\":null}]}");
        sse::end(&mut self.out);
    }

    fn start(&mut self) {
        if !self.started {
            self.started = true;
            self.begin();
            self.out.extend_from_slice(b"\"role\":\"assistant\",\"content\":null");
            self.end();
        }
    }

    fn open(&mut self, block: Block<'_>) {
        self.open = match block {
            Block::Text => Open::Text,
            Block::Thinking if self.reply.shows_reasoning() => Open::Thinking,
            Block::Thinking | Block::Redacted(_) => Open::Nothing,
            Block::Tool { id, name } => {
                let form = Form::of(name, &self.reply);
                self.arguments.clear();
                self.begin_call(form);
                form.head(&mut self.out, id, name);
                self.end_call(form);
                Open::Call(form)
            }
        };
    }

    fn delta(&mut self, text: &str) {
        match self.open {
            Open::Nothing => {}
            Open::Text => self.say(b"\"content\":\"", text),
            Open::Thinking => self.say(b"\"reasoning_content\":\"", text),
            Open::Call(Form::Custom) => self.arguments.push_str(text),
            Open::Call(form) => self.give(form, text),
        }
    }

    fn say(&mut self, opening: &[u8], text: &str) {
        if text.is_empty() {
            return;
        }
        self.begin();
        self.out.extend_from_slice(opening);
        json::fragment(&mut self.out, text);
        self.out.extend_from_slice(b"\"");
        self.end();
    }

    /// Writes more of what the open call is given. Its name and id have been said and must not be again: clients put
    /// them together like everything else.
    fn give(&mut self, form: Form, text: &str) {
        if text.is_empty() {
            return;
        }
        let (called, given) = form.keys();
        self.begin_call(form);
        json::string(&mut self.out, called);
        self.out.extend_from_slice(b":{");
        json::string(&mut self.out, given);
        self.out.extend_from_slice(b":\"");
        json::fragment(&mut self.out, text);
        self.end_call(form);
    }

    fn begin_call(&mut self, form: Form) {
        self.begin();
        if form != Form::Legacy {
            self.out.extend_from_slice(b"\"tool_calls\":[{\"index\":");
            json::number(&mut self.out, self.calls);
            self.out.extend_from_slice(b",");
        }
    }

    fn end_call(&mut self, form: Form) {
        self.out.extend_from_slice(if form == Form::Legacy { b"\"}" } else { b"\"}}]" });
        self.end();
    }

    fn close(&mut self) {
        if let Open::Call(form) = self.open {
            // One that was cut short has no text that could be told.
            if form == Form::Custom && whole::is_object(&self.arguments) {
                let arguments = std::mem::take(&mut self.arguments);
                self.give(form, &custom::unwrap(&arguments));
            }
            self.calls += 1;
        }
        self.open = Open::Nothing;
    }

    fn finish(&mut self, finish: &Finish) {
        self.begin();
        self.out.extend_from_slice(b"},\"logprobs\":null,\"finish_reason\":\"");
        self.out.extend_from_slice(chunk::reason(&finish.stop, self.reply.note.legacy).as_bytes());
        self.out.extend_from_slice(b"\"}]}");
        sse::end(&mut self.out);
        if self.reply.note.include_usage {
            // Once: two clients add up what every chunk says (spec/clients.md §3.2).
            self.out.extend_from_slice(&self.head);
            self.out.extend_from_slice(b"],\"usage\":");
            chunk::usage(&mut self.out, finish, &self.reply);
            self.out.extend_from_slice(b"}");
            sse::end(&mut self.out);
        }
        sse::begin_unnamed(&mut self.out);
        self.out.extend_from_slice(b"[DONE]");
        sse::end(&mut self.out);
    }
}

impl Sink for Stream {
    fn event(&mut self, event: Event<'_>) {
        self.start();
        match event {
            Event::Open(block) => self.open(block),
            Event::Delta(text) => self.delta(text),
            Event::Signature(_) => {}
            Event::Close => self.close(),
            Event::Finish(finish) => self.finish(finish),
        }
    }

    fn fault(&mut self, fault: &Fault) {
        sse::begin_unnamed(&mut self.out);
        fault::write(&mut self.out, fault, Api::Chat);
        sse::end(&mut self.out);
    }

    fn idle(&mut self) {
        sse::comment(&mut self.out, "ping");
    }
}

impl Encoder for Stream {
    fn take(&mut self) -> Bytes {
        self.out.split().freeze()
    }
}
