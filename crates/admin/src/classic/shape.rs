//! An account in the words of `/admin`: amq2api's (spec/mission.md A2.4). It never had secrets in it.

use qm_accounts::View;
use qm_pool::{By, Health};
use serde::Serialize;
use utoipa::ToSchema;

use crate::moment;
use crate::standing::{self, Standing};

/// What that dialect calls `AccountResponse`.
#[derive(Serialize, ToSchema)]
#[schema(as = ClassicAccount)]
pub(crate) struct Account<'a> {
    id: i64,
    uuid: &'a str,
    name: &'a str,
    profile_arn: Option<&'a str>,
    is_active: bool,
    is_healthy: bool,
    total_requests: u64,
    total_tokens: u64,
    last_used: Option<String>,
    last_health_check: Option<String>,
    health_check_error: Option<&'a str>,
    error_count: u64,
    last_error_time: Option<String>,
    first_error_time: Option<String>,
    auto_recover_at: Option<String>,
    requests_per_minute: Option<u32>,
    current_rpm: u32,
    rpm_reset_at: Option<String>,
    created_at: String,
    updated_at: String,
    notes: Option<&'a str>,
    state: &'static str,
}

/// What `{id}/stats` says.
#[derive(Serialize, ToSchema)]
#[schema(as = ClassicStats)]
pub(crate) struct Stats<'a> {
    account_id: i64,
    account_name: &'a str,
    is_active: bool,
    is_healthy: bool,
    error_count: u64,
    last_error_time: Option<String>,
    last_health_check: Option<String>,
    health_check_error: Option<&'a str>,
    auto_recover_at: Option<String>,
    total_requests: u64,
    total_tokens: u64,
    last_used: Option<String>,
    requests_per_minute: Option<u32>,
    current_rpm: u32,
    rpm_reset_at: Option<String>,
    token_info: Token,
    created_at: String,
    updated_at: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ClassicToken)]
struct Token {
    cached: bool,
    expires_at: Option<String>,
    is_valid: bool,
}

/// What `/admin/stats/accounts` says.
#[derive(Default, Serialize, ToSchema)]
#[schema(as = ClassicSums)]
pub(crate) struct Sums {
    total_accounts: usize,
    active_accounts: usize,
    healthy_accounts: usize,
    total_requests: u64,
    total_tokens: u64,
}

impl<'a> Account<'a> {
    pub(crate) fn of(view: &'a View) -> Self {
        let Standing { reason, since_ms, until_ms, .. } = standing::of(&view.health);
        let (login, wishes, counts) = (&view.login, &view.wishes, &view.counts);
        let since = since_ms.map(moment::text);
        Self {
            id: view.number,
            uuid: &view.id,
            name: &view.label,
            profile_arn: wishes.arn.as_deref().or(login.arn.as_ref().map(|(arn, _)| arn.as_str())),
            is_active: wishes.enabled,
            is_healthy: is_healthy(view),
            total_requests: counts.total_requests,
            total_tokens: counts.total_tokens,
            last_used: counts.last_used_ms.map(moment::text),
            last_health_check: view.usage.as_ref().map(|(_, at_ms)| moment::text(*at_ms)),
            health_check_error: reason.filter(|_| !is_healthy(view)),
            error_count: counts.error_count,
            last_error_time: since.clone(),
            // The pool keeps the latest only, which with one error is the first.
            first_error_time: since.filter(|_| counts.error_count == 1),
            auto_recover_at: until_ms.map(moment::text),
            requests_per_minute: wishes.rpm,
            current_rpm: view.health.current_rpm,
            // The window slides: there is no moment at which all is free again.
            rpm_reset_at: None,
            created_at: moment::text(view.created_ms),
            updated_at: moment::text(view.updated_ms),
            notes: wishes.notes.as_deref(),
            state: view.health.state.word(),
        }
    }
}

impl<'a> Stats<'a> {
    pub(crate) fn of(view: &'a View, now_ms: u64) -> Self {
        let Account {
            id,
            name,
            is_active,
            is_healthy,
            error_count,
            last_error_time,
            last_health_check,
            health_check_error,
            auto_recover_at,
            total_requests,
            total_tokens,
            last_used,
            requests_per_minute,
            current_rpm,
            rpm_reset_at,
            created_at,
            updated_at,
            ..
        } = Account::of(view);
        let expires_ms = view.login.expires_ms.filter(|ms| *ms > 0);
        let token_info = Token {
            cached: view.login.has_access_token,
            expires_at: expires_ms.map(moment::text),
            is_valid: view.login.has_access_token && expires_ms.is_some_and(|ms| ms > now_ms),
        };
        Self {
            account_id: id,
            account_name: name,
            is_active,
            is_healthy,
            error_count,
            last_error_time,
            last_health_check,
            health_check_error,
            auto_recover_at,
            total_requests,
            total_tokens,
            last_used,
            requests_per_minute,
            current_rpm,
            rpm_reset_at,
            token_info,
            created_at,
            updated_at,
        }
    }
}

impl Sums {
    pub(crate) fn of(views: &[View]) -> Self {
        views.iter().fold(Self::default(), |sums, view| Self {
            total_accounts: sums.total_accounts + 1,
            active_accounts: sums.active_accounts + usize::from(view.wishes.enabled),
            healthy_accounts: sums.healthy_accounts + usize::from(view.wishes.enabled && is_healthy(view)),
            total_requests: sums.total_requests + view.counts.total_requests,
            total_tokens: sums.total_tokens + view.counts.total_tokens,
        })
    }
}

/// That dialect has two words, active and healthy: one that a person has switched off may still be healthy.
pub(crate) fn is_healthy(view: &View) -> bool {
    view.health.trouble.is_none()
        && matches!(view.health.state, Health::Ready | Health::Disabled { by: By::Operator })
}
