//! What a request needs of an account, and why it may find none.

use crate::account::AccountId;

/// What a request needs of an account.
#[derive(Clone, Copy, Debug, Default)]
pub struct Want<'a> {
    /// The model, upstream's name; none if any account will do.
    pub model: Option<&'a str>,
    /// Hash of the conversation and its caller: the account that served it last is preferred among its equals.
    pub affinity: Option<u64>,
    /// Whose key asks.
    pub owner: Option<&'a str>,
    /// Only this account.
    pub pinned: Option<AccountId>,
    /// Accounts that have failed for this request.
    pub tried: &'a [AccountId],
}

/// No account can serve a request now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// When the first of them can again, as far as that depends on time alone.
    pub soonest_ms: Option<u64>,
    /// What keeps each of them.
    pub why: Tally,
}

/// How many accounts are kept from serving, by reason. Each account counts once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The pinned account does not exist.
    pub unknown: u32,
    /// Switched off by the operator, or for too many errors.
    pub disabled: u32,
    /// Suspended by the upstream.
    pub suspended: u32,
    /// Their login is dead.
    pub broken: u32,
    /// Credits used up.
    pub exhausted: u32,
    /// Resting after a failure.
    pub cooling: u32,
    /// After a rest, with the one request that tries them still under way.
    pub on_trial: u32,
    /// At their limit of requests per minute or hour.
    pub rate_limited: u32,
    /// At their limit of requests at once.
    pub busy: u32,
    /// Healthy, but without this model, or with too little capacity for it.
    pub lacks_model: u32,
    /// Kept for their owners' keys.
    pub not_yours: u32,
    /// Tried for this request already, healthy otherwise.
    pub tried: u32,
}

// === impl Tally ===

impl Tally {
    /// How many accounts were looked at.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.rows().iter().map(|(_, count)| count).sum()
    }

    /// Reasons and their counts, for messages and logs.
    #[must_use]
    pub fn rows(&self) -> [(&'static str, u32); 12] {
        [
            ("unknown", self.unknown),
            ("disabled", self.disabled),
            ("suspended", self.suspended),
            ("broken", self.broken),
            ("exhausted", self.exhausted),
            ("cooling", self.cooling),
            ("on trial", self.on_trial),
            ("rate limited", self.rate_limited),
            ("busy", self.busy),
            ("lacks model", self.lacks_model),
            ("not yours", self.not_yours),
            ("tried", self.tried),
        ]
    }
}
