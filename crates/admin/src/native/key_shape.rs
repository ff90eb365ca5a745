//! A key in our own words, and how its limits stand.

use qm_access::{BudgetStanding, KeyStanding, KeyView};
use qm_keys::Limits;
use serde::Serialize;
use utoipa::ToSchema;

use super::words;

/// An API key, without the key.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKey)]
#[expect(clippy::struct_field_names, reason = "`key` is the key itself, the rest is about it")]
pub(crate) struct Key {
    /// A UUID, or `env-` and eight digits for a key from the configuration.
    pub(crate) id: String,
    /// `null` for a key from the configuration.
    number: Option<i64>,
    pub(super) revision: i64,
    pub(crate) name: String,
    description: Option<String>,
    /// Both ends of the key: `amq-AbCd…wxyz`.
    hint: String,
    owner: Option<String>,
    team: Option<String>,
    tags: Vec<String>,
    #[schema(schema_with = words::many_scopes)]
    scopes: Vec<String>,
    enabled: bool,
    /// `active`, `disabled`, `expired`, `revoked`, or `unreadable` for a record of a newer version.
    state: &'static str,
    expires_ms: Option<u64>,
    revoked_ms: Option<u64>,
    /// Until when the key before the last rotation is good too.
    old_until_ms: Option<u64>,
    #[schema(schema_with = words::limits)]
    limits: Limits,
    /// `api`, `cli`, `setup`, or `environment` for a key from the configuration.
    origin: &'static str,
    created_by: String,
    created_ms: u64,
    updated_ms: u64,
    total_requests: u64,
    total_tokens: u64,
    last_used_ms: Option<u64>,
    /// Whether it comes from the configuration and is changed there.
    read_only: bool,
    /// The key itself: only in the answer that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

/// How the limits of a key stand.
#[derive(Serialize, ToSchema)]
#[schema(as = KeyStanding)]
pub(crate) struct Standing {
    limits: Vec<Limit>,
    budgets: Vec<Budget>,
}

/// How one limit stands.
#[derive(Serialize, ToSchema)]
#[schema(as = LimitStanding)]
#[expect(clippy::struct_field_names, reason = "`limit` is the number, the rest is about it")]
struct Limit {
    /// `rpm`, `rpd`, `tpm` or `concurrency`.
    name: &'static str,
    limit: u64,
    /// What is taken, by requests under way too.
    used: u64,
    remaining: u64,
    /// When all of it is free, if nothing more is taken.
    free_ms: u64,
}

/// How one budget stands, in its unit.
#[derive(Serialize, ToSchema)]
#[schema(as = BudgetStanding)]
struct Budget {
    /// `credits` or `tokens`.
    unit: &'static str,
    /// `day` or `month`, of UTC.
    period: &'static str,
    soft: Option<f64>,
    hard: Option<f64>,
    spent: f64,
    /// Reserved for requests under way.
    reserved: f64,
    /// Until the hard limit; `null` without one.
    remaining: Option<f64>,
    /// When it begins anew.
    renews_ms: u64,
}

impl Key {
    pub(crate) fn of(view: KeyView) -> Self {
        let read_only = view.is_read_only();
        Self {
            id: view.id,
            number: view.number,
            revision: view.revision,
            name: view.name,
            description: view.description,
            hint: view.hint,
            owner: view.owner,
            team: view.team,
            tags: view.tags,
            scopes: view.scopes,
            enabled: view.enabled,
            state: view.state.word(),
            expires_ms: view.expires_ms,
            revoked_ms: view.revoked_ms,
            old_until_ms: view.old_until_ms,
            limits: view.limits,
            origin: view.origin,
            created_by: view.created_by,
            created_ms: view.created_ms,
            updated_ms: view.updated_ms,
            total_requests: view.counts.total_requests,
            total_tokens: view.counts.total_tokens,
            last_used_ms: view.counts.last_used_ms,
            read_only,
            key: None,
        }
    }

    /// With the key itself, for the answer that made it.
    pub(super) fn with_secret(self, key: &str) -> Self {
        Self { key: Some(key.to_owned()), ..self }
    }
}

impl Standing {
    pub(crate) fn of(standing: &KeyStanding) -> Self {
        let limits = standing.limits.iter().map(|one| Limit {
            name: one.name,
            limit: one.limit,
            used: one.used,
            remaining: one.limit.saturating_sub(one.used),
            free_ms: one.free_ms,
        });
        Self { limits: limits.collect(), budgets: standing.budgets.iter().map(Budget::of).collect() }
    }
}

impl Budget {
    fn of(standing: &BudgetStanding) -> Self {
        let BudgetStanding { budget, spent, reserved, renews_ms } = standing;
        let amount = |parts: u64| parts as f64 / budget.unit.parts() as f64;
        Self {
            unit: budget.unit.word(),
            period: budget.period.word(),
            soft: budget.soft.map(amount),
            hard: budget.hard.map(amount),
            spent: amount(*spent),
            reserved: amount(*reserved),
            remaining: budget.hard.map(|hard| amount(hard.saturating_sub(spent.saturating_add(*reserved)))),
            renews_ms: *renews_ms,
        }
    }
}
