//! `/admin/accounts/{id}/stats` and `/admin/stats/accounts`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use qm_store::{Filter, Sort};

use super::shape::{Stats, Sums};
use crate::refused::Refused;
use crate::{Desk, exchange, listing};

/// What one account did.
pub(crate) async fn one(State(desk): State<Arc<Desk>>, Path(id): Path<String>) -> Result<Response, Refused> {
    exchange::ok(&Stats::of(&desk.fleet.get(&id).await?, (desk.now)()))
}

/// What all did together.
pub(crate) async fn all(State(desk): State<Arc<Desk>>) -> Result<Response, Refused> {
    let views = listing::all(&desk.fleet, &Filter::default(), Sort::default()).await?;
    exchange::ok(&Sums::of(&views))
}
