//! Chat replies on the wire: streams in full, and whole completions that say the same.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    reason = "a test fails by panicking, its helpers too"
)]

mod reader;

use proptest::prelude::*;
use qm_canon::{
    Basis, Block, Checked, Display, Encoder, Event, Fault, Finish, Kind, Origin, Sink, Stop, Usage,
};
use qm_openai::chat::{Note, Reply, Stream, Whole};
use serde_json::{Map, Value, json};

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

fn reply(display: Option<Display>, note: Note) -> Reply {
    Reply {
        id: "chatcmpl-1".into(),
        created: 1_700_000_000,
        model: "claude \"x\"".into(),
        input_tokens: 12,
        display,
        note,
    }
}

fn note() -> Note {
    Note { include_usage: true, custom: vec!["patch".into()], legacy: false }
}

fn legacy() -> Note {
    Note { include_usage: false, custom: Vec::new(), legacy: true }
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
            Step::Fault => {
                let message = "The model is \"busy\". Try again.";
                sink.fault(&Fault::new(Kind::Overloaded, Origin::Upstream, message));
            }
        }
    }
}

fn streamed(steps: &[Step], reply: Reply) -> String {
    let mut stream = Stream::answering(reply);
    play(steps, &mut stream);
    String::from_utf8(stream.take().to_vec()).unwrap()
}

fn whole(steps: &[Step], reply: Reply) -> Whole {
    let mut whole = Whole::answering(reply);
    play(steps, &mut whole);
    whole
}

fn text(text: &str) -> Step {
    Step::Delta(text.into())
}

fn everything() -> Vec<Step> {
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
        Step::Tool("call_B".into(), "patch".into()),
        text("{\"input\":\"*** \\\"B"),
        text("egin\\n\"}"),
        Step::Close,
        Step::Finish(
            Stop::ToolUse,
            Tokens { input: 30, output: 7, cache_read: Some(5), cache_write: Some(2) },
        ),
    ]
}

#[test]
fn a_stream_in_full() {
    insta::assert_snapshot!("stream", streamed(&everything(), reply(Some(Display::Shown), note())));
}

#[test]
fn a_whole_completion_in_full() {
    let mut whole = whole(&everything(), reply(Some(Display::Shown), note()));
    assert!(whole.finished() && whole.fault().is_none());
    insta::assert_snapshot!("whole", String::from_utf8(whole.take().to_vec()).unwrap());
}

fn one_call() -> Vec<Step> {
    let mut steps = everything();
    steps.drain(16..20);
    steps
}

#[test]
fn a_legacy_call_in_full() {
    let body = streamed(&one_call()[7..], reply(None, legacy()));
    let read = reader::completion(&body);
    assert_eq!(read.finish_reason, "function_call");
    assert_eq!(
        Value::Object(read.message),
        json!({
            "role": "assistant",
            "content": "Reading \"a\" \u{1f980}\u{1}",
            "function_call": {"name": "Read", "arguments": "{\"path\": \"a\\n\"}"},
        })
    );
    assert!(read.usage.is_null(), "usage comes only when it was asked for");
    insta::assert_snapshot!("legacy", body);
}

#[test]
fn reasoning_nobody_asked_for_leaves_no_trace() {
    for display in [None, Some(Display::Omitted)] {
        let body = streamed(&everything(), reply(display, note()));
        assert!(!body.contains("reasoning") && !body.contains("Let me"), "{body}");
        let mut whole = whole(&everything(), reply(display, note()));
        assert!(!String::from_utf8(whole.take().to_vec()).unwrap().contains("reasoning"));
    }
}

/// A stream that breaks is never dressed as a good end.
#[test]
fn a_fault_is_the_last_word() {
    let mut steps = everything();
    steps.truncate(9);
    steps.push(Step::Fault);
    let body = streamed(&steps, reply(None, note()));
    assert!(
        body.ends_with(concat!(
            "data: {\"error\":{\"message\":\"The model is \\\"busy\\\". Try again.\",\"type\":\"server_error\",",
            "\"param\":null,\"code\":\"server_is_overloaded\"}}\n\n"
        )),
        "{body}"
    );
    assert!(!body.contains("[DONE]") && !body.contains("\"finish_reason\":\""));
    let mut whole = whole(&steps, reply(None, note()));
    assert_eq!(whole.fault().unwrap().kind, Kind::Overloaded);
    assert!(!whole.finished() && whole.take().is_empty());
}

#[test]
fn each_reason_to_stop_has_its_word() {
    let table = [
        (Stop::EndTurn, "stop"),
        (Stop::ToolUse, "tool_calls"),
        (Stop::MaxTokens, "length"),
        (Stop::Sequence("E\"ND".into()), "stop"),
        (Stop::Refusal, "content_filter"),
        (Stop::WindowFull, "length"),
        (Stop::Pause, "stop"),
    ];
    for (stop, reason) in table {
        let read =
            reader::completion(&streamed(&[Step::Finish(stop, Tokens::default())], reply(None, note())));
        assert_eq!(read.finish_reason, reason);
        assert_eq!(read.message["content"], Value::Null);
        // No input was reported, so the estimate stands; no cache figure was, so there is none.
        let usage = json!({"prompt_tokens": 12, "completion_tokens": 0, "total_tokens": 12});
        assert_eq!(read.usage, usage);
    }
}

/// A figure that nobody measured is left out, not zero.
#[test]
fn usage_tells_of_the_cache_what_is_known() {
    let table = [
        (None, None, json!({"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10})),
        (
            Some(5),
            None,
            json!({"prompt_tokens": 14, "completion_tokens": 1, "total_tokens": 15,
                "prompt_tokens_details": {"cached_tokens": 5}}),
        ),
        (
            None,
            Some(2),
            json!({"prompt_tokens": 11, "completion_tokens": 1, "total_tokens": 12,
                "prompt_tokens_details": {"cache_write_tokens": 2}}),
        ),
    ];
    for (cache_read, cache_write, expect) in table {
        let tokens = Tokens { input: 9, output: 1, cache_read, cache_write };
        let body = streamed(&[Step::Finish(Stop::EndTurn, tokens)], reply(None, note()));
        assert_eq!(reader::completion(&body).usage, expect);
    }
}

#[test]
fn a_tool_call_cut_short_is_no_tool_call() {
    let cut = |name: &str, stop| {
        vec![
            Step::Text,
            text("a"),
            Step::Close,
            Step::Tool("t".into(), name.into()),
            text("{\"input\": \""),
            Step::Close,
            Step::Finish(stop, Tokens::default()),
        ]
    };
    for (name, note) in [("f", note()), ("patch", note()), ("f", legacy())] {
        let steps = cut(name, Stop::MaxTokens);
        let body: Value = serde_json::from_slice(&whole(&steps, reply(None, note.clone())).take()).unwrap();
        let choice = &body["choices"][0];
        let message = json!({"role": "assistant", "content": "a", "refusal": null});
        assert_eq!((&choice["message"], &choice["finish_reason"]), (&message, &json!("length")));
        // For any other reason it is a breach, and must not become half a completion.
        let mut whole = whole(&cut(name, Stop::ToolUse), reply(None, note));
        assert_eq!(whole.fault().unwrap().kind, Kind::Broken);
        assert!(whole.take().is_empty());
    }
}

proptest! {
    /// Both forms of one reply, read by an independent reader, say the same.
    #[test]
    fn a_whole_completion_is_its_stream_folded(
        steps in steps(),
        display in display(),
        include_usage in any::<bool>(),
        cuts in any::<u64>(),
    ) {
        let reply = reply(display, Note { include_usage, ..note() });
        let mut checked = Checked::new(Stream::answering(reply.clone()));
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
        let mut read = reader::completion(std::str::from_utf8(&text).unwrap());
        prop_assert_eq!(read.comments, steps.iter().filter(|step| matches!(step, Step::Idle)).count());
        let mut whole = whole(&steps, reply);
        if matches!(steps.last(), Some(Step::Fault)) {
            prop_assert_eq!(&read.error.unwrap()["code"], "server_is_overloaded");
            prop_assert!(!read.done && whole.take().is_empty() && whole.fault().is_some());
            return Ok(());
        }
        prop_assert_eq!(&read.error, &None);
        let body: Value = serde_json::from_slice(&whole.take()).unwrap();
        forget_cut_calls(&mut read.message);
        read.message.insert("refusal".into(), Value::Null);
        prop_assert_eq!(&body["choices"][0]["message"], &Value::Object(read.message));
        prop_assert_eq!(&body["choices"][0]["finish_reason"], &read.finish_reason);
        prop_assert_eq!(&body["choices"][0]["index"], 0);
        prop_assert_eq!(include_usage, read.usage.is_object());
        if include_usage {
            prop_assert_eq!(&body["usage"], &read.usage);
        }
        prop_assert_eq!(&body["object"], "chat.completion");
        for key in ["id", "created", "model"] {
            prop_assert_eq!(&body[key], &read.head[key]);
        }
    }
}

/// A stream has already shown the pieces of a call that was cut short; a whole completion leaves it out.
fn forget_cut_calls(message: &mut Map<String, Value>) {
    let Some(calls) = message.get_mut("tool_calls").and_then(Value::as_array_mut) else { return };
    let whole = |call: &Value| match call["type"].as_str() {
        Some("function") => {
            serde_json::from_str::<Value>(call["function"]["arguments"].as_str().unwrap()).is_ok()
        }
        _ => true,
    };
    calls.retain(whole);
    if calls.is_empty() {
        message.remove("tool_calls");
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
        Just(Stop::ToolUse),
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
    let keys = "[a-z\"]{1,4}|input";
    let input = prop::collection::btree_map(keys, any::<String>(), 0..3);
    let inside = |open: Step, pieces: Vec<String>| {
        let mut steps = vec![Step::Idle, open];
        steps.extend(pieces.into_iter().map(Step::Delta));
        steps
    };
    let name = prop_oneof![any::<String>(), Just("patch".to_owned())];
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
        (any::<String>(), name, input, 1..7usize).prop_map(move |(id, name, input, size)| {
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
