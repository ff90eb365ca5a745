//! What is done to keys beyond changing them.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use qm_access::{KeyEdit, Principal};
use serde::Deserialize;
use utoipa::ToSchema;

use super::key_shape::{Key, Standing};
use super::keys::{shown, with_secret};
use crate::Desk;
use crate::door::Who;
use crate::exchange::{self, At};
use crate::refused::Refused;

/// How a key is rotated.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Rotation)]
struct Wish {
    /// How long the key as it is now is good too; not at all if unsaid.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 2_592_000_000_i64)]
    overlap_ms: u64,
}

/// Gives a key a new form, in this answer and nowhere else.
///
/// With `If-Match` only if nobody else has changed it meanwhile: of two who rotate at once, one learns of the other.
#[utoipa::path(
    post, path = "/api/v1/keys/{id}/rotate", tag = "keys",
    params(("If-Match" = Option<String>, Header, description = "An `ETag` that the key had, or `*`")),
    request_body = Option<Wish>,
    responses(
        (status = 200, body = Key, headers(("ETag" = String))), (status = 400), (status = 404),
        (status = 409), (status = 412), (status = 413), (status = 415),
    ),
)]
pub(crate) async fn rotate(
    State(desk): State<Arc<Desk>>,
    At(id): At,
    Who(who): Who,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let revision = exchange::matched(&headers)?;
    let Wish { overlap_ms } = exchange::told_or_nothing(&headers, body).await?;
    let (view, key) = desk.access.rotate(&id, overlap_ms, revision, &who.actor()).await?;
    with_secret(StatusCode::OK, view, &key)
}

/// How the limits and budgets of a key stand.
#[utoipa::path(
    get, path = "/api/v1/keys/{id}/standing", tag = "keys",
    responses((status = 200, body = Standing), (status = 400), (status = 404)),
)]
pub(crate) async fn standing(State(desk): State<Arc<Desk>>, At(id): At) -> Result<Response, Refused> {
    let view = desk.access.show(&id).await?;
    exchange::ok(&Standing::of(&desk.access.standing(&view.id).await?))
}

/// Revokes a key: it opens nothing any more, and its sessions are over.
#[utoipa::path(
    post, path = "/api/v1/keys/{id}/revoke", tag = "keys",
    responses(
        (status = 200, body = Key, headers(("ETag" = String))), (status = 400), (status = 404),
        (status = 409),
    ),
)]
pub(crate) async fn revoke(
    State(desk): State<Arc<Desk>>,
    At(id): At,
    Who(who): Who,
) -> Result<Response, Refused> {
    shown(desk.access.revoke(&id, &who.actor()).await?)
}

/// Takes a revocation back.
#[utoipa::path(
    post, path = "/api/v1/keys/{id}/restore", tag = "keys",
    responses(
        (status = 200, body = Key, headers(("ETag" = String))), (status = 400), (status = 404),
        (status = 409),
    ),
)]
pub(crate) async fn restore(
    State(desk): State<Arc<Desk>>,
    At(id): At,
    Who(who): Who,
) -> Result<Response, Refused> {
    shown(desk.access.restore(&id, &who.actor()).await?)
}

/// Switches a key on.
#[utoipa::path(
    post, path = "/api/v1/keys/{id}/enable", tag = "keys",
    responses(
        (status = 200, body = Key, headers(("ETag" = String))), (status = 400), (status = 404),
        (status = 409),
    ),
)]
pub(crate) async fn enable(
    State(desk): State<Arc<Desk>>,
    At(id): At,
    Who(who): Who,
) -> Result<Response, Refused> {
    switch(&desk, &id, true, &who).await
}

/// Switches a key off, until somebody switches it on.
#[utoipa::path(
    post, path = "/api/v1/keys/{id}/disable", tag = "keys",
    responses(
        (status = 200, body = Key, headers(("ETag" = String))), (status = 400), (status = 404),
        (status = 409),
    ),
)]
pub(crate) async fn disable(
    State(desk): State<Arc<Desk>>,
    At(id): At,
    Who(who): Who,
) -> Result<Response, Refused> {
    switch(&desk, &id, false, &who).await
}

async fn switch(desk: &Desk, id: &str, enabled: bool, who: &Principal) -> Result<Response, Refused> {
    let edit = KeyEdit { enabled: Some(enabled), ..KeyEdit::default() };
    shown(desk.access.change(id, edit, None, &who.actor()).await?)
}
