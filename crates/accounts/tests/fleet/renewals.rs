//! However many requests and processes there are: a login is renewed once, and what comes of it is never lost.

use std::time::Duration;

use qm_accounts::{Actor, Fleet};
use qm_simulator::{Behaviour, RefreshFault, Rotation, SimAccount};
use tokio::task::JoinSet;

use super::house::{Bench, add, chat};

/// Slow enough that all are there before the first is done; the old token is void at once.
fn slow() -> SimAccount {
    let behaviour =
        Behaviour { refresh_delay_ms: 300, rotation: Some(Rotation::Each), ..Behaviour::default() };
    SimAccount::numbered(0).behaving(behaviour)
}

async fn at_once(fleets: &[Fleet], requests: usize) -> Vec<Result<(), String>> {
    let mut all = JoinSet::new();
    for fleet in fleets.iter().cycle().take(requests) {
        let fleet = fleet.clone();
        all.spawn(async move { chat(&fleet).await });
    }
    all.join_all().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_requests_on_one_expired_token_are_one_refresh() {
    let bench = Bench::of(vec![slow()]).await;
    let fleet = bench.fleet().await;
    add(&fleet, &slow(), "one").await;
    assert_eq!(at_once(std::slice::from_ref(&fleet), 50).await, vec![Ok(()); 50]);
    assert_eq!(bench.simulator.counts(0).unwrap().refreshes, 1);
    bench.pass(Duration::from_secs(2 * 3600));
    assert_eq!(at_once(&[fleet], 50).await, vec![Ok(()); 50]);
    let counts = bench.simulator.counts(0).unwrap();
    assert_eq!((counts.refreshes, counts.stale_refreshes, counts.most_refreshing), (2, 0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn also_if_they_come_to_three_processes() {
    let bench = Bench::of(vec![slow()]).await;
    let first = bench.fleet().await;
    add(&first, &slow(), "one").await;
    let fleets = [first, bench.fleet().await, bench.fleet().await];
    for round in 1..=4 {
        assert_eq!(at_once(&fleets, 50).await, vec![Ok(()); 50]);
        let counts = bench.simulator.counts(0).unwrap();
        assert_eq!((counts.refreshes, counts.stale_refreshes, counts.most_refreshing), (round, 0, 1));
        bench.pass(Duration::from_secs(2 * 3600));
    }
}

#[tokio::test]
async fn a_rotated_login_is_there_after_a_restart() {
    let bench = Bench::of(vec![slow()]).await;
    let id = {
        let fleet = bench.fleet().await;
        let id = add(&fleet, &slow(), "one").await.id;
        let view = fleet.refresh(&id, &Actor::Cli).await.unwrap();
        assert!(view.login.has_access_token && view.login.last_refresh_status == "success");
        id
    };
    // Nothing was flushed or closed: what counts was durable before it was used.
    let fleet = bench.fleet().await;
    bench.pass(Duration::from_secs(2 * 3600));
    assert_eq!(chat(&fleet).await, Ok(()));
    let view = fleet.get(&id).await.unwrap();
    assert!(view.login.expires_ms.unwrap() > bench.now_ms(), "{view:?}");
    assert_eq!(bench.simulator.counts(0).unwrap().stale_refreshes, 0);
}

#[tokio::test]
async fn a_dead_login_is_broken_everywhere_and_healed_by_another() {
    let account = SimAccount::numbered(0).behaving(Behaviour::refresh_fault(RefreshFault::InvalidGrant));
    let bench = Bench::of(vec![account.clone(), SimAccount::numbered(1)]).await;
    let (here, there) = (bench.fleet().await, bench.fleet().await);
    let id = add(&here, &account, "one").await.id;
    there.sync().await.unwrap();
    let error = here.refresh(&id, &Actor::Cli).await.unwrap_err();
    assert_eq!(error.kind, qm_accounts::ErrorKind::Refused, "{error}");
    there.sync().await.unwrap();
    for fleet in [&here, &there, &bench.fleet().await] {
        let view = fleet.get(&id).await.unwrap();
        assert_eq!(view.health.state, qm_pool::Health::Broken);
        assert!(view.login.last_refresh_status.starts_with("failed"), "{}", view.login.last_refresh_status);
        assert!(view.health.cause.is_some_and(|cause| cause.at_ms > 0 && !cause.words.is_empty()));
        assert_eq!(chat(fleet).await, Err("pool/logins-dead".to_owned()));
    }
    let login = super::house::login(&SimAccount::numbered(1));
    let edit = qm_accounts::Edit {
        login: Some(qm_accounts::LoginEdit::Whole(Box::new(login))),
        ..qm_accounts::Edit::default()
    };
    let view = there.change(&id, edit, &Actor::Cli).await.unwrap();
    assert_eq!(view.health.state, qm_pool::Health::Ready);
    here.sync().await.unwrap();
    for fleet in [here, there] {
        assert_eq!(chat(&fleet).await, Ok(()));
    }
}

#[tokio::test]
async fn tokens_are_renewed_and_credits_asked_for_ahead_of_requests() {
    let bench = Bench::of(vec![slow()]).await;
    let fleet = bench.fleet().await;
    let id = add(&fleet, &slow(), "one").await.id;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let done = async {
        super::house::until("a token and credits", || async {
            let view = fleet.get(&id).await.unwrap();
            view.login.has_access_token && view.usage.is_some()
        })
        .await;
        super::house::until("models", || async { qm_relay::Accounts::catalogue(&fleet).live }).await;
        let _ = stop.send(());
    };
    tokio::join!(fleet.run(async { drop(stopped.await) }), done);
    let counts = bench.simulator.counts(0).unwrap();
    assert_eq!((counts.chats, counts.refreshes, counts.usage_polls), (0, 1, 1));
    let census = qm_relay::Accounts::census(&fleet);
    assert_eq!((census.total, census.healthy, census.with_token), (1, 1, 1));
}

#[tokio::test]
async fn a_renewal_that_is_under_way_at_the_end_is_kept() {
    let bench = Bench::of(vec![slow()]).await;
    let fleet = bench.fleet().await;
    let id = add(&fleet, &slow(), "one").await.id;
    let begun = bench.simulator.wait_for(|calls| calls.iter().any(|call| call.path.ends_with("/token")));
    fleet.run(begun).await;
    assert_eq!(bench.simulator.counts(0).unwrap().refreshed, 1);
    let view = bench.fleet().await.get(&id).await.unwrap();
    assert!(view.login.has_access_token && view.login.last_refresh_status == "success", "{view:?}");
}
