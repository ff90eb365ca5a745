//! What is refused, in which words; and that nothing a client sends does worse than being refused.

use std::fs;

use proptest::prelude::*;
use proptest::sample::Index;
use qm_canon::{Fault, Kind};
use qm_openai::fault::{self, Api};
use qm_openai::responses::request;
use serde_json::{Value, json};

/// Stands in the fixtures wherever a fault could be tempted to quote the client.
const CONTENT: &str = "private words";

#[test]
fn each_refusal_has_its_words() {
    for case in cases() {
        let body = body_of(&case);
        let Some(fault) = refusal(&body) else { panic!("not refused: {case}") };
        let said: Value = serde_json::from_slice(&fault::render(&fault, Api::Responses)).unwrap();
        let error = &said["error"];
        assert_eq!(error["message"], case["says"], "{case}");
        assert_eq!((&error["param"], &error["code"]), (&case["param"], &case["code"]), "{case}");
        assert_eq!(error["type"], "invalid_request_error", "{case}");
        assert_eq!((fault.kind, fault::status(&fault)), (Kind::Invalid, 400), "{case}");
        assert!(!said.to_string().contains(CONTENT), "a fault repeats the client's words: {said}");
    }
}

/// Deeper than the stack would hold, were it followed.
#[test]
fn a_deep_body_is_refused_or_skipped() {
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    let tools = deep(r#"[{"type":"namespace","name":"n","tools":"#, "}]");
    for body in [
        format!(r#"{{"model":"m","input":"x","tools":{tools}}}"#),
        format!(r#"{{"model":"m","input":[{{"type":"additional_tools","tools":{tools}}}]}}"#),
        format!(
            r#"{{"model":"m","input":"x","tool_choice":{}}}"#,
            deep(r#"{"type":"allowed_tools","tools":["#, "]}")
        ),
    ] {
        assert!(request::decode(body.as_bytes()).is_err());
    }
    let unknown = format!(r#"{{"model":"m","input":"x","unknown":{}}}"#, deep("[", "]"));
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
            prop_assert!(!fault.message.contains(CONTENT), "{}", fault);
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
        let _ = request::decode(&body);
    }
}

fn replacement() -> impl Strategy<Value = Value> {
    let types = [
        "message",
        "function_call",
        "function_call_output",
        "custom_tool_call",
        "custom_tool_call_output",
        "reasoning",
        "additional_tools",
        "tool_search_output",
        "configuration_update",
        "namespace",
        "function",
        "custom",
        "grammar",
        "allowed_tools",
        "input_image",
        "input_file",
        "user",
        "assistant",
        "developer",
        "required",
        "qm1s.3.abc",
        "qm1s.99999999999999999999.abc",
        "qm1r.",
        "data:image/png;base64,",
    ];
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
        proptest::sample::select(types.to_vec()).prop_map(|kind| json!({ "type": kind, "name": CONTENT })),
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
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/responses/fixtures/understood");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap()).collect()
}

fn cases() -> Vec<Value> {
    serde_json::from_str(include_str!("fixtures/refused.json")).unwrap()
}

/// The body of a case: as it is written, or a plain one with fields changed, one left out, or one input item more.
fn body_of(case: &Value) -> Vec<u8> {
    if let Some(raw) = case["raw"].as_str() {
        return raw.into();
    }
    let mut body = json!({ "model": "m", "input": [{ "role": "user", "content": "x" }] });
    let fields = body.as_object_mut().unwrap();
    if let Some(key) = case["without"].as_str() {
        assert!(fields.remove(key).is_some(), "{case}");
    }
    if let Some(with) = case["with"].as_object() {
        fields.extend(with.clone());
    }
    if let Some(item) = case.get("item") {
        fields["input"].as_array_mut().unwrap().push(item.clone());
    }
    body.to_string().into()
}
