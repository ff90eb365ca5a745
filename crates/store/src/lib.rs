//! What the house remembers: records, and the verbs on them. One trait per aggregate, gathered in [`Store`].
//!
//! Every method is one transaction: it happens whole and durably, or not at all. Ids, times and sealed texts come from the caller;
//! the store gives only the numbers of accounts, keys and receipts, and the revisions.
//!
//! Knows: records, their verbs and what must hold between them, pages of a listing, the hash chain of the audit.
//! Must not know: any SQL dialect, how a secret looks in the clear, who asks, any clock or chance.

pub mod account;
pub mod accounts;
pub mod audit;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod key;
pub mod keys;
pub mod login;
pub mod page;
pub mod receipt;
pub mod receipts;
pub mod secrets;
pub mod sessions;
pub mod settings;
pub mod usage;

pub use account::{
    AccountPatch, AccountRecord, Change, Counts, Learned, NewAccount, NewSecret, Origin, Proxy, Secret,
    Wishes,
};
pub use accounts::{Accounts, Changes, CountsDelta, HealthSave};
pub use audit::{Audit, AuditEntry, AuditFilter, AuditRecord};
pub use key::{KeyCounts, KeyMark, KeyOrigin, KeyPatch, KeyRecord, KeyWishes, NewKey, OldMark};
pub use keys::{KeyChanges, KeyFilter, KeyPage, KeyPlace, KeyTotals, Keys};
pub use login::{Completion, LoginEnd, LoginRecord, LoginStatus, Logins, NewLogin};
pub use page::{Cursor, Filter, Page, Sort, SortKey};
pub use receipt::{ReceiptEntry, ReceiptOutcome, ReceiptRecord, Taken};
pub use receipts::{PruneBefore, ReceiptFilter, ReceiptPage, Receipts};
pub use secrets::{Secrets, Shelf};
pub use sessions::{SessionRecord, Sessions};
pub use settings::{SettingRecord, Settings};
pub use usage::{Group, Order, Step, Usage, UsageFilter, UsageQuestion, UsageRow};

/// Milliseconds since 1970, UTC.
pub type Ms = u64;

/// Everything that is kept, in one place. Used as `Arc<dyn Store>`.
pub trait Store: Send + Sync {
    /// Accounts at the upstream.
    fn accounts(&self) -> &dyn Accounts;
    /// Device logins under way.
    fn logins(&self) -> &dyn Logins;
    /// What was decided while running.
    fn settings(&self) -> &dyn Settings;
    /// What people did.
    fn audit(&self) -> &dyn Audit;
    /// Keys of the gateway.
    fn keys(&self) -> &dyn Keys;
    /// Who is signed in to the console.
    fn sessions(&self) -> &dyn Sessions;
    /// What was used.
    fn receipts(&self) -> &dyn Receipts;
    /// All sealed texts, for a change of the master key.
    fn secrets(&self) -> &dyn Secrets;
}

/// Why a verb did not happen. No variant holds a value of a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// An account with this login exists; the id is that account's.
    #[error("this login is already kept, as account {account}")]
    DuplicateLogin {
        /// Id of the account that has the login, or had it before its token was rotated.
        account: String,
    },
    /// A record of this id, slot or key exists.
    #[error("a record with this {0} exists")]
    Duplicate(&'static str),
    /// The record was changed since the revision that was named; nothing happened.
    #[error("the record was changed meanwhile; it is of revision {revision} now")]
    Changed {
        /// Its revision now.
        revision: i64,
    },
    /// A cursor that another order of the listing gave out.
    #[error("the cursor belongs to another order")]
    Cursor,
    /// Somebody else writes and did not finish in time; trying again may help.
    #[error("the database is busy; try again")]
    Busy,
    /// A row that this version cannot read: which table, which column.
    #[error("a row of {table} cannot be read: {column}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
    /// The database failed. The words are the database's own and hold no values.
    #[error("the database failed: {0}")]
    Failed(String),
}
