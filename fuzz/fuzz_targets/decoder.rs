//! Any stream becomes a reply that obeys the grammar and ends exactly once, and any reply can be written to a client.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use qm_amazonq::request::Renamed;
use qm_amazonq::{Decoder, Glance, Note};
use qm_anthropic::{Reply, Whole};
use qm_canon::{Block, Checked, Display, Encoder, Event, Fault, Kind, Origin, Sink, Stop};
use qm_framing::eventstream::Frames;
use qm_openai::{chat, responses};
use quartermaster_fuzz::stream::Stream;
use quartermaster_fuzz::{models, sse};

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    tags: bool,
    show: Option<bool>,
    renamed: bool,
    window: u32,
    stream: Stream<'a>,
}

fuzz_target!(|input: Input| {
    let bytes = input.stream.bytes();
    let whole = answer(&input, &[&bytes]);
    let split = answer(&input, &input.stream.chunks(&bytes));
    assert!(whole.seen == split.seen, "{:?}\n{:?}", whole.seen, split.seen);
    assert_eq!(whole.sse, split.sse);
    assert_eq!(whole.chat.sse, split.chat.sse);
    assert_eq!(whole.responses.sse, split.responses.sse);
});

fn answer(input: &Input, chunks: &[&[u8]]) -> Told {
    let note = note(input);
    let mut frames = Frames::new(1 << 20);
    let mut sink = Checked::new(Told::new(note.show_thinking));
    let mut decoder = Decoder::new(note);
    let broken_off = Fault::new(Kind::Broken, Origin::Upstream, "The answer broke off.");
    let mut broken = false;
    'stream: for chunk in chunks {
        frames.feed(chunk);
        loop {
            match frames.next() {
                Ok(Some(frame)) => {
                    let silent = matches!(decoder.glance(frame), Glance::Silent);
                    let before = sink.inner().seen.len();
                    decoder.frame(frame, &mut sink);
                    // The relay commits to a 200 by this glance.
                    assert!(!silent || sink.inner().seen.len() == before, "a silent frame spoke");
                }
                Ok(None) => break,
                Err(_) => {
                    broken = true;
                    break 'stream;
                }
            }
        }
    }
    if broken || frames.is_partial() {
        decoder.fail(&broken_off, &mut sink);
    }
    decoder.end(&mut sink);
    decoder.fail(&broken_off, &mut sink);
    assert!(sink.violation().is_none(), "{:?}", sink.violation());
    assert!(sink.ended() && decoder.has_ended());
    let mut told = sink.into_inner();
    told.check();
    told
}

fn note(input: &Input) -> Note {
    let show_thinking = input.show.map(|shown| if shown { Display::Shown } else { Display::Omitted });
    let mut note =
        Note { thinking_tags: input.tags, show_thinking, window: input.window.into(), ..Note::default() };
    if input.renamed {
        let properties = vec![("a_1".to_owned(), "a 1".to_owned())];
        note.tools.insert("read".to_owned(), Renamed { name: "Read it".to_owned(), properties });
    }
    note
}

/// What a reply said, as events, as a stream for a client and as a whole message, in each format.
struct Told {
    seen: Vec<String>,
    stream: qm_anthropic::Stream,
    whole: Whole,
    sse: Vec<u8>,
    chat: Both<chat::Stream, chat::Whole>,
    responses: Both<responses::Stream, responses::Whole>,
    /// Input of the open tool call.
    tool: Option<String>,
    /// Input of a tool call that was closed without being whole JSON.
    unfinished: Option<String>,
}

/// A reply streamed and whole.
struct Both<S, W> {
    stream: S,
    whole: W,
    sse: Vec<u8>,
}

impl Told {
    fn new(display: Option<Display>) -> Self {
        let reply = Reply {
            message_id: "msg_1".to_owned(),
            model: "claude".to_owned(),
            input_tokens: 7,
            display,
            request_id: "req_1".to_owned(),
        };
        let stream = qm_anthropic::Stream::answering(reply.clone());
        let whole = Whole::answering(reply);
        Self {
            seen: Vec::new(),
            stream,
            whole,
            sse: Vec::new(),
            chat: chat(display),
            responses: responses(display),
            tool: None,
            unfinished: None,
        }
    }

    /// The stream is server-sent events of JSON, and a reply that ended well is one JSON message.
    fn check(&mut self) {
        self.sse.extend_from_slice(&self.stream.take());
        let text = std::str::from_utf8(&self.sse).expect("UTF-8");
        assert!(text.ends_with("\n\n"), "{text:?}");
        for line in text.lines().filter(|line| !line.is_empty()) {
            match line.strip_prefix("data: ") {
                Some(data) => models::json(data.as_bytes()),
                None => assert!(line.starts_with("event: "), "{line:?}"),
            }
        }
        let fault = self.whole.fault().is_some();
        assert!(fault != self.whole.finished(), "a whole answer ends well or not");
        assert_eq!(text.contains("event: message_stop\n"), !fault);
        assert_eq!(text.contains("event: error\n"), fault);
        if !fault {
            models::json(&self.whole.take());
        }
        self.check_chat(fault);
        self.check_responses(fault);
    }

    /// A stream of chunks ends in `[DONE]` after a good end only, and says what the completion says.
    fn check_chat(&mut self, fault: bool) {
        let Both { stream, whole, sse } = &mut self.chat;
        sse.extend_from_slice(&stream.take());
        let read = sse::chat(sse);
        let failed = chat::Whole::fault(whole).is_some();
        assert_eq!((read.good, whole.finished(), failed), (!fault, !fault, fault));
        let whole = whole.take();
        if fault {
            assert!(whole.is_empty());
        } else if !self.seen.iter().any(|seen| seen.starts_with("finish MaxTokens")) {
            assert_eq!(read, sse::completion(&whole));
        } else {
            // A call that the bound cut short has been streamed by then, and is none in the whole.
            assert_eq!(read.content, sse::completion(&whole).content);
        }
    }

    /// A stream of events ends with the very response that is told whole, after a good end only.
    fn check_responses(&mut self, fault: bool) {
        let Both { stream, whole, sse } = &mut self.responses;
        sse.extend_from_slice(&stream.take());
        let ended = sse::responses(sse);
        let failed = responses::Whole::fault(whole).is_some();
        assert_eq!((ended.is_some(), whole.finished(), failed), (!fault, !fault, fault));
        let whole = whole.take();
        assert_eq!(whole.is_empty(), fault);
        if let Some(ended) = ended {
            models::json(&whole);
            let said = std::str::from_utf8(&whole).expect("UTF-8");
            assert!(ended.ends_with(&format!("\"response\":{said}}}")), "{ended}\n{said}");
        }
    }
}

fn chat(display: Option<Display>) -> Both<chat::Stream, chat::Whole> {
    let note = chat::Note { include_usage: true, custom: vec!["write".to_owned()], legacy: false };
    let reply = chat::Reply {
        id: "chatcmpl-1".to_owned(),
        created: 1_700_000_000,
        model: "claude".to_owned(),
        input_tokens: 7,
        display,
        note,
    };
    let whole = chat::Whole::answering(reply.clone());
    Both { stream: chat::Stream::answering(reply), whole, sse: Vec::new() }
}

fn responses(display: Option<Display>) -> Both<responses::Stream, responses::Whole> {
    let reply = responses::Reply {
        id: "resp_1".to_owned(),
        created: 1_700_000_000,
        model: "claude".to_owned(),
        input_tokens: 7,
        display,
        note: asked().reply_note(),
    };
    let whole = responses::Whole::answering(reply.clone());
    Both { stream: responses::Stream::answering(reply), whole, sse: Vec::new() }
}

/// A request with a tool that takes text, one that takes JSON, and a wish for sealed reasoning.
fn asked() -> responses::request::Ask<'static> {
    const BODY: &[u8] = br#"{"model":"claude","input":"x","store":false,"include":["reasoning.encrypted_content"],
        "tools":[{"type":"custom","name":"write"},{"type":"function","name":"read","parameters":{"type":"object"}}]}"#;
    responses::request::decode(BODY).unwrap_or_else(|fault| panic!("a plain request: {fault}"))
}

impl<S: Encoder, W: Encoder> Sink for Both<S, W> {
    fn event(&mut self, event: Event<'_>) {
        self.stream.event(event);
        self.whole.event(event);
        self.sse.extend_from_slice(&self.stream.take());
    }

    fn fault(&mut self, fault: &Fault) {
        self.stream.fault(fault);
        self.whole.fault(fault);
    }
}

impl Sink for Told {
    fn event(&mut self, event: Event<'_>) {
        let seen = match event {
            Event::Open(block) => {
                self.tool = matches!(block, Block::Tool { .. }).then(String::new);
                match block {
                    Block::Tool { id, name } => format!("open tool {id} {name}"),
                    Block::Text => "open text".to_owned(),
                    Block::Thinking => "open thinking".to_owned(),
                    Block::Redacted(data) => format!("open redacted {data}"),
                }
            }
            Event::Delta(text) => {
                assert!(!text.is_empty(), "an empty delta");
                if let Some(tool) = &mut self.tool {
                    tool.push_str(text);
                }
                format!("delta {text}")
            }
            Event::Signature(signature) => format!("signature {signature}"),
            Event::Close => {
                if let Some(tool) = self.tool.take()
                    && serde_json::from_str::<serde_json::Map<_, _>>(&tool).is_err()
                {
                    self.unfinished = Some(tool);
                }
                "close".to_owned()
            }
            Event::Finish(finish) => {
                if finish.stop != Stop::MaxTokens {
                    assert!(
                        self.unfinished.is_none(),
                        "half a tool call passed as whole: {:?}",
                        self.unfinished
                    );
                }
                format!("finish {:?} {:?}", finish.stop, finish.usage)
            }
        };
        self.seen.push(seen);
        self.stream.event(event);
        self.whole.event(event);
        self.sse.extend_from_slice(&self.stream.take());
        self.chat.event(event);
        self.responses.event(event);
    }

    fn fault(&mut self, fault: &Fault) {
        self.seen.push(format!("fault {:?} {}", fault.kind, fault.message));
        Sink::fault(&mut self.stream, fault);
        Sink::fault(&mut self.whole, fault);
        Sink::fault(&mut self.chat, fault);
        Sink::fault(&mut self.responses, fault);
    }
}
