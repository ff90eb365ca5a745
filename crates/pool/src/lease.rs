//! An account, lent to one request.

use std::fmt;
use std::sync::Arc;

use crate::account::AccountId;
use crate::changes::Moved;
use crate::member::Member;
use crate::outcome::Outcome;
use crate::pool::Pool;
use crate::roster::Roster;

/// An account, lent to one request: one of those in flight until this is settled or dropped. Dropping it says nothing of
/// the account.
#[must_use = "dropped at once, the request does not count as in flight"]
pub struct Lease {
    pool: Arc<Pool>,
    slot: u32,
    /// Slots are used again; numbers are not.
    id: AccountId,
    episode: u32,
    /// The episode whose trial this is.
    trial: Option<u32>,
    /// Whether it is known already that the account answered.
    answers: bool,
    jitter: u64,
    settled: bool,
}

// === impl Lease ===

impl Lease {
    pub(crate) fn new(pool: Arc<Pool>, slot: u32, member: &Member, now_ms: u64, jitter: u64) -> Self {
        let (id, episode) = (member.id, member.condition.episode());
        let trial = member.condition.on_trial(now_ms).then_some(episode);
        Self { pool, slot, id, episode, trial, answers: false, jitter, settled: false }
    }

    /// Whose turn it is.
    #[must_use]
    pub fn account(&self) -> AccountId {
        self.id
    }

    /// The upstream has begun to answer: that proves the account, and one on trial has passed. The lease goes on until
    /// the answer is over. The change of state, if there was one.
    #[must_use = "a change of state is worth a line in the log"]
    pub fn begun(&mut self, now_ms: u64) -> Option<Moved> {
        if std::mem::replace(&mut self.answers, true) {
            return None;
        }
        self.with_member(|roster, slot, lease| {
            roster.hears(slot, &Outcome::Answered { tokens: 0 }, Some(lease.episode), now_ms, lease.jitter)
        })
        .flatten()
    }

    /// Gives the account back and says what became of the request. The change of state, if there was one.
    #[must_use = "a change of state is worth a line in the log"]
    pub fn settle(mut self, outcome: &Outcome, now_ms: u64) -> Option<Moved> {
        self.settled = true;
        self.with_member(|roster, slot, lease| {
            roster.give_back(slot, lease.trial);
            let answers_again = lease.answers && matches!(outcome, Outcome::Answered { .. });
            let moved = if answers_again {
                roster.counts_tokens(slot, outcome);
                None
            } else {
                roster.hears(slot, outcome, Some(lease.episode), now_ms, lease.jitter)
            };
            roster.place_if_full(slot, now_ms);
            moved
        })
        .flatten()
    }

    fn with_member<R>(&self, work: impl FnOnce(&mut Roster, u32, &Self) -> R) -> Option<R> {
        self.pool.with(|roster| {
            let is_there = roster.member(self.slot).is_some_and(|member| member.id == self.id);
            is_there.then(|| work(roster, self.slot, self))
        })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if !self.settled {
            self.with_member(|roster, slot, lease| {
                roster.give_back(slot, lease.trial);
                roster.place_if_full(slot, roster.latest_ms);
            });
        }
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("account", &self.id).finish_non_exhaustive()
    }
}
