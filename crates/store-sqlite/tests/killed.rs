//! A process that is killed while it rotates a login: whatever it was told is kept, is kept.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use qm_store::conformance::{NOW, account, login, ring};
use qm_store::{Shelf, Store as _};
use qm_store_sqlite::SqliteStore;

const FILE: &str = "QM_TEST_ROTATE_FILE";
const ROUNDS: u32 = 60;

/// Not a test by itself: what the child does. Rotates for ever and says each generation once it is durable.
#[test]
fn rotates_until_it_is_killed() {
    let Some(path) = std::env::var_os(FILE) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = SqliteStore::open(Path::new(&path)).await.unwrap();
        let mut generation = store.accounts().by_id("a").await.unwrap().unwrap().secret.generation;
        loop {
            let secret = login("a", &format!("token {}", generation + 1));
            assert!(store.accounts().replace_secret("a", generation, secret, NOW).await.unwrap());
            generation += 1;
            let mut out = std::io::stdout();
            writeln!(out, "kept {generation}").unwrap();
            out.flush().unwrap();
        }
    });
}

/// Kills the child after some rotations, at whatever it is doing then; the last generation it knew of.
fn rotate_and_kill(path: &Path, rotations: u32) -> i64 {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["rotates_until_it_is_killed", "--exact", "--nocapture"])
        .env(FILE, path)
        .stdout(Stdio::piped())
        .spawn();
    let mut child = child.unwrap();
    let mut told = Vec::new();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let number = |line: &str| line.rsplit("kept ").next().and_then(|text| text.trim().parse::<i64>().ok());
    told.extend(lines.by_ref().filter_map(|line| number(&line)).take(rotations as usize));
    // SIGKILL: nothing of it runs any more, no destructor and no flush.
    child.kill().unwrap();
    child.wait().unwrap();
    told.extend(lines.filter_map(|line| number(&line)));
    told.last().copied().unwrap()
}

#[tokio::test]
async fn a_login_that_was_kept_survives_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStore::open(&path).await.unwrap();
    store.accounts().insert(account("a"), NOW).await.unwrap();
    store.close().await;
    for round in 0..ROUNDS {
        let told = rotate_and_kill(&path, 1 + round % 7);
        let store = SqliteStore::open(&path).await.unwrap();
        let kept = store.accounts().by_id("a").await.unwrap().unwrap().secret;
        // One more may have been kept than it lived to say; never one less.
        assert!(
            kept.generation == told || kept.generation == told + 1,
            "{told} was kept, {} is there",
            kept.generation
        );
        let plain = ring().open(&kept.sealed, &Shelf::Account.about("a")).unwrap();
        assert_eq!(plain.as_slice(), format!("token {}", kept.generation).as_bytes());
        assert_eq!(kept.fingerprint, format!("fingerprint of token {}", kept.generation));
        store.close().await;
    }
}
