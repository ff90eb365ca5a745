//! What stands before every management route: the key, the request's id, the headers of the answer.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use qm_accounts::Actor;

use crate::Desk;
use crate::keys::Shown;
use crate::refused::{Dialect, Refused};

/// The names under which a response has its id.
const IDS: [HeaderName; 2] = [HeaderName::from_static("request-id"), HeaderName::from_static("x-request-id")];

/// On every answer. There are none for CORS: other sites' scripts have no business here.
const FIXED: [(HeaderName, &str); 5] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (CACHE_CONTROL, "no-store"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "no-referrer"),
    (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
];

/// What a route asks of a key.
pub(crate) struct Needs;

impl Needs {
    pub(crate) const READ: Self = Self;
}

/// Who asks: somebody with an admin's key.
pub(crate) struct By(pub(crate) Actor);

/// Admits or refuses, and finishes the answer in the dialect of its path.
pub(crate) async fn around(State(desk): State<Arc<Desk>>, mut request: Request, next: Next) -> Response {
    let id = fresh_id(&desk);
    let dialect = Dialect::of(request.uri().path());
    let mut response = match admit(&desk, &request, Needs::READ) {
        Ok(actor) => {
            request.extensions_mut().insert(actor);
            next.run(request).await
        }
        Err(refused) => refused.into_response(),
    };
    // The router names the methods of a path where another was tried (RFC 9110, 15.5.6).
    let allow = response.headers_mut().remove(ALLOW);
    if let Some(refused) = response.extensions_mut().remove::<Refused>() {
        response = refused.render(dialect, &id);
    }
    let headers = response.headers_mut();
    if let Some(allow) = allow {
        headers.insert(ALLOW, allow);
    }
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        for name in IDS {
            headers.insert(name, value.clone());
        }
    }
    response
}

/// The id of a request.
pub(crate) fn fresh_id(desk: &Desk) -> String {
    format!("req_{:032x}", (desk.random)())
}

/// Who asks, if he may.
pub(crate) fn admit(desk: &Desk, request: &Request, _needs: Needs) -> Result<Actor, Refused> {
    let from = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(from)| from.ip());
    let headers = request.headers();
    if desk.keys.is_empty() {
        return Err(unauthorized(
            "The management interface is closed: no admin key is configured. Set ADMIN_KEY (at least 16 characters) \
             and start the gateway again.",
        ));
    }
    let now_ms = (desk.now)();
    desk.throttle.may_try(from, now_ms).map_err(too_many)?;
    match desk.keys.look(headers) {
        Shown::Right(key) => {
            desk.throttle.succeeded(from, now_ms);
            Ok(Actor::Admin { key, source: from.map(|from| from.to_string()).unwrap_or_default() })
        }
        Shown::Wrong => {
            desk.throttle.failed(from, now_ms).map_err(too_many)?;
            let from = from.map(tracing::field::display);
            tracing::warn!(from, "a wrong admin key was refused");
            Err(unauthorized("Invalid admin key. A client's API key does not open the management interface."))
        }
        Shown::Nothing => Err(unauthorized(
            "Admin key required: send it as `Authorization: Bearer`, `x-api-key` or `X-Admin-Key`.",
        )),
    }
}

fn too_many(left_ms: u64) -> Refused {
    let words = "Too many wrong admin keys. Wait, then send the right one.";
    let refused = Refused::new(StatusCode::TOO_MANY_REQUESTS, "too_many_failures", words);
    Refused { after_s: Some(left_ms.div_ceil(1000)), ..refused }
}

fn unauthorized(words: &'static str) -> Refused {
    Refused::new(StatusCode::UNAUTHORIZED, "unauthorized", words)
}

impl<S: Sync> FromRequestParts<S> for By {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        // Missing only if a route stands outside the door: then it stays shut.
        parts.extensions.get().cloned().map(Self).ok_or_else(|| unauthorized("Admin key required."))
    }
}
