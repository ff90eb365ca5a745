//! Who asks: the key in the headers, admitted or refused.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method};
use qm_canon::{Fault, Kind, Origin};
use qm_relay::{Caller, SessionShown, Shown};

use crate::Front;
use crate::asked::Asked;
use crate::respond::Refused;

/// Headers that hold a bare key.
const KEY_HEADERS: [&str; 3] = ["x-api-key", "api-key", "x-admin-key"];

/// The cookie of a session of the console, and the header that other sites' pages cannot send. The management routes
/// set the one and tell the other.
const SESSION: &str = "qm_session";
const CSRF: &str = "x-csrf-token";

/// Headers of clients that browsers let no page of another site send without asking. No others that begin with `x-`:
/// some of those are added on the way.
const UNSAFE_HEADERS: [HeaderName; 4] = [
    AUTHORIZATION,
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("api-key"),
    HeaderName::from_static("anthropic-version"),
];

/// A caller whose key is valid.
pub(crate) struct Admitted {
    pub(crate) caller: Caller,
    /// Where the request comes from.
    pub(crate) from: Option<IpAddr>,
}

/// A caller whose key is valid, or whose session of the console is.
pub(crate) struct AdmittedBySession(pub(crate) Admitted);

impl FromRequestParts<Arc<Front>> for Admitted {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, front: &Arc<Front>) -> Result<Self, Self::Rejection> {
        admit(front, parts, None)
    }
}

impl FromRequestParts<Arc<Front>> for AdmittedBySession {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, front: &Arc<Front>) -> Result<Self, Self::Rejection> {
        admit(front, parts, session(&parts.headers)).map(Self)
    }
}

/// That only admins may do this.
pub(crate) fn not_an_admin() -> Fault {
    Fault::new(Kind::Forbidden, Origin::Client, "Admin privileges required: ask with the key of an admin.")
        .never_retry()
        .code("key/not-admin")
}

fn admit(front: &Front, parts: &Parts, session: Option<SessionShown<'_>>) -> Result<Admitted, Refused> {
    let from = address(parts);
    let tokens = tokens(&parts.headers);
    match front.relay.admission.admit(&Shown { tokens: &tokens, session, from }) {
        Ok(caller) if caller.stranger && a_page_could_send(parts) => {
            Err(Refused { fault: maybe_a_page(), asked: Asked::of(parts) })
        }
        Ok(caller) => Ok(Admitted { caller, from }),
        Err(fault) => Err(Refused { fault, asked: Asked::of(parts) }),
    }
}

/// Whether a browser would send this for any web page, without asking first: a page that somebody on this machine
/// happens to look at must not use up what stands open to him (Fetch, "CORS-safelisted request-header").
fn a_page_could_send(parts: &Parts) -> bool {
    let Parts { method, headers, .. } = parts;
    let content = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content.split(';').next().unwrap_or_default().trim();
    let is_json = essence.eq_ignore_ascii_case("application/json");
    *method == Method::POST && !is_json && !UNSAFE_HEADERS.iter().any(|name| headers.contains_key(name))
}

fn maybe_a_page() -> Fault {
    let words = "This gateway is open to all on this machine, so it takes nothing that a web page could send unasked: \
                 send the body with `Content-Type: application/json`, or any key as `x-api-key`.";
    Fault::new(Kind::Forbidden, Origin::Client, words).never_retry().code("open/maybe-a-page")
}

fn session(headers: &HeaderMap) -> Option<SessionShown<'_>> {
    let csrf = headers.get(CSRF).and_then(|value| value.to_str().ok());
    let cookies = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut cookies = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.split_once('='));
    let (_, cookie) = cookies.find(|(name, _)| name.trim() == SESSION)?;
    Some(SessionShown { cookie: cookie.trim(), csrf })
}

fn address(parts: &Parts) -> Option<IpAddr> {
    parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip().to_canonical())
}

/// Every token the client sent. Some send two (spec/clients.md §2.1); one valid one is enough.
fn tokens(headers: &HeaderMap) -> Vec<&str> {
    let bare = KEY_HEADERS.into_iter().filter_map(|name| headers.get(name)?.to_str().ok());
    let bearer = headers.get_all(AUTHORIZATION).into_iter().filter_map(|value| {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token)
    });
    bare.chain(bearer).map(str::trim).filter(|token| !token.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_found_wherever_clients_put_them() {
        let mut headers = HeaderMap::new();
        assert!(tokens(&headers).is_empty());
        headers.insert("x-api-key", "one".parse().expect("ascii"));
        headers.append(AUTHORIZATION, "bearer  two ".parse().expect("ascii"));
        headers.append(AUTHORIZATION, "Basic three".parse().expect("ascii"));
        assert_eq!(tokens(&headers), ["one", "two"]);
    }

    #[test]
    fn what_any_page_could_send_is_told_from_what_clients_send() {
        for (method, header, could) in [
            ("POST", None, true),
            ("POST", Some(("content-type", "text/plain")), true),
            ("POST", Some(("content-type", "text/plain; application/json")), true),
            ("POST", Some(("content-type", "application/x-www-form-urlencoded")), true),
            ("POST", Some(("x-forwarded-for", "203.0.113.5")), true),
            ("POST", Some(("content-type", "Application/JSON; charset=utf-8")), false),
            ("POST", Some(("x-api-key", "anything")), false),
            ("POST", Some(("authorization", "Bearer anything")), false),
            ("POST", Some(("anthropic-version", "2023-06-01")), false),
            ("GET", None, false),
            ("DELETE", None, false),
        ] {
            let mut request = axum::http::Request::builder().method(method);
            if let Some((name, value)) = header {
                request = request.header(name, value);
            }
            let (parts, ()) = request.body(()).expect("a request").into_parts();
            assert_eq!(a_page_could_send(&parts), could, "{method} {header:?}");
        }
    }

    #[test]
    fn a_session_is_found_among_other_cookies() {
        let mut headers = HeaderMap::new();
        assert!(session(&headers).is_none());
        headers.append(COOKIE, "theme=dark; xqm_session=no".parse().expect("ascii"));
        headers.append(COOKIE, "a=b;qm_session=value=; c=d".parse().expect("ascii"));
        let shown = session(&headers).expect("a session");
        assert_eq!((shown.cookie, shown.csrf), ("value=", None));
        headers.insert(CSRF, "token".parse().expect("ascii"));
        assert_eq!(session(&headers).expect("a session").csrf, Some("token"));
    }
}
