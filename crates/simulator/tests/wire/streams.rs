//! Replies: the default persona, scripts, and every way a stream goes wrong.

use std::time::Duration;

use qm_simulator::{Options, Outcome, Script, Step, ToolCall, ToolForm, start};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::client::{CHAT, End, Reply, chat, hello, name, payload, post, token};

const TAIL: [&str; 3] = ["metadataEvent", "contextUsageEvent", "meteringEvent"];

async fn played(script: Script) -> Reply {
    let sim = start(Options::default()).await.unwrap();
    let token = token(&sim).await;
    sim.push(script);
    chat(&sim, &token, &hello("hi")).await
}

/// The assembled tool inputs by call id, as a lenient client would put them together.
fn inputs(reply: &Reply) -> Vec<(String, String)> {
    let mut calls: Vec<(String, String)> = Vec::new();
    for frame in reply.frames().iter().filter(|frame| name(frame) == "toolUseEvent") {
        let payload = payload(frame);
        let id = payload["toolUseId"].as_str().map(str::to_owned);
        let id = id.unwrap_or_else(|| calls.last().unwrap().0.clone());
        if !calls.iter().any(|(known, _)| *known == id) {
            calls.push((id.clone(), String::new()));
        }
        let call = calls.iter_mut().find(|(known, _)| *known == id).unwrap();
        match &payload["input"] {
            Value::String(fragment) => call.1.push_str(fragment),
            Value::Null => {}
            whole => call.1 = whole.to_string(),
        }
    }
    calls
}

#[tokio::test]
async fn a_plain_reply_has_the_captured_order() {
    let reply = played(Script::say("Hi")).await;
    assert_eq!(reply.header("content-type"), Some("application/vnd.amazon.eventstream"));
    let expected = [&["initial-response", "assistantResponseEvent"][..], &TAIL].concat();
    assert_eq!(reply.names(), expected);
    assert_eq!(payload(&reply.frames()[2])["stopReason"], "END_TURN");
    assert_eq!(reply.end, End::Whole);
}

#[tokio::test]
async fn the_path_form_names_the_conversation_in_a_header() {
    let sim = start(Options::default()).await.unwrap();
    let bearer = format!("Bearer {}", token(&sim).await);
    let mut body = hello("hi");
    body["conversationState"]["conversationId"] = json!("c-1");
    sim.push(Script::say("Hi"));
    let headers = [("authorization", bearer.as_str())];
    let reply = post(&sim, "/base/generateAssistantResponse", &headers, &body).await;
    assert_eq!(reply.names(), [&["assistantResponseEvent"][..], &TAIL].concat());
    assert_eq!(reply.header("x-amzn-codewhisperer-conversation-id"), Some("c-1"));
}

#[tokio::test]
async fn each_tail_event_can_be_switched_off() {
    for (off, missing) in TAIL.iter().enumerate() {
        let tail = Step::Tail { metadata: off != 0, context_usage: off != 1, metering: off != 2 };
        let names = played(Script(vec![tail])).await.names();
        assert_eq!(names.len(), 3, "{names:?}");
        assert!(!names.iter().any(|name| name == missing), "{names:?}");
    }
}

#[tokio::test]
async fn every_embedded_script_parses_and_ends_in_its_way() {
    let sim = start(Options::default()).await.unwrap();
    let token = token(&sim).await;
    for name in Script::names() {
        let script = Script::named(name).unwrap_or_else(|| panic!("{name} is no script"));
        if matches!(name, "stall" | "stall-headers" | "slow") {
            continue;
        }
        let expected = match name {
            "drop" => End::Closed,
            "reset" | "rst" => End::Reset,
            _ => End::Whole,
        };
        sim.push(script);
        let reply = chat(&sim, &token, &hello("hi")).await;
        assert_eq!(reply.end, expected, "{name}");
    }
}

#[tokio::test]
async fn a_marker_in_the_text_plays_the_script_of_that_name() {
    let sim = start(Options::default()).await.unwrap();
    let token = token(&sim).await;
    let reply = chat(&sim, &token, &hello("please [[script:parallel-tools]] now")).await;
    let calls = inputs(&reply);
    assert_eq!(calls.len(), 2);
    assert_eq!(serde_json::from_str::<Value>(&calls[1].1).unwrap(), json!({ "city": "Oslo" }));
    let unknown = chat(&sim, &token, &hello("[[script:no-such-thing]]")).await;
    assert_eq!(unknown.status, 400);
}

#[tokio::test]
async fn tool_calls_come_in_every_form() {
    let input = json!({ "path": "a/b/c/note.txt", "lines": [1, 2, 3] });
    let text = input.to_string();
    let cases = [
        (ToolForm::Captured, text.clone(), 1),
        (ToolForm::MissingStop, text.clone(), 0),
        (ToolForm::TruncatedJson, text[..text.len() / 2].to_owned(), 1),
        (ToolForm::Cut, text[..text.len() / 2].to_owned(), 0),
        (ToolForm::ObjectInput, text.clone(), 1),
        (ToolForm::SingleFrame, text.clone(), 1),
        (ToolForm::EmptyInput, String::new(), 1),
        (ToolForm::Duplicate, text.clone(), 2),
        (ToolForm::Nameless, text.clone(), 1),
    ];
    for (form, expected, stops) in cases {
        let call = ToolCall { name: "read".into(), input: input.clone(), form, ..ToolCall::default() };
        let reply = played(Script(vec![Step::CallTool(call)])).await;
        let calls = inputs(&reply);
        assert_eq!(calls.len(), 1, "{form:?}");
        assert_eq!(calls[0].1, expected, "{form:?}");
        assert!(calls[0].0.starts_with("tooluse_") && calls[0].0.len() == 30, "{}", calls[0].0);
        let frames = reply.frames();
        let told = frames.iter().filter(|frame| payload(frame)["stop"] == true).count();
        assert_eq!(told, stops, "{form:?}");
        let metadata = frames.iter().find(|frame| name(frame) == "metadataEvent").unwrap();
        assert_eq!(payload(metadata)["stopReason"], "TOOL_USE");
    }
}

#[tokio::test]
async fn interleaved_calls_keep_their_inputs_apart() {
    let calls = ["Paris", "Oslo"].map(|city| ToolCall {
        name: "weather".into(),
        input: json!({ "city": city }),
        fragment: Some(3),
        ..ToolCall::default()
    });
    let reply = played(Script(vec![Step::Interleave { calls: calls.to_vec() }])).await;
    let cities: Vec<Value> =
        inputs(&reply).iter().map(|(_, text)| serde_json::from_str(text).unwrap()).collect();
    assert_eq!(cities, [json!({ "city": "Paris" }), json!({ "city": "Oslo" })]);
}

#[tokio::test]
async fn writes_of_any_size_carry_the_same_frames() {
    let text = "Gr\u{fc}\u{df}e, \u{4e16}\u{754c}! \u{1d11e}";
    for size in [1, 2, 7, 64] {
        let say = Step::Say { text: text.to_owned(), chars: Some(2), pace_ms: 0 };
        let reply = played(Script(vec![Step::Split { bytes: size }, say])).await;
        assert_eq!(reply.text(), text);
    }
    let burst = Step::Say { text: text.to_owned(), chars: Some(1), pace_ms: 0 };
    assert_eq!(played(Script(vec![Step::Burst { frames: 4 }, burst])).await.text(), text);
}

#[tokio::test]
async fn failures_in_the_stream_are_the_last_frame() {
    let exception = Step::Exception {
        kind: "ThrottlingException".into(),
        message: "slow".into(),
        reason: Some("USER_REQUEST_RATE_EXCEEDED".into()),
    };
    let state = Step::InvalidState { reason: "STALE_CONVERSATION".into(), message: "stale".into() };
    let error = Step::ErrorMessage { code: "InternalError".into(), message: "broken".into() };
    for (step, last) in
        [(exception, "ThrottlingException"), (state, "invalidStateEvent"), (error, "InternalError")]
    {
        let reply = played(Script(vec![Script::say("x").0.remove(0), step])).await;
        assert_eq!(reply.names().last().map(String::as_str), Some(last));
    }
    let clean = played(Script(vec![Script::say("x").0.remove(0), Step::EndClean])).await;
    assert_eq!(clean.names(), ["initial-response", "assistantResponseEvent"]);
}

#[tokio::test]
async fn cuts_leave_half_a_frame() {
    for (step, end) in [(Step::CutMidFrame, End::Whole), (Step::Drop, End::Closed)] {
        let reply = played(Script(vec![Script::say("x").0.remove(0), step])).await;
        assert_eq!(reply.end, end);
        let mut whole = qm_simulator::frame::event("initial-response", &json!({ "conversationId": "" }));
        whole.extend(qm_simulator::frame::event("assistantResponseEvent", &json!({ "content": "x" })));
        assert!(reply.body.starts_with(&whole) && reply.body.len() > whole.len());
    }
}

#[tokio::test]
async fn an_error_may_hide_behind_200() {
    let reply = played(Script::named("json-200").unwrap()).await;
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")));
    assert_eq!(reply.json()["reason"], "USER_REQUEST_RATE_EXCEEDED");
}

#[tokio::test]
async fn a_client_that_leaves_a_stall_is_recorded() {
    let sim = start(Options::default()).await.unwrap();
    let token = token(&sim).await;
    sim.push(Script::named("stall").unwrap());
    let mut stream = tokio::net::TcpStream::connect(sim.addr()).await.unwrap();
    let body = hello("hi").to_string();
    let head = format!(
        "POST / HTTP/1.1\r\nauthorization: Bearer {token}\r\ncontent-type: application/x-amz-json-1.0\r\n\
         x-amz-target: {CHAT}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut some = [0; 64];
    assert!(stream.read(&mut some).await.unwrap() > 0);
    drop(stream);
    let gone = sim.wait_for(|calls| calls.iter().any(|call| call.outcome == Outcome::ClientGone));
    tokio::time::timeout(Duration::from_secs(10), gone).await.unwrap();
    let calls = sim.requests();
    let call = calls.last().unwrap();
    assert_eq!((call.operation.as_str(), call.status), ("GenerateAssistantResponse", 200));
    assert!(call.bytes > 0 && call.headers["authorization"].starts_with("..."));
}

#[tokio::test]
async fn the_persona_reads_a_file_and_says_what_it_says() {
    let sim = start(Options::default()).await.unwrap();
    let token = token(&sim).await;
    let tool = json!({ "toolSpecification": { "name": "Read", "description": "Reads a file",
        "inputSchema": { "json": { "type": "object", "properties": { "file_path": { "type": "string" } } } } } });
    let mut body = hello("Read the file plan.md and tell me what it says.\nWorking directory: /home/me");
    let other = |name: &str| {
        let mut other = tool.clone();
        other["toolSpecification"]["name"] = json!(name);
        other
    };
    let context = json!({ "tools": [other("EnterWorktree"), other("Edit"), tool, other("ThreadView")] });
    body["conversationState"]["currentMessage"]["userInputMessage"]["userInputMessageContext"] = context;
    let reply = chat(&sim, &token, &body).await;
    let calls = inputs(&reply);
    assert_eq!(
        serde_json::from_str::<Value>(&calls[0].1).unwrap(),
        json!({ "file_path": "/home/me/plan.md" })
    );

    let frames = reply.frames();
    let told = frames.iter().find(|frame| name(frame) == "toolUseEvent").unwrap();
    assert_eq!(payload(told)["name"], "Read", "the surest reader of those offered");

    let id = &calls[0].0;
    let asked = json!({ "userInputMessage": { "content": "Read plan.md" } });
    let called = json!({ "assistantResponseMessage": { "content": "",
        "toolUses": [{ "toolUseId": id, "name": "Read", "input": { "file_path": "/home/me/plan.md" } }] } });
    body["conversationState"]["history"] = json!([asked, called]);
    let result = json!({ "toolUseId": id, "status": "success",
        "content": [{ "text": "     1\u{2192}The secret word is zebra.\n     2\u{2192}End." }] });
    let current = &mut body["conversationState"]["currentMessage"]["userInputMessage"];
    current["content"] = json!("");
    current["userInputMessageContext"]["toolResults"] = json!([result]);
    let reply = chat(&sim, &token, &body).await;
    assert_eq!(reply.text(), "The file says: The secret word is zebra.\nEnd.");
}

#[tokio::test]
async fn the_persona_thinks_in_the_manner_asked_for() {
    let sim = start(Options::default()).await.unwrap();
    let token = token(&sim).await;
    let mut body = hello("hi");
    body["conversationState"]["currentMessage"]["userInputMessage"]["modelId"] = json!("claude-sonnet-4.6");
    body["additionalModelRequestFields"] = json!({ "output_config": { "effort": "low" } });
    let native = chat(&sim, &token, &body).await;
    let frames = native.frames();
    let thought: Vec<_> = frames.iter().filter(|frame| name(frame) == "reasoningContentEvent").collect();
    assert!(thought.len() > 2 && payload(thought[thought.len() - 1])["signature"].is_string());
    let tagged = chat(&sim, &token, &hello("<thinking_mode>enabled</thinking_mode> hi")).await;
    assert!(tagged.text().starts_with("<thinking>\n") && tagged.text().contains("</thinking>\n\n"));
}
