//! Responses that are kept for those who asked for them: in memory, bounded in number and bytes. The ones that nobody
//! has used for the longest time make room first; all are gone when the process ends.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use qm_relay::admit::KeyId;

/// What an entry takes besides its texts, roughly, in bytes.
const OVERHEAD: usize = 512;

/// The responses that are kept, and the bounds of keeping.
pub struct Kept {
    most: usize,
    bytes: usize,
    store: Mutex<Store>,
}

/// One response.
#[derive(Clone)]
pub(crate) struct Record {
    /// The response object, as JSON.
    pub(crate) response: Bytes,
    /// The items of its conversation up to its own, a JSON list.
    pub(crate) items: Arc<str>,
}

/// What may yet have to be kept of a request that is being answered. Gives its bytes back when it is dropped.
pub(crate) struct Awaited {
    kept: Arc<Kept>,
    bytes: usize,
}

#[derive(Default)]
struct Store {
    entries: HashMap<Arc<str>, Entry>,
    /// Ids in the order of their last use.
    by_use: BTreeMap<u64, Arc<str>>,
    uses: u64,
    bytes: usize,
    awaited: usize,
}

struct Entry {
    owner: KeyId,
    used: u64,
    record: Record,
}

// === impl Kept ===

impl Kept {
    /// Keeps at most so many responses, and so many bytes of them; none at all if `most` is 0. What requests bring
    /// that are still being answered may take as many bytes again.
    #[must_use]
    pub fn new(most: usize, bytes: usize) -> Self {
        Self { most, bytes, store: Mutex::default() }
    }

    /// Whether none is kept.
    pub(crate) fn is_off(&self) -> bool {
        self.most == 0
    }

    /// Room for what a request brings, until its response is complete; `None` if there is none.
    pub(crate) fn room(self: &Arc<Self>, bytes: usize) -> Option<Awaited> {
        let bytes = bytes.saturating_add(OVERHEAD);
        let mut store = self.lock();
        if store.awaited.saturating_add(bytes) > self.bytes {
            return None;
        }
        store.awaited += bytes;
        drop(store);
        Some(Awaited { kept: Arc::clone(self), bytes })
    }

    /// Keeps a response of this owner's. Others make room for it, unless it is larger than all that may be kept.
    pub(crate) fn keep(&self, owner: KeyId, id: &str, record: Record) {
        let bytes = record.bytes();
        if bytes > self.bytes || self.is_off() {
            return;
        }
        let id: Arc<str> = id.into();
        let mut store = self.lock();
        store.remove(&id);
        while store.entries.len() >= self.most || store.bytes + bytes > self.bytes {
            let Some((_, oldest)) = store.by_use.pop_first() else { break };
            store.remove(&oldest);
        }
        let used = store.tick();
        store.bytes += bytes;
        store.by_use.insert(used, Arc::clone(&id));
        store.entries.insert(id, Entry { owner, used, record });
    }

    /// The response of this id, if it is this owner's.
    pub(crate) fn find(&self, owner: &KeyId, id: &str) -> Option<Record> {
        let mut store = self.lock();
        let used = store.tick();
        let entry = store.entries.get_mut(id).filter(|entry| entry.owner == *owner)?;
        let (before, record) = (std::mem::replace(&mut entry.used, used), entry.record.clone());
        if let Some(id) = store.by_use.remove(&before) {
            store.by_use.insert(used, id);
        }
        Some(record)
    }

    /// Forgets the response of this id, if it is this owner's. Says whether it was there.
    pub(crate) fn forget(&self, owner: &KeyId, id: &str) -> bool {
        let mut store = self.lock();
        let there = store.entries.get(id).is_some_and(|entry| entry.owner == *owner);
        if there {
            store.remove(id);
        }
        there
    }

    /// Nothing is done under the lock that could leave the store half changed.
    fn lock(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Record ===

impl Record {
    fn bytes(&self) -> usize {
        self.response.len() + self.items.len() + OVERHEAD
    }
}

// === impl Store ===

impl Store {
    fn tick(&mut self) -> u64 {
        self.uses += 1;
        self.uses
    }

    fn remove(&mut self, id: &str) {
        if let Some(entry) = self.entries.remove(id) {
            self.by_use.remove(&entry.used);
            self.bytes -= entry.record.bytes();
        }
    }
}

// === impl Awaited ===

impl Drop for Awaited {
    fn drop(&mut self) {
        self.kept.lock().awaited -= self.bytes;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(bytes: usize) -> Record {
        Record { response: vec![b'x'; bytes].into(), items: "".into() }
    }

    fn owner(name: &str) -> KeyId {
        name.into()
    }

    #[test]
    fn what_was_used_last_stays_longest() {
        let kept = Kept::new(2, 1 << 20);
        let me = owner("me");
        for id in ["one", "two"] {
            kept.keep(me.clone(), id, record(1));
        }
        assert!(kept.find(&me, "one").is_some());
        kept.keep(me.clone(), "three", record(1));
        let there = ["one", "two", "three"].map(|id| kept.find(&me, id).is_some());
        assert_eq!(there, [true, false, true]);
        assert!(kept.forget(&me, "one") && !kept.forget(&me, "one"));
        assert!(kept.find(&me, "one").is_none());
    }

    #[test]
    fn nobody_sees_or_forgets_what_is_another_s() {
        let kept = Kept::new(2, 1 << 20);
        kept.keep(owner("me"), "one", record(1));
        assert!(kept.find(&owner("you"), "one").is_none() && !kept.forget(&owner("you"), "one"));
        assert!(kept.find(&owner("me"), "one").is_some());
    }

    #[test]
    fn what_is_larger_than_the_shelf_is_not_kept_and_takes_nothing_away() {
        let kept = Kept::new(2, 2 * OVERHEAD);
        let me = owner("me");
        kept.keep(me.clone(), "small", record(1));
        kept.keep(me.clone(), "large", record(2 * OVERHEAD));
        assert!(kept.find(&me, "small").is_some() && kept.find(&me, "large").is_none());
    }

    #[test]
    fn requests_on_their_way_are_bounded_too() {
        let kept = Arc::new(Kept::new(2, 3 * OVERHEAD));
        let first = kept.room(OVERHEAD).expect("there is room");
        assert!(kept.room(OVERHEAD).is_none());
        drop(first);
        assert!(kept.room(OVERHEAD).is_some());
    }

    proptest! {
        #[test]
        fn the_bounds_hold_whatever_is_done(
            most in 0_usize..5,
            deeds in prop::collection::vec((0_u8..3, 0_u8..8, 0_usize..3 * OVERHEAD), 0..200),
        ) {
            let kept = Kept::new(most, 4 * OVERHEAD);
            let me = owner("me");
            for (deed, id, bytes) in deeds {
                let id = id.to_string();
                match deed {
                    0 => kept.keep(me.clone(), &id, record(bytes)),
                    1 => drop(kept.find(&me, &id)),
                    _ => drop(kept.forget(&me, &id)),
                }
                let store = kept.lock();
                let bytes: usize = store.entries.values().map(|entry| entry.record.bytes()).sum();
                prop_assert_eq!(store.bytes, bytes);
                prop_assert!(bytes <= kept.bytes && store.entries.len() <= most);
                let by_use: Vec<_> = store.by_use.iter().collect();
                prop_assert_eq!(by_use.len(), store.entries.len());
                for (used, id) in by_use {
                    prop_assert_eq!(store.entries.get(id).map(|entry| entry.used), Some(*used));
                }
            }
        }
    }
}
