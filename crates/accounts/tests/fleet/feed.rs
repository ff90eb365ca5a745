//! A batch of accounts is taken in switched off, tried in the background, and switched on as far as it answers.

use std::time::Duration;

use qm_accounts::{Actor, Fleet, View};
use qm_pool::Health;
use qm_relay::Accounts as _;
use qm_simulator::{AccountState, Behaviour, RefreshFault, SimAccount};
use qm_store::AccountPatch;
use serde_json::{Value, json};

use super::house::{Bench, add, chat, until};

fn batch(accounts: &[SimAccount]) -> Vec<u8> {
    let rows: Vec<Value> = accounts
        .iter()
        .map(|account| {
            json!({
                "clientId": account.client_id,
                "clientSecret": account.client_secret,
                "refreshToken": account.refresh_token,
            })
        })
        .collect();
    json!({ "accounts": rows }).to_string().into_bytes()
}

fn other(view: &View) -> Value {
    serde_json::from_str(view.wishes.other.as_deref().unwrap_or("{}")).unwrap()
}

async fn of(fleet: &Fleet, number: usize) -> View {
    fleet.get(&number.to_string()).await.unwrap()
}

/// Lets the house work until none of these waits to be tried.
async fn tried(fleet: &Fleet, numbers: std::ops::RangeInclusive<usize>) {
    let done = until("the trials", || async {
        for number in numbers.clone() {
            if other(&of(fleet, number).await).get("feedPending").is_some() {
                return false;
            }
        }
        true
    });
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = fleet.run(async { drop(stopped.await) });
    tokio::join!(running, async {
        done.await;
        drop(stop);
    });
}

#[tokio::test]
async fn what_answers_is_switched_on_and_what_does_not_says_why() {
    let accounts: Vec<SimAccount> = (0..4).map(SimAccount::numbered).collect();
    let bench = Bench::of(accounts.clone()).await;
    bench.simulator.set_behaviour(1, Behaviour::of(AccountState::Suspended)).unwrap();
    bench.simulator.set_behaviour(2, Behaviour::refresh_fault(RefreshFault::InvalidGrant)).unwrap();
    bench.simulator.set_behaviour(3, Behaviour::of(AccountState::Unauthorized)).unwrap();
    let fleet = bench.fleet().await;
    let report = fleet.feed(&batch(&accounts), &Actor::Cli).await.unwrap();
    assert_eq!(report.added(), 4);
    for number in 1..=4 {
        let view = of(&fleet, number).await;
        assert_eq!((view.label, view.wishes.enabled), (format!("批量账号 {number}"), false));
        assert_eq!(other(&of(&fleet, number).await)["source"], "feed");
    }
    assert_eq!(chat(&fleet).await, Err("pool/empty".to_owned()), "none serves before it is tried");

    tried(&fleet, 1..=4).await;
    let good = of(&fleet, 1).await;
    assert_eq!((good.wishes.enabled, other(&good)), (true, json!({ "source": "feed" })));
    assert_eq!(bench.simulator.counts(0).unwrap().chats, 1, "one hello");
    assert_eq!(chat(&fleet).await, Ok(()));
    for (number, reason) in [(2, "AccessDenied"), (3, "refresh/invalid_grant"), (4, "AccessDenied")] {
        let view = of(&fleet, number).await;
        assert!(!view.wishes.enabled);
        assert_eq!(other(&view)["failedReason"], reason, "{number}: {view:?}");
        assert!(matches!(view.health.state, Health::Disabled { .. }), "{:?}", view.health);
    }
}

#[tokio::test]
async fn a_trial_that_shows_nothing_is_made_again_by_whoever_runs_then() {
    let accounts = [SimAccount::numbered(0)];
    let bench = Bench::of(accounts.to_vec()).await;
    bench.simulator.set_behaviour(0, Behaviour::of(AccountState::Throttled)).unwrap();
    let first = bench.fleet().await;
    first.feed(&batch(&accounts), &Actor::Cli).await.unwrap();
    tokio::select! {
        () = first.run(std::future::pending()) => {}
        () = until("a trial", || async { bench.simulator.counts(0).unwrap().refused > 0 }) => {}
    }
    first.run(std::future::ready(())).await;
    let view = of(&first, 1).await;
    assert_eq!((view.wishes.enabled, &other(&view)["feedPending"]), (false, &json!(true)));
    drop(first);

    bench.simulator.set_behaviour(0, Behaviour::default()).unwrap();
    let next = bench.fleet().await;
    tried(&next, 1..=1).await;
    assert!(of(&next, 1).await.wishes.enabled);
    assert_eq!(chat(&next).await, Ok(()));
}

#[tokio::test]
async fn a_trial_is_called_off_by_switching_the_account_on() {
    let accounts = [SimAccount::numbered(0)];
    let bench = Bench::of(accounts.to_vec()).await;
    let fleet = bench.fleet().await;
    fleet.feed(&batch(&accounts), &Actor::Cli).await.unwrap();
    fleet.enable("1", &Actor::Cli).await.unwrap();
    tokio::select! {
        () = fleet.run(std::future::pending()) => {}
        () = tokio::time::sleep(Duration::from_millis(500)) => {}
    }
    assert_eq!(bench.simulator.counts(0).unwrap().chats, 0, "nobody has asked");
    // What a person sets of `other` stays as it was set.
    let wishes = AccountPatch { other: qm_store::Change::Set("{\"a\":1}".into()), ..AccountPatch::default() };
    let edit = qm_accounts::Edit { wishes, ..qm_accounts::Edit::default() };
    assert_eq!(other(&fleet.change("1", edit, &Actor::Cli).await.unwrap()), json!({ "a": 1 }));
}

#[tokio::test]
async fn a_probe_is_a_chat_with_an_account_that_can_serve_and_there_is_one_at_a_time() {
    let [bad, good] = [0, 1].map(SimAccount::numbered);
    let bench = Bench::of(vec![bad.clone(), good.clone()]).await;
    bench.simulator.set_behaviour(0, Behaviour::of(AccountState::Suspended)).unwrap();
    let fleet = bench.fleet().await;
    assert_eq!(fleet.last_probe(), None);
    let nobody = fleet.probe().await.unwrap();
    assert!(
        nobody.account.is_none() && nobody.trouble.as_ref().is_some_and(|words| words.contains("pool/empty"))
    );
    add(&fleet, &bad, "bad").await;
    assert_eq!(fleet.probe().await.unwrap(), nobody, "within ten seconds nobody is asked again");
    bench.pass(Duration::from_secs(11));

    let only_bad = fleet.probe().await.unwrap();
    assert_eq!(only_bad.account.as_deref(), Some("1 (bad)"));
    let trouble = only_bad.trouble.unwrap();
    assert!(trouble.contains("TEMPORARILY_SUSPENDED"), "{trouble}");
    assert_eq!(of(&fleet, 1).await.health.state, Health::Suspended, "what a probe shows is heeded");
    add(&fleet, &good, "good").await;
    bench.pass(Duration::from_secs(11));
    let chats = || bench.simulator.counts(1).unwrap().chats;
    let before = chats();
    let (one, other) = tokio::join!(fleet.probe(), fleet.probe());
    assert_eq!((one.clone(), chats()), (other, before + 1), "both get what one chat has shown");
    let one = one.unwrap();
    assert_eq!((one.account.as_deref(), &one.trouble), (Some("2 (good)"), &None));
    assert_eq!(fleet.last_probe(), Some(one));
    assert!(fleet.census().healthy > 0);
}
