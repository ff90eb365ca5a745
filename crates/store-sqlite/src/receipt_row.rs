//! One row of `receipts`, both ways.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use qm_store::receipt::MOST;
use qm_store::{ReceiptEntry, ReceiptOutcome, ReceiptRecord, StoreError, Taken, Usage};
use sqlx::sqlite::SqliteRow;

use crate::account_row::Statement;
use crate::fault::{Columns, int, int_or_none};
use crate::many::{Alike, Sizes, sizes};

/// Makes rows. The arguments of each are those of [`with_receipt`].
pub(crate) const INSERT: Sizes = sizes!(
    "INSERT INTO receipts (
        at_ms, request_id, key_id, owner, team, account, account_name, protocol, asked, model, outcome, code, status,
        input, output, cache_read, cache_write, credits_micro, basis, first_event_ms, total_ms, attempts, source, agent
    ) VALUES ",
    "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    ""
);

/// The texts of [`with_receipt`] that are mostly those of the row before.
#[derive(Default)]
pub(crate) struct Texts {
    account: Alike,
    protocol: Alike,
    asked: Alike,
    model: Alike,
    outcome: Alike,
    code: Alike,
    basis: Alike,
    source: Alike,
    agent: Alike,
}

/// The arguments of a row.
pub(crate) fn with_receipt<'q>(
    statement: Statement<'q>,
    receipt: &'q ReceiptEntry,
    texts: &mut Texts,
) -> Statement<'q> {
    let usage = Usage::of(receipt);
    let source = receipt.source.as_ref().map(IpAddr::to_string);
    statement
        .bind(int(receipt.at_ms))
        .bind(Arc::clone(&receipt.request_id))
        .bind(Arc::clone(&receipt.key_id))
        .bind(receipt.owner.clone())
        .bind(receipt.team.clone())
        .bind(receipt.account.as_ref().map(|(number, _)| *number))
        .bind(receipt.account.as_ref().map(|(_, name)| texts.account.text(name)))
        .bind(texts.protocol.text(&receipt.protocol))
        .bind(texts.asked.text(&receipt.asked))
        .bind(texts.model.text(&receipt.model))
        .bind(texts.outcome.text(receipt.outcome.word()))
        .bind(texts.code.text(&receipt.code))
        .bind(receipt.status)
        .bind(int(usage.input))
        .bind(int(usage.output))
        .bind(int(usage.cache_read))
        .bind(int(usage.cache_write))
        .bind(int(usage.credits_micro))
        .bind(texts.basis.text(&receipt.basis))
        .bind(int_or_none(receipt.first_event_ms.map(|ms| ms.min(MOST))))
        .bind(int(usage.total_ms))
        .bind(receipt.attempts)
        .bind(source.map(|source| texts.source.text(&source)))
        .bind(texts.agent.text(&receipt.agent))
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
