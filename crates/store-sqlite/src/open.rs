//! Opening: the file, what SQLite is told, the migrations.

use std::path::{Path, PathBuf};
use std::time::Duration;

use qm_store::StoreError;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{SqlSafeStr as _, SqlitePool};

use crate::fault::failed;
use crate::{SqliteStore, files};

/// The migrations, in order. One that was released is never changed: its checksum is in every file.
const MIGRATIONS: [(i64, &str, &str); 3] = [
    (1, "accounts", include_str!("../migrations/0001_accounts.sql")),
    (2, "keys and receipts", include_str!("../migrations/0002_keys_and_receipts.sql")),
    (3, "receipts in three parts", include_str!("../migrations/0003_receipts_in_three_parts.sql")),
];

/// `PRAGMA application_id` of our files: 'QMST'.
const OURS: i64 = 1_364_022_100;

/// How long a statement waits for another process.
const PATIENCE: Duration = Duration::from_secs(10);

/// Statements that a connection keeps parsed.
const STATEMENTS: usize = 256;

/// Connections that read.
const READERS: u32 = 4;

/// Why a file was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file or its folder cannot be made or closed to others.
    #[error("{path}: {error}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// A database of another program. Nothing was written to it.
    #[error(
        "{0} is a database of another program; give Quartermaster a file of its own, \
         and import this one with `quartermaster accounts import --from {0}`"
    )]
    Foreign(PathBuf),
    /// A later version of this program has written it.
    #[error(
        "{path} has schema {found}, written by a newer version; this version knows schema {known}. \
         Use the newer version, or restore the copy made before the upgrade"
    )]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest schema this version knows.
        known: i64,
    },
    /// The schema was not brought up to date. Nothing of the failed step stays.
    #[error("{path}: the schema was not brought up to date: {error}")]
    Migration {
        /// Which file.
        path: PathBuf,
        /// What went wrong.
        error: sqlx::migrate::MigrateError,
    },
    /// The database failed, is no database, or is locked by another process.
    #[error("{path}: {error}")]
    Database {
        /// Which file.
        path: PathBuf,
        /// What went wrong.
        error: StoreError,
    },
}

impl SqliteStore {
    /// Opens the store of this file; makes it, with its folder, if it is missing, readable by its owner only.
    ///
    /// # Errors
    /// An [`OpenError`], which says what the operator can do.
    pub async fn open(path: &Path) -> Result<Self, OpenError> {
        let file = |error| OpenError::File { path: path.to_owned(), error };
        files::make(path).map_err(file)?;
        let database = |error| OpenError::Database { path: path.to_owned(), error: failed(error) };
        let options = told(SqliteConnectOptions::new().filename(path));
        // Before the journal mode is set, which would write to a stranger's file.
        let glance = SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(PATIENCE);
        let glance = kept_open(1).connect_with(glance).await.map_err(database)?;
        recognise(&glance, path).await?;
        glance.close().await;
        files::close(path).map_err(file)?;
        let options = options.journal_mode(SqliteJournalMode::Wal);
        let writer = kept_open(1).connect_with(options.clone()).await.map_err(database)?;
        migrate(&writer, path).await?;
        let seed = seed(&writer).await.map_err(database)?;
        let readers = kept_open(READERS).connect_with(options.pragma("query_only", "ON"));
        Ok(Self { writer, readers: readers.await.map_err(database)?, seed })
    }

    /// A store that is gone when it is dropped, for tests of the rooms above.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub async fn in_memory() -> Result<Self, OpenError> {
        let path = Path::new(":memory:");
        let database = |error| OpenError::Database { path: path.to_owned(), error: failed(error) };
        let options = told(SqliteConnectOptions::new().in_memory(true));
        let writer = kept_open(1).connect_with(options).await.map_err(database)?;
        migrate(&writer, path).await?;
        let seed = seed(&writer).await.map_err(database)?;
        Ok(Self { readers: writer.clone(), writer, seed })
    }

    /// What the writing connection was told, as SQLite says it: journal mode, synchronous, foreign keys, secure delete. For `doctor`.
    ///
    /// # Errors
    /// The database failed.
    pub async fn settings_of_connection(&self) -> Result<[String; 4], StoreError> {
        let told = "SELECT journal_mode FROM pragma_journal_mode
            UNION ALL SELECT CAST(synchronous AS TEXT) FROM pragma_synchronous
            UNION ALL SELECT CAST(foreign_keys AS TEXT) FROM pragma_foreign_keys
            UNION ALL SELECT CAST(secure_delete AS TEXT) FROM pragma_secure_delete";
        let told: Vec<String> = sqlx::query_scalar(told).fetch_all(&self.writer).await.map_err(failed)?;
        let mut told = told.into_iter();
        Ok(std::array::from_fn(|_| told.next().unwrap_or_default()))
    }

    /// Waits for what is under way and closes the file; the write-ahead log is emptied into it.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// What every connection is told.
fn told(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options
        .foreign_keys(true)
        .busy_timeout(PATIENCE)
        // FULL: in WAL mode, NORMAL may lose the last commits with the power. A rotated token that is lost is an account that is lost.
        .synchronous(SqliteSynchronous::Full)
        // Statements for many rows come in nine sizes each; with the others they are more than the hundred that are kept by default.
        .statement_cache_capacity(STATEMENTS)
        // What is deleted or replaced is overwritten, so that no old secret lingers in free pages.
        .pragma("secure_delete", "ON")
}

/// A pool that never closes a connection by itself: one to a store in memory would take the store with it.
fn kept_open(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .min_connections(0)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(PATIENCE * 2)
        .test_before_acquire(false)
}

/// Refuses a file that is not ours, or not ours to write.
async fn recognise(database: &SqlitePool, path: &Path) -> Result<(), OpenError> {
    let fault = |error| OpenError::Database { path: path.to_owned(), error: failed(error) };
    let tables: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(database).await.map_err(fault)?;
    if tables == 0 {
        return Ok(());
    }
    let application: i64 =
        sqlx::query_scalar("PRAGMA application_id").fetch_one(database).await.map_err(fault)?;
    if application != OURS {
        // The first migration, broken off, leaves its bookkeeping and nothing else.
        let strangers: i64 =
            sqlx::query_scalar("SELECT count(*) FROM sqlite_schema WHERE tbl_name <> '_sqlx_migrations'")
                .fetch_one(database)
                .await
                .map_err(fault)?;
        let begun = strangers == 0;
        return if begun { Ok(()) } else { Err(OpenError::Foreign(path.to_owned())) };
    }
    let found: Option<i64> = sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations")
        .fetch_one(database)
        .await
        .map_err(fault)?;
    let known = MIGRATIONS.last().map_or(0, |(version, _, _)| *version);
    match found {
        Some(found) if found > known => Err(OpenError::Newer { path: path.to_owned(), found, known }),
        _ => Ok(()),
    }
}

/// Made with the file, by the first migration that needs it.
async fn seed(database: &SqlitePool) -> Result<[u8; 16], sqlx::Error> {
    let seed: Vec<u8> = sqlx::query_scalar("SELECT seed FROM receipt_seed").fetch_one(database).await?;
    seed.try_into().map_err(|_| sqlx::Error::Decode("receipt_seed has not 16 bytes".into()))
}

async fn migrate(database: &SqlitePool, path: &Path) -> Result<(), OpenError> {
    let migrations = MIGRATIONS.map(|(version, name, sql)| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    let migrator = Migrator::with_migrations(migrations.to_vec());
    let done = match migrator.run(database).await {
        // Another process may have done the same meanwhile: what is there is looked at anew.
        Err(_) => migrator.run(database).await,
        done => done,
    };
    done.map_err(|error| OpenError::Migration { path: path.to_owned(), error })
}
