//! Frames of `application/vnd.amazon.eventstream` (spec/upstream.md §3.1), encoded by AWS's own crate so that the
//! simulator and the gateway cannot share a mistake.

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::DateTime;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use serde_json::{Value, json};

/// A modelled event: headers in the order seen on the wire, the bare member as payload.
#[must_use]
pub fn event(name: &str, payload: &Value) -> Vec<u8> {
    encode(
        vec![text(":event-type", name), text(":content-type", JSON), text(":message-type", "event")],
        payload.to_string(),
    )
}

/// A modelled exception in the middle of a stream.
#[must_use]
pub fn exception(kind: &str, message: &str, reason: Option<&str>) -> Vec<u8> {
    let mut payload = json!({ "message": message });
    if let Some(reason) = reason {
        payload["reason"] = json!(reason);
    }
    encode(
        vec![text(":exception-type", kind), text(":content-type", JSON), text(":message-type", "exception")],
        payload.to_string(),
    )
}

/// An unmodelled error: all in the headers, no payload.
#[must_use]
pub fn error(code: &str, message: &str) -> Vec<u8> {
    encode(
        vec![text(":error-code", code), text(":error-message", message), text(":message-type", "error")],
        String::new(),
    )
}

/// An event whose frame also carries a header of each of the ten value types, which a client must be able to skip.
#[must_use]
pub fn with_odd_headers(name: &str, payload: &Value) -> Vec<u8> {
    let odd: [HeaderValue; 10] = [
        HeaderValue::Bool(true),
        HeaderValue::Bool(false),
        HeaderValue::Byte(-7),
        HeaderValue::Int16(-300),
        HeaderValue::Int32(70_000),
        HeaderValue::Int64(-5_000_000_000),
        HeaderValue::ByteArray(bytes::Bytes::from_static(&[0, 1, 2, 255])),
        HeaderValue::String("odd".into()),
        HeaderValue::Timestamp(DateTime::from_millis(1_790_000_000_123)),
        HeaderValue::Uuid(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff),
    ];
    let mut headers: Vec<Header> = odd
        .into_iter()
        .enumerate()
        .map(|(kind, value)| Header::new(format!("x-odd-{kind}"), value))
        .collect();
    headers.extend([text(":event-type", name), text(":content-type", JSON), text(":message-type", "event")]);
    encode(headers, payload.to_string())
}

/// A frame with neither headers nor payload: the smallest there is.
#[must_use]
pub fn empty() -> Vec<u8> {
    encode(Vec::new(), String::new())
}

/// The same frame with its last checksum spoiled.
#[must_use]
pub fn spoiled(mut frame: Vec<u8>) -> Vec<u8> {
    if let Some(last) = frame.last_mut() {
        *last ^= 0xff;
    }
    frame
}

const JSON: &str = "application/json";

fn text(name: &'static str, value: &str) -> Header {
    Header::new(name, HeaderValue::String(value.to_owned().into()))
}

fn encode(headers: Vec<Header>, payload: String) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(payload.len() + 128);
    let message = Message::new_from_parts(headers, payload.into_bytes());
    match write_message_to(&message, &mut bytes) {
        Ok(()) => bytes,
        // Only a header value beyond 64 KiB gets here; a script that asks for one gets an empty stretch of bytes.
        Err(_) => Vec::new(),
    }
}
