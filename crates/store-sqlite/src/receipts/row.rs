//! One receipt: what is written of it in `receipt_rows`, and what is read of it in the view `receipts`.

use std::borrow::Cow;
use std::sync::Arc;

use qm_store::receipt::MOST;
use qm_store::{ReceiptEntry, ReceiptOutcome, ReceiptRecord, StoreError, Taken, Usage};
use sqlx::sqlite::SqliteRow;

use crate::account_row::Statement;
use crate::fault::{Columns, int, int_or_none};
use crate::many::{Sizes, sizes};

/// Makes rows. The arguments of each are those of [`with_receipt`].
pub(crate) const INSERT: Sizes = sizes!(
    "INSERT INTO receipt_rows (
        at_ms, request_id, asking, answering, input, output, cache_read, cache_write, credits_micro, first_event_ms, total_ms
    ) VALUES ",
    "(?,?,?,?,?,?,?,?,?,?,?)",
    ""
);

/// A receipt, and the ids of what it refers to.
pub(crate) struct Row<'r> {
    pub(crate) receipt: &'r ReceiptEntry,
    pub(crate) asking: i64,
    pub(crate) answering: i64,
}

/// The arguments of a row.
pub(crate) fn with_receipt<'q>(statement: Statement<'q>, row: &'q Row<'_>) -> Statement<'q> {
    let usage = Usage::of(row.receipt);
    statement
        .bind(int(row.receipt.at_ms))
        .bind(Arc::clone(&row.receipt.request_id))
        .bind(row.asking)
        .bind(row.answering)
        .bind(int(usage.input))
        .bind(int(usage.output))
        .bind(int(usage.cache_read))
        .bind(int(usage.cache_write))
        .bind(int(usage.credits_micro))
        .bind(int_or_none(row.receipt.first_event_ms.map(|ms| ms.min(MOST))))
        .bind(int(usage.total_ms))
}

/// The record of a row with all its columns.
pub(crate) fn record(row: &SqliteRow) -> Result<ReceiptRecord, StoreError> {
    let columns = Columns { table: "receipts", row };
    let text = |column| columns.value::<Box<str>>(column);
    let word = |column| columns.value(column).map(Cow::Owned);
    let shared = |column| columns.value::<&str>(column).map(Arc::from);
    let shared_or_none = |column| columns.value::<Option<&str>>(column).map(|text| text.map(Arc::from));
    let source: Option<&str> = columns.value("source")?;
    let entry = ReceiptEntry {
        request_id: shared("request_id")?,
        at_ms: columns.count("at_ms")?,
        key_id: shared("key_id")?,
        owner: shared_or_none("owner")?,
        team: shared_or_none("team")?,
        account: Option::zip(columns.value("account")?, columns.value("account_name")?),
        protocol: word("protocol")?,
        asked: text("asked")?,
        model: text("model")?,
        outcome: columns.word("outcome", ReceiptOutcome::of)?,
        code: word("code")?,
        status: columns.value("status")?,
        taken: taken(&columns)?,
        basis: word("basis")?,
        first_event_ms: columns.time("first_event_ms")?,
        total_ms: columns.count("total_ms")?,
        attempts: columns.value("attempts")?,
        source: source.map(str::parse).transpose().map_err(|_| columns.corrupt("source"))?,
        agent: text("agent")?,
    };
    Ok(ReceiptRecord { number: columns.value("number")?, entry })
}

fn taken(columns: &Columns<'_>) -> Result<Taken, StoreError> {
    Ok(Taken {
        input: columns.count("input")?,
        output: columns.count("output")?,
        cache_read: columns.count("cache_read")?,
        cache_write: columns.count("cache_write")?,
        credits_micro: columns.count("credits_micro")?,
    })
}
