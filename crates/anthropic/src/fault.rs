//! Faults in Anthropic's form: status, type, wording.

use bytes::BytesMut;
use qm_canon::{Fault, Kind, Place};

use crate::json;

/// The HTTP status of a fault.
#[must_use]
pub fn status(fault: &Fault) -> u16 {
    row(fault).0
}

/// The error type, as clients switch on it.
#[must_use]
pub fn kind_name(fault: &Fault) -> &'static str {
    row(fault).1
}

/// What `x-should-retry` must say; `None` leaves the header out and the decision to the client. Claude Code asks ten
/// times more after a 401 unless it is told (spec/clients.md §3.6).
#[must_use]
pub fn should_retry(fault: &Fault) -> Option<bool> {
    let useless = fault.final_ || matches!(fault.kind, Kind::Unauthenticated | Kind::Forbidden);
    useless.then_some(false)
}

/// The error body. `request_id` is left out if empty.
#[must_use]
pub fn render(fault: &Fault, request_id: &str) -> Vec<u8> {
    let mut out = BytesMut::with_capacity(256);
    write(&mut out, fault, request_id);
    out.into()
}

/// Writes the error body.
pub(crate) fn write(out: &mut BytesMut, fault: &Fault, request_id: &str) {
    out.extend_from_slice(b"{\"type\":\"error\",\"error\":{\"type\":\"");
    out.extend_from_slice(kind_name(fault).as_bytes());
    out.extend_from_slice(b"\",\"message\":");
    json::string(out, &message(fault));
    out.extend_from_slice(b"}");
    if !request_id.is_empty() {
        out.extend_from_slice(b",\"request_id\":");
        json::string(out, request_id);
    }
    out.extend_from_slice(b"}");
}

/// The table of spec/clients.md §3.6 and §4.
fn row(fault: &Fault) -> (u16, &'static str) {
    match fault.kind {
        Kind::Invalid | Kind::TooLong { .. } => (400, "invalid_request_error"),
        Kind::Unauthenticated => (401, "authentication_error"),
        Kind::Forbidden => (403, "permission_error"),
        Kind::NotFound => (404, "not_found_error"),
        Kind::TooLarge => (413, "request_too_large"),
        Kind::Throttled | Kind::Exhausted => (429, "rate_limit_error"),
        Kind::Overloaded => (529, "overloaded_error"),
        Kind::Unavailable => (503, "api_error"),
        Kind::Timeout => (504, "timeout_error"),
        Kind::Broken => (502, "api_error"),
        Kind::Internal => (500, "api_error"),
    }
}

/// The message, with the place at fault in front as Anthropic writes it.
fn message(fault: &Fault) -> String {
    if let Kind::TooLong { tokens, limit } = fault.kind {
        // Claude Code and others read both numbers out of exactly these words, and compact.
        return format!("prompt is too long: {tokens} tokens > {limit} maximum");
    }
    let path = match &fault.place {
        None => return fault.message.to_string(),
        Some(Place::Message(at)) => format!("messages.{}.content.{}", at.message, at.part),
        Some(Place::Tool(index)) => format!("tools.{index}.custom"),
        Some(Place::Field(path)) => path.to_string(),
    };
    let joint = if begins_with_path(&fault.message) { "." } else { ": " };
    format!("{path}{joint}{}", fault.message)
}

/// Whether the message begins with a path of its own, such as `name: `, which then goes on from the place.
fn begins_with_path(message: &str) -> bool {
    let name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '.');
    message.split_once(": ").is_some_and(|(path, _)| !path.is_empty() && path.chars().all(name))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use qm_canon::{At, Fault, Kind, Origin, Place};

    fn body(fault: &Fault) -> String {
        String::from_utf8(super::render(fault, "req_1")).unwrap()
    }

    #[test]
    fn every_kind_has_its_status_and_type() {
        let table = [
            (Kind::Invalid, 400, "invalid_request_error", None),
            (Kind::TooLong { tokens: 2, limit: 1 }, 400, "invalid_request_error", None),
            (Kind::Unauthenticated, 401, "authentication_error", Some(false)),
            (Kind::Forbidden, 403, "permission_error", Some(false)),
            (Kind::NotFound, 404, "not_found_error", None),
            (Kind::TooLarge, 413, "request_too_large", None),
            (Kind::Throttled, 429, "rate_limit_error", None),
            (Kind::Exhausted, 429, "rate_limit_error", None),
            (Kind::Internal, 500, "api_error", None),
            (Kind::Broken, 502, "api_error", None),
            (Kind::Unavailable, 503, "api_error", None),
            (Kind::Timeout, 504, "timeout_error", None),
            (Kind::Overloaded, 529, "overloaded_error", None),
        ];
        for (kind, status, name, retry) in table {
            let fault = Fault::new(kind, Origin::Upstream, "x").retry_after(Duration::from_secs(1));
            assert_eq!(
                (super::status(&fault), super::kind_name(&fault), super::should_retry(&fault)),
                (status, name, retry),
                "{kind:?}"
            );
            assert_eq!(super::should_retry(&fault.never_retry()), Some(false), "{kind:?}");
        }
    }

    #[test]
    fn the_body_is_anthropics() {
        assert_eq!(
            body(&Fault::invalid("say \"please\"\nnext")),
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"say \"please\"\nnext"},"request_id":"req_1"}"#
        );
        assert!(!String::from_utf8(super::render(&Fault::internal("x"), "")).unwrap().contains("request_id"));
    }

    #[test]
    fn a_conversation_too_long_is_worded_so_that_clients_compact() {
        let fault =
            Fault::new(Kind::TooLong { tokens: 250_000, limit: 200_000 }, Origin::Upstream, "too long");
        assert!(body(&fault).contains(r#""message":"prompt is too long: 250000 tokens > 200000 maximum""#));
    }

    #[test]
    fn a_place_becomes_a_path() {
        let at = Place::Message(At { message: 3, part: 1 });
        let cases = [
            (
                Fault::invalid("`tool_use` ids must be unique").at(at.clone()),
                "messages.3.content.1: `tool_use` ids must be unique",
            ),
            (Fault::invalid("image: too large").at(at), "messages.3.content.1.image: too large"),
            (Fault::invalid("name: missing").at(Place::Tool(7)), "tools.7.custom.name: missing"),
            (Fault::invalid("A tool: no").at(Place::Tool(7)), "tools.7.custom: A tool: no"),
        ];
        for (fault, expect) in cases {
            assert_eq!(super::message(&fault), expect);
        }
    }
}
