//! A reply as Messages server-sent events (spec/clients.md §3.1, §4).
//!
//! ```text
//! reply := ping* message_start ( ping | block )* ( message_delta message_stop | error )
//!        | ping* error
//! block := content_block_start ( content_block_delta | ping )* content_block_stop      index 0, 1, 2 …
//! ```

use bytes::{Bytes, BytesMut};
use qm_canon::{Block, Display, Encoder, Event, Fault, Finish, Sink, Usage};
use qm_framing::sse;

use crate::message::Reply;
use crate::{fault, id, json, message};

/// Writes one reply as server-sent events.
pub struct Stream {
    reply: Reply,
    out: BytesMut,
    started: bool,
    /// Index of the open block, or of the next.
    index: u64,
    open: Open,
}

/// A delta up to the number of its block: what `begin_in_block` writes, in one piece, for it is the event there is most of.
const DELTA: &str = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":";

/// What follows up to the text, for each kind.
const TEXT: &str = ",\"delta\":{\"type\":\"text_delta\",\"text\":\"";
const THINKING: &str = ",\"delta\":{\"type\":\"thinking_delta\",\"thinking\":\"";
const INPUT: &str = ",\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"";
const SIGNATURE: &str = ",\"delta\":{\"type\":\"signature_delta\",\"signature\":\"";

/// The open block, as far as its deltas depend on it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    /// None is, or one without deltas.
    Nothing,
    Text,
    Thinking,
    /// Reasoning of which only the seal is shown.
    SealOnly,
    /// Reasoning the client did not ask for: the block does not exist outside.
    Hidden,
    Tool,
}

// === impl Stream ===

impl Stream {
    /// A stream that answers with this.
    #[must_use]
    pub fn answering(reply: Reply) -> Self {
        Self { reply, out: BytesMut::with_capacity(1024), started: false, index: 0, open: Open::Nothing }
    }

    fn start(&mut self) {
        if self.started {
            return;
        }
        self.started = true;
        let out = &mut self.out;
        sse::begin(out, "message_start");
        out.extend_from_slice(b"{\"type\":\"message_start\",\"message\":{");
        self.reply.head(out);
        out.extend_from_slice(b",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":");
        message::usage(out, &Usage { input: self.reply.input_tokens, ..Usage::default() });
        out.extend_from_slice(b"}}");
        sse::end(out);
    }

    fn open(&mut self, block: Block<'_>) {
        self.open = match (block, self.reply.display) {
            (Block::Thinking | Block::Redacted(_), None) => Open::Hidden,
            (Block::Thinking, Some(Display::Omitted)) => Open::SealOnly,
            (Block::Thinking, Some(Display::Shown)) => Open::Thinking,
            (Block::Redacted(_), Some(_)) => Open::Nothing,
            (Block::Text, _) => Open::Text,
            (Block::Tool { .. }, _) => Open::Tool,
        };
        if self.open == Open::Hidden {
            return;
        }
        let out = &mut self.out;
        begin_in_block(out, "content_block_start", self.index);
        out.extend_from_slice(b",\"content_block\":");
        match block {
            Block::Text => out.extend_from_slice(b"{\"type\":\"text\",\"text\":\"\"}"),
            Block::Thinking => {
                out.extend_from_slice(b"{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}");
            }
            Block::Redacted(data) => {
                out.extend_from_slice(b"{\"type\":\"redacted_thinking\",\"data\":");
                json::string(out, data);
                out.extend_from_slice(b"}");
            }
            Block::Tool { id, name } => {
                tool_head(out, id, name);
                // Two clients read the input from deltas only, so it starts empty (spec/clients.md §3.1).
                out.extend_from_slice(b"{}}");
            }
        }
        out.extend_from_slice(b"}");
        sse::end(out);
    }

    fn delta(&mut self, text: &str) {
        self.write_delta(
            match self.open {
                Open::Text => TEXT,
                Open::Thinking => THINKING,
                Open::Tool => INPUT,
                Open::Nothing | Open::SealOnly | Open::Hidden => return,
            },
            text,
        );
    }

    fn write_delta(&mut self, kind: &str, text: &str) {
        let out = &mut self.out;
        out.extend_from_slice(DELTA.as_bytes());
        json::number(out, self.index);
        out.extend_from_slice(kind.as_bytes());
        json::fragment(out, text);
        out.extend_from_slice(b"\"}}\n\n");
    }

    fn close(&mut self) {
        if self.open != Open::Hidden {
            begin_in_block(&mut self.out, "content_block_stop", self.index);
            self.out.extend_from_slice(b"}");
            sse::end(&mut self.out);
            self.index += 1;
        }
        self.open = Open::Nothing;
    }

    fn finish(&mut self, finish: &Finish) {
        let out = &mut self.out;
        sse::begin(out, "message_delta");
        out.extend_from_slice(b"{\"type\":\"message_delta\",\"delta\":{");
        message::stop(out, &finish.stop);
        out.extend_from_slice(b"},\"usage\":");
        // Cumulative, input included: one client reads its input tokens nowhere else (spec/clients.md §0.8).
        message::usage(out, &message::shown(finish, &self.reply));
        out.extend_from_slice(b"}");
        sse::end(out);
        sse::begin(out, "message_stop");
        out.extend_from_slice(b"{\"type\":\"message_stop\"}");
        sse::end(out);
    }
}

impl Sink for Stream {
    fn event(&mut self, event: Event<'_>) {
        self.start();
        match event {
            Event::Open(block) => self.open(block),
            Event::Delta(text) => self.delta(text),
            Event::Signature(seal) => {
                if matches!(self.open, Open::Thinking | Open::SealOnly) {
                    self.write_delta(SIGNATURE, seal);
                }
            }
            Event::Close => self.close(),
            Event::Finish(finish) => self.finish(finish),
        }
    }

    fn fault(&mut self, fault: &Fault) {
        sse::begin(&mut self.out, "error");
        fault::write(&mut self.out, fault, &self.reply.request_id);
        sse::end(&mut self.out);
    }

    fn idle(&mut self) {
        sse::begin(&mut self.out, "ping");
        self.out.extend_from_slice(b"{\"type\":\"ping\"}");
        sse::end(&mut self.out);
    }
}

impl Encoder for Stream {
    fn take(&mut self) -> Bytes {
        self.out.split().freeze()
    }
}

/// Writes a tool use up to where its input begins.
pub(crate) fn tool_head(out: &mut BytesMut, id: &str, name: &str) {
    out.extend_from_slice(b"{\"type\":\"tool_use\",\"id\":\"");
    out.extend_from_slice(id::PREFIX.as_bytes());
    json::fragment(out, id);
    out.extend_from_slice(b"\",\"name\":");
    json::string(out, name);
    out.extend_from_slice(b",\"input\":");
}

fn begin_in_block(out: &mut BytesMut, event: &str, index: u64) {
    sse::begin(out, event);
    out.extend_from_slice(b"{\"type\":\"");
    out.extend_from_slice(event.as_bytes());
    out.extend_from_slice(b"\",\"index\":");
    json::number(out, index);
}
