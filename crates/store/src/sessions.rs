//! Sessions of people who signed in to the console with a key.

use async_trait::async_trait;

use crate::{Ms, StoreError};

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRecord {
    /// Hash of what the cookie holds, in hex.
    pub id: String,
    /// The key it was opened with: the id of a kept one, or the name of one from the environment.
    pub key_id: String,
    /// Hash of the token that writes must bring along, in hex.
    pub csrf: String,
    /// What it opens, in words: those of its key when it was opened.
    pub scopes: Vec<String>,
    /// When it was opened.
    pub created_ms: Ms,
    /// When it was last used.
    pub last_seen_ms: Ms,
    /// When it ends, used or not.
    pub expires_ms: Ms,
    /// The address it was opened from.
    pub source: String,
    /// The browser, as it calls itself.
    pub agent: String,
}

/// Sessions. They end with their key: see [`crate::Keys::revoke`] and [`crate::Keys::remove`].
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Keeps a session.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] for its id.
    async fn insert(&self, session: SessionRecord) -> Result<(), StoreError>;

    /// The session of this id, whether or not its time is over.
    async fn by_id(&self, id: &str) -> Result<Option<SessionRecord>, StoreError>;

    /// All of them, newest first; or those of one key.
    async fn list(&self, key_id: Option<&str>) -> Result<Vec<SessionRecord>, StoreError>;

    /// Notes that a session was used. False if it is gone.
    async fn touch(&self, id: &str, now_ms: Ms) -> Result<bool, StoreError>;

    /// Ends a session. Whether there was one.
    async fn remove(&self, id: &str) -> Result<bool, StoreError>;

    /// Ends all sessions of a key. How many there were.
    async fn remove_of(&self, key_id: &str) -> Result<u64, StoreError>;

    /// Forgets sessions that have expired, and those that were last used before then. How many there were.
    async fn prune(&self, idle_before_ms: Ms, now_ms: Ms) -> Result<u64, StoreError>;
}
