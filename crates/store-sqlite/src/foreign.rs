//! The SQLite databases of other systems, read and never written: q2api, amq2api in its versions 1.5 and 2.0, and the stores of the
//! Amazon Q and Kiro command lines. What is read is handed on as JSON, which qm-credential's import understands.
//!
//! The tables are told apart by their columns: all three servers call theirs `accounts`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use qm_store::StoreError;
use serde_json::{Map, Value};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteRow};
use sqlx::{Column as _, Row as _, SqlitePool, TypeInfo as _, ValueRef as _};
use zeroize::Zeroizing;

use crate::fault::failed;

/// Most rows of one table.
const MAX_ROWS: u32 = 100_000;

/// How long a program that writes is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// A program whose database was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// q2api: `data.sqlite3`.
    Q2api,
    /// amq2api 1.5: `accounts.db`.
    Amq2apiV15,
    /// amq2api 2.0: `amq2api.db`.
    Amq2apiV2,
    /// The command line of Amazon Q or Kiro: `data.sqlite3`.
    CommandLine,
}

/// What a database holds.
pub struct Foreign {
    /// Whose it is.
    pub system: System,
    /// How many rows were read.
    pub rows: usize,
    /// `{"accounts": [ROW, …]}`, each row an object of its columns; of a command line
    /// `{"auth_kv": {KEY: VALUE, …}, "state": {KEY: VALUE, …}}`. Full of secrets.
    pub json: Zeroizing<Vec<u8>>,
}

/// Why a database was not read.
#[derive(Debug, thiserror::Error)]
pub enum ForeignError {
    /// Not a database of a system that is known.
    #[error(
        "{0} is none of the databases that can be imported: q2api, amq2api 1.5 and 2.0, Amazon Q and Kiro command lines"
    )]
    Unknown(PathBuf),
    /// More than is read at once.
    #[error("{0} has more than {MAX_ROWS} rows")]
    TooMany(PathBuf),
    /// It cannot be opened or read.
    #[error("{path}: {error}")]
    Database {
        /// Which file.
        path: PathBuf,
        /// What went wrong; no values.
        error: StoreError,
    },
}

/// Whether these are the first bytes of an SQLite database, so that an import can tell a database from a text.
#[must_use]
pub fn is_database(start: &[u8]) -> bool {
    start.starts_with(b"SQLite format 3\0")
}

/// Reads a database of another system. Its file is not written, and a program that has it open is not disturbed.
///
/// # Errors
/// A [`ForeignError`].
pub async fn read(path: &Path) -> Result<Foreign, ForeignError> {
    let database = open(path).await?;
    let read = read_all(&database, path).await;
    database.close().await;
    read
}

/// Read-only. A file in write-ahead mode needs its index beside it even for reading; where that cannot be made (a read-only mount) and no
/// log waits, the file is whole as it is.
async fn open(path: &Path) -> Result<SqlitePool, ForeignError> {
    let fault = |error| ForeignError::Database { path: path.to_owned(), error: failed(error) };
    let options = SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(PATIENCE);
    let pool =
        SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await.map_err(fault)?;
    let reads = sqlx::query("SELECT count(*) FROM sqlite_schema").fetch_one(&pool).await;
    let Err(error) = reads else { return Ok(pool) };
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let waits = std::fs::metadata(PathBuf::from(log)).is_ok_and(|log| log.len() > 0);
    if waits {
        return Err(fault(error));
    }
    let options = options.immutable(true);
    SqlitePoolOptions::new().max_connections(1).connect_with(options).await.map_err(fault)
}

async fn read_all(database: &SqlitePool, path: &Path) -> Result<Foreign, ForeignError> {
    let fault = |error| ForeignError::Database { path: path.to_owned(), error: failed(error) };
    let accounts = columns(database, "accounts").await.map_err(fault)?;
    let has = |column: &str| accounts.iter().any(|name| name == column);
    let system = if has("refreshToken") && (has("type") || has("rate_limit_per_hour")) {
        System::Amq2apiV15
    } else if has("refreshToken") {
        System::Q2api
    } else if has("refresh_token") && has("client_id") {
        System::Amq2apiV2
    } else if !columns(database, "auth_kv").await.map_err(fault)?.is_empty() {
        System::CommandLine
    } else {
        return Err(ForeignError::Unknown(path.to_owned()));
    };
    let (rows, json) = if system == System::CommandLine {
        let tokens = pairs(database, "SELECT key, value FROM auth_kv LIMIT ?").await.map_err(fault)?;
        let state = if columns(database, "state").await.map_err(fault)?.is_empty() {
            Map::new()
        } else {
            pairs(database, STATE).await.map_err(fault)?
        };
        (tokens.len(), serde_json::json!({ "auth_kv": tokens, "state": state }))
    } else {
        let rows = sqlx::query("SELECT * FROM accounts ORDER BY rowid LIMIT ?").bind(MAX_ROWS + 1);
        let rows = rows.fetch_all(database).await.map_err(fault)?;
        let accounts: Vec<Value> = rows.iter().map(|row| Value::Object(account(row, system))).collect();
        (accounts.len(), serde_json::json!({ "accounts": accounts }))
    };
    if rows > MAX_ROWS as usize {
        return Err(ForeignError::TooMany(path.to_owned()));
    }
    Ok(Foreign { system, rows, json: Zeroizing::new(json.to_string().into_bytes()) })
}

/// What of `state` belongs to a login; the rest is of no interest and may be long.
const STATE: &str = "SELECT key, value FROM state
    WHERE key IN ('api.codewhisperer.profile', 'auth.idc.start-url', 'auth.idc.region') LIMIT ?";

/// The columns of a table; none if there is no such table.
async fn columns(database: &SqlitePool, table: &str) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar("SELECT name FROM pragma_table_info(?)").bind(table).fetch_all(database).await
}

async fn pairs(database: &SqlitePool, rows: &'static str) -> Result<Map<String, Value>, sqlx::Error> {
    let rows = sqlx::query(rows).bind(MAX_ROWS + 1).fetch_all(database).await?;
    let pair = |row: &SqliteRow| Some((row.try_get::<String, _>(0).ok()?, value(row, 1)?));
    Ok(rows.iter().filter_map(pair).collect())
}

/// The columns an import has a use for. Counts, times and what the other system thought of an account's health are not carried over:
/// here it begins anew.
const USED: [&str; 18] = [
    "label",
    "name",
    "clientId",
    "client_id",
    "clientSecret",
    "client_secret",
    "refreshToken",
    "refresh_token",
    "accessToken",
    "expires_at",
    "profile_arn",
    "other",
    "enabled",
    "is_active",
    "type",
    "rate_limit_per_hour",
    "requests_per_minute",
    "notes",
];

fn account(row: &SqliteRow, system: System) -> Map<String, Value> {
    let used = row.columns().iter().enumerate().filter(|(_, column)| USED.contains(&column.name()));
    let mut account: Map<String, Value> =
        used.filter_map(|(at, column)| Some((column.name().to_owned(), value(row, at)?))).collect();
    // Only amq2api 1.5 has accounts of other services in the same table; its older rows have no type.
    if system == System::Amq2apiV15 {
        account.entry("type").or_insert_with(|| "amazonq".into());
    }
    account
}

/// Whatever the column was declared as: SQLite keeps what it is given.
fn value(row: &SqliteRow, at: usize) -> Option<Value> {
    let raw = row.try_get_raw(at).ok()?;
    if raw.is_null() {
        return None;
    }
    let kind = raw.type_info().name().to_owned();
    match kind.as_str() {
        "INTEGER" | "BOOLEAN" => row.try_get_unchecked::<i64, _>(at).ok().map(Value::from),
        "REAL" => row.try_get_unchecked::<f64, _>(at).ok().map(Value::from),
        // Kiro keeps texts of `state` as blobs.
        "BLOB" => String::from_utf8(row.try_get_unchecked(at).ok()?).ok().map(Value::from),
        _ => row.try_get_unchecked::<String, _>(at).ok().map(Value::from),
    }
}
