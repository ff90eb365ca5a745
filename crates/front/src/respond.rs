//! Responses, in the format of who asks.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use qm_anthropic::fault as anthropic;
use qm_canon::{Fault, Origin};
use qm_openai::fault::{self as openai, Api};
use qm_relay::Pump;

use crate::asked::{Asked, Dialect};

const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Seconds that clients wait before they ask again; told to wait longer, they give up.
const PATIENCE: u64 = 60;

/// A fault as an answer: what the format's clients raise by status and type.
pub(crate) struct Refused {
    pub(crate) fault: Fault,
    pub(crate) asked: Asked,
}

impl IntoResponse for Refused {
    fn into_response(self) -> axum::response::Response {
        let Self { fault, asked } = self;
        let (body, status, again) = match asked.dialect {
            Dialect::Messages => (
                anthropic::render(&fault, asked.id()),
                anthropic::status(&fault),
                anthropic::should_retry(&fault),
            ),
            Dialect::Chat => of_openai(&fault, Api::Chat),
            Dialect::Responses => of_openai(&fault, Api::Responses),
        };
        let mut response = json(body);
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        let wait = fault.retry_after.map(|after| wait(after, fault.origin));
        let again = if wait.is_some_and(|seconds| seconds > PATIENCE) { Some(false) } else { again };
        if let Some(again) = again {
            headers.insert(SHOULD_RETRY, HeaderValue::from_static(if again { "true" } else { "false" }));
        }
        if status == 401 {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = wait {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// Seconds to wait, at least one. Clients give up at once when it is more than a minute (spec/clients.md §2.1, §3.6).
/// That is right where the key's own limit renews later, for until then nothing helps: it is told as it is. Where
/// accounts rest it would be wrong, for another may be free before: no more than a minute is told.
fn wait(after: Duration, origin: Origin) -> u64 {
    let seconds = u64::try_from(after.as_millis().div_ceil(1000)).unwrap_or(u64::MAX).max(1);
    if origin == Origin::Client { seconds } else { seconds.min(PATIENCE) }
}

fn of_openai(fault: &Fault, api: Api) -> (Vec<u8>, u16, Option<bool>) {
    (openai::render(fault, api), openai::status(fault), openai::should_retry(fault))
}

/// A whole JSON answer.
pub(crate) fn json(body: impl Into<Body>) -> axum::response::Response {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// An answer in server-sent events, written while it arrives.
pub(crate) fn events<E: qm_canon::Encoder + Send + Unpin + 'static>(
    pump: Pump<E>,
) -> axum::response::Response {
    let mut response = Response::new(Body::new(pump));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    // Or nginx in front of us would collect the events.
    headers.insert(BUFFERING, HeaderValue::from_static("no"));
    response
}
