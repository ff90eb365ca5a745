//! `/api/v1/logins`: device logins.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use qm_accounts::LoginState;
use qm_accounts::login::{LONGEST_CLAIM, LoginView};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::Desk;
use crate::begin::Begin;
use crate::door::By;
use crate::exchange;
use crate::refused::Refused;

/// A login.
#[derive(Serialize)]
struct Login<'a> {
    id: &'a str,
    kind: &'a str,
    status: &'static str,
    remaining_ms: Option<u64>,
    account_id: Option<&'a str>,
    error: Option<&'a str>,
    user_code: &'a str,
    verification_uri: &'a str,
    verification_uri_complete: Option<&'a str>,
    created_ms: u64,
    expires_ms: u64,
    interval_ms: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Claimed {
    wait_s: Option<u64>,
}

/// Starts one.
pub(crate) async fn start(
    State(desk): State<Arc<Desk>>,
    By(actor): By,
    body: Body,
) -> Result<Response, Refused> {
    let wish = exchange::asked::<Begin>(body).await?.wish()?;
    let login = desk.fleet.login_start(wish, &actor).await?;
    exchange::answer(StatusCode::CREATED, &Login::of(&login))
}

/// Those that wait, oldest first.
pub(crate) async fn list(State(desk): State<Arc<Desk>>) -> Result<Response, Refused> {
    let logins = desk.fleet.logins_pending().await?;
    exchange::ok(&json!({ "logins": logins.iter().map(Login::of).collect::<Vec<_>>() }))
}

/// How one stands.
pub(crate) async fn show(State(desk): State<Arc<Desk>>, Path(id): Path<String>) -> Result<Response, Refused> {
    exchange::ok(&Login::of(&desk.fleet.login_status(&id).await?))
}

/// Waits until it is over, for `wait_s` seconds at most, and says how it stands then.
pub(crate) async fn claim(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Refused> {
    let Claimed { wait_s } = exchange::query(&uri)?;
    let patience = wait_s.map_or(LONGEST_CLAIM, Duration::from_secs).min(LONGEST_CLAIM);
    exchange::ok(&Login::of(&Box::pin(desk.fleet.login_claim(&id, patience)).await?))
}

/// Calls it off.
pub(crate) async fn cancel(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
    By(actor): By,
) -> Result<Response, Refused> {
    exchange::ok(&Login::of(&desk.fleet.login_cancel(&id, &actor).await?))
}

impl<'a> Login<'a> {
    fn of(login: &'a LoginView) -> Self {
        let (status, remaining_ms, account_id, error) = match &login.state {
            LoginState::Pending { remaining_ms } => ("pending", Some(*remaining_ms), None, None),
            LoginState::Completed { account } => ("completed", None, Some(account.as_str()), None),
            LoginState::Expired => ("expired", None, None, None),
            LoginState::Denied => ("denied", None, None, None),
            LoginState::Cancelled => ("cancelled", None, None, None),
            LoginState::Failed { words } => ("failed", None, None, Some(words.as_str())),
        };
        Self {
            id: &login.id,
            kind: &login.kind,
            status,
            remaining_ms,
            account_id,
            error,
            user_code: &login.user_code,
            verification_uri: &login.verification_uri,
            verification_uri_complete: login.verification_uri_complete.as_deref(),
            created_ms: login.created_ms,
            expires_ms: login.expires_ms,
            interval_ms: login.interval_ms,
        }
    }
}
