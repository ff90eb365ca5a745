//! What the ledger costs on the way of a request: `cargo bench -p qm-ledger`. Writing is done aside and is not in it; what that costs is
//! told by `cargo bench -p qm-store-sqlite`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for people who look at it")]
#![expect(clippy::disallowed_methods, reason = "a benchmark needs a clock")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use qm_canon::Usage;
use qm_ledger::{Books, Habits};
use qm_relay::receipt::Served;
use qm_relay::{KeyId, Ledger as _, Opening, Outcome, Receipt, Step};
use qm_store_sqlite::SqliteStore;

const ROUNDS: usize = 60;
const EACH: usize = 1_000;

fn opening() -> Opening {
    Opening {
        request_id: "req_0123456789abcdef0123456789abcdef".into(),
        key: KeyId::from("5f0c2d3e-0000-4000-8000-000000000001"),
        owner: Some("somebody@example.org".into()),
        team: Some("a team".into()),
        protocol: "messages",
        source: Some([192, 0, 2, 17].into()),
        agent: Some("claude-cli/2.0.14 (external, cli)".into()),
        began_ms: 1_800_000_000_000,
    }
}

fn receipt() -> Receipt {
    Receipt {
        asked: Some("claude-sonnet-4-5-20250929".into()),
        served: Some("claude-sonnet-4.5".into()),
        account: Some(Served { number: 17, name: "17 (the account of somebody)".into() }),
        outcome: Outcome::Finished,
        status: Some(200),
        usage: Usage { input: 12_345, output: 678, credits: Some(0.0123), ..Usage::default() },
        attempts: 1,
        first_event: Some(Duration::from_millis(1_234)),
        total: Duration::from_millis(23_456),
        ended_ms: 1_800_000_000_000,
    }
}

/// A hundred open entries beside the one that is measured. The store is never asked: no writer runs.
#[tokio::main(flavor = "current_thread")]
async fn main() {
    let store = SqliteStore::in_memory().await.unwrap();
    let books = Books::new(Arc::new(store), Habits { entries: 100_000, ..Habits::default() }, Arc::new(|| 0));
    let mut others = Vec::new();
    for _ in 0..100 {
        others.push(books.open(opening()).await.unwrap());
    }
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let given: Vec<(Opening, Receipt)> = (0..EACH).map(|_| (opening(), receipt())).collect();
        let began = Instant::now();
        for (opening, receipt) in given {
            let mut entry = books.open(opening).await.unwrap();
            entry.progress(Step::Asked("claude-sonnet-4-5-20250929"));
            let (name, model) = ("17 (the account of somebody)", "claude-sonnet-4.5");
            entry.progress(Step::Attempt { number: 1, account: 17, name, model });
            entry.progress(Step::Begun(Duration::from_millis(1_234)));
            entry.close(receipt);
        }
        times.push(began.elapsed().as_nanos() / EACH as u128);
    }
    times.sort_unstable();
    println!(
        "open, three steps and close of one entry: median {} ns, worst {} ns",
        times[ROUNDS / 2],
        times[ROUNDS - 1]
    );
}
