//! Replies on the wire: streams in full, and whole messages that say the same.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    reason = "a test fails by panicking, its helpers too"
)]

mod reader;

use proptest::prelude::*;
use qm_anthropic::{Reply, Stream, Whole};
use qm_canon::{
    Basis, Block, Checked, Display, Encoder, Event, Fault, Finish, Kind, Origin, Sink, Stop, Usage,
};
use serde_json::{Map, Value};

/// One step of a reply, owned.
#[derive(Clone, Debug)]
enum Step {
    Text,
    Thinking,
    Redacted(String),
    Tool(String, String),
    Delta(String),
    Signature(String),
    Close,
    Idle,
    Finish(Stop, Tokens),
    Fault,
}

#[derive(Clone, Copy, Debug, Default)]
struct Tokens {
    input: u64,
    output: u64,
    cache_read: Option<u64>,
    cache_write: Option<u64>,
}

fn reply(display: Option<Display>) -> Reply {
    Reply {
        message_id: "msg_1".into(),
        model: "claude \"x\"".into(),
        input_tokens: 12,
        display,
        request_id: "req_1".into(),
    }
}

fn play(steps: &[Step], sink: &mut impl Sink) {
    for step in steps {
        match step {
            Step::Text => sink.event(Event::Open(Block::Text)),
            Step::Thinking => sink.event(Event::Open(Block::Thinking)),
            Step::Redacted(data) => sink.event(Event::Open(Block::Redacted(data))),
            Step::Tool(id, name) => sink.event(Event::Open(Block::Tool { id, name })),
            Step::Delta(text) => sink.event(Event::Delta(text)),
            Step::Signature(seal) => sink.event(Event::Signature(seal)),
            Step::Close => sink.event(Event::Close),
            Step::Idle => sink.idle(),
            Step::Finish(stop, tokens) => {
                let usage = Usage {
                    input: tokens.input,
                    output: tokens.output,
                    cache_read: tokens.cache_read,
                    cache_write: tokens.cache_write,
                    credits: Some(0.5),
                    basis: Basis::Reported,
                };
                sink.event(Event::Finish(&Finish { stop: stop.clone(), usage }));
            }
            Step::Fault => sink.fault(&fault()),
        }
    }
}

fn fault() -> Fault {
    Fault::new(Kind::Overloaded, Origin::Upstream, "The model is \"busy\". Try again.")
}

fn streamed(steps: &[Step], display: Option<Display>) -> String {
    let mut stream = Stream::answering(reply(display));
    play(steps, &mut stream);
    String::from_utf8(stream.take().to_vec()).unwrap()
}

fn whole(steps: &[Step], display: Option<Display>) -> Whole {
    let mut whole = Whole::answering(reply(display));
    play(steps, &mut whole);
    whole
}

fn everything() -> Vec<Step> {
    let text = |text: &str| Step::Delta(text.into());
    vec![
        Step::Idle,
        Step::Thinking,
        text("Let me\nsee."),
        Step::Signature("c2VhbA==".into()),
        Step::Close,
        Step::Redacted("ZW5j".into()),
        Step::Close,
        Step::Text,
        text("Reading \"a\""),
        Step::Idle,
        text(" \u{1f980}\u{1}"),
        Step::Close,
        Step::Tool("tooluse_A".into(), "Read".into()),
        text("{\"path\": "),
        text("\"a\\n\"}"),
        Step::Close,
        Step::Tool("toolu_B".into(), "Now".into()),
        text("{}"),
        Step::Close,
        Step::Finish(Stop::ToolUse, Tokens { input: 30, output: 7, cache_read: Some(5), cache_write: None }),
    ]
}

#[test]
fn a_stream_in_full() {
    insta::assert_snapshot!("stream", streamed(&everything(), Some(Display::Shown)));
}

#[test]
fn reasoning_of_which_only_the_seal_is_shown() {
    insta::assert_snapshot!("stream_omitted", streamed(&everything()[..10], Some(Display::Omitted)));
}

/// Without it the other blocks are numbered as if it had never been.
#[test]
fn reasoning_nobody_asked_for_leaves_no_trace() {
    let text = streamed(&everything(), None);
    let read = reader::message(&text);
    assert!(!text.contains("thinking"), "{text}");
    assert_eq!(read.content.len(), 3);
}

#[test]
fn a_whole_message_in_full() {
    let mut whole = whole(&everything(), Some(Display::Shown));
    assert!(whole.finished() && whole.fault().is_none());
    insta::assert_snapshot!("whole", String::from_utf8(whole.take().to_vec()).unwrap());
}

/// A stream that breaks is never dressed as a good end.
#[test]
fn a_fault_is_the_last_word() {
    let mut steps = everything();
    steps.truncate(9);
    steps.push(Step::Fault);
    let text = streamed(&steps, None);
    assert!(
        text.ends_with(concat!(
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",",
            "\"message\":\"The model is \\\"busy\\\". Try again.\"},\"request_id\":\"req_1\"}\n\n"
        )),
        "{text}"
    );
    assert!(!text.contains("message_stop") && !text.contains("message_delta"));
    let mut whole = whole(&steps, None);
    assert_eq!(whole.fault().unwrap().kind, Kind::Overloaded);
    assert!(!whole.finished() && whole.take().is_empty());
}

#[test]
fn each_reason_to_stop_has_its_word() {
    let table = [
        (Stop::EndTurn, "end_turn", None),
        (Stop::ToolUse, "tool_use", None),
        (Stop::MaxTokens, "max_tokens", None),
        (Stop::Sequence("E\"ND".into()), "stop_sequence", Some("E\"ND")),
        (Stop::Refusal, "refusal", None),
        (Stop::WindowFull, "model_context_window_exceeded", None),
        (Stop::Pause, "pause_turn", None),
    ];
    for (stop, reason, sequence) in table {
        let steps = [Step::Finish(stop, Tokens::default())];
        let read = reader::message(&streamed(&steps, None));
        assert_eq!((read.stop_reason.as_str(), read.stop_sequence.as_str()), (Some(reason), sequence));
        // No input was reported, so the estimate stands; no cache figure was, so there is none.
        assert_eq!(read.usage.to_string(), r#"{"input_tokens":12,"output_tokens":0}"#);
    }
}

#[test]
fn a_tool_call_cut_short_is_no_tool_call() {
    let cut = |stop| {
        vec![
            Step::Text,
            Step::Delta("a".into()),
            Step::Close,
            Step::Tool("t".into(), "f".into()),
            Step::Delta("{\"a\": \"".into()),
            Step::Close,
            Step::Finish(stop, Tokens::default()),
        ]
    };
    let message: Value = serde_json::from_slice(&whole(&cut(Stop::MaxTokens), None).take()).unwrap();
    assert_eq!(message["content"].to_string(), r#"[{"text":"a","type":"text"}]"#);
    assert_eq!(message["stop_reason"], "max_tokens");
    // For any other reason it is a breach, and must not become half a message.
    let mut whole = whole(&cut(Stop::ToolUse), None);
    assert_eq!(whole.fault().unwrap().kind, Kind::Broken);
    assert!(whole.take().is_empty());
}

proptest! {
    /// Both forms of one reply, read by an independent reader, say the same.
    #[test]
    fn a_whole_message_is_its_stream_folded(steps in steps(), display in display(), cuts in any::<u64>()) {
        let mut checked = Checked::new(Stream::answering(reply(display)));
        // Taken at many places, since the front takes whenever it can write.
        let mut text = Vec::new();
        for (index, step) in steps.iter().enumerate() {
            play(std::slice::from_ref(step), &mut checked);
            if cuts >> (index % 64) & 1 == 1 {
                text.extend_from_slice(&checked.inner().take());
            }
        }
        text.extend_from_slice(&checked.inner().take());
        prop_assert_eq!(checked.violation(), None);
        let read = reader::message(std::str::from_utf8(&text).unwrap());
        let mut whole = whole(&steps, display);
        if matches!(steps.last(), Some(Step::Fault)) {
            prop_assert_eq!(read.error, Some("overloaded_error".to_owned()));
            prop_assert!(whole.take().is_empty() && whole.fault().is_some());
            return Ok(());
        }
        prop_assert_eq!(read.error, None);
        let message: Value = serde_json::from_slice(&whole.take()).unwrap();
        prop_assert_eq!(&message["content"], &Value::Array(read.content));
        prop_assert_eq!(&message["stop_reason"], &read.stop_reason);
        prop_assert_eq!(&message["stop_sequence"], &read.stop_sequence);
        prop_assert_eq!(&message["usage"], &read.usage);
        prop_assert_eq!(&message["id"], &read.start["id"]);
        prop_assert_eq!(&message["model"], &read.start["model"]);
        prop_assert_eq!(&message["role"], "assistant");
        prop_assert_eq!(&message["type"], "message");
    }
}

fn display() -> impl Strategy<Value = Option<Display>> {
    prop_oneof![Just(None), Just(Some(Display::Shown)), Just(Some(Display::Omitted))]
}

/// Replies that keep the grammar.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    (prop::collection::vec(block(), 0..5), end()).prop_map(|(blocks, end)| {
        let mut steps: Vec<Step> = blocks.concat();
        steps.extend(end);
        steps
    })
}

fn end() -> impl Strategy<Value = Vec<Step>> {
    let stop = prop_oneof![
        Just(Stop::EndTurn),
        Just(Stop::MaxTokens),
        any::<String>().prop_map(Stop::Sequence),
        Just(Stop::WindowFull)
    ];
    let tokens = (0..9u64, any::<u32>(), any::<Option<u32>>(), any::<Option<u32>>()).prop_map(
        |(input, output, read, write)| Tokens {
            input,
            output: output.into(),
            cache_read: read.map(u64::from),
            cache_write: write.map(u64::from),
        },
    );
    let cut_tool = "[a-z]{1,5}".prop_map(|id| {
        vec![Step::Tool(id, "cut".into()), Step::Delta("{\"half\":".into()), Step::Close, Step::Idle]
    });
    prop_oneof![
        4 => (stop, tokens).prop_map(|(stop, tokens)| vec![Step::Finish(stop, tokens)]),
        1 => cut_tool.prop_map(|mut steps| {
            steps.push(Step::Finish(Stop::MaxTokens, Tokens::default()));
            steps
        }),
        1 => Just(vec![Step::Fault]),
        1 => Just(vec![Step::Text, Step::Delta("half".into()), Step::Fault]),
    ]
}

fn block() -> impl Strategy<Value = Vec<Step>> {
    let pieces = || prop::collection::vec(any::<String>(), 0..4);
    let input = prop::collection::btree_map("[a-z\"]{1,4}", any::<String>(), 0..3);
    let inside = |open: Step, pieces: Vec<String>| {
        let mut steps = vec![Step::Idle, open];
        steps.extend(pieces.into_iter().map(Step::Delta));
        steps
    };
    prop_oneof![
        pieces().prop_map(move |pieces| {
            let mut steps = inside(Step::Text, pieces);
            steps.push(Step::Close);
            steps
        }),
        (pieces(), any::<Option<String>>()).prop_map(move |(pieces, seal)| {
            let mut steps = inside(Step::Thinking, pieces);
            steps.extend(seal.map(Step::Signature));
            steps.extend([Step::Idle, Step::Close]);
            steps
        }),
        any::<String>().prop_map(|data| vec![Step::Redacted(data), Step::Close]),
        (any::<String>(), any::<String>(), input, 1..7usize).prop_map(move |(id, name, input, size)| {
            let input: Map<String, Value> =
                input.into_iter().map(|(key, value)| (key, value.into())).collect();
            let text: Vec<char> = Value::Object(input).to_string().chars().collect();
            let pieces = text.chunks(size).map(|piece| piece.iter().collect()).collect();
            let mut steps = inside(Step::Tool(id, name), pieces);
            steps.push(Step::Close);
            steps
        }),
    ]
}
