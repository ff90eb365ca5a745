//! `/api/v1/terms`: the note on the upstream's terms, and that it was read.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use qm_accounts::terms::NOTE;
use serde::Deserialize;
use serde_json::json;

use crate::Desk;
use crate::door::By;
use crate::exchange;
use crate::refused::Refused;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Said {
    acknowledged: bool,
}

/// The note, and whether it was acknowledged.
pub(crate) async fn show(State(desk): State<Arc<Desk>>) -> Result<Response, Refused> {
    let acknowledged = desk.fleet.terms_acknowledged().await?;
    exchange::ok(&json!({ "note": NOTE, "acknowledged": acknowledged }))
}

/// Acknowledges it; the body says so in words, so that nobody does by accident.
pub(crate) async fn acknowledge(
    State(desk): State<Arc<Desk>>,
    By(actor): By,
    body: Body,
) -> Result<Response, Refused> {
    let Said { acknowledged } = exchange::asked(body).await?;
    if !acknowledged {
        return Err(Refused::invalid(r#"Read the note (GET), then send {"acknowledged": true}."#));
    }
    desk.fleet.acknowledge_terms(&actor).await?;
    exchange::ok(&json!({ "note": NOTE, "acknowledged": true }))
}
