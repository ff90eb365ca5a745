//! Any stream becomes a reply that obeys the grammar and ends exactly once, and any reply can be written to a client.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use qm_amazonq::request::Renamed;
use qm_amazonq::{Decoder, Glance, Note};
use qm_anthropic::{Reply, Whole};
use qm_canon::{Block, Checked, Display, Encoder, Event, Fault, Sink, Stop};
use qm_framing::eventstream::Frames;
use quartermaster_fuzz::models;
use quartermaster_fuzz::stream::Stream;

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
});

fn answer(input: &Input, chunks: &[&[u8]]) -> Told {
    let note = note(input);
    let mut frames = Frames::new(1 << 20);
    let mut sink = Checked::new(Told::new(note.show_thinking));
    let mut decoder = Decoder::new(note);
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
        decoder.cut(&mut sink);
    }
    decoder.end(&mut sink);
    decoder.cut(&mut sink);
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

/// What a reply said, as events, as a stream for a client and as a whole message.
struct Told {
    seen: Vec<String>,
    stream: qm_anthropic::Stream,
    whole: Whole,
    sse: Vec<u8>,
    /// Input of the open tool call.
    tool: Option<String>,
    /// Input of a tool call that was closed without being whole JSON.
    unfinished: Option<String>,
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
        Self { seen: Vec::new(), stream, whole, sse: Vec::new(), tool: None, unfinished: None }
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
    }

    fn fault(&mut self, fault: &Fault) {
        self.seen.push(format!("fault {:?} {}", fault.kind, fault.message));
        Sink::fault(&mut self.stream, fault);
        Sink::fault(&mut self.whole, fault);
    }
}
