//! `/api/v1/accounts/import`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;

use crate::door::By;
use crate::refused::Refused;
use crate::{Desk, brought};

/// Imports a file of any format, which is the whole body.
///
/// With `?dry_run=true` only says what would happen. A sealed file is opened with the passphrase in `X-Passphrase`.
#[utoipa::path(
    post, path = "/api/v1/accounts/import", tag = "accounts",
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
