//! Receipts: written in batches, read in pages, forgotten in pieces.

use std::borrow::Cow;

use async_trait::async_trait;
use qm_store::page::Place;
use qm_store::{
    Cursor, Ms, PruneBefore, ReceiptEntry, ReceiptFilter, ReceiptOutcome, ReceiptPage, ReceiptRecord,
    Receipts, StoreError, Taken, Usage, UsageQuestion, UsageRow,
};
use sqlx::sqlite::SqliteRow;

use crate::account_row::Statement;
use crate::fault::{Columns, failed, int, int_or_none};
use crate::receipt_row::{ADD_DAYS, ADD_HOURS, ADD_KEYS, APPEND, Sums, rows};
use crate::{SqliteStore, usage};

/// The page after arguments 1 (time) and 2 (number), of as many rows as argument 3 says; arguments 4 to 13 are the filter. What stands
/// in front of it is the part by which an index finds the rows: SQLite would not use one for `? IS NULL OR …`.
macro_rules! page {
    ($found:literal) => {
        concat!(
            "SELECT * FROM receipts WHERE ",
            $found,
            " AND at_ms <= coalesce(?1, 9223372036854775807)
                AND (?1 IS NULL OR at_ms < ?1 OR number < ?2)
                AND at_ms >= coalesce(?4, 0)
                AND at_ms < coalesce(?5, 9223372036854775807)
                AND (?6 IS NULL OR request_id = ?6)
                AND (?7 IS NULL OR key_id = ?7)
                AND (?8 IS NULL OR account_id = ?8)
                AND (?9 IS NULL OR model = ?9)
                AND (?10 IS NULL OR protocol = ?10)
                AND (?11 IS NULL OR owner = ?11)
                AND (?12 IS NULL OR team = ?12)
                AND (?13 IS NULL OR outcome = ?13)
            ORDER BY at_ms DESC, number DESC LIMIT ?3"
        )
    };
}

#[async_trait]
impl Receipts for SqliteStore {
    async fn append(&self, batch: &[ReceiptEntry]) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        let sums = Sums::of(batch);
        let steps = [
            (APPEND, rows(batch)),
            (ADD_HOURS, sums.by_hour()),
            (ADD_DAYS, sums.by_day()),
            (ADD_KEYS, sums.by_key()),
        ];
        let mut writing = self.writing().await?;
        for (statement, rows) in steps {
            sqlx::query(statement).bind(rows).execute(&mut *writing).await.map_err(failed)?;
        }
        writing.commit().await.map_err(failed)
    }

    async fn list(
        &self,
        filter: &ReceiptFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<ReceiptPage, StoreError> {
        let after = match after {
            None => None,
            Some(Cursor { at: Place::Number(at_ms), number }) => Some((*at_ms, *number)),
            Some(_) => return Err(StoreError::Cursor),
        };
        let found = if filter.request_id.is_some() {
            page!("request_id = ?6")
        } else if filter.key_id.is_some() {
            page!("key_id = ?7")
        } else {
            page!("true")
        };
        let page = sqlx::query(found)
            .bind(after.map(|(at_ms, _)| at_ms))
            .bind(after.map(|(_, number)| number))
            .bind(i64::from(limit) + 1);
        let rows = with_filter(page, filter).fetch_all(&self.readers).await.map_err(failed)?;
        let mut receipts = rows.iter().map(record).collect::<Result<Vec<_>, _>>()?;
        let more = receipts.len() > limit as usize;
        receipts.truncate(limit as usize);
        let place =
            |last: &ReceiptRecord| Cursor { at: Place::Number(int(last.entry.at_ms)), number: last.number };
        let next = receipts.last().filter(|_| more).map(place);
        Ok(ReceiptPage { receipts, next })
    }

    async fn usage(&self, question: &UsageQuestion) -> Result<Vec<UsageRow>, StoreError> {
        usage::rows(&self.readers, question).await
    }

    async fn spent(&self, since_ms: Ms) -> Result<Vec<(String, Usage)>, StoreError> {
        usage::spent(&self.readers, since_ms).await
    }

    async fn prune(&self, before: PruneBefore, limit: u32) -> Result<u64, StoreError> {
        let receipts = "DELETE FROM receipts WHERE number IN
            (SELECT number FROM receipts WHERE at_ms < ? ORDER BY at_ms LIMIT ?)";
        let mut gone = 0;
        for (forget, before_ms) in [
            (receipts, before.receipts_ms),
            (usage::FORGET_HOURS, before.hours_ms),
            (usage::FORGET_DAYS, before.days_ms),
        ] {
            // A transaction each: whoever wants to write meanwhile waits for one of them.
            let forget = sqlx::query(forget).bind(int(before_ms)).bind(limit).execute(&self.writer);
            gone += forget.await.map_err(failed)?.rows_affected();
        }
        Ok(gone)
    }
}

fn with_filter<'q>(statement: Statement<'q>, filter: &'q ReceiptFilter) -> Statement<'q> {
    statement
        .bind(int_or_none(filter.from_ms))
        .bind(int_or_none(filter.to_ms))
        .bind(&filter.request_id)
        .bind(&filter.key_id)
        .bind(&filter.account_id)
        .bind(&filter.model)
        .bind(&filter.protocol)
        .bind(&filter.owner)
        .bind(&filter.team)
        .bind(filter.outcome.map(ReceiptOutcome::word))
}

fn record(row: &SqliteRow) -> Result<ReceiptRecord, StoreError> {
    let columns = Columns { table: "receipts", row };
    let text = |column| columns.value::<Box<str>>(column);
    let account = Option::zip(columns.value("account")?, columns.value("account_id")?);
    let entry = ReceiptEntry {
        request_id: text("request_id")?,
        at_ms: columns.count("at_ms")?,
        key_id: text("key_id")?,
        owner: columns.value("owner")?,
        team: columns.value("team")?,
        account,
        protocol: Cow::Owned(columns.value("protocol")?),
        asked: text("asked")?,
        model: text("model")?,
        outcome: columns.word("outcome", ReceiptOutcome::of)?,
        code: Cow::Owned(columns.value("code")?),
        status: columns.value("status")?,
        taken: Taken {
            input: columns.count("input")?,
            output: columns.count("output")?,
            cache_read: columns.count("cache_read")?,
            cache_write: columns.count("cache_write")?,
            credits_micro: columns.count("credits_micro")?,
        },
        basis: Cow::Owned(columns.value("basis")?),
        first_event_ms: columns.time("first_event_ms")?,
        total_ms: columns.count("total_ms")?,
        attempts: columns.value("attempts")?,
        source: text("source")?,
        agent: text("agent")?,
    };
    Ok(ReceiptRecord { number: columns.value("number")?, entry })
}
