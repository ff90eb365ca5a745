//! Counters in the memory of one process.

mod counter;
mod window;

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use self::counter::Counter;
use crate::{Ask, Coord, Full, Level, Meter, Piece, Slot, Taken, Ticket};

/// Subjects are spread over this many locks.
const SHARDS: usize = 16;

/// Idle subjects are not looked for among fewer than these.
const FEW: usize = 64;

/// Counters in the memory of one process. A subject of which nothing counts any more is dropped.
pub struct Memory {
    shards: [Mutex<Shard>; SHARDS],
    spread: RandomState,
}

#[derive(Default)]
struct Shard {
    subjects: HashMap<Arc<str>, Counters>,
    /// When there are this many, idle ones are looked for. It doubles with those that are not idle, so that each
    /// newcomer pays for looking at two others.
    sweep_at: usize,
}

/// The counters of one subject: few, so that looking through them is the fastest way.
#[derive(Default)]
struct Counters(Vec<(Slot, Counter)>);

impl Default for Memory {
    fn default() -> Self {
        Self { shards: std::array::from_fn(|_| Mutex::default()), spread: RandomState::new() }
    }
}

#[async_trait]
impl Coord for Memory {
    async fn take(&self, subject: &Arc<str>, asks: &[Ask], now_ms: u64) -> Result<Taken, Full> {
        let mut shard = self.shard(subject);
        let counters = shard.counters(subject, now_ms);
        let mut full = None;
        for (which, ask) in asks.iter().enumerate() {
            if let Err(room) = counters.of(ask.slot, ask.meter, now_ms).room(ask) {
                full = full.max(Some((room, which)));
            }
        }
        if let Some((room, which)) = full {
            return Err(Full { which, room, levels: counters.levels(asks, now_ms) });
        }
        let take = |ask: &Ask| {
            let at = counters.of(ask.slot, ask.meter, now_ms).take(ask.amount, now_ms);
            Piece { slot: ask.slot, amount: ask.amount, at }
        };
        let pieces = asks.iter().map(take).collect();
        let levels = counters.levels(asks, now_ms);
        Ok(Taken { ticket: Ticket { subject: Arc::clone(subject), pieces }, levels })
    }

    fn settle(&self, ticket: Ticket, real: &[Option<u64>], now_ms: u64) {
        let mut shard = self.shard(&ticket.subject);
        // Gone if it was forgotten: then nobody asks any more.
        let Some(counters) = shard.subjects.get_mut(&ticket.subject) else { return };
        for (at, piece) in ticket.pieces.iter().enumerate() {
            let real = real.get(at).copied().flatten().unwrap_or(piece.amount);
            if let Some(counter) = counters.find(piece.slot) {
                counter.settle(piece, real, now_ms);
            }
        }
    }

    async fn seed(&self, subject: &Arc<str>, slot: Slot, meter: Meter, used: u64) {
        let Meter::Period { start_ms, end_ms } = meter else { return };
        let mut shard = self.shard(subject);
        let counters = shard.counters(subject, start_ms);
        match counters.find(slot) {
            Some(counter) if counter.has_begun(start_ms) => {}
            Some(counter) => *counter = Counter::begun(start_ms, end_ms, used),
            None => counters.0.push((slot, Counter::begun(start_ms, end_ms, used))),
        }
    }

    async fn levels(&self, subject: &str, asks: &[Ask], now_ms: u64) -> Vec<Level> {
        match self.shard(subject).subjects.get_mut(subject) {
            Some(counters) => counters.levels(asks, now_ms),
            None => Counters::default().levels(asks, now_ms),
        }
    }

    fn forget(&self, subject: &str) {
        self.shard(subject).subjects.remove(subject);
    }
}

impl Memory {
    /// Subjects of which something counts, or did when idle ones were last looked for.
    #[must_use]
    pub fn subjects(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).subjects.len()).sum()
    }

    fn shard(&self, subject: &str) -> MutexGuard<'_, Shard> {
        let [first, ..] = &self.shards;
        let at = (self.spread.hash_one(subject) % SHARDS as u64) as usize;
        lock(self.shards.get(at).unwrap_or(first))
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shard {
    fn counters(&mut self, subject: &Arc<str>, now_ms: u64) -> &mut Counters {
        if !self.subjects.contains_key(subject) {
            if self.subjects.len() >= self.sweep_at.max(FEW) {
                self.subjects.retain(|_, counters| !counters.are_idle(now_ms));
                self.sweep_at = self.subjects.len() * 2;
            }
            self.subjects.insert(Arc::clone(subject), Counters::default());
        }
        self.subjects.entry(Arc::clone(subject)).or_default()
    }
}

impl Counters {
    /// The counter of this slot, counting as this meter does: as of now, without what is over.
    fn of(&mut self, slot: Slot, meter: Meter, now_ms: u64) -> &mut Counter {
        let at = self.0.iter().position(|(own, _)| *own == slot).unwrap_or_else(|| {
            self.0.push((slot, Counter::new(meter)));
            self.0.len() - 1
        });
        #[expect(
            clippy::indexing_slicing,
            reason = "found or pushed just above; a lookup would borrow twice"
        )]
        let (_, counter) = &mut self.0[at];
        counter.turn(meter, now_ms);
        counter
    }

    fn find(&mut self, slot: Slot) -> Option<&mut Counter> {
        self.0.iter_mut().find(|(own, _)| *own == slot).map(|(_, counter)| counter)
    }

    fn levels(&mut self, asks: &[Ask], now_ms: u64) -> Vec<Level> {
        asks.iter().map(|ask| self.of(ask.slot, ask.meter, now_ms).level(now_ms)).collect()
    }

    fn are_idle(&mut self, now_ms: u64) -> bool {
        self.0.iter_mut().all(|(_, counter)| counter.is_idle(now_ms))
    }
}
