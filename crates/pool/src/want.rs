//! What a request needs of an account, and why it may find none.

use std::fmt;

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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refusal {
    /// When the first of them can again, as far as that depends on time alone.
    pub soonest_ms: Option<u64>,
    /// What keeps each of them.
    pub why: Tally,
}

/// How many accounts are kept from serving, by reason. Each account counts once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally([u32; Reason::COUNT]);

/// Why one account cannot serve a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// It does not exist.
    Unknown,
    /// Switched off by the operator, or for too many errors.
    Disabled,
    /// Suspended by the upstream.
    Suspended,
    /// Its login is dead.
    Broken,
    /// Credits used up.
    Exhausted,
    /// Resting after a failure.
    Cooling,
    /// After a rest, with the one request that tries it still under way.
    OnTrial,
    /// At its limit of requests per minute or hour.
    RateLimited,
    /// At its limit of requests at once.
    Busy,
    /// Healthy, but without this model, or with too little capacity for it.
    LacksModel,
    /// Kept for its owner's keys.
    NotYours,
    /// Tried for this request already, healthy otherwise.
    Tried,
}

// === impl Reason ===

impl Reason {
    /// Every one of them.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Unknown,
        Self::Disabled,
        Self::Suspended,
        Self::Broken,
        Self::Exhausted,
        Self::Cooling,
        Self::OnTrial,
        Self::RateLimited,
        Self::Busy,
        Self::LacksModel,
        Self::NotYours,
        Self::Tried,
    ];

    const COUNT: usize = 12;

    /// In words, for messages and logs.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Disabled => "disabled",
            Self::Suspended => "suspended",
            Self::Broken => "broken",
            Self::Exhausted => "exhausted",
            Self::Cooling => "cooling",
            Self::OnTrial => "on trial",
            Self::RateLimited => "rate limited",
            Self::Busy => "busy",
            Self::LacksModel => "lacks model",
            Self::NotYours => "not yours",
            Self::Tried => "tried",
        }
    }
}

// === impl Tally ===

impl Tally {
    /// How many for this reason.
    #[must_use]
    pub fn of(&self, reason: Reason) -> u32 {
        let Self(counts) = self;
        counts.get(reason as usize).copied().unwrap_or_default()
    }

    /// How many accounts were looked at.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.0.iter().sum()
    }

    /// The reasons that apply, with their counts.
    pub fn rows(&self) -> impl Iterator<Item = (Reason, u32)> {
        Reason::ALL.into_iter().map(|reason| (reason, self.of(reason))).filter(|(_, count)| *count > 0)
    }

    pub(crate) fn add(&mut self, reason: Reason, count: u32) {
        if let Some(sum) = self.0.get_mut(reason as usize) {
            *sum = sum.saturating_add(count);
        }
    }

    pub(crate) fn take(&mut self, reason: Reason, count: u32) {
        if let Some(sum) = self.0.get_mut(reason as usize) {
            *sum = sum.saturating_sub(count);
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (reason, count) in other.rows() {
            self.add(reason, count);
        }
    }
}

impl fmt::Display for Tally {
    /// Such as `3 cooling, 1 suspended`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (reason, count)) in self.rows().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{count} {}", reason.word())?;
        }
        Ok(())
    }
}
