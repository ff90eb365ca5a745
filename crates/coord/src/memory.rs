//! Counters in the memory of one process.

mod counter;
mod window;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use async_trait::async_trait;

use self::counter::Counter;
use crate::{Ask, Coord, Full, Level, Meter, Slot, Taken, Ticket};

/// Subjects are spread over this many locks.
const SHARDS: usize = 16;

/// Idle subjects are not looked for among fewer than these.
const FEW: usize = 64;

/// Counters in the memory of one process. A subject of which nothing counts any more is dropped.
#[derive(Default)]
pub struct Memory {
    shards: [RwLock<Shard>; SHARDS],
}

#[derive(Default)]
struct Shard {
    subjects: HashMap<Arc<str>, Subject>,
    /// When there are this many, idle ones are looked for. It doubles with those that are not idle, so that each
    /// newcomer pays for looking at two others.
    sweep_at: usize,
}

/// The counters of one subject. Tickets hold it too, so that settling looks nothing up.
type Subject = Arc<Mutex<Counters>>;

/// Few, so that looking through them is the fastest way.
#[derive(Default)]
struct Counters(Vec<(Slot, Counter)>);

/// What was taken of one subject.
struct Paper {
    subject: Subject,
    /// Nothing once it is settled.
    pieces: Vec<Piece>,
}

/// What was taken from one counter.
#[derive(Clone, Copy, Debug)]
struct Piece {
    slot: Slot,
    /// How much of it is an estimate, or is held.
    amount: u64,
    /// Where in its counter: a window's step, a period's beginning.
    at: u64,
}

#[async_trait]
impl Coord for Memory {
    async fn take(&self, subject: &Arc<str>, asks: &[Ask], now_ms: u64) -> Result<Taken, Full> {
        let subject = self.subject(subject, now_ms);
        let mut counters = lock(&subject);
        let mut full = None;
        for (which, ask) in asks.iter().enumerate() {
            if let Err(room) = counters.turned(which, ask, now_ms).room(ask) {
                full = full.max(Some((room, which)));
            }
        }
        if let Some((room, which)) = full {
            return Err(Full { which, room, levels: counters.levels(asks, now_ms) });
        }
        let take = |(which, ask): (usize, &Ask)| {
            let (at, amount) = counters.of(which, ask).take(ask, now_ms);
            Piece { slot: ask.slot, amount, at }
        };
        let pieces = asks.iter().enumerate().map(take).collect();
        let levels = counters.levels(asks, now_ms);
        drop(counters);
        Ok(Taken { ticket: Box::new(Paper { subject, pieces }), levels })
    }

    async fn seed(&self, subject: &Arc<str>, slot: Slot, meter: Meter, used: u64) {
        let Meter::Period { start_ms, end_ms } = meter else { return };
        let subject = self.subject(subject, start_ms);
        let mut counters = lock(&subject);
        let begun = Counter::begun(start_ms, end_ms, used);
        match counters.0.iter_mut().find(|(own, _)| *own == slot) {
            Some((_, counter)) if counter.has_begun(start_ms) => counter.raise(start_ms, used),
            Some((_, counter)) => *counter = begun,
            None => counters.0.push((slot, begun)),
        }
    }

    async fn levels(&self, subject: &str, asks: &[Ask], now_ms: u64) -> Vec<Level> {
        let known = read(self.shard(subject)).subjects.get(subject).map(Arc::clone).unwrap_or_default();
        let mut counters = lock(&known);
        for (which, ask) in asks.iter().enumerate() {
            counters.turned(which, ask, now_ms);
        }
        counters.levels(asks, now_ms)
    }

    fn forget(&self, subject: &str) {
        write(self.shard(subject)).subjects.remove(subject);
    }
}

impl Memory {
    /// Subjects of which something counts, or did when idle ones were last looked for.
    #[must_use]
    pub fn subjects(&self) -> usize {
        self.shards.iter().map(|shard| read(shard).subjects.len()).sum()
    }

    fn subject(&self, name: &Arc<str>, now_ms: u64) -> Subject {
        let shard = self.shard(name);
        if let Some(known) = read(shard).subjects.get(name) {
            return Arc::clone(known);
        }
        let mut shard = write(shard);
        if shard.subjects.len() >= shard.sweep_at.max(FEW) {
            shard.subjects.retain(|_, subject| !is_idle(subject, now_ms));
            shard.sweep_at = shard.subjects.len() * 2;
        }
        Arc::clone(shard.subjects.entry(Arc::clone(name)).or_default())
    }

    /// Subjects need only be spread, not safely hashed: the map within does that.
    fn shard(&self, subject: &str) -> &RwLock<Shard> {
        let [first, ..] = &self.shards;
        let sum = subject.bytes().rev().take(8).fold(0_usize, |sum, byte| sum * 31 + usize::from(byte));
        self.shards.get(sum % SHARDS).unwrap_or(first)
    }
}

impl Ticket for Paper {
    fn settle(mut self: Box<Self>, real: &[Option<u64>], now_ms: u64) {
        self.settle_once(real, now_ms);
    }
}

impl Drop for Paper {
    fn drop(&mut self) {
        // As it was taken, so that nothing is counted anew and no time is needed.
        self.settle_once(&[], 0);
    }
}

impl Paper {
    fn settle_once(&mut self, real: &[Option<u64>], now_ms: u64) {
        let pieces = std::mem::take(&mut self.pieces);
        if pieces.is_empty() {
            return;
        }
        let mut counters = lock(&self.subject);
        for (which, piece) in pieces.iter().enumerate() {
            let real = real.get(which).copied().flatten().unwrap_or(piece.amount);
            if let Some(at) = counters.position(which, piece.slot)
                && let Some((_, counter)) = counters.0.get_mut(at)
            {
                counter.settle(piece, real, now_ms);
            }
        }
    }
}

fn read(shard: &RwLock<Shard>) -> RwLockReadGuard<'_, Shard> {
    shard.read().unwrap_or_else(PoisonError::into_inner)
}

fn write(shard: &RwLock<Shard>) -> RwLockWriteGuard<'_, Shard> {
    shard.write().unwrap_or_else(PoisonError::into_inner)
}

fn lock(subject: &Subject) -> MutexGuard<'_, Counters> {
    subject.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether nobody would notice that it is gone: nothing counts, and no ticket can bring anything back. Nobody else can
/// get hold of it meanwhile: the shard is locked.
fn is_idle(subject: &Subject, now_ms: u64) -> bool {
    Arc::strong_count(subject) == 1 && lock(subject).0.iter_mut().all(|(_, counter)| counter.is_idle(now_ms))
}

impl Counters {
    /// The counter of this ask, as of now: without what is over.
    fn turned(&mut self, which: usize, ask: &Ask, now_ms: u64) -> &mut Counter {
        let counter = self.of(which, ask);
        counter.turn(ask.meter, now_ms);
        counter
    }

    /// The counter of this ask. `which` is the ask's place, where it most likely is: a subject is mostly asked for the
    /// same things.
    fn of(&mut self, which: usize, ask: &Ask) -> &mut Counter {
        let at = self.position(which, ask.slot).unwrap_or_else(|| {
            self.0.push((ask.slot, Counter::new(ask.meter)));
            self.0.len() - 1
        });
        #[expect(
            clippy::indexing_slicing,
            reason = "found or pushed just above; a lookup would borrow twice"
        )]
        let (_, counter) = &mut self.0[at];
        counter
    }

    fn position(&self, which: usize, slot: Slot) -> Option<usize> {
        if self.0.get(which).is_some_and(|(own, _)| *own == slot) {
            return Some(which);
        }
        self.0.iter().position(|(own, _)| *own == slot)
    }

    /// How counters stand that are turned already.
    fn levels(&mut self, asks: &[Ask], now_ms: u64) -> Vec<Level> {
        asks.iter().enumerate().map(|(which, ask)| self.of(which, ask).level(now_ms)).collect()
    }
}
