//! Why an account is as it is, and until when: what every dialect tells in its own words.

use qm_accounts::view::HealthView;
use qm_pool::Health;

/// Why and until when.
pub(crate) struct Standing<'a> {
    /// In words; nothing for an account that is well and always was.
    pub(crate) reason: Option<&'a str>,
    /// When that was found out.
    pub(crate) since_ms: Option<u64>,
    /// When it is tried again, if time heals it.
    pub(crate) until_ms: Option<u64>,
    /// The upstream's id of the request that showed it.
    pub(crate) upstream_request_id: Option<&'a str>,
}

/// Of an account's health.
pub(crate) fn of(health: &HealthView) -> Standing<'_> {
    let cause = health.cause.as_ref();
    let until_ms = match health.state {
        Health::Cooling { until_ms, .. } => Some(until_ms),
        Health::Exhausted { resets_ms } => Some(resets_ms),
        Health::Ready | Health::Suspended | Health::Broken | Health::Disabled { .. } => None,
    };
    Standing {
        reason: health.trouble.as_deref().or_else(|| cause.map(|cause| &*cause.words)),
        since_ms: cause.map(|cause| cause.at_ms),
        until_ms,
        upstream_request_id: cause.and_then(|cause| cause.upstream_request_id.as_deref()),
    }
}
