//! Questions to the roll-ups. One statement for each roll-up; what it groups and orders by is an argument.

use qm_store::{Ms, Step, StoreError, Usage, UsageQuestion, UsageRow};
use sqlx::SqlitePool;

use crate::fault::{Columns, failed, int};

macro_rules! sums {
    () => {
        "sum(requests) AS requests, sum(succeeded) AS succeeded, sum(client_gone) AS client_gone,
            sum(refused) AS refused, sum(failed) AS failed, sum(input) AS input, sum(output) AS output,
            sum(cache_read) AS cache_read, sum(cache_write) AS cache_write, sum(credits_micro) AS credits_micro,
            sum(total_ms) AS total_ms"
    };
}

/// Columns of [`sums!`], in the order of [`Usage::fields`].
const SUMS: [&str; 11] = [
    "requests",
    "succeeded",
    "client_gone",
    "refused",
    "failed",
    "input",
    "output",
    "cache_read",
    "cache_write",
    "credits_micro",
    "total_ms",
];

macro_rules! asked {
    ($table:literal) => {
        concat!(
            "SELECT CASE WHEN ?1 THEN start_ms ELSE 0 END AS period,
                CASE ?2 WHEN 'key' THEN key_id WHEN 'account' THEN CAST(nullif(account, 0) AS TEXT) WHEN 'model' THEN model
                    WHEN 'protocol' THEN protocol WHEN 'owner' THEN owner WHEN 'team' THEN team END AS name, ",
            sums!(),
            " FROM ",
            $table,
            " WHERE start_ms >= ?3 AND start_ms < ?4
                AND (?5 IS NULL OR key_id = ?5)
                AND (?6 IS NULL OR account = ?6)
                AND (?7 IS NULL OR model = ?7)
                AND (?8 IS NULL OR protocol = ?8)
                AND (?9 IS NULL OR owner = ?9)
                AND (?10 IS NULL OR team = ?10)
            GROUP BY period, name
            ORDER BY period, CASE ?11 WHEN 'tokens' THEN sum(input) + sum(output) WHEN 'credits' THEN sum(credits_micro)
                WHEN 'failed' THEN sum(failed) ELSE sum(requests) END DESC, name
            LIMIT ?12"
        )
    };
}

/// The oldest rows of a roll-up, as many as argument 2 says, if they began before argument 1.
macro_rules! forget {
    ($table:literal) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE (start_ms, key_id, owner, team, account, model, protocol) IN
                (SELECT start_ms, key_id, owner, team, account, model, protocol FROM ",
            $table,
            " WHERE start_ms < ?1 ORDER BY start_ms LIMIT ?2)"
        )
    };
}

/// Forgets hours.
pub(crate) const FORGET_HOURS: &str = forget!("usage_hours");
/// Forgets days.
pub(crate) const FORGET_DAYS: &str = forget!("usage_days");

pub(crate) async fn rows(
    readers: &SqlitePool,
    question: &UsageQuestion,
) -> Result<Vec<UsageRow>, StoreError> {
    let (table, statement) = match question.step {
        Step::Hour => ("usage_hours", asked!("usage_hours")),
        Step::Day => ("usage_days", asked!("usage_days")),
    };
    let of = &question.of;
    let rows = sqlx::query(statement)
        .bind(question.by_period)
        .bind(question.group.word())
        .bind(int(question.from_ms))
        .bind(int(question.to_ms))
        .bind(&of.key_id)
        .bind(of.account)
        .bind(&of.model)
        .bind(&of.protocol)
        .bind(&of.owner)
        .bind(&of.team)
        .bind(question.order.word())
        .bind(question.limit)
        .fetch_all(readers)
        .await
        .map_err(failed)?;
    let row = |row| {
        let columns = Columns { table, row };
        let name: Option<String> = columns.value("name")?;
        Ok(UsageRow {
            start_ms: columns.count("period")?,
            name: name.unwrap_or_default(),
            usage: summed(&columns)?,
        })
    };
    rows.iter().map(row).collect()
}

pub(crate) async fn spent(readers: &SqlitePool, since_ms: Ms) -> Result<Vec<(String, Usage)>, StoreError> {
    let spent = concat!(
        "SELECT key_id, ",
        sums!(),
        " FROM usage_days WHERE start_ms >= ? GROUP BY key_id ORDER BY key_id"
    );
    let rows = sqlx::query(spent).bind(int(since_ms)).fetch_all(readers).await.map_err(failed)?;
    let row = |row| {
        let columns = Columns { table: "usage_days", row };
        Ok((columns.value("key_id")?, summed(&columns)?))
    };
    rows.iter().map(row).collect()
}

fn summed(columns: &Columns<'_>) -> Result<Usage, StoreError> {
    let mut fields = [0; 11];
    for (field, column) in fields.iter_mut().zip(SUMS) {
        *field = columns.count(column)?;
    }
    Ok(Usage::from_fields(fields))
}
