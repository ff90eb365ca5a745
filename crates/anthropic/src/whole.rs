//! A reply as one message: the same events as the stream, folded into one JSON text as they come.

use bytes::{Bytes, BytesMut};
use qm_canon::{Block, Display, Encoder, Event, Fault, Finish, Kind, Origin, Sink, Stop};
use serde::de::IgnoredAny;

use crate::message::Reply;
use crate::{json, message, stream};

/// Writes one reply as one message. [`Encoder::take`] gives nothing until it is finished, and nothing if it failed.
pub struct Whole {
    reply: Reply,
    out: BytesMut,
    open: Open,
    /// Whether a block stands before the next.
    comma: bool,
    /// Where a tool call that is not whole begins in `out`; only a reply that ran out of tokens may have one.
    unfinished: Option<usize>,
    end: Option<Result<(), Fault>>,
}

/// The open block.
#[derive(Clone, Copy)]
enum Open {
    Nothing,
    Text,
    Thinking,
    /// Reasoning of which only the seal is shown.
    SealOnly,
    /// Reasoning after its seal has been written.
    Sealed,
    Hidden,
    Tool {
        /// Where it begins in the output.
        start: usize,
        /// Where its input begins.
        input: usize,
    },
}

// === impl Whole ===

impl Whole {
    /// A message that answers with this.
    #[must_use]
    pub fn answering(reply: Reply) -> Self {
        let mut out = BytesMut::with_capacity(4096);
        out.extend_from_slice(b"{");
        reply.head(&mut out);
        out.extend_from_slice(b",\"content\":[");
        Self { reply, out, open: Open::Nothing, comma: false, unfinished: None, end: None }
    }

    /// Why there is no message, if the reply broke off.
    #[must_use]
    pub fn fault(&self) -> Option<&Fault> {
        self.end.as_ref().and_then(|end| end.as_ref().err())
    }

    /// Whether the message is complete.
    #[must_use]
    pub fn finished(&self) -> bool {
        matches!(self.end, Some(Ok(())))
    }

    fn open(&mut self, block: Block<'_>) {
        if self.reply.display.is_none() && matches!(block, Block::Thinking | Block::Redacted(_)) {
            self.open = Open::Hidden;
            return;
        }
        let start = self.out.len();
        let out = &mut self.out;
        if self.comma {
            out.extend_from_slice(b",");
        }
        self.open = match block {
            Block::Text => {
                out.extend_from_slice(b"{\"type\":\"text\",\"text\":\"");
                Open::Text
            }
            Block::Thinking => {
                out.extend_from_slice(b"{\"type\":\"thinking\",\"thinking\":\"");
                if self.reply.display == Some(Display::Omitted) { Open::SealOnly } else { Open::Thinking }
            }
            Block::Redacted(data) => {
                out.extend_from_slice(b"{\"type\":\"redacted_thinking\",\"data\":");
                json::string(out, data);
                out.extend_from_slice(b"}");
                Open::Nothing
            }
            Block::Tool { id, name } => {
                stream::tool_head(out, id, name);
                Open::Tool { start, input: out.len() }
            }
        };
        self.comma = true;
    }

    fn delta(&mut self, text: &str) {
        match self.open {
            Open::Text | Open::Thinking => json::fragment(&mut self.out, text),
            Open::Tool { .. } => self.out.extend_from_slice(text.as_bytes()),
            Open::Nothing | Open::SealOnly | Open::Sealed | Open::Hidden => {}
        }
    }

    fn seal(&mut self, seal: &str) {
        if matches!(self.open, Open::Thinking | Open::SealOnly) {
            self.out.extend_from_slice(b"\",\"signature\":");
            json::string(&mut self.out, seal);
            self.out.extend_from_slice(b"}");
            self.open = Open::Sealed;
        }
    }

    fn close(&mut self) {
        match self.open {
            Open::Text => self.out.extend_from_slice(b"\"}"),
            Open::Thinking | Open::SealOnly => self.seal(""),
            Open::Tool { start, input } => {
                if !is_object(&self.out[input..]) {
                    self.unfinished = Some(start);
                }
                self.out.extend_from_slice(b"}");
            }
            Open::Nothing | Open::Sealed | Open::Hidden => {}
        }
        self.open = Open::Nothing;
    }

    fn finish(&mut self, finish: &Finish) {
        if let Some(start) = self.unfinished {
            if finish.stop != Stop::MaxTokens {
                // Never a made-up input, and never a message that is not JSON.
                let fault = Fault::new(
                    Kind::Broken,
                    Origin::Upstream,
                    "The upstream's tool call was not complete. Try again.",
                );
                self.fault(&fault.code("unfinished-tool-input"));
                return;
            }
            self.out.truncate(start);
        }
        let out = &mut self.out;
        out.extend_from_slice(b"],");
        message::stop(out, &finish.stop);
        out.extend_from_slice(b",\"usage\":");
        message::usage(out, &message::shown(finish, &self.reply));
        out.extend_from_slice(b"}");
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
            Event::Signature(seal) => self.seal(seal),
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

fn is_object(json: &[u8]) -> bool {
    json.trim_ascii_start().first() == Some(&b'{') && serde_json::from_slice::<IgnoredAny>(json).is_ok()
}
