//! An account in the words of `/v2`: q2api's and its relatives' (spec/mission.md A2.3), without the secrets that they
//! returned, and with what they could not tell.

use qm_accounts::View;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::moment;
use crate::standing::{self, Standing};

/// An account. Mixed spellings are the dialect's own.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "each is a field of the dialect")]
#[schema(as = V2Account)]
pub(crate) struct Account<'a> {
    id: &'a str,
    number: i64,
    label: &'a str,
    /// What kind of service it is at; there is but one.
    r#type: &'static str,
    kind: &'a str,
    origin: &'static str,
    client_id: Option<&'a str>,
    has_client_secret: bool,
    has_refresh_token: bool,
    has_access_token: bool,
    fingerprint: &'a str,
    profile_arn: Option<&'a str>,
    region: Option<&'a str>,
    #[schema(value_type = Option<Object>)]
    other: Option<Box<RawValue>>,
    #[serde(rename = "last_refresh_time")]
    last_refresh_time: Option<String>,
    #[serde(rename = "last_refresh_status")]
    last_refresh_status: &'a str,
    #[serde(rename = "created_at")]
    created_at: String,
    #[serde(rename = "updated_at")]
    updated_at: String,
    enabled: bool,
    #[serde(rename = "error_count")]
    error_count: u64,
    #[serde(rename = "success_count")]
    success_count: u64,
    #[serde(rename = "expires_at")]
    expires_at: Option<String>,
    #[serde(rename = "rate_limit_per_hour")]
    rate_limit_per_hour: Option<u32>,
    state: &'static str,
    state_reason: Option<&'a str>,
    state_since: Option<String>,
    state_until: Option<String>,
    upstream_request_id: Option<&'a str>,
}

/// What `{id}/stats` says.
#[derive(Serialize, ToSchema)]
#[schema(as = V2Stats)]
pub(crate) struct Stats<'a> {
    account_id: &'a str,
    rate_limit_per_hour: Option<u32>,
    /// To within five minutes, and of this process.
    calls_last_hour: u32,
    remaining_calls: Option<u32>,
    total_calls: u64,
    last_call_time: Option<String>,
    is_rate_limited: bool,
    success_count: u64,
    error_count: u64,
    error_total: u64,
    total_tokens: u64,
    current_rpm: u32,
    in_flight: u32,
}

impl<'a> Account<'a> {
    pub(crate) fn of(view: &'a View) -> Self {
        let (login, wishes) = (&view.login, &view.wishes);
        let Standing { reason, since_ms, until_ms, upstream_request_id } = standing::of(&view.health);
        Self {
            id: &view.id,
            number: view.number,
            label: &view.label,
            r#type: "amazonq",
            kind: &login.kind,
            origin: view.origin,
            client_id: login.client_id.as_deref(),
            has_client_secret: login.has_client_secret,
            has_refresh_token: login.has_refresh_token,
            has_access_token: login.has_access_token,
            fingerprint: &login.fingerprint,
            profile_arn: wishes.arn.as_deref().or(login.arn.as_ref().map(|(arn, _)| arn.as_str())),
            region: wishes.region.as_deref().or(login.sso_region.as_deref()),
            other: wishes.other.clone().and_then(|json| RawValue::from_string(json).ok()),
            last_refresh_time: login.last_refresh_ms.map(moment::text),
            last_refresh_status: &login.last_refresh_status,
            created_at: moment::text(view.created_ms),
            updated_at: moment::text(view.updated_ms),
            enabled: wishes.enabled,
            error_count: view.counts.error_count,
            success_count: view.counts.success_count,
            expires_at: login.expires_ms.filter(|ms| *ms > 0).map(moment::text),
            rate_limit_per_hour: wishes.rate_per_hour,
            state: view.health.state.word(),
            state_reason: reason,
            state_since: since_ms.map(moment::text),
            state_until: until_ms.map(moment::text),
            upstream_request_id,
        }
    }
}

impl<'a> Stats<'a> {
    pub(crate) fn of(view: &'a View, is_rate_limited: bool) -> Self {
        let (limit, counts) = (view.wishes.rate_per_hour, &view.counts);
        Self {
            account_id: &view.id,
            rate_limit_per_hour: limit,
            calls_last_hour: view.health.last_hour,
            remaining_calls: match limit {
                Some(_) if is_rate_limited => Some(0),
                Some(limit) => Some(limit.saturating_sub(view.health.last_hour)),
                None => None,
            },
            total_calls: counts.total_requests,
            last_call_time: counts.last_used_ms.map(moment::text),
            is_rate_limited,
            success_count: counts.success_count,
            error_count: counts.error_count,
            error_total: counts.error_total,
            total_tokens: counts.total_tokens,
            current_rpm: view.health.current_rpm,
            in_flight: view.health.in_flight,
        }
    }
}
