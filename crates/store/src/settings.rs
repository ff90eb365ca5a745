//! What was decided while running and must outlive it: that the terms were read, say.

use async_trait::async_trait;

use crate::{Ms, StoreError};

/// One decision. No secrets: values stand in the clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingRecord {
    /// Its name, dotted: `terms.acknowledged`.
    pub key: String,
    /// Its value; the form is its reader's.
    pub value: String,
    /// When it was set.
    pub updated_ms: Ms,
}

/// Decisions.
#[async_trait]
pub trait Settings: Send + Sync {
    /// The value of this key.
    async fn value(&self, key: &str) -> Result<Option<String>, StoreError>;

    /// All that begin with this, by key.
    async fn all(&self, prefix: &str) -> Result<Vec<SettingRecord>, StoreError>;

    /// Sets a value. Raises the store's revision if it is another than before.
    async fn set(&self, key: &str, value: &str, now_ms: Ms) -> Result<(), StoreError>;

    /// Sets a value if there is none, and tells the one that stands: of two who try at once, both learn the same.
    async fn set_once(&self, key: &str, value: &str, now_ms: Ms) -> Result<String, StoreError>;

    /// Forgets a value. Whether there was one.
    async fn clear(&self, key: &str) -> Result<bool, StoreError>;
}
