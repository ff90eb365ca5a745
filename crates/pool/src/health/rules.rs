//! What follows from which failure: the table (spec/upstream.md §4.3, spec/upstream-2026.md §5).

use super::Why;
use crate::outcome::Ailment;

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// What the operator may set of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Failures on end after which an account is switched off; 0 for never.
    pub max_errors: u32,
    /// Failures within `strike_window_ms` after which it is quarantined; 0 for never.
    pub strikes: u32,
    /// The window in which failures add up.
    pub strike_window_ms: u64,
    /// How long a quarantine is.
    pub quarantine_ms: u64,
    /// Whether an account rests after a failure that passes. Without this every request asks the upstream anew: for an
    /// account that has no others beside it, and for tests of what the upstream says.
    pub rests: bool,
}

/// What follows from a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// Whether it counts towards quarantine and switching off.
    pub(crate) strike: bool,
    pub(crate) then: Then,
}

/// What becomes of the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// Nothing, save that an account on trial has not passed it.
    GoesOn,
    Cools(Why),
    /// It is not asked for one model.
    RestsModel {
        pause: Growth,
        lacking: bool,
    },
    IsExhausted,
    IsExhaustedToday,
    IsSuspended,
    IsBroken,
}

/// How long a rest is: doubled from one to the next, up to a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Growth {
    first_ms: u64,
    most_ms: u64,
}

/// How long an account rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rest {
    /// For as long as others can serve.
    pub(crate) full: Growth,
    /// Before it is tried even as the last resort.
    pub(crate) least: Growth,
}

/// What the upstream says in Retry-After is heeded within these bounds.
pub(crate) const RETRY_AFTER_MS: (u64, u64) = (8 * SECOND, HOUR);

/// An account whose renewal is said to lie in the past is asked again after this.
pub(crate) const LATE_RENEWAL_MS: u64 = HOUR;

/// A renewal further away than this is not believed.
pub(crate) const FARTHEST_RENEWAL_MS: u64 = 62 * 24 * HOUR;

/// A failure is the next in a row if it comes within this after the rest from the one before.
pub(crate) const MODEL_MEMORY_MS: u64 = MINUTE;

const fn growth(first_ms: u64, most_ms: u64) -> Growth {
    Growth { first_ms, most_ms }
}

/// The table. Each account is judged for itself, and every row but the last two heals with time.
pub(crate) const fn row(ailment: &Ailment) -> Row {
    let (strike, then) = match ailment {
        // Jitter of a network must not empty a pool.
        Ailment::Network => (false, Then::GoesOn),
        Ailment::Failed => (true, Then::GoesOn),
        // A penalty, not a fault: does not count as one.
        Ailment::Throttled { .. } => (false, Then::Cools(Why::Throttled)),
        Ailment::Suspected => (false, Then::Cools(Why::Suspected)),
        Ailment::Refused => (true, Then::Cools(Why::Refused)),
        Ailment::ModelBusy { .. } => {
            (false, Then::RestsModel { pause: growth(5 * SECOND, 30 * SECOND), lacking: false })
        }
        Ailment::LacksModel { .. } => {
            (false, Then::RestsModel { pause: growth(24 * HOUR, 24 * HOUR), lacking: true })
        }
        Ailment::Exhausted { .. } => (false, Then::IsExhausted),
        Ailment::ExhaustedToday => (false, Then::IsExhaustedToday),
        Ailment::Suspended => (false, Then::IsSuspended),
        Ailment::LoginDead => (false, Then::IsBroken),
    };
    Row { strike, then }
}

// === impl Rules ===

impl Rules {
    /// What becomes of the account, where accounts may be told not to rest.
    pub(crate) fn soften(&self, then: Then) -> Then {
        match then {
            Then::Cools(_) | Then::RestsModel { .. } | Then::IsExhausted | Then::IsExhaustedToday
                if !self.rests =>
            {
                Then::GoesOn
            }
            then => then,
        }
    }

    /// How long an account rests from what.
    pub(crate) fn rest(&self, why: Why) -> Rest {
        let (full, least) = match why {
            // Of requests repeated within 8 s every fifth is refused again, after 60 to 120 s one in sixteen.
            Why::Throttled => (growth(MINUTE, 2 * MINUTE), growth(8 * SECOND, MINUTE)),
            // Not to be hammered, last resort or not.
            Why::Suspected => (growth(HOUR, 6 * HOUR), growth(HOUR, 6 * HOUR)),
            Why::Refused => (growth(30 * SECOND, 15 * MINUTE), growth(5 * SECOND, 5 * MINUTE)),
            // When the upstream is down all accounts get here; once it is up again they must not all be missing.
            Why::Quarantined => {
                (growth(self.quarantine_ms, self.quarantine_ms), growth(10 * SECOND, 5 * MINUTE))
            }
        };
        Rest { full, least }
    }
}

impl Default for Rules {
    /// Those of the systems before: S0's hundred, S1's five in ten minutes and half an hour.
    fn default() -> Self {
        Self {
            max_errors: 100,
            strikes: 5,
            strike_window_ms: 10 * MINUTE,
            quarantine_ms: 30 * MINUTE,
            rests: true,
        }
    }
}

// === impl Growth ===

impl Growth {
    /// The pause after `level` pauses on end, longer by up to a quarter of it as `jitter` has it (0 to `u64::MAX`), so
    /// that accounts which fell together do not rise together.
    pub(crate) fn pause_ms(self, level: u32, jitter: u64) -> u64 {
        let pause_ms = self.first_ms.saturating_mul(1 << level.min(32)).min(self.most_ms.max(self.first_ms));
        pause_ms.saturating_add(stretch(pause_ms, jitter))
    }
}

/// Up to a quarter of the pause.
pub(crate) fn stretch(pause_ms: u64, jitter: u64) -> u64 {
    ((u128::from(pause_ms / 4) * u128::from(jitter)) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::{MINUTE, SECOND, growth, stretch};

    #[test]
    fn pauses_double_up_to_their_bound() {
        let pauses: Vec<u64> =
            (0..5).map(|level| growth(8 * SECOND, MINUTE).pause_ms(level, 0) / SECOND).collect();
        assert_eq!(pauses, [8, 16, 32, 60, 60]);
        assert_eq!(growth(SECOND, MINUTE).pause_ms(u32::MAX, 0), MINUTE);
        assert_eq!(growth(MINUTE, SECOND).pause_ms(9, 0), MINUTE, "never below the first");
    }

    #[test]
    fn jitter_stretches_by_up_to_a_quarter() {
        assert_eq!(stretch(8_000, 0), 0);
        assert_eq!(stretch(8_000, u64::MAX / 2), 999);
        assert_eq!(stretch(8_000, u64::MAX), 1_999);
    }
}
