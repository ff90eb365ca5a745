//! The schema of a file: newer, older, and what receipts share in it.

use std::path::Path;

use qm_store::conformance::{NOW, account, receipt};
use qm_store::{PruneBefore, ReceiptEntry, ReceiptFilter, ReceiptRecord, Store, Taken};
use qm_store_sqlite::{OpenError, SqliteStore};
use sqlx::AssertSqlSafe;

use crate::{run, shell};

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    SqliteStore::open(&path).await.unwrap().close().await;
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        VALUES (999, 'from the future', 1, x'00', 0)";
    run(&path, newer).await.unwrap();
    let before = std::fs::read(&path).unwrap();
    let refused = SqliteStore::open(&path).await.err().unwrap();
    assert!(matches!(refused, OpenError::Newer { found: 999, known: 3, .. }), "{refused}");
    assert!(refused.to_string().contains("newer version"), "{refused}");
    assert!(std::fs::read(&path).unwrap() == before);
}

/// A file of the first version, with an account in it.
#[tokio::test]
async fn an_older_schema_is_brought_up_to_date_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let kept = store.accounts().insert(account("a"), NOW).await.unwrap();
    store.close().await;
    let first_schema = "DROP TABLE keys; DROP TABLE removed_keys; DROP TABLE sessions;
        DROP TABLE key_hours; DROP TABLE key_days; DROP TABLE account_hours; DROP TABLE account_days;
        DELETE FROM _sqlx_migrations WHERE version >= 2";
    run(&path, AssertSqlSafe(format!("{BACK} {first_schema}"))).await.unwrap();
    let store = SqliteStore::open(&path).await.unwrap();
    assert_eq!(store.accounts().by_id("a").await.unwrap(), Some(kept));
    let key = store.keys().insert(qm_store::conformance::key("k"), NOW).await.unwrap();
    store.receipts().append(&[receipt("r", "k", NOW)]).await.unwrap();
    let counts = store.keys().by_id("k").await.unwrap().unwrap().counts;
    assert_eq!((key.number, counts.total_requests), (1, 1));
}

/// Takes the last migration back.
const BACK: &str = "DROP VIEW receipts; DROP TABLE receipt_rows; DROP TABLE receipt_askings;
    DROP TABLE receipt_answerings; DROP TABLE receipt_seed; DELETE FROM _sqlx_migrations WHERE version = 3;";

/// Makes a file in which each receipt is one row of all its columns, some of them without what may be absent; and the last was forgotten.
async fn with_receipts_of_the_second_version(path: &Path) {
    const OLD: &str = include_str!("../../migrations/0002_keys_and_receipts.sql");
    SqliteStore::open(path).await.unwrap().close().await;
    let table = &OLD[OLD.find("CREATE TABLE receipts").unwrap()..OLD.find("CREATE TABLE key_hours").unwrap()];
    let rows = "INSERT INTO receipts
        WITH RECURSIVE at(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM at LIMIT 1001)
        SELECT n, 1800000000000 + n, 'r' || n, 'k', iif(n % 2, 'me', NULL), iif(n % 3, NULL, 'us'),
            iif(n % 4, 7, NULL), iif(n % 4, 'seven', NULL), 'messages', 'asked', 'model', 'ok', '', 200,
            n, 2, 3, 4, 5, 'estimated', iif(n % 5, 6, NULL), 7, 1, iif(n % 7, '192.0.2.17', NULL), 'an agent'
        FROM at;
        DELETE FROM receipts WHERE number = 1001;";
    run(path, AssertSqlSafe(format!("{BACK} {table} {rows}"))).await.unwrap();
}

/// A gateway and a command that begin at the same moment: one brings the file up to date, the other finds it so.
#[tokio::test]
async fn two_who_open_an_older_file_at_once_both_have_it() {
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        with_receipts_of_the_second_version(&path).await;
        let (one, other) = tokio::join!(SqliteStore::open(&path), SqliteStore::open(&path));
        for store in [one.unwrap(), other.unwrap()] {
            let page = store.receipts().list(&ReceiptFilter::default(), None, 2000).await.unwrap();
            assert_eq!(page.receipts.len(), 1000);
        }
    }
}

#[tokio::test]
async fn receipts_of_an_older_schema_are_what_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    with_receipts_of_the_second_version(&path).await;
    let store = SqliteStore::open(&path).await.unwrap();
    let of = |n: u64| ReceiptEntry {
        owner: (n % 2 == 1).then(|| "me".into()),
        team: n.is_multiple_of(3).then(|| "us".into()),
        account: (!n.is_multiple_of(4)).then(|| (7, "seven".into())),
        taken: Taken { input: n, output: 2, cache_read: 3, cache_write: 4, credits_micro: 5 },
        first_event_ms: (!n.is_multiple_of(5)).then_some(6),
        total_ms: 7,
        source: (!n.is_multiple_of(7)).then(|| [192, 0, 2, 17].into()),
        ..receipt(&format!("r{n}"), "k", 1_800_000_000_000 + n)
    };
    let read = async || store.receipts().list(&ReceiptFilter::default(), None, 2000).await.unwrap().receipts;
    let expected = (1..=1000).rev().map(|n: u64| ReceiptRecord { number: n.cast_signed(), entry: of(n) });
    assert_eq!(read().await, expected.collect::<Vec<_>>());
    store.receipts().append(&[of(2000)]).await.unwrap();
    assert_eq!(read().await[0].number, 1002, "a number is never given twice");
}

/// Receipts that say much the same share what they say; with the last of them it is forgotten.
#[tokio::test]
async fn what_receipts_share_is_kept_once_and_as_long_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStore::open(&path).await.unwrap();
    for at in 0..6 {
        let key = if at < 3 { "a" } else { "b" };
        let batch: Vec<_> = (0..20).map(|each| receipt("r", key, NOW + 10 * at + each % 10)).collect();
        store.receipts().append(&batch).await.unwrap();
    }
    let parts = async || {
        let shell = shell(&path).await;
        let askings: Vec<String> = sqlx::query_scalar("SELECT key_id FROM receipt_askings ORDER BY key_id")
            .fetch_all(&shell)
            .await
            .unwrap();
        let answerings: i64 =
            sqlx::query_scalar("SELECT count(*) FROM receipt_answerings").fetch_one(&shell).await.unwrap();
        shell.close().await;
        (askings, answerings)
    };
    let prune = async |receipts_ms| {
        let before = PruneBefore { receipts_ms, hours_ms: 0, days_ms: 0 };
        while store.receipts().prune(before, 7).await.unwrap() > 0 {}
    };
    assert_eq!(parts().await, (vec!["a".into(), "b".into()], 1));
    prune(NOW + 29).await;
    assert_eq!(parts().await.0, ["a", "b"], "two receipts of a are left");
    prune(NOW + 30).await;
    assert_eq!(parts().await, (vec!["b".into()], 1));
    assert_eq!(store.receipts().list(&ReceiptFilter::default(), None, 99).await.unwrap().receipts.len(), 60);
    prune(NOW + 60).await;
    assert_eq!(parts().await, (vec![], 0));
}
