//! `/api/v1/pool`: all accounts in numbers, and which of them a request would get.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use qm_accounts::survey::{Explained, Question};
use qm_pool::Says;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::refused::Refused;
use crate::{Desk, exchange};

#[derive(Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Upstream's name of the model.
    model: Option<String>,
    /// Owner of the key.
    owner: Option<String>,
    /// UUID or number of the only account that will do.
    account: Option<String>,
    /// Hash of the conversation.
    #[param(schema_with = super::words::affinity)]
    affinity: Option<u64>,
}

/// All accounts in numbers.
#[derive(Serialize, ToSchema)]
struct PoolSummary<'a> {
    total: usize,
    enabled: usize,
    /// How many accounts are in which state.
    states: &'a BTreeMap<&'static str, usize>,
    in_flight: u64,
    current_rpm: u64,
    requests: u64,
    success: u64,
    error_total: u64,
    tokens: u64,
    last_used_ms: Option<u64>,
    credits_used: f64,
    credits_limit: f64,
}

/// What the accounts would say to a request.
#[derive(Serialize, ToSchema)]
struct Explanation<'a> {
    /// Id of the account that would serve.
    chosen: Option<&'a str>,
    accounts: Vec<Verdict<'a>>,
}

/// What one account would say.
#[derive(Serialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each is a field of the answer")]
struct Verdict<'a> {
    id: &'a str,
    number: i64,
    label: &'a str,
    chosen: bool,
    able: bool,
    reason: Option<&'static str>,
    free_ms: Option<u64>,
    own: bool,
    last_resort: bool,
}

/// All accounts in numbers.
#[utoipa::path(get, path = "/api/v1/pool", tag = "pool", responses((status = 200, body = PoolSummary)))]
pub(crate) async fn summary(State(desk): State<Arc<Desk>>) -> Result<Response, Refused> {
    let summary = desk.fleet.summary().await?;
    let counts = &summary.counts;
    exchange::ok(&PoolSummary {
        total: summary.total,
        enabled: summary.enabled,
        states: &summary.states,
        in_flight: summary.in_flight,
        current_rpm: summary.current_rpm,
        requests: counts.total_requests,
        success: counts.success_count,
        error_total: counts.error_total,
        tokens: counts.total_tokens,
        last_used_ms: counts.last_used_ms,
        credits_used: summary.credits_used,
        credits_limit: summary.credits_limit,
    })
}

/// What each account would say to a request; nothing is asked or counted.
#[utoipa::path(
    get, path = "/api/v1/pool/explain", tag = "pool",
    params(Asked),
    responses((status = 200, body = Explanation), (status = 400), (status = 404)),
)]
pub(crate) async fn explain(State(desk): State<Arc<Desk>>, uri: Uri) -> Result<Response, Refused> {
    let Asked { model, owner, account, affinity } = exchange::query(&uri)?;
    let question =
        Question { owner: owner.as_deref(), model: model.as_deref(), affinity, pinned: account.as_deref() };
    let verdicts = desk.fleet.explain(&question)?;
    exchange::ok(&Explanation {
        chosen: verdicts.iter().find(|one| one.chosen).map(|one| one.id.as_str()),
        accounts: verdicts.iter().map(Verdict::of).collect(),
    })
}

impl<'a> Verdict<'a> {
    fn of(one: &'a Explained) -> Self {
        let (able, reason, free_ms, own, last_resort) = match one.says {
            Says::Able { own, last_resort, .. } => (true, None, None, own, last_resort),
            Says::Unable { reason, free_ms } => (false, Some(reason.word()), free_ms, false, false),
        };
        let (id, number, label, chosen) = (&one.id, one.number, &one.label, one.chosen);
        Self { id, number, label, chosen, able, reason, free_ms, own, last_resort }
    }
}
