//! All accounts, and where each stands. Every change to an account ends in [`Roster::place`].

use std::collections::{BTreeSet, HashMap};

use crate::account::{AccountId, Traits};
use crate::affinity::Affinity;
use crate::health::condition::Condition;
use crate::health::{Rules, Stored};
use crate::load::Load;
use crate::member::{Member, Standing};
use crate::mixed::Mixed;
use crate::ring::Seat;
use crate::rings::{Hall, Rings};
use crate::strategy::Strategy;

/// See the module.
#[derive(Debug)]
pub(crate) struct Roster {
    pub(crate) rules: Rules,
    pub(crate) strategy: Strategy,
    members: Vec<Option<Member>>,
    free: Vec<u32>,
    by_id: HashMap<AccountId, u32, Mixed>,
    pub(crate) rings: Rings,
    /// When something changes at an account by itself: each has at most one entry.
    wakes: BTreeSet<(u64, u32)>,
    pub(crate) affinity: Affinity,
    /// The time as it was last told, for leases that are dropped.
    pub(crate) latest_ms: u64,
    /// Mixed from the chance of all choices, for what has no chance of its own.
    pub(crate) chance: u64,
    /// Counts the choices.
    pub(crate) turn: u64,
    /// Slots that have news for the writer.
    pub(crate) with_news: Vec<u32>,
}

/// Accounts that are woken at one choice. When thousands wake at once their entry is spread over the next choices;
/// only a choice that would find nobody wakes all who are due.
pub(crate) const WAKES: usize = 32;

// === impl Roster ===

impl Roster {
    pub(crate) fn new(rules: Rules, strategy: Strategy) -> Self {
        Self {
            rules,
            strategy,
            members: Vec::new(),
            free: Vec::new(),
            by_id: HashMap::default(),
            rings: Rings::default(),
            wakes: BTreeSet::new(),
            affinity: Affinity::default(),
            latest_ms: 0,
            chance: 0x9e37_79b9_7f4a_7c15,
            turn: 0,
            with_news: Vec::new(),
        }
    }

    pub(crate) fn slot(&self, id: AccountId) -> Option<u32> {
        self.by_id.get(&id).copied()
    }

    pub(crate) fn member(&self, slot: u32) -> Option<&Member> {
        self.members.get(slot as usize)?.as_ref()
    }

    pub(crate) fn member_mut(&mut self, slot: u32) -> Option<&mut Member> {
        self.members.get_mut(slot as usize)?.as_mut()
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = (u32, &Member)> {
        let slots = self.members.iter().zip(0_u32..);
        slots.filter_map(|(member, slot)| Some((slot, member.as_ref()?)))
    }

    pub(crate) fn slots(&self) -> std::ops::Range<u32> {
        0..self.members.len() as u32
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Adds an account; one that is there gets these traits and keeps its health.
    pub(crate) fn add(&mut self, id: AccountId, traits: Traits, stored: Stored, now_ms: u64) {
        let slot = if let Some(slot) = self.slot(id) {
            let Some(member) = self.member_mut(slot) else { return };
            let stays = Hall::of(&member.traits) == Hall::of(&traits);
            member.set_traits(traits);
            if stays {
                // It keeps its turn: nobody has gone, nobody has come.
                self.place(slot, now_ms);
                return;
            }
            slot
        } else {
            let chance = self.chance();
            let member = Member::new(id, traits, Condition::of(stored), self.strategy.fresh(chance));
            let slot = self.free.pop().unwrap_or(self.members.len() as u32);
            match self.members.get_mut(slot as usize) {
                Some(place) => *place = Some(member),
                None => self.members.push(Some(member)),
            }
            self.by_id.insert(id, slot);
            slot
        };
        self.move_house(slot, now_ms);
    }

    /// Another order of choice, in which all begin anew.
    pub(crate) fn set_strategy(&mut self, strategy: Strategy, now_ms: u64) {
        if std::mem::replace(&mut self.strategy, strategy) == strategy {
            return;
        }
        // All rise before any sits: loads of two strategies must not meet in one order.
        for slot in self.slots() {
            self.leave_rings(slot);
            let fresh = strategy.fresh(self.chance());
            if let Some(member) = self.member_mut(slot) {
                member.load = fresh;
            }
        }
        for slot in self.slots() {
            self.join_rings(slot, now_ms);
            // As one that stood there: none is new to the others.
            let seat = self.member_mut(slot).map(|member| member.standing(slot, strategy, now_ms).seat);
            self.sit(slot, seat, now_ms);
        }
    }

    /// Places an account whose owner, policy or models may have changed.
    pub(crate) fn move_house(&mut self, slot: u32, now_ms: u64) {
        self.leave_rings(slot);
        self.place(slot, now_ms);
    }

    pub(crate) fn remove(&mut self, id: AccountId) -> bool {
        let Some(slot) = self.by_id.remove(&id) else { return false };
        self.leave_rings(slot);
        if let Some(wakes_ms) = self.member(slot).and_then(|member| member.wakes_ms) {
            self.wakes.remove(&(wakes_ms, slot));
        }
        if let Some(place) = self.members.get_mut(slot as usize) {
            *place = None;
        }
        self.with_news.retain(|other| *other != slot);
        self.free.push(slot);
        true
    }

    /// Puts an account where it ought to stand now.
    pub(crate) fn place(&mut self, slot: u32, now_ms: u64) {
        let stood = self.member(slot).and_then(|member| member.seat);
        let moved = self.join_rings(slot, now_ms);
        self.sit(slot, stood.filter(|_| !moved), now_ms);
    }

    /// Places an account whose models have become known: as good as all were offered before, so it keeps its turn.
    pub(crate) fn narrow(&mut self, slot: u32, now_ms: u64) {
        let stood = self.member(slot).and_then(|member| member.seat);
        self.leave_rings(slot);
        self.join_rings(slot, now_ms);
        self.sit(slot, stood, now_ms);
    }

    /// Gives an account its seat. `stood`: where it stood among those beside it now, if it did.
    fn sit(&mut self, slot: u32, stood: Option<Seat>, now_ms: u64) {
        let Some(member) = self.members.get_mut(slot as usize).and_then(Option::as_mut) else { return };
        let Standing { mut seat, changes_ms } = member.standing(slot, self.strategy, now_ms);
        let stood_at = match stood {
            Some(Seat::Ready(rank)) => Some(rank.lead),
            _ => None,
        };
        if let Seat::Ready(rank) = &mut seat
            && stood_at != Some(rank.lead)
            && self.strategy.by_rate()
        {
            // New among these or back: at par with the one whose turn is next.
            let beside = member.rings.first().into_iter().flat_map(|ring| self.rings.beside(*ring));
            let par = beside.filter_map(|ring| ring.first_of(rank.lead)).map(|first| first.load).min();
            rank.load = rank.load.max(par.unwrap_or_default());
            member.load = Load(rank.load);
        }
        if member.seat != Some(seat) {
            for ring in &member.rings {
                if let Some(ring) = self.rings.ring_mut(*ring) {
                    if let Some(old) = &member.seat {
                        ring.rise(slot, old);
                    }
                    ring.sit(slot, &seat);
                }
            }
            member.seat = Some(seat);
        }
        if member.wakes_ms != changes_ms {
            if let Some(wakes_ms) = member.wakes_ms {
                self.wakes.remove(&(wakes_ms, slot));
            }
            self.wakes.extend(changes_ms.map(|wakes_ms| (wakes_ms, slot)));
            member.wakes_ms = changes_ms;
        }
    }

    /// Places up to so many accounts at which something has changed by itself.
    pub(crate) fn wake(&mut self, now_ms: u64, most: usize) {
        self.latest_ms = now_ms;
        for _ in 0..most {
            let Some(&(wakes_ms, slot)) = self.wakes.first() else { return };
            if wakes_ms > now_ms {
                return;
            }
            self.place(slot, now_ms);
            // Whatever is reckoned from a time that has come lies later; should it not, it must not come again at once.
            if self.wakes.remove(&(wakes_ms, slot))
                && let Some(member) = self.member_mut(slot)
            {
                member.wakes_ms = None;
            }
        }
    }

    /// Whether anybody is due to be placed.
    pub(crate) fn is_due(&self, now_ms: u64) -> bool {
        self.wakes.first().is_some_and(|(wakes_ms, _)| *wakes_ms <= now_ms)
    }

    /// Chance for what has none of its own.
    pub(crate) fn chance(&mut self) -> u64 {
        // SplitMix64.
        self.chance = self.chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.chance ^ (self.chance >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Notes that an account has news for the writer.
    pub(crate) fn has_news(&mut self, slot: u32, of_health: bool) {
        let Some(member) = self.member_mut(slot) else { return };
        member.news.of_health |= of_health;
        if !std::mem::replace(&mut member.news.listed, true) {
            self.with_news.push(slot);
        }
    }

    /// Into the rings of its halls and its offer, if that is not where it is. Whether it went.
    fn join_rings(&mut self, slot: u32, now_ms: u64) -> bool {
        let Some(member) = self.member(slot) else { return false };
        if !member.rings.is_empty() && !member.offer_may_change() {
            return false;
        }
        let offer = member.offers(now_ms);
        if !member.rings.is_empty() && member.offer == offer {
            return false;
        }
        let halls = Hall::of(&member.traits);
        self.leave_rings(slot);
        let rings = halls.iter().map(|hall| self.rings.join(hall, &offer)).collect();
        if let Some(member) = self.member_mut(slot) {
            member.rings = rings;
            member.offer = offer;
        }
        true
    }

    fn leave_rings(&mut self, slot: u32) {
        let Some(member) = self.members.get_mut(slot as usize).and_then(Option::as_mut) else { return };
        let seat = member.seat.take();
        for id in std::mem::take(&mut member.rings) {
            if let (Some(seat), Some(ring)) = (&seat, self.rings.ring_mut(id)) {
                ring.rise(slot, seat);
            }
            self.rings.leave(id);
        }
    }
}
