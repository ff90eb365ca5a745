//! Pages of accounts. Each order is a statement of its own, put together when this is compiled: no text of a request gets near it.

use qm_store::page::Place;
use qm_store::{Cursor, Filter, Page, Sort, SortKey, StoreError};
use sqlx::{Connection as _, SqlitePool};

use crate::account_row::{Statement, record};
use crate::fault::failed;

/// What a filter means. Arguments 1 to 8.
macro_rules! filtered {
    () => {
        " FROM accounts WHERE (?1 IS NULL OR enabled = ?1)
            AND (?2 IS NULL OR owner = ?2)
            AND (?3 IS NULL OR EXISTS (SELECT 1 FROM json_each(tags) WHERE json_each.value = ?3))
            AND (?4 IS NULL OR kind = ?4)
            AND (?5 IS NULL OR health_state = ?5)
            AND (?6 IS NULL OR origin = ?6)
            AND (?7 IS NULL OR label = ?7)
            AND (?8 IS NULL OR instr(lower(
                label || char(10) || coalesce(owner, '') || char(10) || coalesce(notes, '') || char(10) || id), ?8))"
    };
}

/// The page after argument 9 (key) and 10 (number), of as many rows as argument 11 says.
macro_rules! ordered {
    ($key:literal, $after:literal, $direction:literal) => {
        concat!(
            "SELECT *",
            filtered!(),
            " AND (?10 IS NULL OR (",
            $key,
            ", number) ",
            $after,
            " (?9, ?10))",
            " ORDER BY ",
            $key,
            " ",
            $direction,
            ", number ",
            $direction,
            " LIMIT ?11"
        )
    };
    ($key:literal, $descending:expr) => {
        if $descending { ordered!($key, "<", "DESC") } else { ordered!($key, ">", "ASC") }
    };
}

const TOTAL: &str = concat!("SELECT count(*)", filtered!());

/// The statement of an order.
fn statement(sort: Sort) -> &'static str {
    let descending = sort.descending;
    match sort.key {
        SortKey::Number => ordered!("number", descending),
        SortKey::Created => ordered!("created_ms", descending),
        SortKey::Updated => ordered!("updated_ms", descending),
        SortKey::Label => ordered!("label", descending),
        SortKey::State => ordered!("health_state", descending),
        SortKey::Success => ordered!("success_count", descending),
        SortKey::Errors => ordered!("error_count", descending),
        SortKey::Requests => ordered!("total_requests", descending),
        SortKey::LastUsed => ordered!("coalesce(last_used_ms, 0)", descending),
        SortKey::Priority => ordered!("priority", descending),
    }
}

pub(crate) async fn page(
    readers: &SqlitePool,
    filter: &Filter,
    sort: Sort,
    after: Option<&Cursor>,
    limit: u32,
) -> Result<Page, StoreError> {
    if after.is_some_and(|cursor| !cursor.fits(sort.key)) {
        return Err(StoreError::Cursor);
    }
    let mut connection = readers.acquire().await.map_err(failed)?;
    // Both statements within one, so that the total is that of the rows.
    let mut reading = connection.begin().await.map_err(failed)?;
    let search = filter.search.as_ref().map(|text| text.to_ascii_lowercase());
    let rows = with_filter(sqlx::query(statement(sort)), filter, search.as_deref());
    let rows = match after.map(|cursor| &cursor.at) {
        None => rows.bind(None::<i64>),
        Some(Place::Number(number)) => rows.bind(*number),
        Some(Place::Text(text)) => rows.bind(text.as_str()),
    };
    let rows = rows.bind(after.map(|cursor| cursor.number)).bind(i64::from(limit) + 1);
    let rows = rows.fetch_all(&mut *reading).await.map_err(failed)?;
    let total = with_filter(sqlx::query(TOTAL), filter, search.as_deref());
    let total = total.fetch_one(&mut *reading).await.map_err(failed)?;
    let total: i64 = sqlx::Row::try_get(&total, 0).map_err(failed)?;
    let mut accounts = rows.iter().map(record).collect::<Result<Vec<_>, _>>()?;
    let more = accounts.len() > limit as usize;
    accounts.truncate(limit as usize);
    let next = accounts.last().filter(|_| more).map(|row| Cursor::after(row, sort.key));
    Ok(Page { accounts, next, total: total.unsigned_abs() })
}

fn with_filter<'q>(statement: Statement<'q>, filter: &'q Filter, search: Option<&'q str>) -> Statement<'q> {
    statement
        .bind(filter.enabled)
        .bind(&filter.owner)
        .bind(&filter.tag)
        .bind(&filter.kind)
        .bind(&filter.state)
        .bind(filter.origin.map(qm_store::Origin::word))
        .bind(&filter.label)
        .bind(search)
}
