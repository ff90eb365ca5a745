//! `/api/v1/me`: what the holder of any key may know of it.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use qm_keys::Period;
use qm_ledger::Span;
use qm_store::UsageFilter;
use serde::Serialize;
use utoipa::ToSchema;

use super::key_shape::{Key, Standing};
use super::usage::Sums;
use crate::Desk;
use crate::door::Who;
use crate::exchange;
use crate::refused::Refused;

/// One's own key.
#[derive(Serialize, ToSchema)]
struct Me {
    key: Key,
    standing: Standing,
    usage: Used,
}

/// What the key has used, by the periods of UTC.
#[derive(Serialize, ToSchema)]
struct Used {
    today: Sums,
    month: Sums,
}

/// One's own key: its limits, what is left of them and of its budgets, and what it has used.
#[utoipa::path(get, path = "/api/v1/me", tag = "me", responses((status = 200, body = Me)))]
pub(crate) async fn show(State(desk): State<Arc<Desk>>, Who(who): Who) -> Result<Response, Refused> {
    let view = desk.access.show(&who.key).await?;
    let standing = desk.access.standing(&who.key).await?;
    let used = async |period: Period| {
        let of = UsageFilter { key_id: Some(who.key.clone()), ..UsageFilter::default() };
        let span = period.at((desk.now)());
        desk.books.totals(of, Span { from_ms: span.start_ms, to_ms: span.end_ms }).await
    };
    let (today, month) = (used(Period::Day).await?, used(Period::Month).await?);
    exchange::ok(&Me {
        key: Key::of(view),
        standing: Standing::of(&standing),
        usage: Used { today: Sums::of(&today), month: Sums::of(&month) },
    })
}
