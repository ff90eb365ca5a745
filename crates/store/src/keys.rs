//! The verbs on keys.

use async_trait::async_trait;

use crate::key::{KeyMark, KeyOrigin, KeyPatch, KeyRecord, NewKey};
use crate::{Ms, StoreError};

/// Keys of the gateway.
///
/// As with accounts, what another process must notice raises the store's revision and is found by [`Keys::changed_since`]; what keys did
/// is counted with their receipts ([`crate::Receipts::append`]) and raises nothing.
///
/// Verbs that take `if_revision` do nothing and answer [`StoreError::Changed`] if the key is of another revision by now.
#[async_trait]
pub trait Keys: Send + Sync {
    /// Keeps a new key.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] for its id or digest.
    async fn insert(&self, key: NewKey, now_ms: Ms) -> Result<KeyRecord, StoreError>;

    /// Keeps a new key unless one with this scope is kept already, in force or not: of two processes that start at once on an empty
    /// store, one makes the first key.
    async fn insert_first(
        &self,
        key: NewKey,
        scope: &str,
        now_ms: Ms,
    ) -> Result<Option<KeyRecord>, StoreError>;

    /// The key of this id.
    async fn by_id(&self, id: &str) -> Result<Option<KeyRecord>, StoreError>;

    /// The key of this number.
    async fn by_number(&self, number: i64) -> Result<Option<KeyRecord>, StoreError>;

    /// One page of a listing by number, `limit` rows at most.
    async fn list(&self, filter: &KeyFilter, place: KeyPlace, limit: u32) -> Result<KeyPage, StoreError>;

    /// All keys, by number, and the revision they were read at.
    async fn all(&self) -> Result<KeyChanges, StoreError>;

    /// What was written after this revision. Everything that happened is in it once; the new revision is for the next call.
    async fn changed_since(&self, revision: i64) -> Result<KeyChanges, StoreError>;

    /// Changes what people set; nothing if there is no such key.
    async fn update(
        &self,
        id: &str,
        patch: KeyPatch,
        if_revision: Option<i64>,
        now_ms: Ms,
    ) -> Result<Option<KeyRecord>, StoreError>;

    /// Revokes a key, its old form and its sessions. One that was revoked stays as it was.
    async fn revoke(&self, id: &str, now_ms: Ms) -> Result<Option<KeyRecord>, StoreError>;

    /// Takes a revocation back. An old form of the key stays gone.
    async fn restore(&self, id: &str, now_ms: Ms) -> Result<Option<KeyRecord>, StoreError>;

    /// Gives a key a new form; the one it has is good until then, an older one is gone. Without a time it ends at once,
    /// and sessions that were opened with it end too: whoever has got hold of it may have opened one.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] if the digest is another key's.
    async fn rotate(
        &self,
        id: &str,
        mark: KeyMark,
        old_until_ms: Option<Ms>,
        if_revision: Option<i64>,
        now_ms: Ms,
    ) -> Result<Option<KeyRecord>, StoreError>;

    /// Forgets a key and its sessions; its receipts stay. Whether there was one.
    async fn remove(&self, id: &str, if_revision: Option<i64>, now_ms: Ms) -> Result<bool, StoreError>;

    /// What all keys that are kept did, together.
    async fn totals(&self) -> Result<KeyTotals, StoreError>;
}

/// Which keys; all that are set must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyFilter {
    /// Only enabled or only disabled ones.
    pub enabled: Option<bool>,
    /// Only revoked ones, or only those that are not.
    pub revoked: Option<bool>,
    /// Only those that have not expired at this time.
    pub alive_at_ms: Option<Ms>,
    /// Only of this owner.
    pub owner: Option<String>,
    /// Only of this team.
    pub team: Option<String>,
    /// Only with this tag.
    pub tag: Option<String>,
    /// Only with this scope.
    pub scope: Option<String>,
    /// Only of this origin.
    pub origin: Option<KeyOrigin>,
    /// Only with these letters in name, description, owner, team, hint or id; case of ASCII letters aside.
    pub search: Option<String>,
}

/// Where a page of keys begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeyPlace {
    /// The number of the last key of the page before.
    pub after: Option<i64>,
    /// Newest first.
    pub descending: bool,
}

/// Some keys of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPage {
    /// The rows.
    pub keys: Vec<KeyRecord>,
    /// The number after which the next page begins; nothing after the last.
    pub next: Option<i64>,
    /// How many keys the filter lets through, on all pages.
    pub total: u64,
}

/// What became of keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyChanges {
    /// The revision this is the state of.
    pub revision: i64,
    /// Keys that were written, as they are now; by number.
    pub changed: Vec<KeyRecord>,
    /// Ids of keys that were removed.
    pub removed: Vec<String>,
    /// Ids of keys that were written and cannot be read: broken from outside, or of a later version. Nobody may use them,
    /// and nobody else's key is kept away by them.
    pub unreadable: Vec<String>,
}

/// Sums over the keys that are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeyTotals {
    /// How many keys.
    pub keys: u64,
    /// Requests ever.
    pub requests: u64,
    /// Tokens ever, as [`crate::Usage::tokens`] counts them.
    pub tokens: u64,
}
