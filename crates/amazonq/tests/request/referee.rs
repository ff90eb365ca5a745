//! The rules of spec/upstream.md §2.6 and §2.7 and spec/upstream-2026.md §5.1, read a second time: what the upstream
//! would refuse in a body, found without any of the code that wrote it.

use std::collections::HashSet;

use serde_json::Value;

/// Panics with the first rule that `body` breaks.
pub(crate) fn check(body: &Value) {
    only(body, &["conversationState", "profileArn", "agentMode", "additionalModelRequestFields"]);
    let state = &body["conversationState"];
    only(state, &["conversationId", "chatTriggerType", "agentTaskType", "history", "currentMessage"]);
    assert_eq!(state["chatTriggerType"], "MANUAL");
    only(&state["currentMessage"], &["userInputMessage"]);
    let current = &state["currentMessage"]["userInputMessage"];
    assert!(current["modelId"].is_string() && current["origin"].is_string());

    let tools = list(&current["userInputMessageContext"], "tools");
    let declared: Vec<String> = tools.iter().map(tool).collect();
    assert_eq!(declared.iter().collect::<HashSet<_>>().len(), declared.len(), "R8: tool names, case aside");

    let history = list(state, "history");
    let (mut uses, mut ids): (Vec<String>, HashSet<String>) = Default::default();
    for (index, message) in history.iter().enumerate() {
        if index % 2 == 0 {
            only(message, &["userInputMessage"]);
            let message = &message["userInputMessage"];
            assert!(message.get("modelId").is_none() && message.get("origin").is_none());
            assert!(message["userInputMessageContext"].get("tools").is_none(), "tools only now");
            user(message, &uses, &declared);
            continue;
        }
        only(message, &["assistantResponseMessage"]);
        uses = assistant(&message["assistantResponseMessage"], &declared);
        assert!(uses.iter().all(|id| ids.insert(id.clone())), "R8: ids");
    }
    assert_eq!(history.len() % 2, 0, "R3: the history ends with the assistant");
    user(current, &uses, &declared);
}

fn user(message: &Value, uses: &[String], declared: &[String]) {
    only(message, &["content", "modelId", "origin", "images", "documents", "userInputMessageContext"]);
    let results = list(&message["userInputMessageContext"], "toolResults");
    let ids: Vec<&str> = results.iter().map(|result| string(result, "toolUseId")).collect();
    assert_eq!(ids, uses, "R6, R7, R10, R13");
    assert!(results.is_empty() || !declared.is_empty(), "R15");
    for result in results {
        only(result, &["toolUseId", "status", "content"]);
        assert!(matches!(string(result, "status"), "success" | "error"));
        let texts = list(result, "content");
        assert!(texts.iter().any(|text| !string(text, "text").trim().is_empty()), "R11");
        assert!(texts.iter().all(|text| !string(text, "text").is_empty()), "R11");
    }
    let attached = message.get("images").is_some() || message.get("documents").is_some();
    assert!(
        !string(message, "content").trim().is_empty() || (!results.is_empty() && !attached),
        "R4: {message:#}"
    );
    for image in list(message, "images") {
        assert!(matches!(string(image, "format"), "png" | "jpeg" | "gif" | "webp"));
        assert!(string(&image["source"], "bytes").len() <= 5_242_880);
    }
    let documents = list(message, "documents");
    assert!(documents.len() <= 5);
    for document in documents {
        let name = string(document, "name");
        let legal = |c: char| c.is_ascii_alphanumeric() || " -_()[]".contains(c);
        assert!(
            (1..=200).contains(&name.len()) && name.chars().all(legal) && !name.contains("  "),
            "{name:?}"
        );
    }
}

fn assistant(message: &Value, declared: &[String]) -> Vec<String> {
    only(message, &["content", "toolUses", "reasoningContent"]);
    let uses = list(message, "toolUses");
    assert!(!uses.is_empty() || !string(message, "content").trim().is_empty(), "content without calls");
    if let Some(reasoning) = message.get("reasoningContent") {
        only(reasoning, &["reasoningText", "redactedContent"]);
        if let Some(text) = reasoning.get("reasoningText") {
            assert!(!string(text, "signature").is_empty() && text["text"].is_string());
        }
    }
    let id = |call: &Value| {
        only(call, &["toolUseId", "name", "input"]);
        let name = string(call, "name");
        assert!(declared.contains(&name.to_ascii_lowercase()), "R9: {name}");
        assert!(call["input"].is_object(), "input is an object");
        let id = string(call, "toolUseId");
        assert!(plain(id, ""), "id {id}");
        id.to_owned()
    };
    uses.iter().map(id).collect()
}

/// Checks a declaration; returns the tool's name in lower case.
fn tool(tool: &Value) -> String {
    only(tool, &["toolSpecification"]);
    let tool = &tool["toolSpecification"];
    only(tool, &["name", "description", "inputSchema"]);
    let (name, description) = (string(tool, "name"), string(tool, "description"));
    assert!(plain(name, ""), "tool name {name}");
    assert!(!description.trim().is_empty() && description.chars().count() <= 10_000);
    let root = &tool["inputSchema"]["json"];
    assert_eq!(root["type"], "object", "{root}");
    assert!(["oneOf", "anyOf", "allOf"].iter().all(|key| root.get(key).is_none()), "{root}");
    if let Some(properties) = root.get("properties") {
        assert!(properties.as_object().expect("properties").keys().all(|key| plain(key, ".")), "{root}");
    }
    schema(root);
    name.to_ascii_lowercase()
}

/// Checks a schema at any depth for keywords that are refused somewhere.
fn schema(value: &Value) {
    const REFUSED: [&str; 27] = [
        "$schema",
        "$id",
        "$comment",
        "pattern",
        "format",
        "minimum",
        "maximum",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "minProperties",
        "maxProperties",
        "minContains",
        "maxContains",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "uniqueItems",
        "default",
        "propertyNames",
        "if",
        "then",
        "else",
        "contentEncoding",
        "contentMediaType",
        "contentSchema",
    ];
    match value {
        Value::Array(schemas) => schemas.iter().for_each(schema),
        Value::Object(members) => {
            for (key, value) in members {
                assert!(!REFUSED.contains(&key.as_str()), "{key}");
                match key.as_str() {
                    "properties" | "patternProperties" | "$defs" | "definitions" => {
                        value.as_object().expect("a map of schemas").values().for_each(schema);
                    }
                    "required" => {
                        let names = value.as_array().expect("a list of names");
                        assert!(!names.is_empty() && names.iter().all(Value::is_string));
                    }
                    "additionalProperties" => {
                        assert!(value.is_boolean() || value.is_object());
                        schema(value);
                    }
                    "items" | "anyOf" | "oneOf" | "allOf" | "not" => schema(value),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

fn plain(name: &str, more: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-' || more.contains(c);
    (1..=64).contains(&name.len()) && name.chars().all(legal)
}

/// A list that is absent or holds something (R12).
fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    match value.get(key) {
        None => &[],
        Some(list) => {
            let list = list.as_array().expect("a list");
            assert!(!list.is_empty(), "R12: {key}");
            list
        }
    }
}

fn string<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} is a string: {value}"))
}

fn only(value: &Value, keys: &[&str]) {
    let members = value.as_object().unwrap_or_else(|| panic!("an object: {value}"));
    assert!(members.keys().all(|key| keys.contains(&key.as_str())), "only {keys:?}: {value}");
}
