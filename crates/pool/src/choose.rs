//! Which account serves a request: a look at the first of a few rings, not at all accounts.

use crate::account::AccountId;
use crate::load::Load;
use crate::member::Member;
use crate::ring::{Lead, Rank, Ring, Seat};
use crate::rings::{Group, OWN, SPARE, group};
use crate::roster::{Roster, WAKES};
use crate::strategy::Chosen;
use crate::view::Says;
use crate::want::{Reason, Refusal, Tally, Want};

/// What accounts must have in common to stand in for one another: affinity chooses within it, never across.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Class {
    last_resort: bool,
    group: Group,
    nearly_dry: bool,
}

/// Accounts that are asked when a model is free again.
const SAMPLE: usize = 64;

// === impl Class ===

impl Class {
    fn new(group: Group, lead: Lead) -> Self {
        Self { last_resort: lead.is_last_resort(), group, nearly_dry: lead.is_nearly_dry() }
    }

    pub(crate) fn says(self) -> Says {
        let Self { last_resort, group, nearly_dry } = self;
        Says::Able { own: group == OWN, spare: group == SPARE, last_resort, nearly_dry }
    }
}

// === impl Member ===

impl Member {
    /// Whether an account can serve a request; its seat must be up to date.
    pub(crate) fn verdict(&self, want: &Want<'_>) -> Result<Class, Reason> {
        let group = group(&self.traits, want.owner).ok_or(Reason::NotYours)?;
        let rank = match self.seat {
            Some(Seat::Ready(rank)) => rank,
            Some(Seat::Out { reason, .. }) => return Err(reason),
            None => return Err(Reason::Unknown),
        };
        if !self.admits(want.model) {
            return Err(Reason::LacksModel);
        }
        if want.tried.contains(&self.id) {
            return Err(Reason::Tried);
        }
        Ok(Class::new(group, rank.lead))
    }

    /// When it can serve a request that it cannot serve now, as far as that depends on time: none makes it one's own.
    pub(crate) fn when(&self, reason: Reason, want: &Want<'_>) -> Option<u64> {
        self.free_ms(want.model).filter(|_| reason != Reason::NotYours)
    }
}

// === impl Roster ===

impl Roster {
    /// The account for a request.
    pub(crate) fn choose(&mut self, want: &Want<'_>, now_ms: u64, random: u64) -> Result<u32, Refusal> {
        if let Some(id) = want.pinned {
            return self.pinned(id, want, now_ms);
        }
        self.wake(now_ms, WAKES);
        let preferred = want.affinity.and_then(|key| self.affinity.account(key, now_ms));
        if let Some(slot) = preferred.and_then(|id| self.slot(id)) {
            self.place_if_due(slot, now_ms);
        }
        if let Some(slot) = self.first(want, preferred, now_ms, random) {
            return Ok(slot);
        }
        if self.is_due(now_ms) {
            self.wake(now_ms, usize::MAX);
            if let Some(slot) = self.first(want, preferred, now_ms, random) {
                return Ok(slot);
            }
        }
        Err(self.refusal(want))
    }

    /// Gives an account a request.
    pub(crate) fn take(&mut self, slot: u32, want: &Want<'_>, now_ms: u64, random: u64) {
        let (strategy, turn) = (self.strategy, self.turn);
        self.turn = turn.wrapping_add(1);
        self.chance ^= random;
        let Some(member) = self.member_mut(slot) else { return };
        let chosen = Chosen { load: member.load, ln_weight: member.ln_weight, now_ms, random, turn };
        member.load = strategy.load(&chosen);
        member.take(now_ms);
        if member.condition.on_trial(now_ms) {
            member.trying = Some(member.condition.episode());
        }
        let id = member.id;
        if let Some(key) = want.affinity {
            self.affinity.remember(key, id, now_ms);
        }
        self.place(slot, now_ms);
        self.has_news(slot, false);
    }

    fn pinned(&mut self, id: AccountId, want: &Want<'_>, now_ms: u64) -> Result<u32, Refusal> {
        let mut why = Tally::default();
        let Some(slot) = self.slot(id) else {
            why.add(Reason::Unknown, 1);
            return Err(Refusal { soonest_ms: None, why });
        };
        self.place_if_due(slot, now_ms);
        let Some(member) = self.member(slot) else { return Err(Refusal { soonest_ms: None, why }) };
        member.verdict(want).map(|_| slot).map_err(|reason| {
            why.add(reason, 1);
            Refusal { soonest_ms: member.when(reason, want), why }
        })
    }

    fn place_if_due(&mut self, slot: u32, now_ms: u64) {
        if self.member(slot).and_then(|member| member.wakes_ms).is_some_and(|wakes_ms| wakes_ms <= now_ms) {
            self.place(slot, now_ms);
        }
    }

    /// The first by rank of all rings that are open to the request.
    fn first(&self, want: &Want<'_>, preferred: Option<AccountId>, now_ms: u64, random: u64) -> Option<u32> {
        let start = self.strategy.start(random);
        let mut best: Option<((Class, Lead, u64, u32), Rank)> = None;
        let mut rest_of_best = None;
        for (group, ring) in self.rings.open_to(want.owner) {
            // Groups come in order: a later one is better only than a last resort.
            if best.is_some_and(|((class, ..), _)| class.group < group && !class.last_resort) {
                break;
            }
            let mut able = self.able(ring, want, start);
            let Some(&rank) = able.next() else { continue };
            let key = (Class::new(group, rank.lead), rank.lead, rank.load.wrapping_sub(start), rank.slot);
            if best.is_none_or(|(least, _)| key < least) {
                best = Some((key, rank));
                rest_of_best = Some(able);
            }
        }
        let ((class, ..), first) = best?;
        if let Some(slot) = preferred.and_then(|id| self.slot(id))
            && self.member(slot).is_some_and(|member| member.verdict(want) == Ok(class))
        {
            return Some(slot);
        }
        let second = rest_of_best.filter(|_| self.strategy.evens_out()).and_then(|mut rest| rest.next());
        Some(
            second
                .filter(|second| self.is_idler(second, &first, now_ms))
                .map_or(first.slot, |second| second.slot),
        )
    }

    /// Whether the second is within one request of the first, and has fewer of them in flight.
    fn is_idler(&self, second: &Rank, first: &Rank, now_ms: u64) -> bool {
        let in_flight = |rank: &Rank| self.member(rank.slot).map_or(0, |member| member.in_flight);
        second.lead == first.lead
            && in_flight(second) < in_flight(first)
            && second.load <= self.strategy.bound(Load(first.load), now_ms).0
    }

    /// Those of a ring that can serve the request, in the order of choice.
    fn able<'a>(&'a self, ring: &'a Ring, want: &'a Want<'_>, start: u64) -> impl Iterator<Item = &'a Rank> {
        let (in_ring, each) = match ring.offer() {
            Some(offer) => (offer.admits(want.model), false),
            None => (true, true),
        };
        let ready = in_ring.then(|| ring.ready(start)).into_iter().flatten();
        ready.filter(move |rank| {
            (want.tried.is_empty() && !each)
                || self.member(rank.slot).is_some_and(|member| {
                    !want.tried.contains(&member.id) && (!each || member.admits(want.model))
                })
        })
    }

    /// Why there is none: from the rings' counts, for it is asked most when there is most to look through.
    fn refusal(&self, want: &Want<'_>) -> Refusal {
        let mut why = Tally::default();
        let mut soonest_ms: Option<u64> = None;
        for (_, ring) in self.rings.once_each(want.owner) {
            why.merge(ring.counts());
            why.add(Reason::LacksModel, ring.ready_count());
            let admits = ring.offer().is_none_or(|offer| offer.admits(want.model));
            let soonest = if admits { ring.soonest_ms() } else { self.rested_ms(ring, want) };
            soonest_ms = soonest_ms.into_iter().chain(soonest).min();
        }
        for (at, id) in want.tried.iter().enumerate() {
            let again = want.tried.iter().take(at).any(|other| other == id);
            let slot = self.slot(*id).filter(|_| !again);
            let member = slot.and_then(|slot| self.member(slot));
            if member.is_some_and(|member| member.verdict(want) == Err(Reason::Tried)) {
                why.take(Reason::LacksModel, 1);
                why.add(Reason::Tried, 1);
            }
        }
        let others = (self.len() as u32).saturating_sub(why.total());
        why.add(Reason::NotYours, others);
        Refusal { soonest_ms, why }
    }

    /// When the model may be asked for again in a ring that rests from it: by a sample, they rest for much the same time.
    fn rested_ms(&self, ring: &Ring, want: &Want<'_>) -> Option<u64> {
        let sample = ring.ready(0).take(SAMPLE).filter_map(|rank| self.member(rank.slot));
        sample.filter_map(|member| member.free_ms(want.model)).min()
    }
}
