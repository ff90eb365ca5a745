//! Responses in Anthropic's shape.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use qm_anthropic::fault;
use qm_canon::Fault;
use qm_relay::Pump;

use crate::request_id::RequestId;

const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// A fault as an answer, in Anthropic's shape: what its clients raise by status and type.
pub(crate) struct Refused {
    pub(crate) fault: Fault,
    pub(crate) id: RequestId,
}

impl IntoResponse for Refused {
    fn into_response(self) -> axum::response::Response {
        let Self { fault, id } = self;
        let mut response = json(fault::render(&fault, id.as_str()));
        *response.status_mut() =
            StatusCode::from_u16(fault::status(&fault)).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        if let Some(again) = fault::should_retry(&fault) {
            headers.insert(SHOULD_RETRY, HeaderValue::from_static(if again { "true" } else { "false" }));
        }
        if let Some(after) = fault.retry_after {
            // In whole seconds, at least one; clients give up at once above sixty (spec/clients.md §2.1).
            headers.insert(RETRY_AFTER, HeaderValue::from(after.as_secs().clamp(1, 60)));
        }
        response
    }
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
