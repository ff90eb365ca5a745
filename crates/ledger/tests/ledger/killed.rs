//! A process that is killed while it writes receipts: those of its last second at most are gone, and all sums are right.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use qm_ledger::{Books, Habits, Span};
use qm_relay::Ledger as _;
use qm_store::{ReceiptFilter, Store as _, UsageFilter};
use qm_store_sqlite::SqliteStore;

use crate::house::{NOW, opening, receipt};

const FILE: &str = "QM_TEST_LEDGER_FILE";

/// Not a test by itself: what the child does. Closes receipts for ever and says which.
#[test]
fn writes_until_it_is_killed() {
    let Some(path) = std::env::var_os(FILE) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let store = SqliteStore::open(Path::new(&path)).await.unwrap();
        let books = Books::new(Arc::new(store), Habits::default(), Arc::new(|| NOW));
        let writer = books.clone();
        tokio::spawn(async move { writer.run(std::future::pending()).await });
        let mut tick = tokio::time::interval(Duration::from_millis(1));
        for number in 0_u64.. {
            tick.tick().await;
            books.open(opening(&number.to_string(), "k")).await.unwrap().close(receipt());
            let mut out = std::io::stdout();
            writeln!(out, "closed {number}").unwrap();
            out.flush().unwrap();
        }
    });
}

/// Kills the child after a while; for each receipt it closed, how long before the kill we knew.
fn write_and_kill(path: &Path, after: Duration) -> Vec<(u64, Duration)> {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["killed::writes_until_it_is_killed", "--exact", "--nocapture"])
        .env(FILE, path)
        .stdout(Stdio::piped())
        .spawn();
    let mut child = child.unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let number =
        |line: String| line.rsplit("closed ").next().and_then(|text| text.trim().parse::<u64>().ok());
    let (mut told, mut began) = (Vec::new(), None);
    for number in lines.filter_map(number) {
        told.push((number, Instant::now()));
        if began.get_or_insert_with(Instant::now).elapsed() >= after {
            break;
        }
    }
    // SIGKILL: nothing of it runs any more, no destructor and no flush.
    child.kill().unwrap();
    let killed = Instant::now();
    child.wait().unwrap();
    told.into_iter().map(|(number, at)| (number, killed - at)).collect()
}

#[tokio::test]
async fn kill_9_costs_the_last_second_at_most() {
    for after_ms in [1_300, 1_600, 1_900] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let told = write_and_kill(&path, Duration::from_millis(after_ms));
        let store = Arc::new(SqliteStore::open(&path).await.unwrap());
        let page = store.receipts().list(&ReceiptFilter::default(), None, 1_000_000).await.unwrap();
        let kept: std::collections::BTreeSet<u64> =
            page.receipts.iter().map(|record| record.entry.request_id.parse().unwrap()).collect();
        let old: Vec<u64> = told
            .iter()
            .filter(|(_, ago)| *ago >= Duration::from_secs(1))
            .map(|(number, _)| *number)
            .collect();
        assert!(old.len() > 100, "it had closed {} a second before", old.len());
        let gone: Vec<&u64> = old.iter().filter(|number| !kept.contains(number)).collect();
        assert!(gone.is_empty(), "{gone:?} of {} are gone", old.len());
        assert_eq!(kept.len(), page.receipts.len(), "none is doubled");
        let books = Books::new(store, Habits::default(), Arc::new(|| NOW));
        let sums = books.totals(UsageFilter::default(), Span::days_until(NOW, 1)).await.unwrap();
        assert_eq!(sums.requests, kept.len() as u64, "what is kept is summed up");
    }
}
