//! Questions to the roll-ups. What is grouped and ordered by is an argument, so that there is one statement for each source.

pub(crate) mod sums;

use qm_store::{Group, Ms, Step, StoreError, Usage, UsageQuestion, UsageRow};
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

/// A question to a source that has columns for all that may be asked.
macro_rules! asked {
    ($($from:tt)+) => {
        concat!(
            "SELECT CASE WHEN ?1 THEN start_ms ELSE 0 END AS period,
                CASE ?2 WHEN 'key' THEN key_id WHEN 'account' THEN CAST(nullif(account, 0) AS TEXT) WHEN 'model' THEN model
                    WHEN 'protocol' THEN protocol WHEN 'owner' THEN owner WHEN 'team' THEN team END AS name, ",
            sums!(),
            " FROM ",
            $($from)+,
            " WHERE start_ms >= ?3 AND start_ms < ?4
                AND (?5 IS NULL OR key_id = ?5)
                AND (?6 IS NULL OR account = ?6)
                AND (?7 IS NULL OR model = ?7)
                AND (?8 IS NULL OR protocol = ?8)
                AND (?9 IS NULL OR owner = ?9)
                AND (?10 IS NULL OR team = ?10)
            GROUP BY period, name
            ORDER BY period, CASE ?11 WHEN 'tokens' THEN sum(input) + sum(cache_write) + sum(output)
                WHEN 'credits' THEN sum(credits_micro) WHEN 'failed' THEN sum(failed) ELSE sum(requests) END DESC, name
            LIMIT ?12"
        )
    };
}

/// Receipts as if they were a roll-up. The bounds stand here as well, where the index by time is found.
macro_rules! receipts {
    ($length:literal) => {
        concat!(
            "(SELECT at_ms - at_ms % ",
            $length,
            " AS start_ms, key_id, coalesce(owner, '') AS owner, coalesce(team, '') AS team,
                coalesce(account, 0) AS account, model, protocol, 1 AS requests, outcome = 'ok' AS succeeded,
                outcome = 'client_gone' AS client_gone, outcome = 'refused' AS refused, outcome = 'failed' AS failed,
                input, output, cache_read, cache_write, credits_micro, total_ms
            FROM receipts WHERE at_ms >= ?3 AND at_ms < ?4)"
        )
    };
}

/// Where the answer is. Who asked and who answered are summed up apart; for both at once receipts are read, as long as there are any.
fn source(question: &UsageQuestion) -> &'static str {
    let of = &question.of;
    let answering = of.account.is_some() || question.group == Group::Account;
    let asking = [&of.key_id, &of.owner, &of.team].into_iter().any(Option::is_some)
        || matches!(question.group, Group::Key | Group::Owner | Group::Team);
    match (question.step, asking, answering) {
        (Step::Hour, true, true) => asked!(receipts!("3600000")),
        (Step::Day, true, true) => asked!(receipts!("86400000")),
        (Step::Hour, _, false) => asked!("(SELECT *, 0 AS account FROM key_hours)"),
        (Step::Day, _, false) => asked!("(SELECT *, 0 AS account FROM key_days)"),
        (Step::Hour, false, true) => {
            asked!("(SELECT *, '' AS key_id, '' AS owner, '' AS team FROM account_hours)")
        }
        (Step::Day, false, true) => {
            asked!("(SELECT *, '' AS key_id, '' AS owner, '' AS team FROM account_days)")
        }
    }
}

/// The oldest rows of a roll-up, as many as argument 2 says, if they began before argument 1.
macro_rules! forget {
    ($table:literal, $key:literal) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE (",
            $key,
            ") IN (SELECT ",
            $key,
            " FROM ",
            $table,
            " WHERE start_ms < ?1 ORDER BY start_ms LIMIT ?2)"
        )
    };
}

/// Forgets hours.
pub(crate) const FORGET_HOURS: [&str; 2] = [
    forget!("key_hours", "start_ms, key_id, owner, team, model, protocol"),
    forget!("account_hours", "start_ms, account, model, protocol"),
];
/// Forgets days.
pub(crate) const FORGET_DAYS: [&str; 2] = [
    forget!("key_days", "start_ms, key_id, owner, team, model, protocol"),
    forget!("account_days", "start_ms, account, model, protocol"),
];

pub(crate) async fn rows(
    readers: &SqlitePool,
    question: &UsageQuestion,
) -> Result<Vec<UsageRow>, StoreError> {
    let of = &question.of;
    let rows = sqlx::query(source(question))
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
        let columns = Columns { table: "usage", row };
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
        " FROM key_days WHERE start_ms >= ? GROUP BY key_id ORDER BY key_id"
    );
    let rows = sqlx::query(spent).bind(int(since_ms)).fetch_all(readers).await.map_err(failed)?;
    let row = |row| {
        let columns = Columns { table: "key_days", row };
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
