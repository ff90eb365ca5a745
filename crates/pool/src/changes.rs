//! What the writer must keep: per account, gathered until it asks. No list grows, however long it does not.

use crate::account::AccountId;
use crate::health::{Health, Stored};

/// What has changed at one account since changes were last taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Whose.
    pub id: AccountId,
    /// Its health, if that changed.
    pub stored: Option<Stored>,
    /// What to add to its counts.
    pub counts: Counts,
}

/// Requests since changes were last taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Begun.
    pub requests: u64,
    /// That the account answered.
    pub answered: u64,
    /// That failed for a reason of the account or of the upstream.
    pub failed: u64,
    /// Tokens in and out.
    pub tokens: u64,
    /// Failures on end by now: not a difference.
    pub errors: u32,
    /// When the latest began; 0 if there was none.
    pub last_used_ms: u64,
}

/// A change of state, for whoever logs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Whose.
    pub id: AccountId,
    /// Its state before.
    pub from: Health,
    /// And now.
    pub to: Health,
}

/// The gathered news of one account.
#[derive(Debug, Default)]
pub(crate) struct News {
    pub(crate) requests: u64,
    pub(crate) answered: u64,
    pub(crate) failed: u64,
    pub(crate) tokens: u64,
    pub(crate) last_used_ms: u64,
    /// Whether its health is to be stored.
    pub(crate) of_health: bool,
    /// Whether it is in the list of those that have news.
    pub(crate) listed: bool,
}
