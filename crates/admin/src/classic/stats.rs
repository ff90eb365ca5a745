//! `/admin/accounts/{id}/stats` and `/admin/stats/accounts`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use qm_store::{Filter, Sort};

use super::shape::{Stats, Sums};
use crate::exchange::{self, At};
use crate::refused::Refused;
use crate::{Desk, listing};

/// What one account did.
#[utoipa::path(
    get, path = "/admin/accounts/{id}/stats", tag = "admin",
    responses((status = 200, body = Stats), (status = 400), (status = 404)),
)]
pub(crate) async fn one(State(desk): State<Arc<Desk>>, At(id): At) -> Result<Response, Refused> {
    exchange::ok(&Stats::of(&desk.fleet.get(&id).await?, (desk.now)()))
}

/// What all did together.
#[utoipa::path(get, path = "/admin/stats/accounts", tag = "admin", responses((status = 200, body = Sums)))]
pub(crate) async fn all(State(desk): State<Arc<Desk>>) -> Result<Response, Refused> {
    let views = listing::all(&desk.fleet, &Filter::default(), Sort::default()).await?;
    exchange::ok(&Sums::of(&views))
}
