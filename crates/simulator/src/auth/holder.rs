//! An account while the simulator runs: its behaviour's clock, its counts, what it has spent.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::account::{AccountState, Behaviour, Counts, SimAccount};
use crate::knobs::{RateLimit, RefreshFault};

/// An account while the simulator runs.
#[derive(Debug)]
pub(crate) struct Holder {
    /// As given, with the tokens and the client of today.
    pub(crate) account: SimAccount,
    pub(crate) counts: Counts,
    /// When the behaviour was set.
    since: Instant,
    /// Chat calls since then.
    turns: u64,
    /// Times of the calls that the rate limit looks at.
    calls: VecDeque<Instant>,
    penalty_until: Option<Instant>,
    /// The refresh token that has been replaced but still lives, and the grant whose use ends it.
    pub(super) previous: Option<(String, u64)>,
    spent_credits: f64,
}

impl Holder {
    pub(super) fn new(account: SimAccount) -> Self {
        Self {
            account,
            counts: Counts::default(),
            since: Instant::now(),
            turns: 0,
            calls: VecDeque::new(),
            penalty_until: None,
            previous: None,
            spent_credits: 0.0,
        }
    }

    pub(super) fn behave(&mut self, behaviour: Behaviour) {
        self.account.behaviour = behaviour;
        (self.since, self.turns, self.penalty_until) = (Instant::now(), 0, None);
        self.calls.clear();
    }

    /// How the account stands now.
    pub(crate) fn state(&self) -> AccountState {
        let since_ms = self.since.elapsed().as_millis() as u64;
        let state = self.account.behaviour.state_at(since_ms, self.turns);
        let usage = &self.account.usage;
        let all_used = usage.enforced && usage.remaining(self.spent_credits) <= 0.0;
        if state == AccountState::Active && all_used { AccountState::QuotaUsed } else { state }
    }

    /// How it stands for a chat call, which counts as a turn.
    pub(crate) fn turn(&mut self) -> AccountState {
        let state = self.state();
        self.turns += 1;
        state
    }

    /// What is left of a state that ends by itself.
    pub(crate) fn state_left(&self) -> Option<Duration> {
        let lasts = Duration::from_millis(self.account.behaviour.for_ms?);
        (self.state() != AccountState::Active).then(|| lasts.saturating_sub(self.since.elapsed()))
    }

    /// Whether this model is in the account's plan.
    pub(crate) fn has_model(&self, model: &str) -> bool {
        !self.account.behaviour.missing_models.iter().any(|missing| missing == model)
    }

    /// Counts a call against the rate, the account's own or the given one; true when it is one too many.
    pub(crate) fn over_rate(&mut self, general: Option<RateLimit>) -> bool {
        let Some(limit) = self.account.behaviour.rate_limit.or(general) else { return false };
        let now = Instant::now();
        if self.penalty_until.is_some_and(|until| until > now) {
            return true;
        }
        let span = Duration::from_millis(limit.per_ms);
        while self.calls.front().is_some_and(|at| now.duration_since(*at) >= span) {
            self.calls.pop_front();
        }
        if self.calls.len() >= limit.calls as usize {
            self.penalty_until = Some(now + Duration::from_millis(limit.penalty_ms));
            return true;
        }
        self.calls.push_back(now);
        false
    }

    /// The refresh fault that is due; one that holds for a number of times is used up by it.
    pub(super) fn due_fault(&mut self) -> Option<RefreshFault> {
        let behaviour = &mut self.account.behaviour;
        crate::knobs::due(&mut behaviour.refresh_fault, &mut behaviour.refresh_fault_times)
    }

    pub(crate) fn spend(&mut self, credits: f64) {
        self.spent_credits += credits;
    }

    pub(crate) fn spent(&self) -> f64 {
        self.spent_credits
    }
}
