//! What a file says beyond what we know, kept for the operator with everything left out that could be a secret.

use serde_json::{Map, Value};

use super::texts::looks_secret;
use super::tree::Node;
use super::{Notice, fields};

/// Longest text kept, in bytes.
const MAX_TEXT_BYTES: usize = 2048;
/// Longest list kept, and most fields of one object.
const MAX_MEMBERS: usize = 200;
/// Longest name of a field kept or shown, in bytes.
const MAX_NAME_BYTES: usize = 64;

/// Parts of names of fields whose text is secret. Numbers and flags are not: `totalTokens` is none.
const SECRET_NAMES: [&str; 12] = [
    "token",
    "secret",
    "password",
    "passwd",
    "pwd",
    "apikey",
    "cookie",
    "session",
    "authorization",
    "bearer",
    "private",
    "credential",
];
/// Names of fields by which a file would choose where tokens are sent.
const ADDRESS_NAMES: [&str; 8] =
    ["apiendpoint", "endpointurl", "baseurl", "apibase", "apibaseurl", "apiurl", "upstreamurl", "apihost"];

/// Adds a field to what is kept, or says that it was left out.
pub(super) fn keep(name: &str, node: Node, kept: &mut Map<String, Value>, notices: &mut Vec<Notice>) {
    if kept.len() >= MAX_MEMBERS {
        return;
    }
    if let Some(value) = field(name, node, notices) {
        kept.insert(name.to_owned(), value);
    }
}

fn field(name: &str, node: Node, notices: &mut Vec<Notice>) -> Option<Value> {
    if fields::is_nothing(&node) {
        return None;
    }
    let plain = fields::plain(name);
    if ADDRESS_NAMES.contains(&plain.as_str()) {
        say(Notice::AddressLeftOut, notices);
        return None;
    }
    let named_secret = SECRET_NAMES.iter().any(|part| plain.contains(part));
    let text = matches!(&node, Node::Text(_) | Node::List(_) | Node::Object(_));
    let unfit = name.len() > MAX_NAME_BYTES || looks_secret(name);
    if unfit || named_secret && text {
        let shown = if unfit { "a field" } else { name };
        say(Notice::SecretLeftOut(shown.to_owned()), notices);
        return None;
    }
    value(name, node, notices)
}

fn value(name: &str, node: Node, notices: &mut Vec<Notice>) -> Option<Value> {
    match node {
        Node::Null => None,
        Node::Bool(value) => Some(Value::Bool(value)),
        Node::Number(value) => Some(Value::Number(value)),
        Node::Text(text) if looks_secret(&text) => {
            say(Notice::SecretLeftOut(name.to_owned()), notices);
            None
        }
        Node::Text(text) => (text.len() <= MAX_TEXT_BYTES).then(|| Value::String(text.as_str().to_owned())),
        Node::List(nodes) => {
            let kept = nodes.into_iter().take(MAX_MEMBERS).filter_map(|node| value(name, node, notices));
            Some(Value::Array(kept.collect()))
        }
        Node::Object(fields) => {
            let mut kept = Map::new();
            for (name, node) in fields {
                keep(&name, node, &mut kept, notices);
            }
            Some(Value::Object(kept))
        }
    }
}

/// Says a thing once.
pub(super) fn say(notice: Notice, notices: &mut Vec<Notice>) {
    if !notices.contains(&notice) && notices.len() < MAX_MEMBERS {
        notices.push(notice);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::tree;

    #[test]
    fn what_is_harmless_is_kept_and_what_is_secret_is_not() {
        let text = r#"{"status":"正常","usage":{"current":12.5,"totalTokens":900},"groupId":"g1","idToken":"x","csrfToken":"y",
            "apiEndpoint":"https://evil.example","nested":{"deep":{"password":"hunter2","ok":1}},
            "list":["a","aorAAAAAsecretsecretsecretsecret"],"note":"see eyJhbGciOiJub25lIn0","flag":true,"nothing":null,
            "0123456789abcdef0123456789abcdef01234567":1}"#;
        let Some(Node::Object(fields)) = tree::read(text).unwrap().pop() else { panic!("an object") };
        let (mut kept, mut notices) = (Map::new(), Vec::new());
        for (name, node) in fields {
            keep(&name, node, &mut kept, &mut notices);
        }
        let expected = serde_json::json!({
            "status": "正常", "usage": {"current": 12.5, "totalTokens": 900}, "groupId": "g1",
            "nested": {"deep": {"ok": 1}}, "list": ["a"], "flag": true,
        });
        assert_eq!(Value::Object(kept), expected);
        let left_out = |name: &str| Notice::SecretLeftOut(name.to_owned());
        let said = [
            left_out("idToken"),
            left_out("csrfToken"),
            Notice::AddressLeftOut,
            left_out("password"),
            left_out("list"),
            left_out("note"),
            left_out("a field"),
        ];
        assert_eq!(notices, said);
    }
}
