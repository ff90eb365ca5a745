//! What a batch of receipts adds up to, and how that is added to the roll-ups.

use std::collections::HashMap;
use std::hash::Hash;

use qm_store::{Ms, ReceiptEntry, Step, StoreError, Usage};
use sqlx::SqliteConnection;

use crate::account_row::Statement;
use crate::fault::int;
use crate::many::{self, Sizes, sizes};
use crate::receipts::Row;

/// Adds rows to a roll-up. The arguments of each are its key and then [`with_usage`].
macro_rules! add_up {
    ($into:literal, $row:literal) => {
        sizes!(
            $into,
            $row,
            " ON CONFLICT DO UPDATE SET requests = requests + excluded.requests,
                succeeded = succeeded + excluded.succeeded, client_gone = client_gone + excluded.client_gone,
                refused = refused + excluded.refused, failed = failed + excluded.failed,
                input = input + excluded.input, output = output + excluded.output,
                cache_read = cache_read + excluded.cache_read, cache_write = cache_write + excluded.cache_write,
                credits_micro = credits_micro + excluded.credits_micro, total_ms = total_ms + excluded.total_ms"
        )
    };
}

const KEY_HOURS: Sizes = add_up!("INSERT INTO key_hours VALUES ", "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
const KEY_DAYS: Sizes = add_up!("INSERT INTO key_days VALUES ", "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
const ACCOUNT_HOURS: Sizes = add_up!("INSERT INTO account_hours VALUES ", "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
const ACCOUNT_DAYS: Sizes = add_up!("INSERT INTO account_days VALUES ", "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");

/// Adds to what keys did.
const KEYS_DID: Sizes = sizes!(
    "UPDATE keys SET total_requests = total_requests + did.column2, total_tokens = total_tokens + did.column3,
        last_used_ms = max(coalesce(last_used_ms, 0), did.column4)
    FROM (VALUES ",
    "(?,?,?,?)",
    ") AS did WHERE keys.id = did.column1"
);

/// Who has a row of his own among those who ask: period, key, owner, team, model, format.
type OfKey<'r> = (Ms, &'r str, &'r str, &'r str, &'r str, &'r str);

/// Who has one among those who answer: period, account, model, format.
type OfAccount<'r> = (Ms, i64, &'r str, &'r str);

/// Receipts of one hour that are alike in all that sums are made by.
struct Alike<'r> {
    one: &'r ReceiptEntry,
    did: Usage,
    last_ms: Ms,
}

/// Adds a batch to all that it is summed up in, within a transaction of the caller's.
pub(crate) async fn add(writing: &mut SqliteConnection, batch: &[Row<'_>]) -> Result<(), StoreError> {
    let batch = alike(batch);
    let hours = sums(batch.iter().map(|alike| (of_key(alike.one), alike.did)));
    let days = sums(hours.iter().map(|&((hour, key, owner, team, model, protocol), usage)| {
        ((Step::Day.start_of(hour), key, owner, team, model, protocol), usage)
    }));
    many::write(writing, &KEY_HOURS, &hours, with_key).await?;
    many::write(writing, &KEY_DAYS, &days, with_key).await?;
    let hours = sums(batch.iter().map(|alike| (of_account(alike.one), alike.did)));
    let days = sums(hours.iter().map(|&((hour, account, model, protocol), usage)| {
        ((Step::Day.start_of(hour), account, model, protocol), usage)
    }));
    many::write(writing, &ACCOUNT_HOURS, &hours, with_account).await?;
    many::write(writing, &ACCOUNT_DAYS, &days, with_account).await?;
    add_to_keys(writing, &batch).await
}

/// Every receipt is looked at here and only here: from now on it is numbers that are compared, and few of them.
fn alike<'r>(batch: &[Row<'r>]) -> Vec<Alike<'r>> {
    let mut alike = HashMap::new();
    for row in batch {
        let (one, at_ms) = (row.receipt, row.receipt.at_ms);
        let new = || Alike { one, did: Usage::default(), last_ms: at_ms };
        let alike = alike.entry((Step::Hour.start_of(at_ms), row.asking, row.answering)).or_insert_with(new);
        alike.did.add(&Usage::of(one));
        alike.last_ms = alike.last_ms.max(at_ms);
    }
    alike.into_values().collect()
}

async fn add_to_keys(writing: &mut SqliteConnection, batch: &[Alike<'_>]) -> Result<(), StoreError> {
    let mut keys: HashMap<&str, (Usage, Ms)> = HashMap::new();
    for alike in batch {
        let (did, last_ms) = keys.entry(&alike.one.key_id).or_default();
        did.add(&alike.did);
        *last_ms = alike.last_ms.max(*last_ms);
    }
    let keys: Vec<_> = keys.into_iter().collect();
    many::write(writing, &KEYS_DID, &keys, |statement, &(id, (did, last_ms))| {
        statement.bind(id).bind(int(did.requests)).bind(int(did.tokens())).bind(int(last_ms))
    })
    .await
}

fn sums<W: Eq + Hash + Ord + Copy>(parts: impl Iterator<Item = (W, Usage)>) -> Vec<(W, Usage)> {
    let mut sums: HashMap<W, Usage> = HashMap::new();
    for (whose, usage) in parts {
        sums.entry(whose).or_default().add(&usage);
    }
    let mut sums: Vec<(W, Usage)> = sums.into_iter().collect();
    // In the order of the table, so that neighbours are found in one page.
    sums.sort_unstable_by_key(|&(whose, _)| whose);
    sums
}

fn of_key(receipt: &ReceiptEntry) -> OfKey<'_> {
    (
        Step::Hour.start_of(receipt.at_ms),
        &receipt.key_id,
        receipt.owner.as_deref().unwrap_or_default(),
        receipt.team.as_deref().unwrap_or_default(),
        &receipt.model,
        &receipt.protocol,
    )
}

fn of_account(receipt: &ReceiptEntry) -> OfAccount<'_> {
    let account = receipt.account.as_ref().map_or(0, |(number, _)| *number);
    (Step::Hour.start_of(receipt.at_ms), account, &receipt.model, &receipt.protocol)
}

fn with_key<'q>(statement: Statement<'q>, row: &'q (OfKey<'_>, Usage)) -> Statement<'q> {
    let (start_ms, key, owner, team, model, protocol) = row.0;
    let key = statement.bind(int(start_ms)).bind(key).bind(owner).bind(team).bind(model).bind(protocol);
    with_usage(key, &row.1)
}

fn with_account<'q>(statement: Statement<'q>, row: &'q (OfAccount<'_>, Usage)) -> Statement<'q> {
    let (start_ms, account, model, protocol) = row.0;
    with_usage(statement.bind(int(start_ms)).bind(account).bind(model).bind(protocol), &row.1)
}

fn with_usage<'q>(statement: Statement<'q>, usage: &Usage) -> Statement<'q> {
    usage.fields().into_iter().fold(statement, |statement, field| statement.bind(int(field)))
}
