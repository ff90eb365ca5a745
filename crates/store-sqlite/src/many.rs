//! Many rows in few statements: each has a fixed number of rows, so that its text is constant and is parsed once.

use qm_store::StoreError;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments as _, SqliteConnection};

use crate::account_row::Statement;
use crate::fault::failed;

/// The same statement for as many rows as each power of two, the most first: any number of rows is a handful of statements, each of
/// which is a trip to the database's thread and back.
pub(crate) type Sizes = [(usize, &'static str); 9];

/// Twice the same, with a comma.
macro_rules! twice {
    ($($row:tt)+) => {
        concat!($($row)+, ",", $($row)+)
    };
}

/// Four times.
macro_rules! four {
    ($($row:tt)+) => {
        $crate::many::twice!($crate::many::twice!($($row)+))
    };
}

/// Sixteen times.
macro_rules! sixteen {
    ($($row:tt)+) => {
        $crate::many::four!($crate::many::four!($($row)+))
    };
}

/// The [`Sizes`] of a statement: what comes before its rows, one row, and what comes after.
macro_rules! sizes {
    ($before:literal, $row:literal, $after:literal) => {
        [
            (256, concat!($before, $crate::many::sixteen!($crate::many::sixteen!($row)), $after)),
            (
                128,
                concat!(
                    $before,
                    $crate::many::twice!($crate::many::four!($crate::many::sixteen!($row))),
                    $after
                ),
            ),
            (64, concat!($before, $crate::many::four!($crate::many::sixteen!($row)), $after)),
            (32, concat!($before, $crate::many::twice!($crate::many::sixteen!($row)), $after)),
            (16, concat!($before, $crate::many::sixteen!($row), $after)),
            (8, concat!($before, $crate::many::twice!($crate::many::four!($row)), $after)),
            (4, concat!($before, $crate::many::four!($row), $after)),
            (2, concat!($before, $crate::many::twice!($row), $after)),
            (1, concat!($before, $row, $after)),
        ]
    };
}

pub(crate) use {four, sixteen, sizes, twice};

/// Arguments of one row, at most.
const WIDEST: usize = 17;

/// Writes rows; `bind` adds the arguments of one.
pub(crate) async fn write<'q, T>(
    writing: &mut SqliteConnection,
    sizes: &Sizes,
    mut rows: &'q [T],
    mut bind: impl FnMut(Statement<'q>, &'q T) -> Statement<'q>,
) -> Result<(), StoreError> {
    for &(size, statement) in sizes {
        while let Some((now, rest)) = rows.split_at_checked(size) {
            let mut room = SqliteArguments::default();
            room.reserve(size * WIDEST, 0);
            let statement = now.iter().fold(sqlx::query_with(statement, room), &mut bind);
            statement.execute(&mut *writing).await.map_err(failed)?;
            rows = rest;
        }
    }
    Ok(())
}
