//! People log in by device code, while processes come and go.

use std::time::Duration;

use qm_accounts::login::{LONGEST_CLAIM, Portal, Provider, Start};
use qm_accounts::{Actor, ErrorKind, Fleet, LoginState, Wish};
use qm_pool::Health;
use qm_simulator::{Behaviour, DeviceEnd, LoginKind, RefreshFault, SimAccount};
use qm_store::Store as _;
use qm_store_sqlite::SqliteStore;

use super::house::{Bench, add, chat, until};

fn wish() -> Wish {
    Wish {
        label: Some("Ann".to_owned()),
        owner: Some("ann".to_owned()),
        ..Wish::of(Start::Portal(Portal::builder_id()))
    }
}

async fn waiting() -> Bench {
    let bench = Bench::of(vec![SimAccount { login: LoginKind::Any, ..SimAccount::numbered(0) }]).await;
    bench.simulator.knobs().device = DeviceEnd::Manual;
    bench
}

fn account_of(state: &LoginState) -> &str {
    let account = if let LoginState::Completed { account } = state { Some(account) } else { None };
    assert!(account.is_some(), "{state:?}");
    account.unwrap()
}

#[tokio::test]
async fn whoever_logs_in_has_an_account_and_it_serves() {
    for start in [Start::Portal(Portal::builder_id()), Start::Social(Provider::Github)] {
        let bench = waiting().await;
        let fleet = bench.fleet().await;
        let login = fleet.login_start(Wish { start, ..wish() }, &Actor::Cli).await.unwrap();
        assert!(login.verification_uri_complete.unwrap().contains(&login.user_code));
        let at_once = fleet.login_claim(&login.id, Duration::ZERO).await.unwrap();
        assert!(matches!(at_once.state, LoginState::Pending { remaining_ms } if remaining_ms > 0));
        bench.simulator.approve(&login.user_code, Some(0)).unwrap();
        let claimed = fleet.login_claim(&login.id, LONGEST_CLAIM).await.unwrap();
        let view = fleet.get(account_of(&claimed.state)).await.unwrap();
        assert_eq!((view.label.as_str(), view.origin), ("Ann", "login"));
        assert_eq!(view.wishes.owner.as_deref(), Some("ann"));
        assert_eq!(chat(&fleet).await, Ok(()));
        assert_eq!(
            fleet.login_claim(&login.id, LONGEST_CLAIM).await.unwrap(),
            claimed,
            "asked again, the same"
        );
    }
}

#[tokio::test]
async fn another_process_claims_what_the_first_one_started() {
    let bench = waiting().await;
    let login = bench.fleet().await.login_start(wish(), &Actor::Cli).await.unwrap();
    // The first process is gone; two others claim at once.
    let (one, two) = (bench.fleet().await, bench.fleet().await);
    let approve = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        bench.simulator.approve(&login.user_code, Some(0)).unwrap();
    };
    let claim = |fleet: &Fleet| {
        let (fleet, id) = (fleet.clone(), login.id.clone());
        async move { fleet.login_claim(&id, LONGEST_CLAIM).await }
    };
    let (first, second, ()) = tokio::join!(claim(&one), claim(&two), approve);
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(account_of(&first.state), account_of(&second.state));
    assert_eq!(bench.simulator.counts(0).unwrap().logins, 1);
    for fleet in [one, two] {
        fleet.sync().await.unwrap();
        assert_eq!(chat(&fleet).await, Ok(()));
    }
}

#[tokio::test]
async fn while_another_process_polls_this_one_does_not() {
    let bench = waiting().await;
    let fleet = bench.fleet().await;
    let login = fleet.login_start(wish(), &Actor::Cli).await.unwrap();
    bench.simulator.approve(&login.user_code, Some(0)).unwrap();
    bench.pass(Duration::from_secs(2));
    let store = SqliteStore::open(&bench.path("accounts.db")).await.unwrap();
    let (now_ms, other) = (bench.now_ms(), "another process");
    assert!(store.logins().lease(&login.id, other, now_ms + 60_000, now_ms).await.unwrap());
    let claimed = fleet.login_claim(&login.id, Duration::ZERO).await.unwrap();
    assert!(matches!(claimed.state, LoginState::Pending { .. }));
    assert_eq!(bench.simulator.counts(0).unwrap().logins, 0);
    store.logins().release(&login.id, other).await.unwrap();
    let claimed = fleet.login_claim(&login.id, Duration::ZERO).await.unwrap();
    assert!(matches!(claimed.state, LoginState::Completed { .. }));
}

#[tokio::test]
async fn a_login_that_nobody_claims_is_finished_in_the_background() {
    let bench = waiting().await;
    let fleet = bench.fleet().await;
    let login = fleet.login_start(wish(), &Actor::Cli).await.unwrap();
    bench.simulator.approve(&login.user_code, Some(0)).unwrap();
    let done = until("the account", || async {
        matches!(fleet.login_status(&login.id).await.unwrap().state, LoginState::Completed { .. })
    });
    tokio::select! {
        () = fleet.run(std::future::pending()) => panic!("nobody stopped it"),
        () = done => {}
    }
}

#[tokio::test]
async fn a_service_that_is_slow_to_answer_for_one_login_keeps_no_other_waiting() {
    let bench = Bench::of((0..6).map(SimAccount::numbered).collect()).await;
    bench.simulator.knobs().device = DeviceEnd::Manual;
    let fleet = bench.fleet().await;
    let mut logins = Vec::new();
    for account in 0..6 {
        let login = fleet.login_start(wish(), &Actor::Cli).await.unwrap();
        bench.simulator.approve(&login.user_code, Some(account)).unwrap();
        logins.push(login.id);
    }
    // One after the other they would take eighteen seconds.
    bench.simulator.knobs().refresh_delay_ms = 3_000;
    let done = until("all accounts", || async {
        let mut states = Vec::new();
        for id in &logins {
            states.push(fleet.login_status(id).await.unwrap().state);
        }
        states.iter().all(|state| matches!(state, LoginState::Completed { .. }))
    });
    tokio::select! {
        () = fleet.run(std::future::pending()) => panic!("nobody stopped it"),
        () = done => {}
    }
}

#[tokio::test]
async fn a_login_ends_as_people_or_the_service_say() {
    for (end, expected) in
        [(DeviceEnd::Expired, LoginState::Expired), (DeviceEnd::Denied, LoginState::Denied)]
    {
        let bench = waiting().await;
        bench.simulator.knobs().device = end;
        let fleet = bench.fleet().await;
        let login = fleet.login_start(wish(), &Actor::Cli).await.unwrap();
        assert_eq!(fleet.login_claim(&login.id, LONGEST_CLAIM).await.unwrap().state, expected);
    }
    let bench = waiting().await;
    let fleet = bench.fleet().await;
    let login = fleet.login_start(wish(), &Actor::Cli).await.unwrap();
    let cancelled = fleet.login_cancel(&login.id, &Actor::Cli).await.unwrap();
    assert_eq!(cancelled.state, LoginState::Cancelled);
    bench.simulator.approve(&login.user_code, Some(0)).unwrap();
    let claimed = fleet.login_claim(&login.id, LONGEST_CLAIM).await.unwrap();
    assert_eq!(claimed.state, LoginState::Cancelled, "called off is called off");
    assert_eq!(chat(&fleet).await, Err("pool/empty".to_owned()));

    let login = fleet.login_start(wish(), &Actor::Cli).await.unwrap();
    bench.pass(Duration::from_secs(20 * 60));
    let claimed = fleet.login_claim(&login.id, LONGEST_CLAIM).await.unwrap();
    assert_eq!(claimed.state, LoginState::Expired, "by our own clock");
    assert_eq!(fleet.login_status("none").await.unwrap_err().kind, ErrorKind::NotFound);
}

#[tokio::test]
async fn polls_keep_further_apart_when_they_are_told_to() {
    let bench = waiting().await;
    {
        let mut knobs = bench.simulator.knobs();
        (knobs.device, knobs.slow_down_polls) = (DeviceEnd::Granted, 1);
    }
    let fleet = bench.fleet().await;
    let login = fleet.login_start(wish(), &Actor::Cli).await.unwrap();
    bench.pass(Duration::from_secs(2));
    let slowed = fleet.login_claim(&login.id, Duration::ZERO).await.unwrap();
    assert_eq!(slowed.interval_ms, login.interval_ms + 5_000);
    bench.pass(Duration::from_secs(3));
    let early = fleet.login_claim(&login.id, Duration::ZERO).await.unwrap();
    assert!(matches!(early.state, LoginState::Pending { .. }), "not polled before its time");
    bench.pass(Duration::from_secs(4));
    let claimed = fleet.login_claim(&login.id, Duration::ZERO).await.unwrap();
    assert!(matches!(claimed.state, LoginState::Completed { .. }));
}

#[tokio::test]
async fn logging_in_again_heals_a_broken_account() {
    let bench = waiting().await;
    bench.simulator.set_behaviour(0, Behaviour::refresh_fault(RefreshFault::InvalidGrant)).unwrap();
    let fleet = bench.fleet().await;
    let id = add(&fleet, &SimAccount::numbered(0), "one").await.id;
    fleet.refresh(&id, &Actor::Cli).await.unwrap_err();
    assert_eq!(fleet.get(&id).await.unwrap().health.state, Health::Broken);
    let wish = Wish { renews: Some(id.clone()), ..wish() };
    let login = fleet.login_start(wish, &Actor::Cli).await.unwrap();
    bench.simulator.approve(&login.user_code, Some(0)).unwrap();
    let claimed = fleet.login_claim(&login.id, LONGEST_CLAIM).await.unwrap();
    assert_eq!(account_of(&claimed.state), id);
    let view = fleet.get(&id).await.unwrap();
    assert_eq!((view.label.as_str(), view.health.state), ("one", Health::Ready));
    assert_eq!(chat(&fleet).await, Ok(()));
}
