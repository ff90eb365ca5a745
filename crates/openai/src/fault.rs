//! Faults in OpenAI's form: status, type, code, wording.

use std::borrow::Cow;

use bytes::BytesMut;
use qm_canon::{Fault, Kind, Place};

use crate::json;

/// Which of the two APIs a fault answers; they name places differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// Chat Completions.
    Chat,
    /// Responses.
    Responses,
}

/// The code of a fault that says that a path does not exist, rather than a model. OpenAI's own word.
pub const UNKNOWN_URL: &str = "unknown_url";

/// The HTTP status of a fault.
#[must_use]
pub fn status(fault: &Fault) -> u16 {
    row(fault).0
}

/// The error type.
#[must_use]
pub fn kind_name(fault: &Fault) -> &'static str {
    row(fault).1
}

/// The error code, as clients switch on it, if there is one.
#[must_use]
pub fn code(fault: &Fault) -> Option<&str> {
    match &fault.place {
        // Only this crate names fields, and the code beside one is OpenAI's, which has none for some.
        Some(Place::Field(_)) => Some(&*fault.code).filter(|code| !code.is_empty()),
        _ => row(fault).2,
    }
}

/// What `x-should-retry` must say; `None` leaves the header out and the decision to the client.
#[must_use]
pub fn should_retry(fault: &Fault) -> Option<bool> {
    let useless = fault.final_ || matches!(fault.kind, Kind::Unauthenticated | Kind::Forbidden);
    useless.then_some(false)
}

/// The error body.
#[must_use]
pub fn render(fault: &Fault, api: Api) -> Vec<u8> {
    let mut out = BytesMut::with_capacity(256);
    write(&mut out, fault, api);
    out.into()
}

/// Writes the error body: `{"error":{"message","type","param","code"}}`.
pub(crate) fn write(out: &mut BytesMut, fault: &Fault, api: Api) {
    out.extend_from_slice(b"{\"error\":{\"message\":");
    json::string(out, &message(fault, api));
    out.extend_from_slice(b",\"type\":");
    json::string(out, kind_name(fault));
    for (key, value) in [("param", param(fault, api)), ("code", code(fault).map(Cow::Borrowed))] {
        out.extend_from_slice(b",\"");
        out.extend_from_slice(key.as_bytes());
        out.extend_from_slice(b"\":");
        match value {
            Some(value) => json::string(out, &value),
            None => out.extend_from_slice(b"null"),
        }
    }
    out.extend_from_slice(b"}}");
}

/// The message, for a person to read.
pub(crate) fn message(fault: &Fault, api: Api) -> Cow<'_, str> {
    if let Kind::TooLong { tokens, limit } = fault.kind {
        return format!(
            "This model's maximum context length is {limit} tokens. However, your messages resulted in {tokens} \
             tokens. Please reduce the length of the messages."
        )
        .into();
    }
    match &fault.place {
        None | Some(Place::Field(_)) => Cow::Borrowed(&fault.message),
        Some(_) => format!("Invalid '{}': {}", param(fault, api).unwrap_or_default(), fault.message).into(),
    }
}

/// The path of what is at fault.
pub(crate) fn param(fault: &Fault, api: Api) -> Option<Cow<'_, str>> {
    let list = match api {
        Api::Chat => "messages",
        Api::Responses => "input",
    };
    match (&fault.place, fault.kind) {
        (Some(Place::Field(path)), _) => Some(Cow::Borrowed(path)),
        (Some(Place::Message(at)), _) => Some(format!("{list}[{}].content[{}]", at.message, at.part).into()),
        (Some(Place::Tool(index)), _) => Some(format!("tools[{index}]").into()),
        (None, Kind::TooLong { .. }) => Some(Cow::Borrowed(list)),
        (None, Kind::NotFound) if fault.code != UNKNOWN_URL => Some(Cow::Borrowed("model")),
        (None, _) => None,
    }
}

/// Status, type, code (spec/clients.md §2.2, §2.3, §3.6). A model without capacity is a 503 and not a 529, because
/// Codex gives up on 503 with this code after 5 tries and on any other 5xx after 30.
fn row(fault: &Fault) -> (u16, &'static str, Option<&'static str>) {
    match fault.kind {
        Kind::Invalid => (400, "invalid_request_error", None),
        Kind::TooLong { .. } => (400, "invalid_request_error", Some("context_length_exceeded")),
        Kind::Unauthenticated => (401, "authentication_error", Some("invalid_api_key")),
        Kind::Forbidden => (403, "permission_error", None),
        Kind::NotFound if fault.code == UNKNOWN_URL => (404, "invalid_request_error", Some(UNKNOWN_URL)),
        Kind::NotFound => (404, "invalid_request_error", Some("model_not_found")),
        Kind::TooLarge => (413, "invalid_request_error", Some("request_too_large")),
        Kind::Throttled => (429, "rate_limit_error", Some("rate_limit_exceeded")),
        Kind::Exhausted => (429, "insufficient_quota", Some("insufficient_quota")),
        Kind::Internal => (500, "server_error", Some("server_error")),
        Kind::Broken => (502, "server_error", Some("server_error")),
        Kind::Overloaded => (503, "server_error", Some("server_is_overloaded")),
        Kind::Unavailable => (503, "server_error", Some("server_error")),
        Kind::Timeout => (504, "server_error", Some("server_error")),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use qm_canon::{At, Fault, Kind, Origin, Place};
    use serde_json::{Value, json};

    use super::Api;
    use crate::path::Path;

    fn error(fault: &Fault, api: Api) -> Value {
        let mut body: Value = serde_json::from_slice(&super::render(fault, api)).unwrap();
        body["error"].take()
    }

    #[test]
    fn every_kind_has_its_status_type_and_code() {
        let table = [
            (Kind::Invalid, 400, "invalid_request_error", None, None),
            (
                Kind::TooLong { tokens: 2, limit: 1 },
                400,
                "invalid_request_error",
                Some("context_length_exceeded"),
                None,
            ),
            (Kind::Unauthenticated, 401, "authentication_error", Some("invalid_api_key"), Some(false)),
            (Kind::Forbidden, 403, "permission_error", None, Some(false)),
            (Kind::NotFound, 404, "invalid_request_error", Some("model_not_found"), None),
            (Kind::TooLarge, 413, "invalid_request_error", Some("request_too_large"), None),
            (Kind::Throttled, 429, "rate_limit_error", Some("rate_limit_exceeded"), None),
            (Kind::Exhausted, 429, "insufficient_quota", Some("insufficient_quota"), None),
            (Kind::Internal, 500, "server_error", Some("server_error"), None),
            (Kind::Broken, 502, "server_error", Some("server_error"), None),
            (Kind::Overloaded, 503, "server_error", Some("server_is_overloaded"), None),
            (Kind::Unavailable, 503, "server_error", Some("server_error"), None),
            (Kind::Timeout, 504, "server_error", Some("server_error"), None),
        ];
        for (kind, status, name, code, retry) in table {
            let fault =
                Fault::new(kind, Origin::Upstream, "x").retry_after(Duration::from_secs(1)).code("log");
            assert_eq!(
                (super::status(&fault), super::kind_name(&fault), super::code(&fault)),
                (status, name, code),
                "{kind:?}"
            );
            assert_eq!(super::should_retry(&fault), retry, "{kind:?}");
            assert_eq!(super::should_retry(&fault.never_retry()), Some(false), "{kind:?}");
        }
    }

    #[test]
    fn the_body_is_openais() {
        assert_eq!(
            String::from_utf8(super::render(&Fault::invalid("say \"please\"\nnext"), Api::Chat)).unwrap(),
            r#"{"error":{"message":"say \"please\"\nnext","type":"invalid_request_error","param":null,"code":null}}"#
        );
        let fault = Path::Top("model").missing();
        assert_eq!(
            error(&fault, Api::Chat),
            json!({
                "message": "Missing required parameter: 'model'.",
                "type": "invalid_request_error",
                "param": "model",
                "code": "missing_required_parameter",
            })
        );
    }

    #[test]
    fn a_path_is_no_model() {
        let fault = Fault::new(Kind::NotFound, Origin::Client, "x");
        let said = error(&fault, Api::Chat);
        assert_eq!((&said["code"], &said["param"]), (&json!("model_not_found"), &json!("model")));
        let said = error(&fault.code(super::UNKNOWN_URL), Api::Chat);
        assert_eq!((&said["code"], &said["param"]), (&json!("unknown_url"), &Value::Null));
    }

    #[test]
    fn a_conversation_too_long_is_worded_so_that_clients_compact() {
        let fault =
            Fault::new(Kind::TooLong { tokens: 250_000, limit: 200_000 }, Origin::Upstream, "too long");
        let said = error(&fault, Api::Responses);
        assert_eq!((&said["code"], &said["param"]), (&json!("context_length_exceeded"), &json!("input")));
        assert!(said["message"].as_str().unwrap().starts_with(
            "This model's maximum context length is 200000 tokens. However, your messages resulted in 250000 tokens."
        ));
    }

    #[test]
    fn a_place_becomes_a_path_of_the_api() {
        let fault = Fault::invalid("image: too large").at(Place::Message(At { message: 3, part: 1 }));
        assert_eq!(error(&fault, Api::Chat)["param"], "messages[3].content[1]");
        let said = error(&fault, Api::Responses);
        assert_eq!(said["param"], "input[3].content[1]");
        assert_eq!(said["message"], "Invalid 'input[3].content[1]': image: too large");
        assert_eq!(error(&Fault::invalid("x").at(Place::Tool(7)), Api::Chat)["param"], "tools[7]");
    }
}
