//! Any response that is no answer becomes a failure that can be told to a client.
#![no_main]

use std::time::Duration;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use qm_amazonq::fault::{self, Context};
use quartermaster_fuzz::models;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    status: u16,
    kind: Option<&'a str>,
    content_type: Option<&'a str>,
    retry_after: Option<u32>,
    window: u64,
    input_tokens: u64,
    model: &'a str,
    body: Body<'a>,
}

#[derive(Arbitrary, Debug)]
enum Body<'a> {
    Raw(&'a [u8]),
    Envelope { kind: Option<&'a str>, message: Option<&'a str>, reason: Option<&'a str> },
}

fuzz_target!(|input: Input| {
    let context = Context { window: input.window, input_tokens: input.input_tokens, model: input.model };
    let body = match input.body {
        Body::Raw(bytes) => bytes.to_vec(),
        Body::Envelope { kind, message, reason } => {
            serde_json::json!({"__type": kind, "message": message, "reason": reason}).to_string().into_bytes()
        }
    };
    let after = input.retry_after.map(|seconds| Duration::from_secs(seconds.into()));
    let kind = input.kind.unwrap_or_default();
    let failures = [
        fault::of_response(input.status, input.kind, input.content_type, after, &body, &context),
        fault::of_exception(kind, &body, &context),
        fault::of_invalid_state(&body, &context),
        fault::of_error_message(kind, input.content_type.unwrap_or_default(), &context),
    ];
    for failure in failures {
        let fault = failure.fault;
        assert!(!fault.message.trim().is_empty());
        assert!((400..=599).contains(&qm_anthropic::fault::status(&fault)));
        if let qm_canon::Kind::TooLong { tokens, limit } = fault.kind {
            assert!(tokens > limit || limit == u64::MAX, "{tokens} tokens are not over {limit}");
        }
        models::json(&qm_anthropic::fault::render(&fault, "req_1"));
    }
});
