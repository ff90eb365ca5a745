//! How an account behaves: its standing, its limits, and how its refreshes go.

use serde::{Deserialize, Serialize};

use crate::knobs::{ArnPolicy, RateLimit, RefreshFault, Rotation};

/// How an account behaves. The default is an account in order. In JSON each field may be left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// How the account stands.
    pub state: AccountState,
    /// How long that lasts from when it is set, in milliseconds; absent means until changed.
    pub for_ms: Option<u64>,
    /// Comes and goes instead of lasting.
    pub flapping: Option<Flapping>,
    /// Its rate limit; wins over the knob.
    pub rate_limit: Option<RateLimit>,
    /// `retry-after` of its 429 answers, in seconds.
    pub retry_after_s: Option<u64>,
    /// Models that are neither listed for it nor taken from it.
    pub missing_models: Vec<String>,
    /// What is asked of `profileArn`; wins over the knobs.
    pub arn_policy: Option<ArnPolicy>,
    /// Pause before a chat call is answered, in milliseconds.
    pub delay_ms: u64,
    /// What a refresh answers instead of tokens.
    pub refresh_fault: Option<RefreshFault>,
    /// For how many refreshes the fault holds; 0 means until changed.
    pub refresh_fault_times: u32,
    /// Pause before a refresh is answered, in milliseconds; added to the knob's.
    pub refresh_delay_ms: u64,
    /// What becomes of a refresh token that is used; wins over the knob.
    pub rotation: Option<Rotation>,
}

/// How an account stands (spec/upstream.md §4.3, §12.2 step 2; spec/upstream-2026.md §5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountState {
    /// In order.
    #[default]
    Active,
    /// Locked by the service: 403 `TEMPORARILY_SUSPENDED`.
    Suspended,
    /// Throttled for suspicious activity: 429.
    RiskThrottled,
    /// Every call is one too many: 429 `USER_REQUEST_RATE_EXCEEDED`.
    Throttled,
    /// The month's credits are used: 402 `MONTHLY_REQUEST_COUNT`.
    QuotaUsed,
    /// The day's requests are used: 429 `DAILY_REQUEST_COUNT`.
    DailyUsed,
    /// The overage cap is used: 400 `OVERAGE_REQUEST_LIMIT_EXCEEDED`.
    OverageUsed,
    /// Logged out at the service: a refresh gets `invalid_grant`, a bearer token 403, an API key 401. A new login
    /// puts the account in order again.
    Revoked,
    /// 403 "User is not authorized to make this call."
    Unauthorized,
    /// 403 `FEATURE_NOT_SUPPORTED`.
    FeatureOff,
    /// 403 "Your subscription does not support this application".
    WrongPlan,
    /// 500.
    Failing,
}

/// An account that is in order and out of order by turns, in order first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flapping {
    /// How long it is in order.
    pub healthy: u64,
    /// How long it is not.
    pub failing: u64,
    /// What is counted.
    #[serde(default)]
    pub by: Beat,
}

/// What a flapping account counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Beat {
    /// Its chat calls.
    #[default]
    Calls,
    /// Milliseconds since the behaviour was set.
    Ms,
}

impl Behaviour {
    /// In this state until changed.
    #[must_use]
    pub fn of(state: AccountState) -> Self {
        Self { state, ..Self::default() }
    }

    /// In this state for so many milliseconds, then in order.
    #[must_use]
    pub fn for_ms(state: AccountState, ms: u64) -> Self {
        Self { state, for_ms: Some(ms), ..Self::default() }
    }

    /// So many chat calls a minute, then 429 for the penalty time.
    #[must_use]
    pub fn throttled(calls_per_minute: u32, penalty_ms: u64) -> Self {
        let limit = RateLimit { calls: calls_per_minute, per_ms: 60_000, penalty_ms };
        Self { rate_limit: Some(limit), ..Self::default() }
    }

    /// So many chat calls answered, then so many failed with 500, again and again.
    #[must_use]
    pub fn flapping(healthy: u64, failing: u64) -> Self {
        let flapping = Flapping { healthy, failing, by: Beat::Calls };
        Self { state: AccountState::Failing, flapping: Some(flapping), ..Self::default() }
    }

    /// In order, without these models.
    #[must_use]
    pub fn without_models(models: &[&str]) -> Self {
        let missing_models = models.iter().map(|&model| model.to_owned()).collect();
        Self { missing_models, ..Self::default() }
    }

    /// In order, but every refresh ends like this.
    #[must_use]
    pub fn refresh_fault(fault: RefreshFault) -> Self {
        Self { refresh_fault: Some(fault), ..Self::default() }
    }

    /// In order, but each refresh takes so many milliseconds.
    #[must_use]
    pub fn slow_refresh(ms: u64) -> Self {
        Self { refresh_delay_ms: ms, ..Self::default() }
    }

    /// The state after so many milliseconds and so many chat calls.
    pub(crate) fn state_at(&self, since_ms: u64, calls: u64) -> AccountState {
        let over = self.for_ms.is_some_and(|lasts| since_ms >= lasts);
        if over || self.flapping.is_some_and(|flapping| flapping.is_healthy(since_ms, calls)) {
            return AccountState::Active;
        }
        self.state
    }
}

impl Flapping {
    fn is_healthy(self, since_ms: u64, calls: u64) -> bool {
        let at = match self.by {
            Beat::Calls => calls,
            Beat::Ms => since_ms,
        };
        let round = self.healthy.saturating_add(self.failing);
        at.checked_rem(round).is_some_and(|turn| turn < self.healthy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flapping_account_is_in_order_first_and_a_state_can_pass() {
        let flapping = Behaviour::flapping(2, 1);
        let states: Vec<bool> =
            (0..6).map(|call| flapping.state_at(0, call) == AccountState::Active).collect();
        assert_eq!(states, [true, true, false, true, true, false]);
        let never = Behaviour::flapping(0, 0);
        assert_eq!(never.state_at(0, 0), AccountState::Failing, "no turn at all is no turn in order");
        let passing = Behaviour::for_ms(AccountState::Suspended, 10);
        assert_eq!(passing.state_at(9, 0), AccountState::Suspended);
        assert_eq!(passing.state_at(10, 0), AccountState::Active);
    }
}
