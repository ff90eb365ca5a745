//! What is refused, in which words; and that nothing a client sends does worse than being refused.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::collections::BTreeSet;
use std::fs;

use proptest::prelude::*;
use proptest::sample::Index;
use qm_anthropic::{count, fault, request};
use qm_canon::{Fault, Kind};
use serde_json::{Value, json};

/// Stands in the fixtures wherever a fault could be tempted to quote the client.
const CONTENT: &str = "private words";

#[test]
fn each_refusal_has_its_words() {
    for case in cases() {
        let body = body_of(&case);
        let Some(fault) = refusal(&body) else { panic!("not refused: {case}") };
        let said: Value = serde_json::from_slice(&fault::render(&fault, "")).unwrap();
        assert_eq!(said["error"]["message"], case["says"], "{case}");
        assert_eq!(said["error"]["type"], "invalid_request_error", "{case}");
        assert_eq!(fault.kind, Kind::Invalid);
        assert!(!said.to_string().contains(CONTENT), "a fault repeats the client's words: {said}");
    }
}

/// docs/MESSAGES.md promises the same rows that the fixtures prove.
#[test]
fn the_documentation_has_a_row_for_each_refusal_and_no_other() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/MESSAGES.md");
    let documentation = fs::read_to_string(path).unwrap();
    let rows = documentation.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | "));
    let refusing: BTreeSet<&str> =
        rows.filter(|(_, rest)| rest.contains("400")).map(|(row, _)| row.trim()).collect();
    let cases = cases();
    let proved: BTreeSet<&str> = cases.iter().map(|case| case["row"].as_str().unwrap()).collect();
    assert_eq!(refusing, proved);
}

#[test]
fn bytes_that_are_not_utf8_are_refused() {
    let fault = request::decode(b"{\"model\":\"\xff\"}").err().unwrap();
    assert_eq!(fault.message, "The request body is not valid JSON: not UTF-8 at byte 10");
}

/// Deeper than the stack would hold, were it followed.
#[test]
fn a_deep_body_is_refused_or_skipped() {
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    let as_content = format!(
        r#"{{"model":"m","max_tokens":1,"messages":[{{"role":"user","content":{}}}]}}"#,
        deep(r#"[{"type":"tool_result","tool_use_id":"a","content":"#, "}]")
    );
    assert!(request::decode(as_content.as_bytes()).is_err());
    let unknown = format!(
        r#"{{"model":"m","max_tokens":1,"messages":[{{"role":"user","content":"x"}}],"unknown":{}}}"#,
        deep("[", "]")
    );
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
        check(body.to_string().as_bytes())?;
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
        let _ = request::decode(&body);
        let _ = count::decode_and_count(&body);
    }
}

fn check(body: &[u8]) -> Result<(), TestCaseError> {
    let counted = count::decode_and_count(body);
    match request::decode(body) {
        Ok(ask) => {
            prop_assert!(counted.is_ok());
            prop_assert!(ask.conversation().sampling().max_tokens.is_some());
        }
        Err(fault) => {
            prop_assert_eq!(fault.kind, Kind::Invalid);
            prop_assert!(!fault.message.contains(CONTENT), "{}", fault);
        }
    }
    Ok(())
}

fn replacement() -> impl Strategy<Value = Value> {
    let types =
        ["text", "image", "document", "tool_use", "tool_result", "thinking", "search_result", "user", "any"];
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
        proptest::sample::select(types.to_vec()).prop_map(Value::from),
        proptest::sample::select(types.to_vec()).prop_map(|kind| json!({ "type": kind })),
        proptest::sample::select(types.to_vec()).prop_map(|kind| json!([{ "type": kind, "text": CONTENT }])),
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
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/understood");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap()).collect()
}

fn cases() -> Vec<Value> {
    serde_json::from_str(include_str!("fixtures/refused.json")).unwrap()
}

/// The body of a case: as it is written, or a plain one with a field more, less or changed.
fn body_of(case: &Value) -> Vec<u8> {
    if let Some(raw) = case["raw"].as_str() {
        return raw.into();
    }
    let mut body = json!({ "model": "m", "max_tokens": 1, "messages": [{ "role": "user", "content": "x" }] });
    let fields = body.as_object_mut().unwrap();
    if let Some(key) = case["without"].as_str() {
        assert!(fields.remove(key).is_some(), "{case}");
    }
    if let Some(with) = case["with"].as_object() {
        fields.extend(with.clone());
    }
    body.to_string().into()
}
