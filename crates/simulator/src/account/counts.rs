//! What was asked of an account.

use serde::Serialize;

/// Calls of one account, or of several added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Chat calls with its bearer token.
    pub chats: u64,
    /// Those of them that were refused.
    pub refused: u64,
    /// Chat calls being answered now.
    pub in_flight: u64,
    /// The most that were answered at once.
    pub most_in_flight: u64,
    /// Refreshes with a refresh token that is or was its own.
    pub refreshes: u64,
    /// Those of them that gave tokens.
    pub refreshed: u64,
    /// Refreshes going on now.
    pub refreshing: u64,
    /// The most that went on at once: more than one is two processes, or two tasks, in each other's way.
    pub most_refreshing: u64,
    /// Refreshes with a token that another one had replaced.
    pub stale_refreshes: u64,
    /// Logins by device, browser or code.
    pub logins: u64,
    /// `GetUsageLimits`.
    pub usage_polls: u64,
    /// `ListAvailableModels`.
    pub model_lists: u64,
    /// `ListAvailableProfiles` and `GetProfile`.
    pub profile_calls: u64,
}

impl Counts {
    /// Adds another account's counts. The most at once is the larger one, not the sum.
    pub(crate) fn add(&mut self, other: &Self) {
        self.chats += other.chats;
        self.refused += other.refused;
        self.in_flight += other.in_flight;
        self.most_in_flight = self.most_in_flight.max(other.most_in_flight);
        self.refreshes += other.refreshes;
        self.refreshed += other.refreshed;
        self.refreshing += other.refreshing;
        self.most_refreshing = self.most_refreshing.max(other.most_refreshing);
        self.stale_refreshes += other.stale_refreshes;
        self.logins += other.logins;
        self.usage_polls += other.usage_polls;
        self.model_lists += other.model_lists;
        self.profile_calls += other.profile_calls;
    }
}
