//! The fields of a request that a response repeats.

use bytes::BytesMut;
use serde_json::value::RawValue;

use super::wire::Body;
use crate::field::{Field, Integer};
use crate::json;

/// Nothing longer is repeated: a response says its fields three times over, and an open stream must not hold tens of
/// kilobytes that its client has already.
const LONGEST_BYTES: usize = 8 * 1024;

/// Writes them, from the first key to the last value, on one line. What the gateway does not do is not repeated as if
/// it did: nothing is truncated or tuned, and what is `stored` and what went before it, the `previous` response, are
/// given.
pub(super) fn echo(
    body: &Body<'_>,
    parallel_tool_calls: bool,
    previous: Option<&str>,
    stored: bool,
) -> Box<str> {
    let mut out = BytesMut::with_capacity(1024);
    out.extend_from_slice(b"\"background\":false,\"instructions\":");
    match &body.instructions {
        Field::Is(text) if text.len() <= LONGEST_BYTES => json::string(&mut out, text),
        _ => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b",\"max_output_tokens\":");
    match body.max_output_tokens {
        Field::Is(Integer(value)) => json::number(&mut out, value as u64),
        _ => out.extend_from_slice(b"null"),
    }
    for (key, value, otherwise) in [
        ("metadata", body.metadata, "{}"),
        ("reasoning", body.reasoning, r#"{"effort":null,"summary":null}"#),
        ("text", body.text, r#"{"format":{"type":"text"}}"#),
        ("tool_choice", body.tool_choice, r#""auto""#),
        ("tools", body.tools, "[]"),
    ] {
        out.extend_from_slice(b",\"");
        out.extend_from_slice(key.as_bytes());
        out.extend_from_slice(b"\":");
        raw(&mut out, value, otherwise);
    }
    out.extend_from_slice(b",\"parallel_tool_calls\":");
    out.extend_from_slice(if parallel_tool_calls { b"true" } else { b"false" });
    out.extend_from_slice(b",\"previous_response_id\":");
    match previous {
        Some(id) => json::string(&mut out, id),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b",\"service_tier\":\"default\",\"store\":");
    out.extend_from_slice(if stored { b"true" } else { b"false" });
    out.extend_from_slice(b",\"temperature\":null,\"top_p\":null,\"truncation\":\"disabled\"");
    String::from_utf8(out.into()).unwrap_or_default().into_boxed_str()
}

/// Writes JSON as the client wrote it, without its line breaks: they stand between tokens only, and an event's data
/// must stay on one line.
fn raw(out: &mut BytesMut, value: Option<&RawValue>, otherwise: &str) {
    let Some(text) = value.map(RawValue::get).filter(|text| text.len() <= LONGEST_BYTES) else {
        out.extend_from_slice(otherwise.as_bytes());
        return;
    };
    for line in text.split(['\n', '\r']) {
        out.extend_from_slice(line.as_bytes());
    }
}
