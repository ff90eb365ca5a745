//! Looking at the pool without taking anything: the state of accounts, and which of them a request would get.

use crate::account::{AccountId, Quota, Traits};
use crate::choose::Class;
use crate::health::{Cause, Health, ModelRest};
use crate::member::Member;
use crate::pool::Pool;
use crate::want::{Reason, Want};

/// An account as it is now.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// Which.
    pub id: AccountId,
    /// What the operator wants of it.
    pub traits: Traits,
    /// Its state.
    pub health: Health,
    /// What led to it, or the latest failure of an account that is well.
    pub cause: Option<Cause>,
    /// Failures on end.
    pub errors: u32,
    /// Whether its rest is over and nothing has been heard of it since.
    pub on_trial: bool,
    /// Requests under way.
    pub in_flight: u32,
    /// Requests begun in the last minute, to within five seconds.
    pub current_rpm: u32,
    /// Requests begun in the last hour, to within five minutes; this process's only.
    pub last_hour: u32,
    /// Why it cannot serve now, whatever is asked for.
    pub hindrance: Option<Reason>,
    /// When it can again, as far as that depends on time.
    pub free_ms: Option<u64>,
    /// Models it has; none if unknown. Sorted.
    pub models: Option<Vec<Box<str>>>,
    /// Models it is not asked for now.
    pub resting: Vec<ModelRest>,
    /// Its credits as last read.
    pub quota: Option<Quota>,
}

/// What a request would find at one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Which.
    pub id: AccountId,
    /// Whether it could serve.
    pub says: Says,
    /// Whether it is the one that would be chosen now.
    pub chosen: bool,
}

/// Whether an account could serve a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// Yes.
    Able {
        /// It belongs to the owner of the key.
        own: bool,
        /// Only if no account of the pool can: it is kept for its owner first.
        spare: bool,
        /// Only if nothing else can: it rests still.
        last_resort: bool,
        /// After others: its credits are nearly used up.
        nearly_dry: bool,
    },
    /// No.
    Unable {
        /// Why.
        reason: Reason,
        /// When it can again, as far as that depends on time.
        free_ms: Option<u64>,
    },
}

// === impl Pool ===

impl Pool {
    /// All accounts as they are now, by number.
    #[must_use]
    pub fn snapshot(&self, now_ms: u64) -> Vec<View> {
        self.with(|roster| {
            roster.wake(now_ms, usize::MAX);
            let views = roster.slots().filter_map(|slot| roster.member_mut(slot).map(|it| view(it, now_ms)));
            let mut views: Vec<View> = views.collect();
            views.sort_unstable_by_key(|view| view.id);
            views
        })
    }

    /// One account as it is now.
    #[must_use]
    pub fn one(&self, id: AccountId, now_ms: u64) -> Option<View> {
        self.with(|roster| {
            let slot = roster.slot(id)?;
            roster.place(slot, now_ms);
            roster.member_mut(slot).map(|member| view(member, now_ms))
        })
    }

    /// What each account would say to a request, and which would be chosen with this chance; those that could serve
    /// first, best class first.
    #[must_use]
    pub fn explain(&self, want: &Want<'_>, now_ms: u64, random: u64) -> Vec<Verdict> {
        self.with(|roster| {
            roster.wake(now_ms, usize::MAX);
            let chosen = roster.choose(want, now_ms, random).ok();
            let asked = roster.members().filter(|(_, member)| want.pinned.is_none_or(|id| id == member.id));
            let mut verdicts: Vec<(Option<Class>, Verdict)> = asked
                .map(|(slot, member)| {
                    let verdict = member.verdict(want);
                    let unable = |reason| Says::Unable { reason, free_ms: member.when(reason, want) };
                    let says = verdict.map_or_else(unable, Class::says);
                    (verdict.ok(), Verdict { id: member.id, says, chosen: Some(slot) == chosen })
                })
                .collect();
            verdicts.sort_by_key(|(class, verdict)| (class.is_none(), *class, !verdict.chosen, verdict.id));
            verdicts.into_iter().map(|(_, verdict)| verdict).collect()
        })
    }
}

fn view(member: &mut Member, now_ms: u64) -> View {
    let (hindrance, free_ms) = member.hindrance(now_ms).unzip();
    View {
        id: member.id,
        traits: member.traits.clone(),
        health: member.health(),
        cause: member.condition.cause().cloned(),
        errors: member.condition.errors(),
        on_trial: member.condition.on_trial(now_ms),
        in_flight: member.in_flight,
        current_rpm: member.last_minute.count(now_ms),
        last_hour: member.last_hour.count(now_ms),
        hindrance,
        free_ms: free_ms.flatten(),
        models: member.models.as_ref().map(|models| models.to_vec()),
        resting: member.condition.resting(now_ms).cloned().collect(),
        quota: member.quota,
    }
}
