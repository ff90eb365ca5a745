//! `/api/v1/session`: signing in to the console with a key, and out; `/api/v1/sessions`: who is signed in.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{SET_COOKIE, USER_AGENT};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use qm_access::{Opened, SessionView};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::words;
use crate::Desk;
use crate::door::{From, LONGEST, SESSION, Who, over_tls};
use crate::exchange::{self, At};
use crate::refused::Refused;

/// The key that signs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SignIn)]
struct Wish {
    #[schema(value_type = String, min_length = 1, max_length = 1024, write_only)]
    key: SecretString,
}

/// Who is asking.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
struct Me<'a> {
    /// Id of the session; `null` for a key without one.
    id: Option<&'a str>,
    /// Id of the key.
    key: &'a str,
    /// Name of the key.
    name: &'a str,
    #[schema(schema_with = words::many_scopes)]
    scopes: Vec<&'static str>,
    /// When the session ends at the latest.
    expires_ms: Option<u64>,
    /// What everything but GET must bring along as `X-CSRF-Token`: only in the answer that opened the session.
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf: Option<&'a str>,
}

/// Sessions that are open, newest first.
#[derive(Serialize, ToSchema)]
struct Sessions<'a> {
    sessions: Vec<Row<'a>>,
}

/// A session.
#[derive(Serialize, ToSchema)]
#[schema(as = OpenSession)]
struct Row<'a> {
    id: &'a str,
    /// Id of the key it was opened with.
    key: &'a str,
    created_ms: u64,
    last_seen_ms: u64,
    expires_ms: u64,
    source: &'a str,
    agent: &'a str,
    /// Whether it is the one that asks.
    current: bool,
}

/// How many sessions were ended.
#[derive(Serialize, ToSchema)]
struct Ended {
    ended: usize,
}

/// Signs in: the cookie is the session, and the token in the answer is for what is changed by it.
#[utoipa::path(
    post, path = "/api/v1/session", tag = "session",
    request_body = Wish,
    responses(
        (status = 201, body = Me, headers(("Set-Cookie" = String))), (status = 400), (status = 413),
        (status = 415),
    ),
)]
pub(crate) async fn open(
    State(desk): State<Arc<Desk>>,
    From(from): From,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let Wish { key } = exchange::told(&headers, body).await?;
    let key = key.expose_secret().trim();
    if key.len() > LONGEST {
        return Err(Refused::invalid("A key of this length is none."));
    }
    let agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let opened = desk.access.login(key, from, agent).await?;
    let name = desk.access.show(&opened.view.key).await.map(|view| view.name).unwrap_or_default();
    let me = Me {
        id: Some(&opened.view.id),
        key: &opened.view.key,
        name: &name,
        scopes: opened.scopes.words().collect(),
        expires_ms: Some(opened.view.expires_ms),
        csrf: Some(opened.csrf.expose_secret()),
    };
    let mut response = exchange::answer(StatusCode::CREATED, &me)?;
    response.headers_mut().insert(SET_COOKIE, cookie(&opened, &headers)?);
    Ok(response)
}

/// Who is asking, by a session or a key.
#[utoipa::path(get, path = "/api/v1/session", tag = "session", responses((status = 200, body = Me)))]
pub(crate) async fn show(State(desk): State<Arc<Desk>>, Who(who): Who) -> Result<Response, Refused> {
    let sessions = desk.access.sessions();
    let session = sessions.iter().find(|session| Some(&session.id) == who.session.as_ref());
    exchange::ok(&Me {
        id: who.session.as_deref(),
        key: &who.key,
        name: &who.name,
        scopes: who.scopes.words().collect(),
        expires_ms: session.map(|session| session.expires_ms),
        csrf: None,
    })
}

/// Signs out.
#[utoipa::path(
    delete, path = "/api/v1/session", tag = "session",
    responses((status = 204, headers(("Set-Cookie" = String))), (status = 404)),
)]
pub(crate) async fn close(State(desk): State<Arc<Desk>>, Who(who): Who) -> Result<Response, Refused> {
    let id = who.session.as_deref().ok_or_else(|| {
        let words = "This request shows a key and no session: there is nothing to sign out of.";
        Refused::new(StatusCode::NOT_FOUND, "not_found", words)
    })?;
    desk.access.end_session(id, &who.actor()).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    let gone = format!("{SESSION}=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0");
    response.headers_mut().extend(HeaderValue::try_from(gone).ok().map(|value| (SET_COOKIE, value)));
    Ok(response)
}

/// All sessions that are open.
#[utoipa::path(get, path = "/api/v1/sessions", tag = "session", responses((status = 200, body = Sessions)))]
pub(crate) async fn list(State(desk): State<Arc<Desk>>, Who(who): Who) -> Result<Response, Refused> {
    let sessions = desk.access.sessions();
    exchange::ok(&Sessions {
        sessions: sessions.iter().map(|one| Row::of(one, who.session.as_deref())).collect(),
    })
}

/// Ends all sessions of one's own key but the one that asks.
#[utoipa::path(delete, path = "/api/v1/sessions", tag = "session", responses((status = 200, body = Ended)))]
pub(crate) async fn end_others(State(desk): State<Arc<Desk>>, Who(who): Who) -> Result<Response, Refused> {
    exchange::ok(&Ended { ended: desk.access.end_other_sessions(&who).await? })
}

/// Ends a session.
#[utoipa::path(
    delete, path = "/api/v1/sessions/{id}", tag = "session",
    responses((status = 204), (status = 400), (status = 404)),
)]
pub(crate) async fn end(
    State(desk): State<Arc<Desk>>,
    At(id): At,
    Who(who): Who,
) -> Result<Response, Refused> {
    desk.access.end_session(&id, &who.actor()).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The cookie of a session. No script can read it, and no other site makes a browser send it; over TLS it never
/// travels in the clear.
pub(crate) fn cookie(opened: &Opened, headers: &HeaderMap) -> Result<HeaderValue, Refused> {
    let lasts_s = opened.view.expires_ms.saturating_sub(opened.view.created_ms) / 1000;
    let secure = if over_tls(headers) { "; Secure" } else { "" };
    let value = opened.cookie.expose_secret();
    let text = format!("{SESSION}={value}; HttpOnly; SameSite=Strict; Path=/; Max-Age={lasts_s}{secure}");
    let mut value = HeaderValue::try_from(text).map_err(|_| {
        Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The cookie cannot be written.")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

impl<'a> Row<'a> {
    fn of(view: &'a SessionView, current: Option<&str>) -> Self {
        Self {
            id: &view.id,
            key: &view.key,
            created_ms: view.created_ms,
            last_seen_ms: view.last_seen_ms,
            expires_ms: view.expires_ms,
            source: &view.source,
            agent: &view.agent,
            current: current == Some(view.id.as_str()),
        }
    }
}
