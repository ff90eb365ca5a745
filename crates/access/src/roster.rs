//! The keys of this process, found by digest and by id.

use std::collections::HashMap;
use std::sync::Arc;

use qm_keys::Digest;

use crate::entry::Entry;

/// All keys.
#[derive(Default)]
pub(crate) struct Roster {
    /// Under the present digest and the one before.
    by_digest: HashMap<Digest, Arc<Entry>>,
    by_id: HashMap<Arc<str>, Arc<Entry>>,
}

impl Roster {
    /// Puts a key in the place of what it was.
    pub(crate) fn put(&mut self, entry: Arc<Entry>) {
        self.remove(&entry.id);
        for digest in [Some(entry.digest), entry.old.map(|(old, _)| old)].into_iter().flatten() {
            // A key that stands in the configuration too is the configuration's: nobody else can take it from there.
            let is_configured = self.by_digest.get(&digest).is_some_and(|known| known.record.is_none());
            if !is_configured {
                self.by_digest.insert(digest, Arc::clone(&entry));
            }
        }
        self.by_id.insert(Arc::clone(&entry.id), entry);
    }

    /// Forgets a key.
    pub(crate) fn remove(&mut self, id: &str) -> Option<Arc<Entry>> {
        let entry = self.by_id.remove(id)?;
        for digest in [Some(entry.digest), entry.old.map(|(old, _)| old)].into_iter().flatten() {
            if self.by_digest.get(&digest).is_some_and(|known| known.id == entry.id) {
                self.by_digest.remove(&digest);
            }
        }
        Some(entry)
    }

    pub(crate) fn by_digest(&self, digest: &Digest) -> Option<&Arc<Entry>> {
        self.by_digest.get(digest)
    }

    pub(crate) fn by_id(&self, id: &str) -> Option<&Arc<Entry>> {
        self.by_id.get(id)
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.by_id.values()
    }

    /// Keys from configuration, by id.
    pub(crate) fn configured(&self) -> Vec<Arc<Entry>> {
        let configured = self.entries().filter(|entry| entry.record.is_none());
        let mut entries: Vec<_> = configured.map(Arc::clone).collect();
        entries.sort_by(|one, other| one.id.cmp(&other.id));
        entries
    }
}
