//! Receipts: written in batches, read in pages, forgotten in pieces.

mod parts;
mod row;

use async_trait::async_trait;
use qm_store::page::Place;
use qm_store::{
    Cursor, Ms, PruneBefore, ReceiptEntry, ReceiptFilter, ReceiptOutcome, ReceiptPage, ReceiptRecord,
    Receipts, StoreError, Usage, UsageQuestion, UsageRow,
};

use crate::account_row::Statement;
use crate::fault::{failed, int, int_or_none};
use crate::{SqliteStore, many, usage};
use parts::{ANSWERINGS, ASKINGS, Answering, Asking, Parts, with_answering, with_asking};
pub(crate) use row::Row;
use row::{INSERT, record, with_receipt};

/// The page after arguments 1 (time) and 2 (number), of as many rows as argument 3 says; the others are the filter. Receipts are gone
/// through by their time, newest first, until the page is full: those of a key that is quiet are not looked for after its last. All upper
/// bounds are one, for SQLite seeks by one of them only.
const PAGE: &str = "SELECT * FROM receipts
    WHERE at_ms >= coalesce(?4, 0)
        AND at_ms <= min(
            coalesce(?1, 9223372036854775807),
            coalesce(?5 - 1, 9223372036854775807),
            coalesce((SELECT last_used_ms FROM keys WHERE id = ?7), 9223372036854775807))
        AND (?1 IS NULL OR at_ms < ?1 OR number < ?2)
        AND (?6 IS NULL OR request_id = ?6)
        AND (?7 IS NULL OR key_id = ?7)
        AND (?8 IS NULL OR coalesce(account, 0) = ?8)
        AND (?9 IS NULL OR model = ?9)
        AND (?10 IS NULL OR protocol = ?10)
        AND (?11 IS NULL OR coalesce(owner, '') = ?11)
        AND (?12 IS NULL OR coalesce(team, '') = ?12)
        AND (?13 IS NULL OR outcome = ?13)
    ORDER BY at_ms DESC, number DESC LIMIT ?3";

/// Forgets receipts.
const FORGET: &str = "DELETE FROM receipt_rows
    WHERE number IN (SELECT number FROM receipt_rows WHERE at_ms < ? ORDER BY at_ms LIMIT ?)";

/// The rows of a table that no receipt refers to after argument 1, as many as argument 2 says.
macro_rules! forget {
    ($table:literal) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE id IN (SELECT id FROM ",
            $table,
            " WHERE last_ms < ?1 LIMIT ?2)
                AND NOT EXISTS (SELECT 1 FROM receipt_rows WHERE at_ms < ?1)"
        )
    };
}

/// Forgets what only they referred to. It is gone through from one end to the other, and therefore once none of them is left.
const FORGET_PARTS: [&str; 2] = [forget!("receipt_askings"), forget!("receipt_answerings")];

#[async_trait]
impl Receipts for SqliteStore {
    async fn append(&self, batch: &[ReceiptEntry]) -> Result<(), StoreError> {
        let Some(last_ms) = batch.iter().map(|receipt| receipt.at_ms).max() else { return Ok(()) };
        let (mut askings, mut answerings) = (Parts::new(self.seed), Parts::new(self.seed));
        let row = |receipt| {
            let (asking, answering) = (Asking::of(receipt), Answering::of(receipt));
            Row { receipt, asking: askings.id(asking), answering: answerings.id(answering) }
        };
        let rows: Vec<Row<'_>> = batch.iter().map(row).collect();
        let (askings, answerings) = (askings.named(last_ms), answerings.named(last_ms));
        let mut writing = self.writing().await?;
        many::write(&mut writing, &ASKINGS, &askings, with_asking).await?;
        many::write(&mut writing, &ANSWERINGS, &answerings, with_answering).await?;
        many::write(&mut writing, &INSERT, &rows, with_receipt).await?;
        usage::sums::add(&mut writing, &rows).await?;
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
        let page = sqlx::query(PAGE)
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
        // A transaction each: whoever wants to write meanwhile waits for one of them.
        let gone = async |forget, before_ms| {
            let forget = sqlx::query(forget).bind(int(before_ms)).bind(limit).execute(&self.writer);
            forget.await.map_err(failed).map(|done| done.rows_affected())
        };
        let mut all = gone(FORGET, before.receipts_ms).await?;
        if all == 0 {
            for forget in FORGET_PARTS {
                all += gone(forget, before.receipts_ms).await?;
            }
        }
        for forget in usage::FORGET_HOURS {
            all += gone(forget, before.hours_ms).await?;
        }
        for forget in usage::FORGET_DAYS {
            all += gone(forget, before.days_ms).await?;
        }
        Ok(all)
    }
}

fn with_filter<'q>(statement: Statement<'q>, filter: &'q ReceiptFilter) -> Statement<'q> {
    statement
        .bind(int_or_none(filter.from_ms))
        .bind(int_or_none(filter.to_ms))
        .bind(&filter.request_id)
        .bind(&filter.key_id)
        .bind(filter.account)
        .bind(&filter.model)
        .bind(&filter.protocol)
        .bind(&filter.owner)
        .bind(&filter.team)
        .bind(filter.outcome.map(ReceiptOutcome::word))
}
