//! What it costs to write receipts down, with all they add up to: `cargo bench -p qm-store-sqlite`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for people who look at it")]
#![expect(clippy::disallowed_methods, reason = "a benchmark needs a clock")]

use std::borrow::Cow;
use std::time::Instant;

use qm_store::{KeyMark, KeyOrigin, KeyWishes, NewKey, ReceiptEntry, ReceiptOutcome, Store as _, Taken};
use qm_store_sqlite::SqliteStore;

const NOW: u64 = 1_800_000_000_000;
const KEYS: u64 = 50;

fn key_id(at: u64) -> String {
    format!("5f0c2d3e-0000-4000-8000-{at:012x}")
}

/// Receipts of so many keys and accounts, four models and two formats.
fn receipt(at: u64, keys: u64, accounts: u64) -> ReceiptEntry {
    let mixed = at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
    let failed = at.is_multiple_of(50);
    ReceiptEntry {
        request_id: format!("req_{:032x}", u128::from(mixed) << 60 | u128::from(at)).into(),
        at_ms: NOW + at,
        key_id: key_id(mixed % keys).into(),
        owner: Some("somebody@example.org".into()),
        team: Some("a team".into()),
        account: Some(((mixed / keys % accounts).cast_signed() + 1, "17 (the account of somebody)".into())),
        protocol: if mixed.is_multiple_of(3) { "chat" } else { "messages" }.into(),
        asked: "claude-sonnet-4-5-20250929".into(),
        model: ["claude-sonnet-4.5", "claude-sonnet-4", "claude-haiku-4.5", "claude-opus-4.5"]
            [(mixed / 7 % 4) as usize]
            .into(),
        outcome: if failed { ReceiptOutcome::Failed } else { ReceiptOutcome::Ok },
        code: if failed { Cow::Borrowed("upstream/ThrottlingException") } else { Cow::Borrowed("") },
        status: if failed { 429 } else { 200 },
        taken: Taken { input: 12_345, output: 678, cache_read: 0, cache_write: 0, credits_micro: 12_345 },
        basis: "window".into(),
        first_event_ms: Some(1_234),
        total_ms: 23_456,
        attempts: 1,
        source: Some([192, 0, 2, 17].into()),
        agent: "claude-cli/2.0.14 (external, cli)".into(),
    }
}

/// Processor time of all threads of this process, in seconds.
fn processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("store.db")).await.unwrap();
    for at in 0..KEYS {
        let mark =
            KeyMark { digest: at.to_string(), hint_prefix: "amq-AbCd".into(), hint_last4: "wxyz".into() };
        let wishes = KeyWishes::named("a key", &["inference"]);
        let key = NewKey { id: key_id(at), mark, wishes, origin: KeyOrigin::Api, created_by: "cli".into() };
        store.keys().insert(key, NOW).await.unwrap();
    }
    let mut at = 0;
    println!(
        "{:>5} {:>9} {:>6} {:>9} {:>11} {:>13}",
        "keys", "accounts", "batch", "receipts", "us/receipt", "processor us"
    );
    for (keys, accounts, size, batches) in [
        (1, 1, 4096, 50),
        (1, 1, 1024, 200),
        (5, 10, 1024, 200),
        (50, 200, 1024, 200),
        (5, 10, 256, 200),
        (5, 10, 32, 500),
        (5, 10, 1, 500),
    ] {
        let all: Vec<ReceiptEntry> =
            (at..at + size * batches).map(|at| receipt(at, keys, accounts)).collect();
        at += size * batches;
        let (began, worked) = (Instant::now(), processor());
        for batch in all.chunks(size as usize) {
            store.receipts().append(batch).await.unwrap();
        }
        let receipts = size * batches;
        let each = |seconds: f64| seconds * 1e6 / receipts as f64;
        println!(
            "{keys:>5} {accounts:>9} {size:>6} {receipts:>9} {:>11.2} {:>13.2}",
            each(began.elapsed().as_secs_f64()),
            each(processor() - worked)
        );
    }
}
