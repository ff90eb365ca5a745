//! A reply as one chat completion: the same events as the stream, folded into one JSON text as they come.

use bytes::{Bytes, BytesMut};
use qm_canon::{Block, Encoder, Event, Fault, Finish, Kind, Origin, Sink, Stop};
use serde::de::IgnoredAny;

use super::Reply;
use super::chunk::{self, Form};
use crate::{custom, json};

/// Writes one reply as one completion. [`Encoder::take`] gives nothing until it is finished, and nothing if it failed.
pub struct Whole {
    reply: Reply,
    out: BytesMut,
    /// The text so far, as the inside of a JSON string.
    text: BytesMut,
    /// The reasoning so far, likewise.
    reasoning: BytesMut,
    /// The calls so far.
    calls: BytesMut,
    open: Open,
    /// Arguments of the open call.
    arguments: String,
    /// Whether a tool call was not whole; only a reply that ran out of tokens may have one.
    unfinished: bool,
    end: Option<Result<(), Fault>>,
}

/// The open block.
#[derive(Clone, Copy)]
enum Open {
    /// None is, or one that this format does not show.
    Nothing,
    Text,
    Thinking,
    Call {
        form: Form,
        /// Where it begins among the calls.
        start: usize,
    },
}

// === impl Whole ===

impl Whole {
    /// A completion that answers with this.
    #[must_use]
    pub fn answering(reply: Reply) -> Self {
        Self {
            reply,
            out: BytesMut::new(),
            text: BytesMut::with_capacity(4096),
            reasoning: BytesMut::new(),
            calls: BytesMut::new(),
            open: Open::Nothing,
            arguments: String::new(),
            unfinished: false,
            end: None,
        }
    }

    /// Why there is no completion, if the reply broke off.
    #[must_use]
    pub fn fault(&self) -> Option<&Fault> {
        self.end.as_ref().and_then(|end| end.as_ref().err())
    }

    /// Whether the completion is whole.
    #[must_use]
    pub fn finished(&self) -> bool {
        matches!(self.end, Some(Ok(())))
    }

    fn open(&mut self, block: Block<'_>) {
        self.open = match block {
            Block::Text => Open::Text,
            Block::Thinking if self.reply.shows_reasoning() => Open::Thinking,
            Block::Thinking | Block::Redacted(_) => Open::Nothing,
            Block::Tool { id, name } => {
                let start = self.calls.len();
                let form = Form::of(name, &self.reply);
                self.arguments.clear();
                if form != Form::Legacy {
                    self.calls.extend_from_slice(if start > 0 { b",{" } else { b"{" });
                }
                form.head(&mut self.calls, id, name);
                Open::Call { form, start }
            }
        };
    }

    fn delta(&mut self, text: &str) {
        match self.open {
            Open::Nothing => {}
            Open::Text => json::fragment(&mut self.text, text),
            Open::Thinking => json::fragment(&mut self.reasoning, text),
            Open::Call { .. } => self.arguments.push_str(text),
        }
    }

    fn close(&mut self) {
        if let Open::Call { form, start } = self.open {
            if !is_object(&self.arguments) {
                self.unfinished = true;
                self.calls.truncate(start);
            } else if form == Form::Custom {
                json::fragment(&mut self.calls, &custom::unwrap(&self.arguments));
                self.calls.extend_from_slice(b"\"}}");
            } else {
                json::fragment(&mut self.calls, &self.arguments);
                self.calls.extend_from_slice(if form == Form::Legacy { b"\"}" } else { b"\"}}" });
            }
        }
        self.open = Open::Nothing;
    }

    fn finish(&mut self, finish: &Finish) {
        if self.unfinished && finish.stop != Stop::MaxTokens {
            // Never made-up arguments.
            let message = "The upstream's tool call was not complete. Try again.";
            let fault = Fault::new(Kind::Broken, Origin::Upstream, message);
            self.fault(&fault.code("unfinished-tool-input"));
            return;
        }
        let mut out =
            BytesMut::with_capacity(512 + self.text.len() + self.reasoning.len() + self.calls.len());
        out.extend_from_slice(b"{");
        chunk::head(&mut out, &self.reply, "chat.completion");
        out.extend_from_slice(b",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":");
        if self.text.is_empty() {
            out.extend_from_slice(b"null");
        } else {
            surrounded(&mut out, b"\"", &self.text, b"\"");
        }
        out.extend_from_slice(b",\"refusal\":null");
        if !self.reasoning.is_empty() {
            surrounded(&mut out, b",\"reasoning_content\":\"", &self.reasoning, b"\"");
        }
        if !self.calls.is_empty() {
            // A legacy call brings its own key.
            let (before, after): (&[u8], &[u8]) =
                if self.reply.note.legacy { (b",", b"") } else { (b",\"tool_calls\":[", b"]") };
            surrounded(&mut out, before, &self.calls, after);
        }
        out.extend_from_slice(b"},\"logprobs\":null,\"finish_reason\":");
        json::string(&mut out, chunk::reason(&finish.stop, self.reply.note.legacy));
        out.extend_from_slice(b"}],\"usage\":");
        chunk::usage(&mut out, finish, &self.reply);
        out.extend_from_slice(b"}");
        self.out = out;
        self.end = Some(Ok(()));
    }
}

impl Sink for Whole {
    fn event(&mut self, event: Event<'_>) {
        if self.end.is_some() {
            return;
        }
        match event {
            Event::Open(block) => self.open(block),
            Event::Delta(text) => self.delta(text),
            Event::Signature(_) => {}
            Event::Close => self.close(),
            Event::Finish(finish) => self.finish(finish),
        }
    }

    fn fault(&mut self, fault: &Fault) {
        self.out.clear();
        self.end = Some(Err(fault.clone()));
    }
}

impl Encoder for Whole {
    fn take(&mut self) -> Bytes {
        if self.finished() { self.out.split().freeze() } else { Bytes::new() }
    }
}

/// Whether this is the whole JSON text of an object.
pub(super) fn is_object(json: &str) -> bool {
    json.trim_ascii_start().starts_with('{') && serde_json::from_str::<IgnoredAny>(json).is_ok()
}

fn surrounded(out: &mut BytesMut, before: &[u8], inside: &[u8], after: &[u8]) {
    out.extend_from_slice(before);
    out.extend_from_slice(inside);
    out.extend_from_slice(after);
}
