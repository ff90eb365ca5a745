//! `/v2/auth`: device logins (spec/mission.md A2.5). What is asked beyond `label` and `enabled` is ours.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use qm_accounts::login::{LONGEST_CLAIM, LoginView};
use qm_accounts::{ErrorKind, LoginState};
use serde_json::json;

use super::shape::Account;
use crate::Desk;
use crate::begin::Begin;
use crate::door::By;
use crate::exchange::{self, At};
use crate::refused::Refused;

/// Longest time that `remaining` tells, in seconds: what a claim waits.
const LONGEST_S: u64 = LONGEST_CLAIM.as_secs();

/// Starts a login: what the person must open comes back.
#[utoipa::path(
    post, path = "/v2/auth/start", tag = "v2",
    request_body = Option<Begin>,
    responses(
        (status = 200, body = Object), (status = 400), (status = 404), (status = 409), (status = 413),
        (status = 502),
    ),
)]
pub(crate) async fn start(
    State(desk): State<Arc<Desk>>,
    By(actor): By,
    body: Body,
) -> Result<Response, Refused> {
    let wish = exchange::asked::<Begin>(body).await?.wish()?;
    let login = desk.fleet.login_start(wish, &actor).await.map_err(|error| {
        let unreachable = matches!(error.kind, ErrorKind::Unavailable | ErrorKind::Refused);
        let refused = Refused::from(error);
        if unreachable { refused.with_status(StatusCode::BAD_GATEWAY) } else { refused }
    })?;
    exchange::ok(&json!({
        "authId": login.id,
        "verificationUri": login.verification_uri,
        "verificationUriComplete": login.verification_uri_complete,
        "userCode": login.user_code,
        "expiresIn": login.expires_ms.saturating_sub((desk.now)()).div_ceil(1000),
        "interval": login.interval_ms.div_ceil(1000),
    }))
}

/// How a login stands.
#[utoipa::path(
    get, path = "/v2/auth/status/{id}", tag = "v2",
    responses((status = 200, body = Object), (status = 400), (status = 404)),
)]
pub(crate) async fn status(State(desk): State<Arc<Desk>>, At(id): At) -> Result<Response, Refused> {
    let login = desk.fleet.login_status(&id).await?;
    let (status, error) = told(&login);
    exchange::ok(&json!({
        "status": status,
        "remaining": remaining_s(&login, (desk.now)()),
        "error": error,
        "accountId": account(&login),
    }))
}

/// Waits until a login is over, five minutes at most, and answers with its account.
#[utoipa::path(
    post, path = "/v2/auth/claim/{id}", tag = "v2",
    responses(
        (status = 200, body = Object), (status = 400), (status = 404), (status = 408), (status = 409),
        (status = 502),
    ),
)]
pub(crate) async fn claim(State(desk): State<Arc<Desk>>, At(id): At) -> Result<Response, Refused> {
    let login = Box::pin(desk.fleet.login_claim(&id, LONGEST_CLAIM)).await?;
    match &login.state {
        LoginState::Completed { account } => {
            // The account may have been removed since.
            let view = desk.fleet.get(account).await.ok();
            exchange::ok(&json!({
                "status": "completed",
                "accountId": account,
                "account": view.as_ref().map(Account::of),
                "error": null,
            }))
        }
        LoginState::Pending { .. } => {
            let words = "Nobody has finished the login yet. It goes on: claim again.";
            Err(Refused::new(StatusCode::REQUEST_TIMEOUT, "login_pending", words))
        }
        LoginState::Expired => {
            let words = "Nobody finished the login in time. Start another.";
            Err(Refused::new(StatusCode::REQUEST_TIMEOUT, "login_timeout", words))
        }
        LoginState::Cancelled => {
            Err(Refused::new(StatusCode::CONFLICT, "login_cancelled", "The login was called off."))
        }
        LoginState::Denied => {
            Err(Refused::new(StatusCode::BAD_GATEWAY, "login_denied", "The person refused the login."))
        }
        LoginState::Failed { words } => {
            Err(Refused::new(StatusCode::BAD_GATEWAY, "login_failed", words.clone()))
        }
    }
}

/// Calls a login off.
#[utoipa::path(
    post, path = "/v2/auth/cancel/{id}", tag = "v2",
    responses((status = 200, body = Object), (status = 400), (status = 404), (status = 409)),
)]
pub(crate) async fn cancel(
    State(desk): State<Arc<Desk>>,
    At(id): At,
    By(actor): By,
) -> Result<Response, Refused> {
    let login = desk.fleet.login_cancel(&id, &actor).await?;
    let (status, error) = told(&login);
    exchange::ok(&json!({ "status": status, "error": error, "accountId": account(&login) }))
}

/// In the four words of the dialect, and a sentence.
fn told(login: &LoginView) -> (&'static str, Option<&str>) {
    match &login.state {
        LoginState::Pending { .. } => ("pending", None),
        LoginState::Completed { .. } => ("completed", None),
        LoginState::Expired => ("timeout", Some("Nobody finished the login in time.")),
        LoginState::Denied => ("error", Some("The person refused the login.")),
        LoginState::Cancelled => ("error", Some("The login was called off.")),
        LoginState::Failed { words } => ("error", Some(words)),
    }
}

fn account(login: &LoginView) -> Option<&str> {
    if let LoginState::Completed { account } = &login.state { Some(account) } else { None }
}

/// Counted down from what a claim waits, or the life of the code if that is shorter.
fn remaining_s(login: &LoginView, now_ms: u64) -> u64 {
    let LoginState::Pending { .. } = login.state else { return 0 };
    let until_ms = login.expires_ms.min(login.created_ms + LONGEST_S * 1000);
    until_ms.saturating_sub(now_ms).div_ceil(1000)
}
