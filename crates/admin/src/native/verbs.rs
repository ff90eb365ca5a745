//! What is done to accounts beyond changing them, in our own words.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use qm_accounts::AccountError;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use utoipa::ToSchema;

use super::accounts::shown;
use super::shape::{Account, Credits};
use crate::Desk;
use crate::door::By;
use crate::exchange::{self, At};
use crate::refused::Refused;

/// How something went.
#[derive(Serialize, ToSchema)]
pub(super) struct Went {
    ok: bool,
    error: Option<String>,
}

/// How the renewal of all tokens went.
#[derive(Serialize, ToSchema)]
struct RefreshedAll<'a> {
    results: Vec<RefreshedOne<'a>>,
}

/// How it went for one account.
#[derive(Serialize, ToSchema)]
struct RefreshedOne<'a> {
    id: &'a str,
    number: i64,
    label: &'a str,
    state: &'static str,
    refresh: Went,
}

/// What was found out by asking the upstream.
#[derive(Serialize, ToSchema)]
struct Tested<'a> {
    token: Went,
    usage: Went,
    #[schema(value_type = Option<Credits>)]
    limits: Option<Box<RawValue>>,
    models: Option<&'a [String]>,
    account: Account<'a>,
}

/// Switches one on.
#[utoipa::path(
    post, path = "/api/v1/accounts/{id}/enable", tag = "accounts",
    responses((status = 200, body = Account, headers(("ETag" = String))), (status = 400), (status = 404)),
)]
pub(crate) async fn enable(
    State(desk): State<Arc<Desk>>,
    At(id): At,
    By(actor): By,
) -> Result<Response, Refused> {
    shown(StatusCode::OK, &desk.fleet.enable(&id, &actor).await?)
}

/// Switches one off.
#[utoipa::path(
    post, path = "/api/v1/accounts/{id}/disable", tag = "accounts",
    responses((status = 200, body = Account, headers(("ETag" = String))), (status = 400), (status = 404)),
)]
pub(crate) async fn disable(
    State(desk): State<Arc<Desk>>,
    At(id): At,
    By(actor): By,
) -> Result<Response, Refused> {
    shown(StatusCode::OK, &desk.fleet.disable(&id, &actor).await?)
}

/// Forgets what is held against one.
#[utoipa::path(
    post, path = "/api/v1/accounts/{id}/reset", tag = "accounts",
    responses((status = 200, body = Account, headers(("ETag" = String))), (status = 400), (status = 404)),
)]
pub(crate) async fn reset(
    State(desk): State<Arc<Desk>>,
    At(id): At,
    By(actor): By,
) -> Result<Response, Refused> {
    shown(StatusCode::OK, &desk.fleet.reset(&id, &actor).await?)
}

/// Renews the token of one.
#[utoipa::path(
    post, path = "/api/v1/accounts/{id}/refresh", tag = "accounts",
    responses(
        (status = 200, body = Account, headers(("ETag" = String))), (status = 400), (status = 404),
        (status = 409),
    ),
)]
pub(crate) async fn refresh(
    State(desk): State<Arc<Desk>>,
    At(id): At,
    By(actor): By,
) -> Result<Response, Refused> {
    shown(StatusCode::OK, &desk.fleet.refresh(&id, &actor).await?)
}

/// Renews the tokens of all.
#[utoipa::path(
    post, path = "/api/v1/accounts/refresh", tag = "accounts",
    responses((status = 200, body = RefreshedAll)),
)]
pub(crate) async fn refresh_all(State(desk): State<Arc<Desk>>, By(actor): By) -> Result<Response, Refused> {
    let all = desk.fleet.refresh_all(&actor, |_, _| {}).await?;
    let results = all.iter().map(|one| RefreshedOne {
        id: &one.id,
        number: one.number,
        label: &one.label,
        state: one.state.word(),
        refresh: Went::of(&one.result),
    });
    exchange::ok(&RefreshedAll { results: results.collect() })
}

/// Asks the upstream for token, credits and models of one; no chat, which would cost credits.
#[utoipa::path(
    post, path = "/api/v1/accounts/{id}/test", tag = "accounts",
    responses((status = 200, body = Tested), (status = 400), (status = 404)),
)]
pub(crate) async fn test(State(desk): State<Arc<Desk>>, At(id): At) -> Result<Response, Refused> {
    let checkup = Box::pin(desk.fleet.test(&id)).await?;
    exchange::ok(&Tested {
        token: Went::of(&checkup.token),
        usage: Went::of(&checkup.usage),
        limits: checkup.usage.as_ref().ok().and_then(|usage| to_raw_value(usage).ok()),
        models: checkup.models.as_deref(),
        account: Account::of(&checkup.view),
    })
}

/// Asks the upstream for the credits of one.
#[utoipa::path(
    get, path = "/api/v1/accounts/{id}/quota", tag = "accounts",
    responses((status = 200, body = Credits), (status = 400), (status = 404), (status = 409)),
)]
pub(crate) async fn quota(State(desk): State<Arc<Desk>>, At(id): At) -> Result<Response, Refused> {
    exchange::ok(&desk.fleet.quota(&id).await?)
}

impl Went {
    fn of<T>(result: &Result<T, AccountError>) -> Self {
        let error = result.as_ref().err().map(ToString::to_string);
        Self { ok: error.is_none(), error }
    }
}
