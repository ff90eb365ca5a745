//! What is done to accounts beyond changing them, in the words of `/v2`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use qm_accounts::care::Refreshed;
use qm_accounts::survey::Question;
use qm_accounts::{AccountError, Edit, ErrorKind};
use qm_pool::{Health, Reason, Says};
use qm_store::{AccountPatch, Change};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::shape::{Account, Stats};
use crate::Desk;
use crate::door::By;
use crate::exchange::{self, At};
use crate::native::shape::Credits;
use crate::refused::Refused;

/// How many requests an account may have in an hour.
#[derive(Deserialize, ToSchema)]
#[schema(as = RateLimit)]
struct Limited {
    /// `null` for as many as come.
    #[schema(value_type = Option<u32>, required)]
    #[serde(default, deserialize_with = "crate::patch::given")]
    rate_limit_per_hour: Change<u32>,
}

/// Renews the token of one.
#[utoipa::path(
    post, path = "/v2/accounts/{id}/refresh", tag = "v2",
    responses((status = 200, body = Account), (status = 400), (status = 404), (status = 502)),
)]
pub(crate) async fn refresh(
    State(desk): State<Arc<Desk>>,
    At(id): At,
    By(actor): By,
) -> Result<Response, Refused> {
    let view = desk.fleet.refresh(&id, &actor).await.map_err(not_refreshed)?;
    exchange::ok(&Account::of(&view))
}

/// Renews the tokens of all.
#[utoipa::path(post, path = "/v2/accounts/refresh-all", tag = "v2", responses((status = 200, body = Object)))]
pub(crate) async fn refresh_all(State(desk): State<Arc<Desk>>, By(actor): By) -> Result<Response, Refused> {
    let all = desk.fleet.refresh_all(&actor, |_, _| {}).await?;
    let count = |word: &str| all.iter().filter(|one| fate(one) == word).count();
    let [success, banned] = ["success", "banned"].map(count);
    let failed = all.len() - success - banned;
    exchange::ok(&json!({
        "success": true,
        "message": format!("{success} of {} accounts have a new token.", all.len()),
        "total": all.len(),
        "success_count": success,
        "failed_count": failed,
        "banned_count": banned,
        "results": all.iter().map(result).collect::<Vec<_>>(),
    }))
}

/// What one did.
#[utoipa::path(
    get, path = "/v2/accounts/{id}/stats", tag = "v2",
    responses((status = 200, body = Stats), (status = 400), (status = 404)),
)]
pub(crate) async fn stats(State(desk): State<Arc<Desk>>, At(id): At) -> Result<Response, Refused> {
    let view = desk.fleet.get(&id).await?;
    let question =
        Question { pinned: Some(&view.id), owner: view.wishes.owner.as_deref(), ..Question::default() };
    let limited =
        desk.fleet.explain(&question)?.into_iter().any(|one| {
            one.id == view.id && matches!(one.says, Says::Unable { reason: Reason::RateLimited, .. })
        });
    exchange::ok(&Stats::of(&view, limited))
}

/// Sets how many requests one may have in an hour; `null` for as many as come.
#[utoipa::path(
    patch, path = "/v2/accounts/{id}/rate-limit", tag = "v2",
    request_body = Limited,
    responses((status = 200, body = Account), (status = 400), (status = 404), (status = 413)),
)]
pub(crate) async fn limit(
    State(desk): State<Arc<Desk>>,
    At(id): At,
    By(actor): By,
    body: Body,
) -> Result<Response, Refused> {
    let Limited { rate_limit_per_hour } = exchange::asked(body).await?;
    if rate_limit_per_hour == Change::Keep {
        return Err(Refused::invalid(
            "rate_limit_per_hour is missing: a whole number from 0, or null for no limit.",
        ));
    }
    let wishes = AccountPatch { rate_per_hour: rate_limit_per_hour, ..AccountPatch::default() };
    let view = desk.fleet.change(&id, Edit { wishes, ..Edit::default() }, &actor).await?;
    exchange::ok(&Account::of(&view))
}

/// Asks the upstream for an account's credits.
#[utoipa::path(
    get, path = "/v2/accounts/{id}/quota", tag = "v2",
    responses((status = 200, body = Credits), (status = 400), (status = 404), (status = 409)),
)]
pub(crate) async fn quota(State(desk): State<Arc<Desk>>, At(id): At) -> Result<Response, Refused> {
    exchange::ok(&desk.fleet.quota(&id).await?)
}

/// Lets an account serve again, whatever was held against it.
#[utoipa::path(
    post, path = "/v2/accounts/{id}/reactivate", tag = "v2",
    responses((status = 200, body = Account), (status = 400), (status = 404)),
)]
pub(crate) async fn reactivate(
    State(desk): State<Arc<Desk>>,
    At(id): At,
    By(actor): By,
) -> Result<Response, Refused> {
    desk.fleet.reset(&id, &actor).await?;
    exchange::ok(&Account::of(&desk.fleet.enable(&id, &actor).await?))
}

/// The statuses of a refresh that failed: 400 for want of credentials, 404, else 502.
fn not_refreshed(error: AccountError) -> Refused {
    let upstream = matches!(error.kind, ErrorKind::Refused | ErrorKind::Unavailable);
    let mut refused = Refused::from(error);
    if upstream {
        refused = refused.with_status(StatusCode::BAD_GATEWAY);
        if !refused.words.starts_with("Token refresh failed") {
            refused.words = format!("Token refresh failed: {}", refused.words).into();
        }
    }
    refused
}

/// In the words of the dialect.
fn fate(one: &Refreshed) -> &'static str {
    match (&one.result, &one.state) {
        (Ok(()), _) => "success",
        (Err(_), Health::Suspended | Health::Broken) => "banned",
        (Err(error), _) if error.kind == ErrorKind::Internal => "error",
        (Err(_), _) => "failed",
    }
}

fn result(one: &Refreshed) -> Value {
    let message = match &one.result {
        Ok(()) => "Token refreshed".to_owned(),
        Err(error) => error.to_string(),
    };
    json!({ "id": one.id, "label": one.label, "status": fate(one), "message": message })
}
