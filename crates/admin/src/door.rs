//! What stands before every management route: who asks and what he may, the request's id, the headers of the answer.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::header::{
    ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, ORIGIN, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use qm_access::{Denied, Principal, Why};
use qm_accounts::Actor;
use qm_keys::Scope;
use qm_relay::{SessionShown, Shown};

use crate::Desk;
use crate::refused::{Dialect, Refused};

/// The cookie of a session. The routes of models look for the same.
pub(crate) const SESSION: &str = "qm_session";

/// What a page sends along that other sites' pages cannot know.
const CSRF: &str = "x-csrf-token";

/// Headers that hold a bare key (spec/mission.md A12, 20). Never the URL: it lands in histories and logs.
const KEY_HEADERS: [&str; 2] = ["x-api-key", "x-admin-key"];

/// Most keys that are looked at in one request: each costs a hash.
const MOST_SENT: usize = 8;

/// Longest key that is looked at, in bytes.
pub(crate) const LONGEST: usize = 1024;

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

/// Who asks, for verbs on accounts.
pub(crate) struct By(pub(crate) Actor);

/// Who asks, for all else.
pub(crate) struct Who(pub(crate) Principal);

/// Where a request comes from.
pub(crate) struct From(pub(crate) Option<IpAddr>);

/// What a route asks of whoever asks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Nothing: it is where one shows who one is.
    Nothing,
    /// A key or session, whatever it opens.
    Any,
    /// One that may look at management.
    Read,
    /// One that may do everything.
    Admin,
}

impl Needs {
    /// Those of a route. Whoever may read may ask everything that only shows; there is no secret in any of it. To carry
    /// all of it away as a file is an admin's.
    fn of(method: &Method, path: &str) -> Self {
        match (method.as_str(), path) {
            ("GET" | "HEAD" | "DELETE", "/api/v1/session") | ("GET" | "HEAD", "/api/v1/me") => Self::Any,
            // Whatever the method: another than POST is told so.
            (_, "/api/v1/session" | "/api/login") => Self::Nothing,
            ("GET" | "HEAD", path) if !path.ends_with("/export") => Self::Read,
            _ => Self::Admin,
        }
    }

    fn scope(self) -> Option<Scope> {
        match self {
            Self::Nothing | Self::Any => None,
            Self::Read => Some(Scope::Read),
            Self::Admin => Some(Scope::Admin),
        }
    }
}

/// Admits or refuses, and finishes the answer in the dialect of its path.
pub(crate) async fn around(State(desk): State<Arc<Desk>>, mut request: Request, next: Next) -> Response {
    let id = fresh_id(&desk);
    let path = request.uri().path();
    let (dialect, needs) = (Dialect::of(path), Needs::of(request.method(), path));
    let over_tls = over_tls(request.headers());
    let admitted = if needs == Needs::Nothing { Ok(None) } else { admit(&desk, &request, needs).map(Some) };
    let mut response = match admitted {
        Ok(principal) => {
            if let Some(principal) = principal {
                request.extensions_mut().insert(principal);
            }
            run(request, next).await
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
    sign(headers, &id);
    if over_tls {
        stay_on_tls(headers);
    }
    response
}

/// Lets the route answer. What is more than looking goes on to its end, though its client hangs up meanwhile: between the
/// store's commit and the audit's entry, an act would be done and nobody told of it.
async fn run(request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "an act must reach the audit without its client; each ends, for bodies and waits are bounded in time"
    )]
    let act = tokio::spawn(next.run(request));
    act.await.unwrap_or_else(|_| {
        let words = "The gateway failed; its log has the reason.";
        Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", words).into_response()
    })
}

/// Whether the browser came by `https`. The gateway itself speaks plain HTTP behind a proxy that says so; browsers say it
/// too. Who lies here only locks his own cookie away, and his own browser out of plain HTTP, where it hears no such thing.
pub(crate) fn over_tls(headers: &HeaderMap) -> bool {
    let says = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    says("x-forwarded-proto").eq_ignore_ascii_case("https") || says(ORIGIN.as_str()).starts_with("https://")
}

/// Tells a browser that came over TLS to come so for a year.
pub(crate) fn stay_on_tls(headers: &mut HeaderMap) {
    headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
}

/// Gives an answer the id of its request.
pub(crate) fn sign(headers: &mut HeaderMap, id: &str) {
    if let Ok(value) = HeaderValue::from_str(id) {
        for name in IDS {
            headers.insert(name, value.clone());
        }
    }
}

/// The id of a request.
pub(crate) fn fresh_id(desk: &Desk) -> String {
    format!("req_{:032x}", (desk.random)())
}

/// Who asks, if he may.
pub(crate) fn admit(desk: &Desk, request: &Request, needs: Needs) -> Result<Principal, Refused> {
    let headers = request.headers();
    let tokens: Vec<&str> = sent(headers).collect();
    let session = session(headers);
    let from = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(from)| from.ip());
    let writes = !matches!(*request.method(), Method::GET | Method::HEAD);
    let principal = desk.access.principal(&Shown { tokens: &tokens, session, from }, writes)?;
    match needs.scope() {
        Some(scope) if !principal.may(scope) => {
            let words = if principal.may(Scope::Read) {
                "Admin privileges required: this API key may look at management, and change nothing."
            } else {
                "Admin privileges required: this API key opens the routes of models and GET /api/v1/me alone."
            };
            Err(Refused::new(StatusCode::FORBIDDEN, "forbidden", words))
        }
        _ => Ok(principal),
    }
}

impl std::convert::From<Denied> for Refused {
    fn from(denied: Denied) -> Self {
        let (status, code, after_s) = match denied.why {
            Why::Missing | Why::Invalid => (StatusCode::UNAUTHORIZED, "unauthorized", None),
            Why::Throttled { left_ms } => {
                (StatusCode::TOO_MANY_REQUESTS, "too_many_failures", Some(left_ms.div_ceil(1000)))
            }
            Why::Forbidden => (StatusCode::FORBIDDEN, "forbidden", None),
            Why::Forged => (StatusCode::FORBIDDEN, "csrf", None),
            Why::Failed => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", None),
        };
        Self { after_s, ..Self::new(status, code, denied.words) }
    }
}

/// Every key that was sent. Some clients send two; one valid one is enough.
fn sent(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let bare =
        KEY_HEADERS.into_iter().flat_map(|name| headers.get_all(name)).filter_map(|key| key.to_str().ok());
    let bearer = headers.get_all(AUTHORIZATION).into_iter().filter_map(|value| {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token)
    });
    bare.chain(bearer).map(str::trim).filter(|key| !key.is_empty() && key.len() <= LONGEST).take(MOST_SENT)
}

/// The session that a browser shows.
fn session(headers: &HeaderMap) -> Option<SessionShown<'_>> {
    let cookies = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.split_once('='));
    let (_, cookie) = pairs.find(|(name, _)| name.trim() == SESSION)?;
    let csrf = headers.get(CSRF).and_then(|token| token.to_str().ok());
    Some(SessionShown { cookie: cookie.trim(), csrf })
}

/// Missing only if a route stands outside the door: then it stays shut.
fn principal(parts: &Parts) -> Result<Principal, Refused> {
    let known = parts.extensions.get().cloned();
    known.ok_or_else(|| Refused::new(StatusCode::UNAUTHORIZED, "unauthorized", "API key required."))
}

impl<S: Sync> FromRequestParts<S> for By {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        let Principal { key, from, .. } = principal(parts)?;
        let source = from.map(|from| from.to_string()).unwrap_or_default();
        Ok(Self(Actor::Admin { key, source }))
    }
}

impl<S: Sync> FromRequestParts<S> for Who {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        principal(parts).map(Self)
    }
}

impl<S: Sync> FromRequestParts<S> for From {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(from)| from.ip())))
    }
}

#[cfg(test)]
mod tests {
    use super::{HeaderMap, Method, Needs, sent, session};

    #[test]
    fn whoever_may_read_may_ask_what_only_shows() {
        for (method, path, needs) in [
            (Method::POST, "/api/v1/session", Needs::Nothing),
            (Method::POST, "/api/login", Needs::Nothing),
            (Method::TRACE, "/api/login", Needs::Nothing),
            (Method::DELETE, "/api/v1/session", Needs::Any),
            (Method::GET, "/api/v1/me", Needs::Any),
            (Method::GET, "/api/v1/keys", Needs::Read),
            (Method::HEAD, "/v2/accounts", Needs::Read),
            (Method::GET, "/api/v1/requests/export", Needs::Admin),
            (Method::POST, "/api/v1/accounts/export", Needs::Admin),
            (Method::PUT, "/api/v1/me", Needs::Admin),
            (Method::TRACE, "/v2/accounts", Needs::Admin),
        ] {
            assert_eq!(Needs::of(&method, path), needs, "{method} {path}");
        }
    }

    #[test]
    fn keys_and_sessions_are_found_where_they_may_stand() {
        let headers: HeaderMap = [
            ("authorization", "bearer one"),
            ("authorization", "Basic YTpi"),
            ("x-admin-key", " two "),
            ("x-api-key", ""),
            ("cookie", "theme=dark; xqm_session=no"),
            ("cookie", "a=b;qm_session=value=; c=d"),
        ]
        .into_iter()
        .map(|(name, value)| (super::HeaderName::from_static(name), super::HeaderValue::from_static(value)))
        .collect();
        assert_eq!(sent(&headers).collect::<Vec<_>>(), ["two", "one"]);
        assert_eq!(session(&headers).map(|shown| (shown.cookie, shown.csrf)), Some(("value=", None)));
        let many: HeaderMap = (0..20)
            .map(|n| (super::HeaderName::from_static("x-api-key"), super::HeaderValue::from(n)))
            .collect();
        assert_eq!(sent(&many).count(), 8);
        let long = super::HeaderValue::from_str(&"x".repeat(1025)).unwrap();
        assert_eq!(
            sent(&[(super::HeaderName::from_static("x-api-key"), long)].into_iter().collect()).count(),
            0
        );
    }
}
