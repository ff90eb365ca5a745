//! SQLite's errors in the store's words, and values between the two.

use qm_store::{Ms, StoreError};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, Sqlite, Type};

/// Somebody else has the lock (primary code 5) or the table (6). Extended codes have it in their lowest byte.
const LOCKED: [i32; 2] = [5, 6];

/// What a failed statement means. SQLite's words name tables and columns and hold no values.
#[expect(clippy::needless_pass_by_value, reason = "it is what map_err hands over")]
pub(crate) fn failed(error: sqlx::Error) -> StoreError {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    let code = code.and_then(|code| code.parse::<i32>().ok());
    match code {
        Some(code) if LOCKED.contains(&(code & 0xff)) => StoreError::Busy,
        _ if matches!(error, sqlx::Error::PoolTimedOut) => StoreError::Busy,
        _ => StoreError::Failed(error.to_string()),
    }
}

/// As [`failed`], where a unique constraint means that a record of this kind exists.
pub(crate) fn failed_or_duplicate(what: &'static str) -> impl Fn(sqlx::Error) -> StoreError {
    move |error| {
        let unique = error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation);
        if unique { StoreError::Duplicate(what) } else { failed(error) }
    }
}

/// The columns of one row of one table.
pub(crate) struct Columns<'r> {
    pub(crate) table: &'static str,
    pub(crate) row: &'r SqliteRow,
}

impl<'r> Columns<'r> {
    /// The value of a column.
    pub(crate) fn value<T>(&self, column: &'static str) -> Result<T, StoreError>
    where
        T: sqlx::Decode<'r, Sqlite> + Type<Sqlite>,
    {
        self.row.try_get(column).map_err(|_| self.corrupt(column))
    }

    /// A count or a time.
    pub(crate) fn count(&self, column: &'static str) -> Result<u64, StoreError> {
        u64::try_from(self.value::<i64>(column)?).map_err(|_| self.corrupt(column))
    }

    /// A time that may be absent.
    pub(crate) fn time(&self, column: &'static str) -> Result<Option<Ms>, StoreError> {
        self.value::<Option<i64>>(column)?.map(u64::try_from).transpose().map_err(|_| self.corrupt(column))
    }

    /// A value that only some texts are.
    pub(crate) fn word<T>(
        &self,
        column: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<T, StoreError> {
        read(self.value(column)?).ok_or_else(|| self.corrupt(column))
    }

    /// This column cannot be read.
    pub(crate) fn corrupt(&self, column: &'static str) -> StoreError {
        StoreError::Corrupt { table: self.table, column }
    }
}

/// A time or count as SQLite's integers hold it. What does not fit is some 292 million years away.
pub(crate) fn int(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// As [`int`], where there may be none.
pub(crate) fn int_or_none(value: Option<u64>) -> Option<i64> {
    value.map(int)
}
