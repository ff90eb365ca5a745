//! All sealed texts of the store, wherever they are: for a change of the master key.

use async_trait::async_trait;
use qm_seal::Sealed;

use crate::StoreError;

/// Where sealed texts are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shelf {
    /// Logins of accounts.
    Account,
    /// Proxies of accounts.
    Proxy,
    /// Device logins under way.
    Login,
}

impl Shelf {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Account, Self::Proxy, Self::Login];

    /// What a sealed text on this shelf is sealed about: the one place it opens in.
    #[must_use]
    pub fn about(self, id: &str) -> String {
        match self {
            Self::Account => format!("account/{id}"),
            Self::Proxy => format!("account/{id}/proxy"),
            Self::Login => format!("login/{id}"),
        }
    }
}

/// Sealed texts, as texts.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// Ids and sealed texts of a shelf, by id, those after this one; `limit` at most. Begin with the empty text.
    async fn on(&self, shelf: Shelf, after_id: &str, limit: u32)
    -> Result<Vec<(String, Sealed)>, StoreError>;

    /// Replaces a sealed text by the same secret sealed anew. False if another stands there by now, which was sealed later.
    /// Generation and revision stay: the secret is the same.
    async fn replace(&self, shelf: Shelf, id: &str, old: &Sealed, new: &Sealed) -> Result<bool, StoreError>;

    /// How many sealed texts there are of each key: which keys are still needed.
    async fn keys_in_use(&self) -> Result<Vec<(String, u64)>, StoreError>;

    /// Leaves nothing in the files of what was replaced. Takes as long as copying the database.
    async fn scrub(&self) -> Result<(), StoreError>;
}
