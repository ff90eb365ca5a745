//! The verbs on accounts.

use async_trait::async_trait;

use crate::account::{AccountPatch, AccountRecord, NewAccount, NewSecret};
use crate::page::{Cursor, Filter, Page, Sort};
use crate::{Ms, StoreError};

/// Accounts at the upstream.
///
/// Two kinds of writing are told apart. What another process must notice (a new login, a wish, a state) raises the store's revision and is
/// found by [`Accounts::changed_since`]. What is only counted does not, so that traffic alone makes nobody read accounts again.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Keeps a new account.
    ///
    /// # Errors
    /// [`StoreError::DuplicateLogin`] if its login is or was another account's, [`StoreError::Duplicate`] for its id or slot.
    async fn insert(&self, account: NewAccount, now_ms: Ms) -> Result<AccountRecord, StoreError>;

    /// The account of this id.
    async fn by_id(&self, id: &str) -> Result<Option<AccountRecord>, StoreError>;

    /// The account of this number.
    async fn by_number(&self, number: i64) -> Result<Option<AccountRecord>, StoreError>;

    /// The environment account of this slot.
    async fn by_slot(&self, slot: &str) -> Result<Option<AccountRecord>, StoreError>;

    /// The account that has this login, or had it before a rotation.
    async fn by_fingerprint(&self, fingerprint: &str) -> Result<Option<AccountRecord>, StoreError>;

    /// One page of a listing, `limit` rows at most.
    ///
    /// # Errors
    /// [`StoreError::Cursor`] for one of another order.
    async fn list(
        &self,
        filter: &Filter,
        sort: Sort,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page, StoreError>;

    /// All accounts, by number, and the revision they were read at.
    async fn all(&self) -> Result<Changes, StoreError>;

    /// What was written after this revision. Everything that happened is in it once; the new revision is for the next call.
    async fn changed_since(&self, revision: i64) -> Result<Changes, StoreError>;

    /// The store's revision: one cheap read.
    async fn revision(&self) -> Result<i64, StoreError>;

    /// Changes what people set; nothing if there is no such account.
    ///
    /// # Errors
    /// [`StoreError::Changed`] if a revision is named and the account is of another by now.
    async fn update(
        &self,
        id: &str,
        patch: AccountPatch,
        if_revision: Option<i64>,
        now_ms: Ms,
    ) -> Result<Option<AccountRecord>, StoreError>;

    /// Forgets an account, with everything that hangs on it. Whether there was one.
    async fn remove(&self, id: &str, now_ms: Ms) -> Result<bool, StoreError>;

    /// Replaces the login, if it is still of the expected generation. When this returns, the new login survives a loss of power.
    /// False if it was replaced meanwhile or the account is gone: read again, what is stored is newer.
    ///
    /// Never refuses a login for being another account's: it was just given out and would be lost.
    async fn replace_secret(
        &self,
        id: &str,
        expected_generation: i64,
        secret: NewSecret,
        now_ms: Ms,
    ) -> Result<bool, StoreError>;

    /// Notes how a refresh that brought no new login went.
    async fn note_refresh(&self, id: &str, status: &str, now_ms: Ms) -> Result<(), StoreError>;

    /// Takes the right to refresh this account until then, for one process at a time. True for whoever has it already (and then until the
    /// later time), and for the first to ask after it ran out. False if another has it or the account is gone.
    async fn lease(&self, id: &str, holder: &str, until_ms: Ms, now_ms: Ms) -> Result<bool, StoreError>;

    /// Gives the right back; nothing happens if another has it by now.
    async fn release(&self, id: &str, holder: &str) -> Result<(), StoreError>;

    /// Saves states of the pool. Accounts that are gone are passed over.
    async fn save_health(&self, batch: &[HealthSave], now_ms: Ms) -> Result<(), StoreError>;

    /// Adds to what accounts did. Accounts that are gone are passed over.
    async fn add_counts(&self, batch: &[CountsDelta]) -> Result<(), StoreError>;

    /// Saves the last usage limits.
    async fn save_usage(&self, id: &str, usage: &str, now_ms: Ms) -> Result<(), StoreError>;

    /// Saves what was learned about how to reach the upstream.
    async fn save_face(&self, id: &str, face: &str, now_ms: Ms) -> Result<(), StoreError>;
}

/// What became of accounts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// The revision this is the state of.
    pub revision: i64,
    /// Accounts that were written, as they are now; by number.
    pub changed: Vec<AccountRecord>,
    /// Numbers of accounts that were removed.
    pub removed: Vec<i64>,
}

/// One account's health, as the pool tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthSave {
    /// The account.
    pub number: i64,
    /// JSON of the pool.
    pub health: String,
    /// The state in one word.
    pub state: String,
}

/// What an account did since the last time it was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CountsDelta {
    /// The account.
    pub number: i64,
    /// Requests.
    pub requests: u64,
    /// Requests that were answered.
    pub successes: u64,
    /// Failures.
    pub errors: u64,
    /// Failures after the last success; all of them if there was none.
    pub errors_since_success: u64,
    /// Tokens, in and out.
    pub tokens: u64,
    /// When it last served; nothing if it did not.
    pub last_used_ms: Option<Ms>,
}
