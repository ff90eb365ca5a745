//! An account in our own words. Times are milliseconds since 1970.

use qm_accounts::View;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::standing::{self, Standing};

/// An account.
#[derive(Serialize, ToSchema)]
pub(crate) struct Account<'a> {
    id: &'a str,
    number: i64,
    revision: i64,
    label: &'a str,
    origin: &'static str,
    /// Which account of the environment it is.
    slot: Option<&'a str>,
    login: Login<'a>,
    health: Health<'a>,
    counts: Counts,
    usage: Option<Usage>,
    owner: Option<&'a str>,
    tags: &'a [String],
    notes: Option<&'a str>,
    #[schema(value_type = Option<Object>)]
    other: Option<Box<RawValue>>,
    enabled: bool,
    weight: u32,
    priority: i32,
    rpm: Option<u32>,
    rate_per_hour: Option<u32>,
    concurrency: Option<u32>,
    policy: Option<&'a str>,
    /// Only which sort: its address may hold a password.
    proxy: &'static str,
    surface: Option<&'a str>,
    arn: Option<&'a str>,
    region: Option<&'a str>,
    created_ms: u64,
    updated_ms: u64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = AccountLogin)]
struct Login<'a> {
    kind: &'a str,
    fingerprint: &'a str,
    client_id: Option<&'a str>,
    has_client_secret: bool,
    has_refresh_token: bool,
    has_access_token: bool,
    sso_region: Option<&'a str>,
    arn: Option<&'a str>,
    arn_origin: Option<&'static str>,
    expires_ms: Option<u64>,
    last_refresh_ms: Option<u64>,
    last_refresh_status: &'a str,
}

#[derive(Serialize, ToSchema)]
#[schema(as = AccountHealth)]
struct Health<'a> {
    state: &'static str,
    reason: Option<&'a str>,
    code: Option<&'a str>,
    since_ms: Option<u64>,
    until_ms: Option<u64>,
    upstream_request_id: Option<&'a str>,
    errors: u32,
    in_flight: u32,
    current_rpm: u32,
    #[schema(value_type = Vec<ModelRest>)]
    models: &'a [qm_pool::ModelRest],
}

#[derive(Serialize, ToSchema)]
#[schema(as = AccountCounts)]
struct Counts {
    success: u64,
    error: u64,
    error_total: u64,
    requests: u64,
    tokens: u64,
    last_used_ms: Option<u64>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = AccountUsage)]
struct Usage {
    at_ms: u64,
    #[schema(value_type = Option<Credits>)]
    limits: Option<Box<RawValue>>,
}

/// A model that an account is not asked for until then: how [`qm_pool::ModelRest`] is written.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the schema of what another room serialises")]
struct ModelRest {
    model: String,
    until_ms: u64,
    /// Whether its plan or region lacks it; else the upstream had no capacity for it.
    lacking: bool,
    level: u32,
}

/// What an account has used and may use, in its plan's unit: how the upstream's room writes it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the schema of what another room serialises")]
pub(crate) struct Credits {
    /// What is counted: `CREDIT`, or an older kind of request.
    unit: String,
    used: f64,
    limit: f64,
    remaining: f64,
    resets_ms: Option<u64>,
    plan: Option<String>,
    trial: Option<CreditShare>,
    bonuses: Vec<CreditShare>,
    overage: Overage,
    email: Option<String>,
    user_id: Option<String>,
}

/// A trial or bonus.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the schema of what another room serialises")]
struct CreditShare {
    name: String,
    used: f64,
    limit: f64,
    active: bool,
    expires_ms: Option<u64>,
}

/// Use beyond the plan.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the schema of what another room serialises")]
struct Overage {
    enabled: bool,
    used: f64,
    limit: f64,
    charges: f64,
    currency: Option<String>,
}

impl<'a> Account<'a> {
    pub(crate) fn of(view: &'a View) -> Self {
        let wishes = &view.wishes;
        Self {
            id: &view.id,
            number: view.number,
            revision: view.revision,
            label: &view.label,
            origin: view.origin,
            slot: view.slot.as_deref(),
            login: Login::of(view),
            health: Health::of(view),
            counts: Counts::of(view),
            usage: view.usage.as_ref().map(|(json, at_ms)| Usage {
                at_ms: *at_ms,
                limits: RawValue::from_string(json.clone()).ok(),
            }),
            owner: wishes.owner.as_deref(),
            tags: &wishes.tags,
            notes: wishes.notes.as_deref(),
            other: wishes.other.clone().and_then(|json| RawValue::from_string(json).ok()),
            enabled: wishes.enabled,
            weight: wishes.weight,
            priority: wishes.priority,
            rpm: wishes.rpm,
            rate_per_hour: wishes.rate_per_hour,
            concurrency: wishes.concurrency,
            policy: wishes.policy.as_deref(),
            proxy: wishes.proxy,
            surface: wishes.surface.as_deref(),
            arn: wishes.arn.as_deref(),
            region: wishes.region.as_deref(),
            created_ms: view.created_ms,
            updated_ms: view.updated_ms,
        }
    }
}

impl<'a> Login<'a> {
    fn of(view: &'a View) -> Self {
        let login = &view.login;
        Self {
            kind: &login.kind,
            fingerprint: &login.fingerprint,
            client_id: login.client_id.as_deref(),
            has_client_secret: login.has_client_secret,
            has_refresh_token: login.has_refresh_token,
            has_access_token: login.has_access_token,
            sso_region: login.sso_region.as_deref(),
            arn: login.arn.as_ref().map(|(arn, _)| arn.as_str()),
            arn_origin: login.arn.as_ref().map(|(_, origin)| *origin),
            expires_ms: login.expires_ms,
            last_refresh_ms: login.last_refresh_ms,
            last_refresh_status: &login.last_refresh_status,
        }
    }
}

impl<'a> Health<'a> {
    fn of(view: &'a View) -> Self {
        let health = &view.health;
        let Standing { reason, since_ms, until_ms, upstream_request_id } = standing::of(health);
        Self {
            state: health.state.word(),
            reason,
            code: health.cause.as_ref().map(|cause| &*cause.code),
            since_ms,
            until_ms,
            upstream_request_id,
            errors: health.errors,
            in_flight: health.in_flight,
            current_rpm: health.current_rpm,
            models: &health.models,
        }
    }
}

impl Counts {
    fn of(view: &View) -> Self {
        let counts = &view.counts;
        Self {
            success: counts.success_count,
            error: counts.error_count,
            error_total: counts.error_total,
            requests: counts.total_requests,
            tokens: counts.total_tokens,
            last_used_ms: counts.last_used_ms,
        }
    }
}
