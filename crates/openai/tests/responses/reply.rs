//! Replies on the wire: streams in full, and whole responses that say the same.

use std::time::Duration;

use proptest::prelude::*;
use qm_canon::{
    Basis, Block, Checked, Display, Encoder, Event, Fault, Finish, Kind, Origin, Part, Sink, Stop, Usage,
};
use qm_openai::responses::{Note, Reply, Stream, Whole, request};
use serde_json::{Map, Value, json};

use crate::reader;

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

/// A request with tools of every kind.
fn note() -> Note {
    let body = r#"{"model":"m","input":"x","instructions":"Be\nbrief.","max_output_tokens":90,"include":["reasoning.encrypted_content"],
        "metadata": {
          "a": "b" },
        "tools":[
          {"type":"function","name":"read"},
          {"type":"custom","name":"patch","format":{"type":"grammar","syntax":"lark","definition":"start: x"}},
          {"type":"namespace","name":"files","tools":[{"type":"function","name":"list"}]},
          {"type":"namespace","name":"functions","tools":[{"type":"custom","name":"exec"}]}]}"#;
    request::decode(body.as_bytes()).unwrap().reply_note()
}

fn reply(display: Option<Display>, note: Note) -> Reply {
    Reply {
        id: "resp_0a".into(),
        created: 1_700_000_000,
        model: "claude \"x\"".into(),
        input_tokens: 12,
        display,
        note,
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
    Fault::new(Kind::Throttled, Origin::Upstream, "Too many \"requests\".")
        .retry_after(Duration::from_millis(1500))
}

fn streamed(steps: &[Step], display: Option<Display>) -> String {
    let mut stream = Stream::answering(reply(display, note()));
    play(steps, &mut stream);
    String::from_utf8(stream.take().to_vec()).unwrap()
}

fn whole(steps: &[Step], display: Option<Display>) -> Whole {
    let mut whole = Whole::answering(reply(display, note()));
    play(steps, &mut whole);
    whole
}

fn parsed(whole: &mut Whole) -> Value {
    serde_json::from_slice(&whole.take()).unwrap()
}

fn everything() -> Vec<Step> {
    let text = |text: &str| Step::Delta(text.into());
    vec![
        Step::Idle,
        Step::Thinking,
        text("Let me\n"),
        text("see."),
        Step::Signature("c2VhbA==".into()),
        Step::Close,
        Step::Redacted("ZW5j".into()),
        Step::Close,
        Step::Text,
        text("Reading \"a\""),
        Step::Idle,
        text(" \u{1f980}\u{1}"),
        Step::Close,
        Step::Tool("tooluse_A".into(), "read".into()),
        text("{\"path\": "),
        text("\"a\\n\"}"),
        Step::Close,
        Step::Tool("call_B".into(), "files__list".into()),
        text("{}"),
        Step::Close,
        Step::Tool("tooluse_C".into(), "exec".into()),
        text("{\"input\": \"text(1)"),
        Step::Idle,
        text("\\n\"}"),
        Step::Close,
        Step::Finish(
            Stop::ToolUse,
            Tokens { input: 30, output: 7, cache_read: Some(5), cache_write: Some(2) },
        ),
    ]
}

#[test]
fn a_stream_in_full() {
    insta::assert_snapshot!("stream", streamed(&everything(), Some(Display::Shown)));
}

#[test]
fn a_whole_response_in_full() {
    let mut whole = whole(&everything(), Some(Display::Shown));
    assert!(whole.finished() && whole.fault().is_none());
    let response = parsed(&mut whole);
    insta::assert_snapshot!("whole", serde_json::to_string_pretty(&response).unwrap());
}

/// The client keeps the conversation, so what it sends back must be enough for the model to go on.
#[test]
fn a_conversation_comes_back_as_it_was() {
    for display in [Display::Shown, Display::Omitted] {
        let response = parsed(&mut whole(&everything(), Some(display)));
        let mut input = vec![json!({ "role": "user", "content": "x" })];
        input.extend(response["output"].as_array().unwrap().clone());
        input.push(json!({ "type": "function_call_output", "call_id": "call_tooluse_A", "output": "a" }));
        input.push(json!({ "type": "function_call_output", "call_id": "call_call_B", "output": "b" }));
        input.push(json!({ "type": "custom_tool_call_output", "call_id": "call_tooluse_C", "output": "c" }));
        let body = json!({ "model": "m", "input": input, "tools": response["tools"] }).to_string();
        let ask = request::decode(body.as_bytes()).unwrap();
        let said: Vec<String> = ask.conversation().turns()[1].parts.iter().map(said).collect();
        let expect = [
            "thinking Let me\nsee. c2VhbA==",
            "redacted ZW5j",
            "text Reading \"a\" \u{1f980}\u{1}",
            "tooluse_A read {\"path\": \"a\\n\"}",
            "call_B files__list {}",
            "tooluse_C exec {\"input\":\"text(1)\\n\"}",
        ];
        assert_eq!(said, expect);
        let answers: Vec<String> = ask.conversation().turns()[2].parts.iter().map(said_id).collect();
        assert_eq!(answers, ["tooluse_A", "call_B", "tooluse_C"]);
    }
}

fn said(part: &Part<'_>) -> String {
    match part {
        Part::Text(text) => format!("text {}", text.decoded()),
        Part::Thinking { text, signature } => format!("thinking {text} {signature}"),
        Part::Redacted(data) => format!("redacted {data}"),
        Part::ToolUse(call) => format!("{} {} {}", call.id, call.name, call.input),
        _ => panic!("nothing else was said"),
    }
}

fn said_id(part: &Part<'_>) -> String {
    match part {
        Part::ToolResult(result) => result.id.to_string(),
        _ => panic!("only results"),
    }
}

#[test]
fn reasoning_is_shown_as_far_as_it_was_asked_for() {
    let shown = reader::read(&streamed(&everything(), Some(Display::Shown)));
    assert_eq!(shown.items[0]["summary"][0]["text"], "Let me\nsee.");
    let omitted = streamed(&everything(), Some(Display::Omitted));
    assert!(!omitted.contains("reasoning_summary"), "{omitted}");
    assert_eq!(reader::read(&omitted).items[0]["summary"], json!([]));
    let hidden = streamed(&everything(), None);
    assert!(!hidden.contains("\"type\":\"reasoning\"") && !hidden.contains("see."), "{hidden}");
    assert_eq!(reader::read(&hidden).items.len(), 4);
    // A client that keeps the conversation and does not ask for the seal gets none; one that leaves the keeping to the
    // server needs it, since this server keeps nothing.
    for (more, sealed) in [
        (r#","store":false"#, false),
        ("", true),
        (r#","include":["reasoning.encrypted_content"],"store":false"#, true),
    ] {
        let body = format!(r#"{{"model":"m","input":"x"{more}}}"#);
        let note = request::decode(body.as_bytes()).unwrap().reply_note();
        let mut stream = Stream::answering(reply(Some(Display::Shown), note));
        play(&everything(), &mut stream);
        assert_eq!(String::from_utf8_lossy(&stream.take()).contains("encrypted_content"), sealed, "{more}");
    }
}

/// Silence before the first event begins the response, since nothing may come before that.
#[test]
fn a_silent_upstream_is_not_a_silent_gateway() {
    let mut stream = Stream::answering(reply(None, note()));
    play(&[Step::Idle, Step::Idle, Step::Idle, Step::Fault, Step::Idle], &mut stream);
    let read = reader::read(str::from_utf8(&stream.take()).unwrap());
    assert_eq!((read.keepalives, read.end.as_str()), (2, "response.failed"));
}

/// A stream that breaks is never dressed as a good end, and every client hears of it.
#[test]
fn a_fault_is_the_last_word() {
    let mut steps = everything();
    steps.truncate(11);
    steps.extend([Step::Fault, Step::Finish(Stop::EndTurn, Tokens::default()), Step::Fault]);
    let read = reader::read(&streamed(&steps, Some(Display::Shown)));
    let message = "Too many \"requests\". Please try again in 2s.";
    assert_eq!(read.last["error"], json!({ "code": "rate_limit_exceeded", "message": message }));
    assert_eq!(read.last["output"], json!(read.items));
    assert_eq!(read.items.len(), 2, "what was complete stays");
    let error = read.error.unwrap();
    let nested = json!({ "type": "rate_limit_error", "code": "rate_limit_exceeded", "message": message, "param": null });
    assert_eq!(error["error"], nested);
    assert_eq!(
        (&error["code"], &error["message"], &error["param"]),
        (&nested["code"], &nested["message"], &json!(null))
    );
    let mut whole = whole(&steps, None);
    assert_eq!(whole.fault().unwrap().kind, Kind::Throttled);
    assert!(!whole.finished() && whole.take().is_empty());
}

/// Codex goes by the code alone (spec/clients.md §2.2).
#[test]
fn each_fault_has_the_code_that_codex_acts_on() {
    let table = [
        (Kind::Invalid, "invalid_prompt"),
        (Kind::TooLong { tokens: 2, limit: 1 }, "context_length_exceeded"),
        (Kind::TooLarge, "invalid_prompt"),
        (Kind::Unauthenticated, "invalid_prompt"),
        (Kind::Forbidden, "invalid_prompt"),
        (Kind::NotFound, "invalid_prompt"),
        (Kind::Throttled, "rate_limit_exceeded"),
        (Kind::Exhausted, "insufficient_quota"),
        (Kind::Overloaded, "server_is_overloaded"),
        (Kind::Unavailable, "server_error"),
        (Kind::Timeout, "server_error"),
        (Kind::Broken, "server_error"),
        (Kind::Internal, "server_error"),
    ];
    for (kind, code) in table {
        let mut stream = Stream::answering(reply(None, Note::default()));
        stream.fault(&Fault::new(kind, Origin::Upstream, "x").code("log-only"));
        let text = String::from_utf8(stream.take().to_vec()).unwrap();
        assert!(!text.contains("log-only"));
        assert!(text.contains(&format!("\"error\":{{\"code\":\"{code}\"")), "{kind:?}: {text}");
    }
}

#[test]
fn each_reason_to_stop_has_its_status() {
    let table = [
        (Stop::EndTurn, "completed", None),
        (Stop::ToolUse, "completed", None),
        (Stop::Sequence("END".into()), "completed", None),
        (Stop::Pause, "completed", None),
        (Stop::MaxTokens, "incomplete", Some("max_output_tokens")),
        (Stop::WindowFull, "incomplete", Some("max_output_tokens")),
        (Stop::Refusal, "incomplete", Some("content_filter")),
    ];
    for (stop, status, reason) in table {
        let steps = [Step::Finish(stop, Tokens::default())];
        let read = reader::read(&streamed(&steps, None));
        assert_eq!(read.end, format!("response.{status}"));
        assert_eq!(read.last["status"], status);
        assert_eq!(read.last["incomplete_details"]["reason"].as_str(), reason);
        // No input was reported, so the estimate stands.
        assert_eq!(
            read.last["usage"],
            json!({ "input_tokens": 12, "input_tokens_details": { "cached_tokens": 0 }, "output_tokens": 0,
                    "output_tokens_details": { "reasoning_tokens": 0 }, "total_tokens": 12 })
        );
    }
}

#[test]
fn a_tool_call_cut_short_is_no_tool_call() {
    let cut = |tool: &str, stop| {
        vec![
            Step::Text,
            Step::Delta("a".into()),
            Step::Close,
            Step::Tool("t".into(), tool.into()),
            Step::Delta("{\"input\": \"".into()),
            Step::Close,
            Step::Finish(stop, Tokens::default()),
        ]
    };
    for tool in ["read", "patch"] {
        let read = reader::read(&streamed(&cut(tool, Stop::MaxTokens), None));
        assert_eq!((read.end.as_str(), read.items.len()), ("response.incomplete", 1));
        assert_eq!(read.last["output"], json!(read.items));
        let response = parsed(&mut whole(&cut(tool, Stop::MaxTokens), None));
        assert_eq!(response["output"], json!(read.items));
        // For any other reason it is a breach, and must not become half a response.
        let read = reader::read(&streamed(&cut(tool, Stop::ToolUse), None));
        assert_eq!(read.end, "response.failed");
        let mut whole = whole(&cut(tool, Stop::ToolUse), None);
        assert_eq!(whole.fault().unwrap().kind, Kind::Broken);
        assert!(whole.take().is_empty());
    }
}

/// An open stream does not hold what its client has already.
#[test]
fn long_fields_are_not_repeated() {
    let long = "x".repeat(9000);
    let body = json!({
        "model": "m", "input": "x", "instructions": long,
        "tools": [{ "type": "function", "name": "a", "description": long }],
    });
    let note = request::decode(body.to_string().as_bytes()).unwrap().reply_note();
    let mut stream = Stream::answering(reply(None, note));
    play(&[Step::Finish(Stop::EndTurn, Tokens::default())], &mut stream);
    let text = String::from_utf8(stream.take().to_vec()).unwrap();
    let read = reader::read(&text);
    assert!(text.len() < 4000);
    assert_eq!((&read.last["tools"], &read.last["instructions"]), (&json!([]), &json!(null)));
}

proptest! {
    /// Both forms of one reply, read by an independent reader, say the same.
    #[test]
    fn a_whole_response_is_its_stream_folded(steps in steps(), display in display(), cuts in any::<u64>()) {
        let mut checked = Checked::new(Stream::answering(reply(display, note())));
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
        let read = reader::read(std::str::from_utf8(&text).unwrap());
        prop_assert_eq!(&read.last["output"], &Value::Array(read.items));
        let mut whole = whole(&steps, display);
        if matches!(steps.last(), Some(Step::Fault)) {
            prop_assert_eq!(&read.error.unwrap()["code"], "rate_limit_exceeded");
            prop_assert!(whole.take().is_empty() && whole.fault().is_some());
            return Ok(());
        }
        prop_assert!(read.error.is_none());
        prop_assert_eq!(parsed(&mut whole), read.last);
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
    let stop =
        prop_oneof![Just(Stop::EndTurn), Just(Stop::MaxTokens), Just(Stop::Refusal), Just(Stop::WindowFull)];
    let tokens = (0..9u64, any::<u32>(), any::<Option<u32>>(), any::<Option<u32>>()).prop_map(
        |(input, output, read, write)| Tokens {
            input,
            output: output.into(),
            cache_read: read.map(u64::from),
            cache_write: write.map(u64::from),
        },
    );
    let cut_tool = (tool(), "[a-z]{1,5}").prop_map(|(name, id)| {
        let half = Step::Delta("{\"half\":".into());
        vec![
            Step::Tool(id, name),
            half,
            Step::Close,
            Step::Idle,
            Step::Finish(Stop::MaxTokens, Tokens::default()),
        ]
    });
    prop_oneof![
        4 => (stop, tokens).prop_map(|(stop, tokens)| vec![Step::Finish(stop, tokens)]),
        1 => cut_tool,
        1 => Just(vec![Step::Fault]),
        1 => Just(vec![Step::Text, Step::Delta("half".into()), Step::Fault]),
        1 => Just(vec![Step::Thinking, Step::Delta("half".into()), Step::Idle, Step::Fault]),
    ]
}

fn tool() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        proptest::sample::select(vec!["read", "patch", "files__list", "exec"]).prop_map(str::to_owned)
    ]
}

fn block() -> impl Strategy<Value = Vec<Step>> {
    let pieces = || prop::collection::vec(any::<String>(), 0..4);
    let input = prop::collection::btree_map("input|[a-z\"]{1,4}", any::<String>(), 0..3);
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
        (any::<String>(), tool(), input, 1..7usize).prop_map(move |(id, name, input, size)| {
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
