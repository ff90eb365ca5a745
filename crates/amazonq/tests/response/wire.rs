//! Frames from scripts, and transcripts of what a decoder makes of them.

use std::fmt::Write as _;

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use qm_amazonq::decoder::{Decoder, Glance};
use qm_amazonq::request::{Note, Renamed};
use qm_canon::{Block, Checked, Display, Event, Fault, Kind, Origin, Sink};
use qm_framing::eventstream::{Frame, Frames};

pub(crate) const MAX_FRAME_BYTES: usize = 1 << 20;

/// A recorded answer: what the request noted, the bytes, and whether the transport broke at the end.
pub(crate) struct Recording {
    pub(crate) note: Note,
    pub(crate) frames: Vec<Vec<u8>>,
    pub(crate) cut: bool,
}

/// Writes what it gets, a line for each event.
#[derive(Default)]
pub(crate) struct Transcript(pub(crate) String);

/// What the relay ends an answer with whose transport broke.
pub(crate) fn broken_off() -> Fault {
    let message = "The upstream's answer broke off. What came so far is incomplete; try again.";
    Fault::new(Kind::Broken, Origin::Upstream, message).code("stream/transport")
}

// === impl Recording ===

impl Recording {
    /// Reads a script: a line for each frame, `event-type payload`; `!exception Type payload` and
    /// `!error Code message` for failures; `?key value` for what the request noted; `#` begins a comment.
    pub(crate) fn parse(script: &str) -> Self {
        let mut note = Note {
            window: 200_000,
            input_tokens: 1000,
            show_thinking: Some(Display::Shown),
            ..Note::default()
        };
        let (mut frames, mut cut) = (Vec::new(), false);
        for line in script.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (head, rest) = line.split_once(' ').unwrap_or((line, ""));
            match head {
                "?thinking" => note.show_thinking = display(rest),
                "?tags" => note.thinking_tags = true,
                "?cut" => cut = true,
                "?tool" => {
                    let (upstream, renamed) = renamed(rest);
                    note.tools.insert(upstream, renamed);
                }
                "!exception" => {
                    let (class, payload) = rest.split_once(' ').unwrap();
                    let headers = [(":exception-type", class), (":message-type", "exception")];
                    frames.push(frame(&headers, payload.as_bytes()));
                }
                "!error" => {
                    let (code, message) = rest.split_once(' ').unwrap();
                    let headers =
                        [(":error-code", code), (":error-message", message), (":message-type", "error")];
                    frames.push(frame(&headers, b""));
                }
                event => frames.push(self::event(event, rest)),
            }
        }
        Self { note, frames, cut }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.frames.concat()
    }

    /// The transcript, when the bytes come in pieces of these lengths (the rest in one).
    pub(crate) fn transcript(&self, lengths: impl IntoIterator<Item = usize>) -> String {
        let bytes = self.bytes();
        let mut rest = bytes.as_slice();
        let mut frames = Frames::new(MAX_FRAME_BYTES);
        let mut decoder = Decoder::new(self.note.clone());
        let mut sink = Checked::new(Transcript::default());
        let mut lengths = lengths.into_iter();
        while !rest.is_empty() {
            let length = lengths.next().unwrap_or(rest.len()).clamp(1, rest.len());
            frames.feed(&rest[..length]);
            rest = &rest[length..];
            while let Some(frame) = frames.next().unwrap() {
                decoder.frame(frame, &mut sink);
            }
        }
        if self.cut {
            decoder.fail(&broken_off(), &mut sink);
        } else {
            decoder.end(&mut sink);
        }
        assert_eq!(sink.violation(), None);
        assert!(sink.ended(), "every reply must end");
        if decoder.unknown() > 0 {
            writeln!(sink.inner().0, "({} unknown)", decoder.unknown()).unwrap();
        }
        sink.into_inner().0
    }

    /// What the first frame is at a glance.
    pub(crate) fn glance(&self) -> Glance {
        let mut frames = Frames::new(MAX_FRAME_BYTES);
        frames.feed(&self.frames[0]);
        let frame: Frame<'_> = frames.next().unwrap().unwrap();
        Decoder::new(self.note.clone()).glance(frame)
    }
}

// === impl Transcript ===

impl Sink for Transcript {
    fn event(&mut self, event: Event<'_>) {
        let out = &mut self.0;
        match event {
            Event::Open(Block::Text) => writeln!(out, "open text"),
            Event::Open(Block::Thinking) => writeln!(out, "open thinking"),
            Event::Open(Block::Redacted(data)) => writeln!(out, "open redacted {data}"),
            Event::Open(Block::Tool { id, name }) => writeln!(out, "open tool {id} {name}"),
            Event::Delta(text) => writeln!(out, "delta {text:?}"),
            Event::Signature(signature) => writeln!(out, "signature {signature}"),
            Event::Close => writeln!(out, "close"),
            Event::Finish(finish) => writeln!(out, "finish {:?} {:?}", finish.stop, finish.usage),
        }
        .unwrap();
    }

    fn fault(&mut self, fault: &Fault) {
        writeln!(self.0, "fault {:?} [{}] {}", fault.kind, fault.code, fault.message).unwrap();
    }
}

/// An event frame as the upstream writes it.
pub(crate) fn event(name: &str, payload: &str) -> Vec<u8> {
    let headers = [(":event-type", name), (":content-type", "application/json"), (":message-type", "event")];
    frame(&headers, payload.as_bytes())
}

pub(crate) fn frame(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let header = |&(name, value): &(&str, &str)| {
        Header::new(name.to_owned(), HeaderValue::String(value.to_owned().into()))
    };
    let message = Message::new_from_parts(headers.iter().map(header).collect(), payload.to_vec());
    let mut bytes = Vec::new();
    write_message_to(&message, &mut bytes).unwrap();
    bytes
}

fn display(name: &str) -> Option<Display> {
    match name {
        "shown" => Some(Display::Shown),
        "omitted" => Some(Display::Omitted),
        _ => None,
    }
}

/// `upstream client property=Property …`
fn renamed(line: &str) -> (String, Renamed) {
    let mut words = line.split(' ').map(str::to_owned);
    let (upstream, name) = (words.next().unwrap(), words.next().unwrap());
    let pair = |word: String| word.split_once('=').map(|(from, to)| (from.to_owned(), to.to_owned()));
    (upstream, Renamed { name, properties: words.filter_map(pair).collect() })
}
