//! What is known of a request before anything of it is read: its id, and the format of its path.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use qm_canon::Fault;
use tokio::time::Instant;

use crate::Front;

/// The names under which a response has its id: the one Anthropic's clients read, and the one everyone else does.
const IDS: [HeaderName; 2] = [HeaderName::from_static("request-id"), HeaderName::from_static("x-request-id")];

/// How long OpenAI's API took to answer, in milliseconds.
const PROCESSING: HeaderName = HeaderName::from_static("openai-processing-ms");

/// The header that every client of Anthropic's API sends, and no other.
const ANTHROPIC_VERSION: &str = "anthropic-version";

/// One request.
#[derive(Clone)]
pub(crate) struct Asked {
    id: Arc<str>,
    /// The format in which it is answered.
    pub(crate) dialect: Dialect,
}

/// The formats that clients speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Anthropic Messages.
    Messages,
    /// OpenAI Chat Completions.
    Chat,
    /// OpenAI Responses.
    Responses,
}

/// Gives the request an id, so that a user and an operator can speak of the same thing, and the response its headers.
pub(crate) async fn around(State(front): State<Arc<Front>>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let shown = matches!(*request.method(), Method::GET | Method::HEAD);
    let dialect = Dialect::of(request.uri().path(), request.headers());
    let id: Arc<str> = format!("req_{:032x}", (front.random)()).into();
    request.extensions_mut().insert(Asked { id: Arc::clone(&id), dialect });
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id) {
        for name in IDS {
            headers.insert(name, value.clone());
        }
    }
    protect(headers, shown);
    if dialect != Dialect::Messages {
        headers.insert(PROCESSING, HeaderValue::from(began.elapsed().as_millis() as u64));
    }
    response
}

/// What browsers must not do with an answer: guess its type or keep it; and with what they can be led to, `shown`, put
/// it into a page or let it load anything.
fn protect(headers: &mut HeaderMap, shown: bool) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Nobody's answer is anybody else's. Streams say the same in the word that proxies need.
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if shown {
        let nothing = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
        headers.insert(CONTENT_SECURITY_POLICY, nothing);
        headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    }
}

impl Asked {
    /// Its id, to be kept.
    pub(crate) fn shared_id(&self) -> Arc<str> {
        Arc::clone(&self.id)
    }

    /// Its id, `req_…`.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// What [`around`] found.
    pub(crate) fn of(parts: &Parts) -> Self {
        let dialect = || Dialect::of(parts.uri.path(), &parts.headers);
        parts.extensions.get().cloned().unwrap_or_else(|| Self { id: "".into(), dialect: dialect() })
    }
}

impl Dialect {
    /// Who asks shows in the path; for paths that both vendors have, in a header.
    fn of(path: &str, headers: &HeaderMap) -> Self {
        if path.contains("/v1/chat/") || path.contains("/v2/chat/") {
            Self::Chat
        } else if path.contains("/v1/responses") {
            Self::Responses
        } else if path.contains("/v1/models") && !headers.contains_key(ANTHROPIC_VERSION) {
            Self::Chat
        } else {
            Self::Messages
        }
    }
}

impl Dialect {
    /// The HTTP status of a fault in this format.
    pub(crate) fn status_of(self) -> fn(&Fault) -> u16 {
        match self {
            Self::Messages => qm_anthropic::fault::status,
            Self::Chat | Self::Responses => qm_openai::fault::status,
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of(parts))
    }
}
