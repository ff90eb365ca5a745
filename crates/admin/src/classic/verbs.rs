//! What is done to accounts beyond changing them, in the words of `/admin`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use qm_accounts::ErrorKind;
use serde_json::json;

use crate::Desk;
use crate::door::By;
use crate::exchange::{self, At};
use crate::refused::Refused;

/// Renews the token of one.
#[utoipa::path(
    post, path = "/admin/accounts/{id}/refresh-token", tag = "admin",
    responses((status = 200, body = Object), (status = 400), (status = 404), (status = 500)),
)]
pub(crate) async fn refresh(
    State(desk): State<Arc<Desk>>,
    At(id): At,
    By(actor): By,
) -> Result<Response, Refused> {
    let view = desk.fleet.refresh(&id, &actor).await.map_err(|error| {
        // Scripts of the earlier system wait for 500 when the upstream refused; what the account lacks is 400.
        let upstream = matches!(error.kind, ErrorKind::Refused | ErrorKind::Unavailable);
        let refused = Refused::from(error);
        if upstream { refused.with_status(StatusCode::INTERNAL_SERVER_ERROR) } else { refused }
    })?;
    exchange::ok(&json!({
        "message": "Token refreshed successfully",
        "account_id": view.number,
        "account_name": view.label,
        "expires_in": lasts_s(view.login.expires_ms, (desk.now)()),
    }))
}

/// How long a token lasts, in seconds; nothing if nobody said.
pub(super) fn lasts_s(expires_ms: Option<u64>, now_ms: u64) -> Option<u64> {
    expires_ms.filter(|ms| *ms > 0).map(|ms| ms.saturating_sub(now_ms) / 1000)
}
