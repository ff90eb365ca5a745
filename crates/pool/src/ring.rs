//! Accounts that serve the same people with the same models: those that can, in the order of choice, and those that
//! cannot, by reason. Kept up to date with each change, so that nobody ever looks through all accounts.

use std::collections::BTreeSet;
use std::iter::once_with;

use crate::offer::Offer;
use crate::want::{Reason, Tally};

/// Where an account stands in the order of choice; the least is the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    /// Tier and priority.
    pub(crate) lead: Lead,
    /// By the strategy.
    pub(crate) load: u64,
    pub(crate) slot: u32,
}

/// What comes before load: tier, then priority. In one number, for it is compared at every step through a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Lead(u64);

/// Whether an account can serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seat {
    Ready(Rank),
    Out {
        reason: Reason,
        /// When it can again, as far as that depends on time.
        free_ms: Option<u64>,
    },
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Ring {
    /// None in a ring for what did not fit elsewhere: there each account is asked for itself.
    offer: Option<Offer>,
    ready: BTreeSet<Rank>,
    waiting: BTreeSet<(u64, u32)>,
    counts: Tally,
}

// === impl Lead ===

impl Lead {
    /// `last_resort`: it rests still, only for want of any other. `nearly_dry`: it has little left, only for want of one
    /// that has more.
    pub(crate) fn new(last_resort: bool, nearly_dry: bool, priority: i32) -> Self {
        let priority = u64::from(priority.cast_unsigned() ^ (1 << 31));
        Self(u64::from(last_resort) << 33 | u64::from(nearly_dry) << 32 | priority)
    }

    pub(crate) fn is_last_resort(self) -> bool {
        self.0 >> 33 != 0
    }

    pub(crate) fn is_nearly_dry(self) -> bool {
        self.0 >> 32 & 1 != 0
    }
}

// === impl Ring ===

impl Ring {
    pub(crate) fn new(offer: Option<Offer>) -> Self {
        Self { offer, ready: BTreeSet::new(), waiting: BTreeSet::new(), counts: Tally::default() }
    }

    pub(crate) fn offer(&self) -> Option<&Offer> {
        self.offer.as_ref()
    }

    pub(crate) fn sit(&mut self, slot: u32, seat: &Seat) {
        match *seat {
            Seat::Ready(rank) => {
                self.ready.insert(rank);
            }
            Seat::Out { reason, free_ms } => {
                self.counts.add(reason, 1);
                self.waiting.extend(free_ms.map(|free_ms| (free_ms, slot)));
            }
        }
    }

    pub(crate) fn rise(&mut self, slot: u32, seat: &Seat) {
        match *seat {
            Seat::Ready(rank) => {
                self.ready.remove(&rank);
            }
            Seat::Out { reason, free_ms } => {
                self.counts.take(reason, 1);
                if let Some(free_ms) = free_ms {
                    self.waiting.remove(&(free_ms, slot));
                }
            }
        }
    }

    /// Those that can serve, in the order of choice; among those of the best lead beginning at the load `start`.
    pub(crate) fn ready(&self, start: u64) -> impl Iterator<Item = &Rank> {
        let straight = (start == 0).then(|| self.ready.iter());
        let lead = self.ready.first().filter(|_| start != 0).map(|first| first.lead);
        let around = lead.map(|lead| {
            let (begin, start) = (Rank { lead, load: 0, slot: 0 }, Rank { lead, load: start, slot: 0 });
            let end = Rank { lead, load: u64::MAX, slot: u32::MAX };
            // Each range is a search of its own, and nearly always the first one is enough.
            let after = self.ready.range(start..=end);
            let before = once_with(move || self.ready.range(begin..start)).flatten();
            let beyond = once_with(move || self.ready.range(end..)).flatten();
            after.chain(before).chain(beyond)
        });
        straight.into_iter().flatten().chain(around.into_iter().flatten())
    }

    /// The first of this lead.
    pub(crate) fn first_of(&self, lead: Lead) -> Option<&Rank> {
        self.ready.range(Rank { lead, load: 0, slot: 0 }..).next().filter(|first| first.lead == lead)
    }

    pub(crate) fn ready_count(&self) -> u32 {
        self.ready.len() as u32
    }

    pub(crate) fn counts(&self) -> &Tally {
        &self.counts
    }

    /// When the first of those that wait can serve.
    pub(crate) fn soonest_ms(&self) -> Option<u64> {
        self.waiting.first().map(|(free_ms, _)| *free_ms)
    }
}
