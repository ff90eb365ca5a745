//! A process that is killed at any moment around a rotation: the account works after the restart.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use qm_accounts::{Actor, Fleet};
use qm_simulator::{Behaviour, Rotation, SimAccount};

use super::house::{Bench, KEY, add, chat, parts};

/// What the child is told: database, address, time, chance.
const TOLD: &str = "QM_TEST_RENEWS";

const ROUNDS: u64 = 200;

/// Not a test by itself: what the child does. Renews for ever.
#[tokio::test]
async fn renews_until_it_is_killed() {
    let Some(told) = std::env::var_os(TOLD) else { return };
    let told = told.into_string().unwrap();
    let [path, base, now_ms, chance] = told.split('\n').collect::<Vec<_>>().try_into().unwrap();
    let (now_ms, chance): (u64, u64) = (now_ms.parse().unwrap(), chance.parse().unwrap());
    let (began, drawn) = (tokio::time::Instant::now(), AtomicU64::new(0));
    let now = Arc::new(move || now_ms + began.elapsed().as_millis() as u64);
    let random =
        Arc::new(move || u128::from(chance) << 64 | u128::from(drawn.fetch_add(1, Ordering::Relaxed)));
    let fleet = Fleet::open(parts(Path::new(path), base, KEY, now, random).await).await.unwrap();
    loop {
        fleet.refresh("1", &Actor::Cli).await.unwrap();
        let mut out = std::io::stdout();
        writeln!(out, "renewed").unwrap();
        out.flush().unwrap();
    }
}

/// Kills the child so many milliseconds after its first renewal, at whatever it is doing then.
fn renew_and_kill(told: String, after_ms: u64) {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["killed::renews_until_it_is_killed", "--exact", "--nocapture"])
        .env(TOLD, told)
        .stdout(Stdio::piped())
        .spawn();
    let mut child = child.unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.ends_with("renewed")), "the child renews");
    std::thread::sleep(Duration::from_millis(after_ms));
    // SIGKILL: nothing of it runs any more, no destructor and no flush.
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_survives_kill_9_at_any_moment_of_a_rotation() {
    let behaviour =
        Behaviour { refresh_delay_ms: 5, rotation: Some(Rotation::Grace), ..Behaviour::default() };
    let account = SimAccount::numbered(0).behaving(behaviour);
    let bench = Bench::of(vec![account.clone()]).await;
    add(&bench.fleet().await, &account, "one").await;
    for round in 0..ROUNDS {
        let path = bench.path("accounts.db").to_str().unwrap().to_owned();
        let told = format!("{path}\n{}\n{}\n{}", bench.simulator.base(), bench.now_ms(), 1_000 + round);
        tokio::task::spawn_blocking(move || renew_and_kill(told, round * 7 % 31)).await.unwrap();
        // The right to renew that the dead process had runs out.
        bench.pass(Duration::from_secs(16));
        let fleet = bench.fleet().await;
        let renewed = fleet.refresh("1", &Actor::Cli).await;
        assert!(renewed.is_ok(), "round {round}: {renewed:?}");
        assert_eq!(chat(&fleet).await, Ok(()), "round {round}");
    }
    assert_eq!(bench.simulator.counts(0).unwrap().stale_refreshes, 0);
}
