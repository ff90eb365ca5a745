//! What is done to accounts beyond changing them, in our own words.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use qm_accounts::AccountError;
use serde::Serialize;
use serde_json::json;

use super::accounts::shown;
use super::shape::Account;
use crate::door::By;
use crate::refused::Refused;
use crate::{Desk, exchange};

/// How something went.
#[derive(Serialize)]
struct Went {
    ok: bool,
    error: Option<String>,
}

/// Switches one on.
pub(crate) async fn enable(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
    By(actor): By,
) -> Result<Response, Refused> {
    shown(StatusCode::OK, &desk.fleet.enable(&id, &actor).await?)
}

/// Switches one off.
pub(crate) async fn disable(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
    By(actor): By,
) -> Result<Response, Refused> {
    shown(StatusCode::OK, &desk.fleet.disable(&id, &actor).await?)
}

/// Forgets what is held against one.
pub(crate) async fn reset(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
    By(actor): By,
) -> Result<Response, Refused> {
    shown(StatusCode::OK, &desk.fleet.reset(&id, &actor).await?)
}

/// Renews the token of one.
pub(crate) async fn refresh(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
    By(actor): By,
) -> Result<Response, Refused> {
    shown(StatusCode::OK, &desk.fleet.refresh(&id, &actor).await?)
}

/// Renews the tokens of all.
pub(crate) async fn refresh_all(State(desk): State<Arc<Desk>>, By(actor): By) -> Result<Response, Refused> {
    let all = desk.fleet.refresh_all(&actor, |_, _| {}).await?;
    let results = all.iter().map(|one| {
        json!({
            "id": one.id, "number": one.number, "label": one.label, "state": one.state.word(),
            "refresh": Went::of(&one.result),
        })
    });
    exchange::ok(&json!({ "results": results.collect::<Vec<_>>() }))
}

/// Asks the upstream for token, credits and models of one; no chat, which would cost credits.
pub(crate) async fn test(State(desk): State<Arc<Desk>>, Path(id): Path<String>) -> Result<Response, Refused> {
    let checkup = Box::pin(desk.fleet.test(&id)).await?;
    exchange::ok(&json!({
        "token": Went::of(&checkup.token),
        "usage": Went::of(&checkup.usage),
        "limits": checkup.usage.as_ref().ok(),
        "models": checkup.models,
        "account": Account::of(&checkup.view),
    }))
}

/// Asks the upstream for the credits of one.
pub(crate) async fn quota(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    exchange::ok(&desk.fleet.quota(&id).await?)
}

impl Went {
    fn of<T>(result: &Result<T, AccountError>) -> Self {
        let error = result.as_ref().err().map(ToString::to_string);
        Self { ok: error.is_none(), error }
    }
}
