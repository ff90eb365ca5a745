//! The pool: a value with a lock inside.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::account::{AccountId, Quota, Traits};
use crate::changes::{Change, Counts, Moved, News};
use crate::health::{Rules, Stored};
use crate::lease::Lease;
use crate::member::Member;
use crate::offer;
use crate::outcome::Outcome;
use crate::roster::Roster;
use crate::strategy::Strategy;
use crate::want::{Refusal, Want};

/// All accounts of the gateway and the choice among them.
///
/// The lock is held for about a microsecond and never across anything that waits. All methods may be called from
/// anywhere.
pub struct Pool {
    roster: Mutex<Roster>,
    on_news: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

// === impl Pool ===

impl Pool {
    /// A pool without accounts.
    #[must_use]
    pub fn new(rules: Rules, strategy: Strategy) -> Arc<Self> {
        Arc::new(Self { roster: Mutex::new(Roster::new(rules, strategy)), on_news: OnceLock::new() })
    }

    /// What to call when there is something for [`Pool::take_changes`] again. It is called in the midst of requests and
    /// must only wake the writer. Only the first call counts.
    pub fn on_news(&self, wake: impl Fn() + Send + Sync + 'static) {
        // A second writer is a mistake of the wiring; the first keeps its place.
        let _ = self.on_news.set(Box::new(wake));
    }

    /// Adds an account as it was stored, or gives one that is there new traits; its health stays as it is then.
    pub fn add(&self, id: AccountId, traits: Traits, stored: Stored, now_ms: u64) {
        self.with(|roster| roster.add(id, traits, stored, now_ms));
    }

    /// Takes an account out; leases on it may end as they like. False if it was not there.
    pub fn remove(&self, id: AccountId) -> bool {
        self.with(|roster| roster.remove(id))
    }

    /// By which rule accounts are chosen.
    #[must_use]
    pub fn strategy(&self) -> Strategy {
        self.lock().strategy
    }

    /// Chooses by another rule from now on. Health, limits, conversations and requests under way stay as they are; what
    /// accounts have had so far is no more held against them. Every account is placed anew under the lock, so that
    /// choices wait for some milliseconds with ten thousand of them.
    pub fn set_strategy(&self, strategy: Strategy, now_ms: u64) {
        self.with(|roster| roster.set_strategy(strategy, now_ms));
    }

    /// What follows from failures.
    #[must_use]
    pub fn rules(&self) -> Rules {
        self.lock().rules
    }

    /// Judges failures by other rules from now on. An account that rests does so for as long as it was told to.
    pub fn set_rules(&self, rules: Rules) {
        self.with(|roster| roster.rules = rules);
    }

    /// Chooses an account and counts the request against its limits. `random`: fresh chance.
    ///
    /// # Errors
    /// If none can serve: why, and when the first can.
    pub fn pick(self: &Arc<Self>, want: &Want<'_>, now_ms: u64, random: u64) -> Result<Lease, Refusal> {
        self.with(|roster| {
            let slot = roster.choose(want, now_ms, random)?;
            roster.take(slot, want, now_ms, random);
            let member = roster.member(slot).ok_or_else(Refusal::default)?;
            Ok(Lease::new(Arc::clone(self), slot, member, now_ms, random))
        })
    }

    /// Says what became of an account outside a request: a refresh, a test, a look at its usage. The change of state,
    /// if there was one.
    pub fn report(&self, id: AccountId, outcome: &Outcome, now_ms: u64) -> Option<Moved> {
        self.with(|roster| {
            let slot = roster.slot(id)?;
            let jitter = roster.chance();
            roster.hears(slot, outcome, None, now_ms, jitter)
        })
    }

    /// Which models an account has, upstream's names; none if unknown, which is as good as all.
    pub fn set_models(&self, id: AccountId, models: Option<Vec<Box<str>>>, now_ms: u64) {
        self.with(|roster| {
            let models = models.map(offer::models);
            let Some(slot) = roster.slot(id) else { return };
            let Some(member) = roster.member_mut(slot) else { return };
            if member.models != models {
                let narrows = member.models.is_none();
                member.models = models;
                if narrows {
                    roster.narrow(slot, now_ms);
                } else {
                    roster.move_house(slot, now_ms);
                }
            }
        });
    }

    /// What its usage limits say: an account that is dry rests, one that is dry no more is tried.
    pub fn set_quota(&self, id: AccountId, quota: Option<Quota>, now_ms: u64) -> Option<Moved> {
        self.with(|roster| {
            let slot = roster.slot(id)?;
            roster.change(slot, now_ms, |member| {
                member.quota = quota;
                match quota {
                    Some(quota) if quota.is_dry() => member.condition.run_dry(quota.resets_ms, now_ms),
                    Some(quota) if quota.limit > 0.0 => member.condition.replenish(now_ms),
                    _ => {}
                }
            })
        })
    }

    /// The operator switches it on: with that, all that was held against it is forgotten.
    pub fn enable(&self, id: AccountId, now_ms: u64) -> Option<Moved> {
        self.with(|roster| {
            let slot = roster.slot(id)?;
            roster.change(slot, now_ms, |member| {
                member.traits.enabled = true;
                member.condition.reset();
            })
        })
    }

    /// The operator switches it off. Requests under way go on.
    pub fn disable(&self, id: AccountId, now_ms: u64) -> Option<Moved> {
        self.with(|roster| {
            let slot = roster.slot(id)?;
            roster.change(slot, now_ms, |member| member.traits.enabled = false)
        })
    }

    /// Forgets all that is held against it, as after a new login. The operator's switch stays.
    pub fn reset(&self, id: AccountId, now_ms: u64) -> Option<Moved> {
        self.with(|roster| {
            let slot = roster.slot(id)?;
            roster.change(slot, now_ms, |member| member.condition.reset())
        })
    }

    /// Its health as another process has stored it since. Nothing of it is news for the writer of this one.
    pub fn adopt(&self, id: AccountId, stored: Stored, now_ms: u64) -> Option<Moved> {
        self.with(|roster| {
            let slot = roster.slot(id)?;
            let member = roster.member_mut(slot)?;
            let from = member.health();
            member.condition.adopt(stored);
            let to = member.health();
            roster.place(slot, now_ms);
            (from != to).then_some(Moved { id, from, to })
        })
    }

    /// What the writer must keep since it last asked.
    #[must_use]
    pub fn take_changes(&self) -> Vec<Change> {
        let mut roster = self.lock();
        let slots = std::mem::take(&mut roster.with_news);
        slots.into_iter().filter_map(|slot| roster.member_mut(slot).map(change)).collect()
    }

    /// Works on the roster, and wakes the writer if there is news for the first time since it asked.
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut Roster) -> R) -> R {
        let mut roster = self.lock();
        let was_asked = roster.with_news.is_empty();
        let result = work(&mut roster);
        let has_news = !roster.with_news.is_empty();
        // Not under the lock: the writer may be quick.
        drop(roster);
        if has_news
            && was_asked
            && let Some(wake) = self.on_news.get()
        {
            wake();
        }
        result
    }

    /// A panic in between leaves at worst one account out of its place, which is put right when it is next placed.
    fn lock(&self) -> MutexGuard<'_, Roster> {
        self.roster.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn change(member: &mut Member) -> Change {
    let News { requests, answered, failed, tokens, last_used_ms, of_health, listed: _ } =
        std::mem::take(&mut member.news);
    let errors = member.condition.errors();
    Change {
        id: member.id,
        stored: of_health.then(|| member.condition.stored()),
        counts: Counts { requests, answered, failed, tokens, errors, last_used_ms },
    }
}
