//! What the operator said of an account, and what the upstream said of its credits.

use std::fmt;

/// An account of the pool: the number the store gave it, never used again for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub u64);

/// Whom an account serves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LicencePolicy {
    /// Only keys of its owner.
    Own,
    /// Keys of its owner before any other account does; others only when no account of the pool can.
    OwnThenPool,
    /// Everybody alike.
    #[default]
    Pool,
}

/// What the operator wants of an account.
#[derive(Clone, Debug, PartialEq)]
pub struct Traits {
    /// Whether it may be used at all.
    pub enabled: bool,
    /// Whose licence it is. An account without owner serves everybody, whatever its policy.
    pub owner: Option<Box<str>>,
    /// Share of the requests under [`Strategy::Weighted`](crate::Strategy::Weighted); 0 counts as 1.
    pub weight: u32,
    /// Lower is preferred under [`Strategy::Priority`](crate::Strategy::Priority).
    pub priority: i32,
    /// Most requests begun within any 60 seconds.
    pub rpm: Option<u32>,
    /// Most requests begun within any hour.
    pub per_hour: Option<u32>,
    /// Most requests at once.
    pub concurrency: Option<u32>,
    /// Whom it serves.
    pub policy: LicencePolicy,
}

/// Credits of an account, as its usage limits were last read (spec/upstream.md §8.4).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quota {
    /// Credits used, of plan, trial and bonuses together.
    pub used: f64,
    /// Credits there are; zero or less if unknown.
    pub limit: f64,
    /// When they renew.
    pub resets_ms: Option<u64>,
    /// Whether requests beyond the limit are served and billed.
    pub overage: bool,
}

// === impl AccountId ===

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

// === impl LicencePolicy ===

impl LicencePolicy {
    /// Its word in configuration and records.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::OwnThenPool => "own-then-pool",
            Self::Pool => "pool",
        }
    }

    /// The policy of that word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::Own, Self::OwnThenPool, Self::Pool].into_iter().find(|policy| policy.word() == word)
    }
}

// === impl Traits ===

impl Default for Traits {
    fn default() -> Self {
        Self {
            enabled: true,
            owner: None,
            weight: 10,
            priority: 0,
            rpm: None,
            per_hour: None,
            concurrency: None,
            policy: LicencePolicy::Pool,
        }
    }
}

// === impl Quota ===

impl Quota {
    /// Below this share of its credits an account is the last choice, so that running dry surprises nobody.
    const NEARLY_DRY: f64 = 0.05;

    /// Whether nothing is left and nothing beyond is allowed.
    pub(crate) fn is_dry(&self) -> bool {
        self.limit > 0.0 && self.used >= self.limit && !self.overage
    }

    /// Whether little is left, or what is used now costs extra. Past its renewal nothing is known.
    pub(crate) fn is_nearly_dry(&self, now_ms: u64) -> bool {
        let renewed = self.resets_ms.is_some_and(|resets_ms| resets_ms <= now_ms);
        !renewed && self.limit > 0.0 && self.limit - self.used < self.limit * Self::NEARLY_DRY
    }
}

#[cfg(test)]
mod tests {
    use super::{LicencePolicy, Quota};

    #[test]
    fn policies_are_found_by_their_words() {
        for policy in [LicencePolicy::Own, LicencePolicy::OwnThenPool, LicencePolicy::Pool] {
            assert_eq!(LicencePolicy::of_word(policy.word()), Some(policy));
        }
        assert_eq!(LicencePolicy::of_word("team"), None);
    }

    #[test]
    fn credits_are_read_with_care() {
        let quota = |used, limit, overage| Quota { used, limit, resets_ms: None, overage };
        for (quota, dry, nearly) in [
            (quota(0.0, 50.0, false), false, false),
            (quota(47.5, 50.0, false), false, false),
            (quota(47.6, 50.0, false), false, true),
            (quota(50.0, 50.0, false), true, true),
            (quota(60.0, 50.0, true), false, true),
            (quota(0.0, 0.0, false), false, false),
        ] {
            assert_eq!((quota.is_dry(), quota.is_nearly_dry(0)), (dry, nearly), "{quota:?}");
        }
        let renewed = Quota { resets_ms: Some(7), ..quota(49.0, 50.0, false) };
        assert!(renewed.is_nearly_dry(6) && !renewed.is_nearly_dry(7));
    }
}
