//! One id per request, in every response, so that a user and an operator can speak of the same thing.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

use crate::Front;

/// The name Anthropic's clients read, and the one everyone else does.
const NAMES: [HeaderName; 2] =
    [HeaderName::from_static("request-id"), HeaderName::from_static("x-request-id")];

/// The id of the request at hand.
#[derive(Clone)]
pub(crate) struct RequestId(Arc<str>);

/// Gives the request an id and the response its headers.
pub(crate) async fn around(State(front): State<Arc<Front>>, mut request: Request, next: Next) -> Response {
    let id: Arc<str> = format!("req_{:032x}", (front.random)()).into();
    request.extensions_mut().insert(RequestId(Arc::clone(&id)));
    let mut response = next.run(request).await;
    if let Ok(value) = HeaderValue::from_str(&id) {
        for name in NAMES {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}

impl RequestId {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The id [`around`] gave; empty in a router that was built without it.
    pub(crate) fn of(parts: &Parts) -> Self {
        parts.extensions.get::<Self>().cloned().unwrap_or_else(|| Self("".into()))
    }
}

impl<S: Sync> FromRequestParts<S> for RequestId {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of(parts))
    }
}
