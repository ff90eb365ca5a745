//! The table of the upstream's errors, row by row (spec/upstream.md §4.2–4.3, spec/upstream-2026.md §5).

use std::time::Duration;

use qm_amazonq::fault::{Ailment, Context, Failure, Remedy, of_exception, of_invalid_state, of_response};
use qm_canon::{Kind, Origin};

const CONTEXT: Context<'static> = Context { window: 200_000, input_tokens: 1000, model: "claude-opus-5" };
const JSON: &str = "application/json";

fn read(status: u16, body: &str) -> Failure {
    of_response(status, None, Some(JSON), None, body.as_bytes(), &CONTEXT)
}

fn body(class: &str, reason: Option<&str>, message: &str) -> String {
    serde_json::json!({ "__type": class, "message": message, "reason": reason }).to_string()
}

fn again(after_ms: u64) -> Remedy {
    Remedy::Again { after: Duration::from_millis(after_ms) }
}

fn elsewhere(ailment: Ailment) -> Remedy {
    Remedy::Elsewhere(ailment)
}

/// Status, class, reason, message → kind, remedy, what the client reads (its beginning).
type Row = (u16, &'static str, Option<&'static str>, &'static str, Kind, Remedy, &'static str);

const REACHED: &str = "The upstream account's quota is used up";
const TOKEN: &str = "The upstream refused the gateway's credentials.";
const REFUSED: &str = "The upstream does not allow the account";
const LONG: &str = "The conversation is too long";
const DOWN: &str = "The upstream cannot serve the request at the moment.";
const OVER: Kind = Kind::TooLong { tokens: 200_001, limit: 200_000 };

#[rustfmt::skip]
fn quota_and_accounts() -> Vec<Row> {
    vec![
        (402, "ServiceQuotaExceededException", Some("MONTHLY_REQUEST_COUNT"), "You have reached the limit.", Kind::Exhausted, elsewhere(Ailment::Exhausted), REACHED),
        (402, "", None, "", Kind::Exhausted, elsewhere(Ailment::Exhausted), REACHED),
        (400, "ThrottlingException", Some("MONTHLY_REQUEST_COUNT"), "Maximum Request reached for this month.", Kind::Exhausted, elsewhere(Ailment::Exhausted), REACHED),
        (429, "ThrottlingException", Some("MONTHLY_REQUEST_COUNT"), "x", Kind::Exhausted, elsewhere(Ailment::Exhausted), REACHED),
        (400, "ServiceQuotaExceededException", Some("OVERAGE_REQUEST_LIMIT_EXCEEDED"), "You have reached the limit for overages.", Kind::Exhausted, elsewhere(Ailment::Exhausted), REACHED),
        (429, "ThrottlingException", None, "Maximum Request reached for this month.", Kind::Exhausted, elsewhere(Ailment::Exhausted), REACHED),
        (429, "ThrottlingException", Some("DAILY_REQUEST_COUNT"), "x", Kind::Exhausted, elsewhere(Ailment::ExhaustedToday), "The upstream account's requests for today"),
        (403, "AccessDeniedException", Some("TEMPORARILY_SUSPENDED"), "x", Kind::Unavailable, elsewhere(Ailment::Suspended), "The upstream has suspended the account."),
        (403, "AccessDeniedException", None, "Your User ID (d-90670.1234) temporarily is suspended. We've locked your account as a security precaution.", Kind::Unavailable, elsewhere(Ailment::Suspended), "The upstream has suspended the account."),
        (403, "AccessDeniedException", None, "We detected unusual user activity.", Kind::Unavailable, elsewhere(Ailment::Suspended), "The upstream has suspended the account."),
        (423, "", None, "", Kind::Unavailable, elsewhere(Ailment::Suspended), "The upstream has suspended the account."),
        (429, "ThrottlingException", None, "We noticed suspicious activity and set temporary limits.", Kind::Unavailable, elsewhere(Ailment::Suspected), "The upstream limits the account"),
        (403, "AccessDeniedException", None, "The bearer token included in the request is invalid.", Kind::Unavailable, Remedy::Refresh, TOKEN),
        (400, "AccessDeniedException", None, "The bearer token included in the request is invalid.", Kind::Unavailable, Remedy::Refresh, TOKEN),
        (403, "ExpiredTokenException", None, "The security token included in the request is expired", Kind::Unavailable, Remedy::Refresh, TOKEN),
        (403, "AccessDeniedException", None, "Invalid token", Kind::Unavailable, Remedy::Refresh, TOKEN),
        (401, "", None, "", Kind::Unavailable, Remedy::Refresh, TOKEN),
        (403, "", None, "", Kind::Unavailable, Remedy::Refresh, TOKEN),
        (403, "AccessDeniedException", Some("FEATURE_NOT_SUPPORTED"), "Buy a subscription.", Kind::Unavailable, elsewhere(Ailment::Refused), REFUSED),
        (403, "AccessDeniedException", None, "Your subscription does not support this application", Kind::Unavailable, Remedy::OtherFace, REFUSED),
        (403, "AccessDeniedException", None, "User is not authorized to make this call.", Kind::Unavailable, Remedy::OtherFace, REFUSED),
        (403, "AccessDeniedException", None, "User is not authorized to access this feature", Kind::Unavailable, elsewhere(Ailment::Refused), REFUSED),
        (403, "AccessDeniedException", None, "AWS Builder ID is not supported for this operation.", Kind::Unavailable, elsewhere(Ailment::Refused), REFUSED),
        (403, "AccessDeniedException", None, "Unsupported token type", Kind::Unavailable, Remedy::OtherFace, REFUSED),
        (400, "ValidationException", None, "profileArn is required for this request.", Kind::Unavailable, Remedy::OtherFace, REFUSED),
        (400, "ValidationException", None, "Invalid profileArn.", Kind::Unavailable, Remedy::OtherFace, REFUSED),
        (400, "ValidationException", None, "The provided credential is invalid", Kind::Unavailable, Remedy::OtherFace, REFUSED),
        (400, "ValidationException", Some("INVALID_KMS_GRANT"), "x", Kind::Unavailable, elsewhere(Ailment::Refused), REFUSED),
        (409, "ConflictException", Some("MISMATCHED_KMS_KEY"), "x", Kind::Unavailable, elsewhere(Ailment::Refused), REFUSED),
    ]
}

#[rustfmt::skip]
fn requests() -> Vec<Row> {
    vec![
        (400, "ValidationException", Some("INVALID_MODEL_ID"), "Invalid model. Please select a different model to continue.", Kind::NotFound, elsewhere(Ailment::LacksModel), "The upstream does not offer the model claude-opus-5"),
        (400, "ValidationException", Some("CONTENT_LENGTH_EXCEEDS_THRESHOLD"), "Input is too long.", OVER, Remedy::None, LONG),
        (400, "ValidationException", Some("REQUEST_BODY_INVALID"), "Input content length exceeds threshold.", OVER, Remedy::None, LONG),
        (400, "ValidationException", None, "Exceeded max chat context length.", OVER, Remedy::None, LONG),
        (413, "", None, "", OVER, Remedy::None, LONG),
        (400, "ValidationException", None, "The request body is not valid JSON.", Kind::Invalid, Remedy::None, "The upstream could not read the request"),
        (400, "ValidationException", Some("THINKING_SIGNATURE_INVALID"), "Invalid signature.", Kind::Invalid, Remedy::WithoutReasoning, "Invalid signature."),
        (400, "ValidationException", Some("REQUEST_BODY_INVALID"), "Invalid additionalModelRequestFields", Kind::Invalid, Remedy::WithoutModelFields, "Invalid additionalModelRequestFields"),
        (400, "ValidationException", None, "additionalModelRequestFields is not supported for this model", Kind::Invalid, Remedy::WithoutModelFields, "additionalModelRequestFields is"),
        (400, "ValidationException", None, "property 'reasoning' is not defined in the schema", Kind::Invalid, Remedy::WithoutModelFields, "property 'reasoning'"),
        (400, "ValidationException", Some("INVALID_CONVERSATION_ID"), "x", Kind::Unavailable, Remedy::NewConversation, "The upstream could not go on"),
        (400, "ServiceQuotaExceededException", Some("CONVERSATION_LIMIT_EXCEEDED"), "x", Kind::Unavailable, Remedy::NewConversation, "The upstream could not go on"),
        (400, "ValidationException", Some("REQUEST_BODY_INVALID"), "Improperly formed request.", Kind::Invalid, Remedy::None, "Improperly formed request."),
        (400, "ValidationException", None, "Improperly formed request.", Kind::Invalid, Remedy::None, "Improperly formed request."),
        (400, "ValidationException", Some("TOOL_USE_RESULT_MISMATCH"), "The tools do not match.", Kind::Invalid, Remedy::None, "The tools do not match."),
        (400, "ValidationException", Some("IMAGE_SIZE_EXCEEDED"), "The image is too large.", Kind::Invalid, Remedy::None, "The image is too large."),
        (400, "", None, "Invalid tool use format.", Kind::Invalid, Remedy::None, "Invalid tool use format."),
        (400, "", None, "", Kind::Invalid, Remedy::None, "The upstream refused the request as malformed"),
    ]
}

#[rustfmt::skip]
fn service() -> Vec<Row> {
    vec![
        (429, "ThrottlingException", Some("INSUFFICIENT_MODEL_CAPACITY"), "I am experiencing high traffic, please try again shortly.", Kind::Overloaded, again(5000), "I am experiencing high traffic"),
        (500, "InternalServerException", Some("MODEL_TEMPORARILY_UNAVAILABLE"), "", Kind::Overloaded, again(5000), "The model has no capacity"),
        (500, "InternalServerException", None, "Encountered unexpectedly high load when processing the request, please try again.", Kind::Overloaded, again(5000), "Encountered unexpectedly high load"),
        (429, "ThrottlingException", Some("USER_REQUEST_RATE_EXCEEDED"), "Too many requests, please wait before trying again.", Kind::Throttled, elsewhere(Ailment::Throttled), "Too many requests, please wait"),
        (429, "ThrottlingException", Some("CREDIT_CONSUMPTION_RATE_EXCEEDED"), "", Kind::Throttled, elsewhere(Ailment::Throttled), "Too many requests for the upstream."),
        (429, "ThrottlingException", Some("SERVICE_REQUEST_RATE_EXCEEDED"), "", Kind::Throttled, again(1000), "The upstream is asked too often"),
        (429, "ThrottlingException", Some("INSUFFICIENT_THROUGHPUT"), "", Kind::Throttled, again(1000), "The upstream is asked too often"),
        (429, "", None, "", Kind::Throttled, elsewhere(Ailment::Throttled), "Too many requests for the upstream."),
        (400, "ThrottlingException", None, "Rate exceeded", Kind::Throttled, elsewhere(Ailment::Throttled), "Rate exceeded"),
        (500, "InternalServerException", None, "x", Kind::Unavailable, again(200), DOWN),
        (503, "ServiceUnavailableException", None, "x", Kind::Unavailable, again(200), DOWN),
        (400, "InternalServerException", None, "x", Kind::Unavailable, again(200), DOWN),
        (502, "", None, "", Kind::Unavailable, again(200), DOWN),
        (520, "", None, "", Kind::Unavailable, again(200), DOWN),
        (408, "", None, "", Kind::Timeout, again(200), "The upstream did not answer in time."),
        (504, "", None, "", Kind::Timeout, again(200), "The upstream did not answer in time."),
        (524, "", None, "", Kind::Timeout, again(200), "The upstream did not answer in time."),
        (404, "UnknownOperationException", None, "", Kind::Unavailable, Remedy::OtherFace, "The upstream does not serve this call"),
        (400, "ResourceNotFoundException", None, "x", Kind::Unavailable, Remedy::OtherFace, "The upstream does not serve this call"),
        (405, "", None, "", Kind::Unavailable, Remedy::OtherFace, "The upstream does not serve this call"),
        (302, "", None, "", Kind::Unavailable, Remedy::OtherFace, "The upstream does not serve this call"),
        (200, "", None, "", Kind::Broken, again(200), "The upstream's answer made no sense."),
        (418, "", None, "", Kind::Broken, again(200), "The upstream's answer made no sense."),
    ]
}

#[test]
fn each_row_means_what_the_specification_says() {
    for (status, class, reason, message, kind, remedy, words) in
        [quota_and_accounts(), requests(), service()].concat()
    {
        let body = body(class, reason, message);
        let Failure { fault, remedy: found } = read(status, &body);
        assert_eq!((fault.kind, found), (kind, remedy), "{status} {body}");
        assert!(fault.message.starts_with(words), "{status} {body}: {}", fault.message);
        let client = matches!(kind, Kind::Invalid | Kind::TooLong { .. } | Kind::NotFound);
        assert_eq!(fault.origin == Origin::Client, client, "{status} {body}");
        assert_eq!(fault.final_, client, "{status} {body}");
        let waits = matches!(kind, Kind::Exhausted | Kind::Throttled | Kind::Overloaded);
        assert!(!waits || fault.retry_after.is_some(), "{status} {body}");
    }
}

#[test]
fn the_class_is_found_wherever_it_stands() {
    let throttled = |failure: Failure| {
        assert_eq!((failure.fault.kind, failure.remedy), (Kind::Throttled, elsewhere(Ailment::Throttled)));
        assert_eq!(failure.fault.code, "Throttling");
    };
    for header in [
        "ThrottlingException",
        "ThrottlingException:http://internal/x",
        "aws.x#ThrottlingException",
        "ThrottlingError",
    ] {
        throttled(of_response(400, Some(header), Some(JSON), None, b"{}", &CONTEXT));
    }
    for body in [
        r#"{"__type":"com.amazon.kiro.runtimeservice#ThrottlingException"}"#,
        r#"{"code":"ThrottlingException"}"#,
        r#"{"code":429,"__type":"ThrottlingException"}"#,
        r#"{"error":{"code":"ThrottlingException","reason":null}}"#,
        r#"{"reason":17,"__type":"com.amazon.coral.service#ThrottlingException","message":{"not":"text"}}"#,
    ] {
        throttled(read(400, body));
        // In the disguise of a success (spec/upstream.md §3.5).
        throttled(read(200, body));
    }
}

#[test]
fn message_and_reason_are_found_wherever_they_stand() {
    for body in [
        r#"{"message":"Too bad.","reason":"IMAGE_MIME_MISMATCH"}"#,
        r#"{"Message":"Too bad.","error":{"reason":"IMAGE_MIME_MISMATCH"}}"#,
        r#"{"errorMessage":"Too bad.","reason":"IMAGE_MIME_MISMATCH"}"#,
        r#"{"error":{"message":"Too bad.","reason":"IMAGE_MIME_MISMATCH"}}"#,
    ] {
        let fault =
            of_response(400, Some("ValidationException"), Some(JSON), None, body.as_bytes(), &CONTEXT).fault;
        assert_eq!(
            (fault.message.as_ref(), fault.code.as_ref()),
            ("Too bad.", "Validation/IMAGE_MIME_MISMATCH")
        );
    }
    assert_eq!(read(400, r#"{"error":"Too bad."}"#).fault.message, "Too bad.");
}

#[test]
fn clients_never_read_of_accounts() {
    for message in [
        "Not for arn:aws:codewhisperer:us-east-1:1:profile/X",
        "Account 123456789012 may not",
        "no 123456789012",
        "Your User ID (d-1.2) is bad",
        "Ask operator@example.com",
        "See https://internal.example/x",
        "The token eyJ is bad",
    ] {
        for status in [400, 429, 500, 403] {
            let fault = read(status, &body("", None, message)).fault;
            assert!(
                fault.message.starts_with("Too many") || fault.message.starts_with("The upstream"),
                "{}",
                fault.message
            );
        }
    }
    let long = "x".repeat(5000);
    assert!(read(400, &body("", None, &long)).fault.message.len() < 200);
    assert_eq!(read(400, &body("", None, "two\r\nlines")).fault.message, "two  lines");
}

#[test]
fn a_message_of_control_characters_is_none() {
    let fault = read(429, &body("ThrottlingException", None, "\u{8} \0")).fault;
    assert!(
        fault.message.starts_with("Too many requests") || fault.message.contains("asked too often"),
        "{fault}"
    );
}

#[test]
fn codes_are_only_names() {
    let fault = read(400, &body("Odd\nClass: x", Some("A REASON\u{1b}[0m"), "x")).fault;
    assert_eq!(fault.code, "OddClass/AREASON0m");
    assert_eq!(read(418, "{}").fault.code, "HTTP 418");
    assert!(read(400, &body(&"A".repeat(1000), Some(&"B".repeat(1000)), "x")).fault.code.len() < 200);
}

#[test]
fn pages_of_the_edge_are_not_read() {
    for status in [400, 403, 404, 500, 503] {
        let html = b"<!DOCTYPE html><title>The bearer token included in the request is invalid</title>";
        for content_type in [Some("text/html; charset=utf-8"), None] {
            let failure = of_response(status, None, content_type, None, html, &CONTEXT);
            assert_eq!((failure.fault.kind, failure.remedy), (Kind::Unavailable, again(200)), "{status}");
        }
    }
    let failure = of_response(429, None, Some("text/html"), None, b"<html>", &CONTEXT);
    assert_eq!(failure.fault.kind, Kind::Throttled);
}

#[test]
fn waiting_is_bounded_to_a_minute() {
    let wait = |seconds| {
        of_response(429, None, Some(JSON), Some(Duration::from_secs(seconds)), b"{}", &CONTEXT)
            .fault
            .retry_after
    };
    assert_eq!(wait(3), Some(Duration::from_secs(3)));
    assert_eq!(wait(86_400), Some(Duration::from_mins(1)));
    let failure = of_response(503, None, Some(JSON), Some(Duration::from_hours(1)), b"{}", &CONTEXT);
    assert_eq!(failure.remedy, Remedy::Again { after: Duration::from_mins(1) });
}

#[test]
fn too_long_names_more_tokens_than_fit() {
    let context = Context { input_tokens: 777_000, ..CONTEXT };
    let failure = of_response(413, None, None, None, b"", &context);
    assert_eq!(failure.fault.kind, Kind::TooLong { tokens: 777_000, limit: 200_000 });
    let failure = of_response(413, None, None, None, b"", &Context { window: u64::MAX, ..CONTEXT });
    assert!(matches!(failure.fault.kind, Kind::TooLong { .. }));
}

#[test]
fn exceptions_in_the_stream_mean_the_same() {
    let of = |class, body: &str| {
        let failure = of_exception(class, body.as_bytes(), &CONTEXT);
        (failure.fault.kind, failure.remedy)
    };
    assert_eq!(of("ThrottlingException", "{}"), (Kind::Throttled, elsewhere(Ailment::Throttled)));
    assert_eq!(of("throttlingError", "{}"), (Kind::Throttled, elsewhere(Ailment::Throttled)));
    assert_eq!(of("ValidationException", r#"{"message":"no"}"#), (Kind::Invalid, Remedy::None));
    assert_eq!(of("ContentLengthExceededException", "{}"), (OVER, Remedy::None));
    assert_eq!(of("AccessDeniedException", "{}"), (Kind::Unavailable, Remedy::Refresh));
    assert_eq!(of("InternalServerException", "not JSON"), (Kind::Unavailable, again(200)));
    assert_eq!(of("ServiceQuotaExceededException", "{}"), (Kind::Exhausted, elsewhere(Ailment::Exhausted)));
    assert_eq!(
        of("", r#"{"__type":"ThrottlingException"}"#),
        (Kind::Throttled, elsewhere(Ailment::Throttled))
    );
    assert_eq!(of("ANewException", "{}"), (Kind::Broken, again(200)));
}

#[test]
fn invalid_states_ask_for_a_new_conversation_unless_it_is_too_long() {
    let of = |reason: &str| {
        let failure = of_invalid_state(body("", Some(reason), "x").as_bytes(), &CONTEXT);
        (failure.fault.kind, failure.remedy)
    };
    for reason in ["STALE_CONVERSATION", "INVALID_CONVERSATION_STATE", "INVALID_TASK_ASSIST_PLAN", ""] {
        assert_eq!(of(reason), (Kind::Unavailable, Remedy::NewConversation), "{reason}");
    }
    assert_eq!(of("CONTENT_LENGTH_EXCEEDS_THRESHOLD"), (OVER, Remedy::None));
}

proptest::proptest! {
    #[test]
    fn any_body_is_some_failure(status in 0_u16..1000, body in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        let fault = of_response(status, None, None, None, &body, &CONTEXT).fault;
        proptest::prop_assert!(!fault.message.is_empty());
        proptest::prop_assert!(!fault.code.is_empty());
    }
}
