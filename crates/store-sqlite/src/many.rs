//! Many rows in few statements: each has a fixed number of rows, so that its text is constant and is parsed once.

use qm_store::StoreError;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments as _, SqliteConnection};

use crate::account_row::Statement;
use crate::fault::failed;

/// The same statement for many rows, for some, and for one.
pub(crate) type Sizes = [(usize, &'static str); 3];

/// Eight times the same, with commas.
macro_rules! eight {
    ($($row:tt)+) => {
        concat!(
            $($row)+, ",", $($row)+, ",", $($row)+, ",", $($row)+, ",",
            $($row)+, ",", $($row)+, ",", $($row)+, ",", $($row)+
        )
    };
}

/// The [`Sizes`] of a statement: what comes before its rows, one row, and what comes after.
macro_rules! sizes {
    ($before:literal, $row:literal, $after:literal) => {
        [
            (64, concat!($before, $crate::many::eight!($crate::many::eight!($row)), $after)),
            (8, concat!($before, $crate::many::eight!($row), $after)),
            (1, concat!($before, $row, $after)),
        ]
    };
}

pub(crate) use {eight, sizes};

/// Arguments of one row, at most.
const WIDEST: usize = 24;

/// Writes rows; `bind` adds the arguments of one.
pub(crate) async fn write<'q, T>(
    writing: &mut SqliteConnection,
    sizes: &Sizes,
    mut rows: &'q [T],
    bind: impl Fn(Statement<'q>, &'q T) -> Statement<'q>,
) -> Result<(), StoreError> {
    for &(size, statement) in sizes {
        while let Some((now, rest)) = rows.split_at_checked(size) {
            let mut room = SqliteArguments::default();
            room.reserve(size * WIDEST, 0);
            let statement = now.iter().fold(sqlx::query_with(statement, room), &bind);
            statement.execute(&mut *writing).await.map_err(failed)?;
            rows = rest;
        }
    }
    Ok(())
}
