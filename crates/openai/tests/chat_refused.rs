//! What Chat refuses, in which words; and that nothing a client sends does worse than being refused.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::fs;

use proptest::prelude::*;
use proptest::sample::Index;
use qm_canon::{Fault, Kind};
use qm_openai::chat::request;
use qm_openai::fault::{self, Api};
use serde_json::{Value, json};

/// Stands in the fixtures wherever a fault could be tempted to quote the client.
const CONTENT: &str = "private words";

#[test]
fn each_refusal_has_its_words() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("fixtures/chat_refused.json")).unwrap();
    for case in cases {
        let body = body_of(&case);
        let Some(fault) = refusal(&body) else { panic!("not refused: {case}") };
        let said: Value = serde_json::from_slice(&fault::render(&fault, Api::Chat)).unwrap();
        assert_eq!(
            said,
            json!({"error": {
                "message": case["says"],
                "type": "invalid_request_error",
                "param": case["param"],
                "code": case["code"],
            }}),
            "{case}"
        );
        assert_eq!((fault.kind, fault::status(&fault)), (Kind::Invalid, 400));
        assert!(!said.to_string().contains(CONTENT), "a fault repeats the client's words: {said}");
    }
}

#[test]
fn stop_sequences_have_bounds() {
    let long = "x".repeat(1025);
    let many = vec!["x"; 65];
    for (stop, code) in [(json!(long), "string_above_max_length"), (json!(many), "array_above_max_length")] {
        let body = body_of(&json!({"with": {"stop": stop}}));
        assert_eq!(request::decode(&body).err().unwrap().code, code);
    }
}

#[test]
fn bytes_that_are_not_utf8_are_refused() {
    let fault = request::decode(b"{\"model\":\"\xff\"}").err().unwrap();
    assert!(fault.message.ends_with("not UTF-8 at byte 10."), "{fault}");
}

/// Deeper than the stack would hold, were it followed.
#[test]
fn a_deep_body_is_refused_or_skipped() {
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    let content = deep(r#"[{"type":"text","text":"#, "}]");
    let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":{content}}}]}}"#);
    assert!(request::decode(body.as_bytes()).is_err());
    let unknown =
        format!(r#"{{"model":"m","messages":[{{"role":"user","content":"x"}}],"x":{}}}"#, deep("[", "]"));
    assert!(request::decode(unknown.as_bytes()).is_ok());
}

/// Why a body is refused, where nothing is fetched.
fn refusal(body: &[u8]) -> Option<Fault> {
    match request::decode(body) {
        Ok(ask) => ask.conversation().remotes().next().map(|remote| remote.refusal.clone()),
        Err(fault) => Some(fault),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Any node of a real body replaced by any other value.
    #[test]
    fn a_bent_body_is_understood_or_refused(
        body in proptest::sample::select(bodies()),
        bends in prop::collection::vec((any::<Index>(), replacement()), 1..4),
    ) {
        let mut body = body;
        for (place, value) in bends {
            let places = places(&body);
            *body.pointer_mut(place.get::<String>(&places)).unwrap() = value;
        }
        if let Err(fault) = request::decode(body.to_string().as_bytes()) {
            prop_assert_eq!(fault.kind, Kind::Invalid);
            let said = fault::render(&fault, Api::Chat);
            let said: Value = serde_json::from_slice(&said).unwrap();
            prop_assert!(!said.to_string().contains(CONTENT), "{}", said);
        }
    }

    /// Any byte of a real body replaced, and the rest perhaps cut off.
    #[test]
    fn a_broken_body_is_understood_or_refused(
        body in proptest::sample::select(bodies()),
        place in any::<Index>(),
        byte in any::<u8>(),
        cut in proptest::option::of(any::<Index>()),
    ) {
        let mut body = body.to_string().into_bytes();
        let at = place.index(body.len());
        body[at] = byte;
        if let Some(cut) = cut {
            body.truncate(cut.index(body.len()));
        }
        if let Err(fault) = request::decode(&body) {
            prop_assert_eq!(fault.kind, Kind::Invalid);
        }
    }
}

fn replacement() -> impl Strategy<Value = Value> {
    let words =
        ["text", "image_url", "file", "tool", "function", "custom", "grammar", "user", "required", "call_0"];
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        Just(json!(CONTENT)),
        Just(json!("")),
        Just(json!([])),
        Just(json!([CONTENT])),
        Just(json!({})),
        Just(json!({ CONTENT: CONTENT })),
        proptest::sample::select(words.to_vec()).prop_map(Value::from),
        proptest::sample::select(words.to_vec()).prop_map(|kind| json!({ "type": kind })),
        proptest::sample::select(words.to_vec()).prop_map(|kind| json!([{ "type": kind, "text": CONTENT }])),
    ]
}

/// Every place in the value, as JSON pointers.
fn places(value: &Value) -> Vec<String> {
    fn walk(value: &Value, here: &str, out: &mut Vec<String>) {
        out.push(here.to_owned());
        match value {
            Value::Array(items) => {
                items
                    .iter()
                    .enumerate()
                    .for_each(|(index, item)| walk(item, &format!("{here}/{index}"), out));
            }
            Value::Object(fields) => fields.iter().for_each(|(key, item)| {
                walk(item, &format!("{here}/{}", key.replace('~', "~0").replace('/', "~1")), out);
            }),
            _ => {}
        }
    }
    let mut out = Vec::new();
    walk(value, "", &mut out);
    out
}

fn bodies() -> Vec<Value> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/chat");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap()).collect()
}

/// The body of a case: as it is written, or a plain one with a field more, less or changed.
fn body_of(case: &Value) -> Vec<u8> {
    if let Some(raw) = case["raw"].as_str() {
        return raw.into();
    }
    let mut body = json!({ "model": "m", "messages": [{ "role": "user", "content": "x" }] });
    let fields = body.as_object_mut().unwrap();
    if let Some(key) = case["without"].as_str() {
        assert!(fields.remove(key).is_some(), "{case}");
    }
    if let Some(with) = case["with"].as_object() {
        fields.extend(with.clone());
    }
    body.to_string().into()
}
