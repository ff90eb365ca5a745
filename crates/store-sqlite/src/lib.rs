//! The store in one SQLite file, which needs nothing beside it.
//!
//! Knows: SQLite's dialect, its files and their modes, migrations; the SQLite databases of other systems, for reading.
//! Must not know: other dialects, how a secret looks in the clear, who asks, any clock or chance but the seed that SQLite draws
//! for the names of rows that receipts share.

mod account_row;
mod accounts;
mod audit;
mod fault;
mod files;
pub mod foreign;

mod key_row;
mod keys;
mod listing;
mod logins;
mod many;
mod open;
mod receipts;
mod secrets;
mod sessions;
mod settings;
mod usage;

use qm_store::{Accounts, Audit, Keys, Logins, Receipts, Secrets, Sessions, Settings, Store};
use sqlx::SqlitePool;

pub use open::OpenError;

/// A store in one SQLite file. Cheap to clone; all clones are one store.
#[derive(Clone)]
pub struct SqliteStore {
    /// One connection: SQLite has one writer, and who waits for it should wait here, in order, not in SQLite's retries.
    writer: SqlitePool,
    /// Others, which read what is committed and never wait for the writer. For a store in memory the same one connection.
    readers: SqlitePool,
    /// With what the names of rows begin that receipts share.
    seed: [u8; 16],
}

impl Store for SqliteStore {
    fn accounts(&self) -> &dyn Accounts {
        self
    }

    fn logins(&self) -> &dyn Logins {
        self
    }

    fn settings(&self) -> &dyn Settings {
        self
    }

    fn audit(&self) -> &dyn Audit {
        self
    }

    fn keys(&self) -> &dyn Keys {
        self
    }

    fn sessions(&self) -> &dyn Sessions {
        self
    }

    fn receipts(&self) -> &dyn Receipts {
        self
    }

    fn secrets(&self) -> &dyn Secrets {
        self
    }
}
