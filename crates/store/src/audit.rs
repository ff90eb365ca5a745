//! What people did: written once, never changed, each entry holding the hash of the one before.
//!
//! The chain shows that an entry was changed, removed or put between later. It does not stop somebody who can write the file and
//! compute the whole chain anew; for that, note the last hash elsewhere from time to time.

use async_trait::async_trait;
use sha2::{Digest as _, Sha256};

use crate::{Ms, StoreError};

/// Something somebody did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditEntry {
    /// When.
    pub at_ms: Ms,
    /// Who: the name or prefix of a key, `console`, `cli`, `house`.
    pub actor: String,
    /// From where: an address, or empty.
    pub source: String,
    /// What: `account.export`.
    pub action: String,
    /// To what: an id, or empty.
    pub subject: String,
    /// JSON of the rest, without secrets; or empty.
    pub detail: String,
}

/// An entry in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// One for the first, one more for each; no gaps.
    pub number: i64,
    /// The entry.
    pub entry: AuditEntry,
    /// Hash of this entry and the hash before it, in hex.
    pub hash: String,
}

/// Which entries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditFilter {
    /// Only by this actor.
    pub actor: Option<String>,
    /// Only this action, or those below it: `account` finds `account.export`.
    pub action: Option<String>,
    /// Only to this subject.
    pub subject: Option<String>,
    /// Only older than this number.
    pub before: Option<i64>,
}

/// Where a chain is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the audit was altered at or before entry {number}")]
pub struct BrokenChain {
    /// The first entry that does not follow from the one before.
    pub number: i64,
}

/// The audit.
#[async_trait]
pub trait Audit: Send + Sync {
    /// Writes an entry at the end.
    async fn append(&self, entry: AuditEntry) -> Result<AuditRecord, StoreError>;

    /// Entries, newest first, `limit` at most.
    async fn list(&self, filter: &AuditFilter, limit: u32) -> Result<Vec<AuditRecord>, StoreError>;

    /// Entries after this number, oldest first, `limit` at most: for [`verify`].
    async fn chain(&self, after: i64, limit: u32) -> Result<Vec<AuditRecord>, StoreError>;
}

/// The hash of an entry that follows another; the first follows the empty text.
#[must_use]
pub fn link(before: &str, number: i64, entry: &AuditEntry) -> String {
    let AuditEntry { at_ms, actor, source, action, subject, detail } = entry;
    let mut hash = Sha256::new();
    let [number, at] = [number.to_string(), at_ms.to_string()];
    for part in ["quartermaster audit 1", before, &number, &at, actor, source, action, subject, detail] {
        // Lengths first, so that no text can be moved from one field into its neighbour.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().iter().fold(String::with_capacity(64), |hex, byte| hex + &format!("{byte:02x}"))
}

/// Checks entries that follow the one of this number and hash (0 and the empty text before the first). Number and hash of the last.
///
/// # Errors
/// The first entry that does not follow.
pub fn verify(after: i64, before: &str, entries: &[AuditRecord]) -> Result<(i64, String), BrokenChain> {
    let mut last = (after, before.to_owned());
    for record in entries {
        let number = last.0 + 1;
        if record.number != number || record.hash != link(&last.1, number, &record.entry) {
            return Err(BrokenChain { number });
        }
        last = (number, record.hash.clone());
    }
    Ok(last)
}

#[cfg(test)]
mod tests {
    use super::{AuditEntry, AuditRecord, BrokenChain, link, verify};

    fn entry(action: &str) -> AuditEntry {
        AuditEntry { at_ms: 5, actor: "cli".into(), action: action.into(), ..AuditEntry::default() }
    }

    fn chain(actions: &[&str]) -> Vec<AuditRecord> {
        let mut hash = String::new();
        let records = actions.iter().zip(1..).map(|(action, number)| {
            let entry = entry(action);
            hash = link(&hash, number, &entry);
            AuditRecord { number, entry, hash: hash.clone() }
        });
        records.collect()
    }

    #[test]
    fn a_whole_chain_holds_in_one_piece_and_in_two() {
        let records = chain(&["a", "b", "c"]);
        let last = verify(0, "", &records).unwrap();
        assert_eq!(last, (3, records[2].hash.clone()));
        let middle = verify(0, "", &records[..1]).unwrap();
        assert_eq!(verify(middle.0, &middle.1, &records[1..]).unwrap(), last);
    }

    #[test]
    fn whatever_is_altered_breaks_it() {
        let broken = |number, alter: fn(&mut Vec<AuditRecord>)| {
            let mut records = chain(&["a", "b", "c"]);
            alter(&mut records);
            assert_eq!(verify(0, "", &records), Err(BrokenChain { number }));
        };
        broken(2, |records| records[1].entry.action = "x".into());
        broken(2, |records| records[1].entry.at_ms += 1);
        broken(2, |records| drop(records.remove(1)));
        broken(1, |records| records.swap(0, 1));
        broken(3, |records| records[2].hash = "0".repeat(64));
        // Moved from one field into its neighbour.
        broken(1, |records| {
            records[0].entry.actor = "clia".into();
            records[0].entry.action = String::new();
        });
    }
}
