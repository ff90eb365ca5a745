//! What clients of each format are sent of one recording.

use qm_amazonq::Decoder;
use qm_canon::{Display, Encoder, Event, Fault, Sink};
use qm_framing::eventstream::Frames;
use qm_openai::fault::Api;
use qm_openai::{chat, responses};

use crate::wire::{MAX_FRAME_BYTES, Recording, broken_off};

/// The formats, as the goldens call them.
pub(crate) const FORMATS: [&str; 3] = ["messages", "chat", "responses"];

/// A reply on a client's wire.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// The server-sent events.
    pub(crate) streamed: String,
    /// The status of the answer to a client that asked for no stream.
    pub(crate) status: u16,
    /// Its body.
    pub(crate) whole: String,
}

/// One format's two encoders, and what the first has written.
struct Both<S, W> {
    stream: S,
    streamed: Vec<u8>,
    whole: W,
}

type Messages = Both<qm_anthropic::Stream, qm_anthropic::Whole>;
type Chat = Both<chat::Stream, chat::Whole>;
type Responses = Both<responses::Stream, responses::Whole>;

struct All {
    messages: Messages,
    chat: Chat,
    responses: Responses,
}

/// Decodes the recording, its bytes in pieces of these lengths (the rest in one), and tells it in every format.
/// Bytes are taken after every piece, as the gateway does.
pub(crate) fn of(
    name: &str,
    recording: &Recording,
    lengths: impl IntoIterator<Item = usize>,
) -> [(&'static str, Told); 3] {
    let bytes = recording.bytes();
    let mut rest = bytes.as_slice();
    let mut frames = Frames::new(MAX_FRAME_BYTES);
    let mut decoder = Decoder::new(recording.note.clone());
    let mut all = All::answering(name, recording.note.show_thinking);
    let mut lengths = lengths.into_iter();
    while !rest.is_empty() {
        let length = lengths.next().unwrap_or(rest.len()).clamp(1, rest.len());
        frames.feed(&rest[..length]);
        rest = &rest[length..];
        while let Some(frame) = frames.next().unwrap() {
            decoder.frame(frame, &mut all);
        }
        all.take();
    }
    if recording.cut {
        decoder.fail(&broken_off(), &mut all);
    } else {
        decoder.end(&mut all);
    }
    all.take();
    let messages = all.messages.told(qm_anthropic::Whole::fault, |fault| {
        (qm_anthropic::fault::status(fault), qm_anthropic::fault::render(fault, "req_1"))
    });
    let chat = all.chat.told(chat::Whole::fault, |fault| error(fault, Api::Chat));
    let responses = all.responses.told(responses::Whole::fault, |fault| error(fault, Api::Responses));
    let [of_messages, of_chat, of_responses] = FORMATS;
    [(of_messages, messages), (of_chat, chat), (of_responses, responses)]
}

// === impl Told ===

impl Told {
    /// Whether the stream ends as this format ends a good one.
    pub(crate) fn ends_well(&self, format: &str) -> bool {
        let last = self.streamed.trim_end().rsplit("\n\n").next().unwrap();
        match format {
            "messages" => last.starts_with("event: message_stop\n"),
            "chat" => last == "data: [DONE]",
            _ => {
                last.starts_with("event: response.completed\n")
                    || last.starts_with("event: response.incomplete\n")
            }
        }
    }
}

// === impl Both ===

impl<S: Encoder, W: Encoder> Both<S, W> {
    fn answering<R: Clone>(stream: fn(R) -> S, whole: fn(R) -> W, reply: R) -> Self {
        Self { stream: stream(reply.clone()), streamed: Vec::new(), whole: whole(reply) }
    }

    fn take(&mut self) {
        self.streamed.extend_from_slice(&self.stream.take());
    }

    fn told(
        mut self,
        fault: fn(&W) -> Option<&Fault>,
        render: impl FnOnce(&Fault) -> (u16, Vec<u8>),
    ) -> Told {
        let bytes = self.whole.take();
        let (status, whole) = match fault(&self.whole) {
            None => (200, bytes.to_vec()),
            Some(fault) => {
                assert!(bytes.is_empty(), "half an answer besides its fault");
                render(fault)
            }
        };
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Told { streamed: text(self.streamed), status, whole: text(whole) }
    }
}

impl<S: Sink, W: Sink> Sink for Both<S, W> {
    fn event(&mut self, event: Event<'_>) {
        self.stream.event(event);
        self.whole.event(event);
    }

    fn fault(&mut self, fault: &Fault) {
        self.stream.fault(fault);
        self.whole.fault(fault);
    }
}

// === impl All ===

impl All {
    fn answering(name: &str, display: Option<Display>) -> Self {
        let model = || "claude-sonnet-4-5".to_owned();
        let (created, input_tokens) = (1_800_000_000, 1000);
        let messages = qm_anthropic::Reply {
            message_id: "msg_1".to_owned(),
            model: model(),
            input_tokens,
            display,
            request_id: "req_1".to_owned(),
        };
        let note = chat::Note { include_usage: true, ..chat::Note::default() };
        let id = "chatcmpl-1".to_owned();
        let chat = chat::Reply { id, created, model: model(), input_tokens, display, note };
        let id = "resp_1".to_owned();
        let note = responses_note(name);
        let responses = responses::Reply { id, created, model: model(), input_tokens, display, note };
        Self {
            messages: Both::answering(
                qm_anthropic::Stream::answering,
                qm_anthropic::Whole::answering,
                messages,
            ),
            chat: Both::answering(chat::Stream::answering, chat::Whole::answering, chat),
            responses: Both::answering(responses::Stream::answering, responses::Whole::answering, responses),
        }
    }

    fn take(&mut self) {
        self.messages.take();
        self.chat.take();
        self.responses.take();
    }
}

impl Sink for All {
    fn event(&mut self, event: Event<'_>) {
        self.messages.event(event);
        self.chat.event(event);
        self.responses.event(event);
    }

    fn fault(&mut self, fault: &Fault) {
        self.messages.fault(fault);
        self.chat.fault(fault);
        self.responses.fault(fault);
    }
}

/// Recordings of reasoning answer a client that keeps the conversation itself and wants the seal to send back; the
/// others answer one that asked for nothing special, and repeat nothing of what it asked.
fn responses_note(name: &str) -> responses::Note {
    const SEALED: &[u8] =
        br#"{"model":"m","input":"x","store":false,"include":["reasoning.encrypted_content"]}"#;
    if name.starts_with("thinking") {
        responses::request::decode(SEALED).unwrap().reply_note()
    } else {
        responses::Note::default()
    }
}

fn error(fault: &Fault, api: Api) -> (u16, Vec<u8>) {
    (qm_openai::fault::status(fault), qm_openai::fault::render(fault, api))
}
