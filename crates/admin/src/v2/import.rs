//! `/v2/accounts/import`: any format, and `/v2/accounts/feed`: q2api's own.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use qm_accounts::import::Fate;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;
use utoipa::ToSchema;

use crate::door::By;
use crate::exchange::{self, LARGE};
use crate::refused::Refused;
use crate::{Desk, brought};

/// q2api's batch: each account in its spelling.
#[derive(Deserialize, ToSchema)]
#[schema(as = V2Feed)]
#[expect(clippy::zero_sized_map_values, reason = "only that each is an object matters here")]
struct Fed {
    /// Each as `POST /v2/accounts` takes it. One that cannot be taken is told of in `rows`, and keeps no other out.
    #[schema(value_type = Vec<Object>, min_items = 1)]
    #[expect(dead_code, reason = "the importer reads it")]
    accounts: Vec<BTreeMap<String, IgnoredAny>>,
}

/// Imports a file of any format, which is the whole body. With `?dryRun=true` only says what would happen. A
/// sealed file is opened with the passphrase in `X-Passphrase`.
#[utoipa::path(
    post, path = "/v2/accounts/import", tag = "v2",
    params(brought::Asked, ("X-Passphrase" = Option<String>, Header, description = "Opens a sealed file")),
    request_body(content = String, content_type = "application/octet-stream", description = "The file"),
    responses((status = 200, body = brought::Imported), (status = 400), (status = 409), (status = 413)),
)]
pub(crate) async fn import(
    State(desk): State<Arc<Desk>>,
    uri: Uri,
    headers: HeaderMap,
    By(actor): By,
    body: Body,
) -> Result<Response, Refused> {
    brought::import(&desk, &uri, &headers, &actor, body).await
}

/// Takes in `{"accounts": […]}`, switched off, and tries each in the background.
///
/// One that answers a chat is switched on; for the others `other.failedReason` says why not.
#[utoipa::path(
    post, path = "/v2/accounts/feed", tag = "v2",
    request_body = Fed,
    responses((status = 200, body = Object), (status = 400), (status = 409), (status = 413)),
)]
pub(crate) async fn feed(
    State(desk): State<Arc<Desk>>,
    By(actor): By,
    body: Body,
) -> Result<Response, Refused> {
    let file = exchange::bytes(body, LARGE).await?;
    exchange::object::<Fed>(&file)?;
    let report = Box::pin(desk.fleet.feed(&file, &actor)).await?;
    let ids: Vec<&String> = report
        .rows
        .iter()
        .filter_map(|row| if let Fate::Added { id } = &row.fate { Some(id) } else { None })
        .collect();
    exchange::ok(&json!({
        "status": "processing",
        "message": format!("{} of {} accounts were added and are being tried.", ids.len(), report.rows.len()),
        "account_ids": ids,
        "rows": report.rows.iter().map(brought::Row::of).collect::<Vec<_>>(),
    }))
}
