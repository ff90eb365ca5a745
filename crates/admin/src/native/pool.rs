//! `/api/v1/pool`: all accounts in numbers, and which of them a request would get.

use std::sync::Arc;

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use qm_accounts::survey::{Explained, Question};
use qm_pool::Says;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::refused::Refused;
use crate::{Desk, exchange};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    /// Upstream's name.
    model: Option<String>,
    owner: Option<String>,
    account: Option<String>,
    affinity: Option<u64>,
}

/// All accounts in numbers.
pub(crate) async fn summary(State(desk): State<Arc<Desk>>) -> Result<Response, Refused> {
    let summary = desk.fleet.summary().await?;
    let counts = &summary.counts;
    exchange::ok(&json!({
        "total": summary.total,
        "enabled": summary.enabled,
        "states": summary.states,
        "in_flight": summary.in_flight,
        "current_rpm": summary.current_rpm,
        "requests": counts.total_requests,
        "success": counts.success_count,
        "error_total": counts.error_total,
        "tokens": counts.total_tokens,
        "last_used_ms": counts.last_used_ms,
        "credits_used": summary.credits_used,
        "credits_limit": summary.credits_limit,
    }))
}

/// What each account would say to a request; nothing is asked or counted.
pub(crate) async fn explain(State(desk): State<Arc<Desk>>, uri: Uri) -> Result<Response, Refused> {
    let Asked { model, owner, account, affinity } = exchange::query(&uri)?;
    let question =
        Question { owner: owner.as_deref(), model: model.as_deref(), affinity, pinned: account.as_deref() };
    let verdicts = desk.fleet.explain(&question)?;
    exchange::ok(&json!({
        "chosen": verdicts.iter().find(|one| one.chosen).map(|one| &one.id),
        "accounts": verdicts.iter().map(verdict).collect::<Vec<_>>(),
    }))
}

fn verdict(one: &Explained) -> Value {
    let (able, reason, free_ms, own, last_resort) = match one.says {
        Says::Able { own, last_resort, .. } => (true, None, None, own, last_resort),
        Says::Unable { reason, free_ms } => (false, Some(reason.word()), free_ms, false, false),
    };
    json!({
        "id": one.id, "number": one.number, "label": one.label, "chosen": one.chosen, "able": able,
        "reason": reason, "free_ms": free_ms, "own": own, "last_resort": last_resort,
    })
}
