//! Many at once on one key: nobody passes a limit by racing (issue: 60 requests a minute, 5 at once, a budget).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use qm_access::Access;
use qm_canon::Kind;
use tokio::task::JoinSet;

use crate::house::{House, NOW, admit, client, enter};

/// How a hundred clients fared that each tried until it was told to come another time.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    served: u64,
    throttled: u64,
    exhausted: u64,
    most_at_once: u64,
}

/// Each client sends one request after the other; one that finds all places taken tries again.
async fn race(access: &Access, key: &str, each: u64, tokens: u64) -> Tally {
    let (held, most) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let mut clients = JoinSet::new();
    for _ in 0..100 {
        let (access, key) = (access.clone(), key.to_owned());
        let (held, most) = (Arc::clone(&held), Arc::clone(&most));
        clients.spawn(async move {
            let mut tally = Tally::default();
            for _ in 0..each {
                let caller = admit(&access, &key).ok().unwrap();
                loop {
                    match enter(&caller, tokens, Some(tokens), NOW).await {
                        Ok(entered) => {
                            most.fetch_max(held.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                            tokio::task::yield_now().await;
                            held.fetch_sub(1, Ordering::SeqCst);
                            // Half of what was reserved.
                            entered.pass.settle(tokens, 10, NOW);
                            tally.served += 1;
                        }
                        Err(refused)
                            if refused.fault.retry_after.is_some_and(|after| after.as_secs() == 1) =>
                        {
                            tokio::task::yield_now().await;
                            continue;
                        }
                        Err(refused) if refused.fault.kind == Kind::Exhausted => tally.exhausted += 1,
                        Err(refused) => {
                            assert_eq!(refused.fault.kind, Kind::Throttled);
                            assert_eq!(refused.fault.retry_after.map(|after| after.as_secs()), Some(60));
                            tally.throttled += 1;
                        }
                    }
                    break;
                }
            }
            tally
        });
    }
    let mut all = Tally { most_at_once: most.load(Ordering::SeqCst), ..Tally::default() };
    for tally in clients.join_all().await {
        all.served += tally.served;
        all.throttled += tally.throttled;
        all.exhausted += tally.exhausted;
    }
    Tally { most_at_once: most.load(Ordering::SeqCst), ..all }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_clients_get_sixty_requests_five_at_once() {
    let house = House::new().await;
    let access = house.access().await;
    let (view, key) = client(&access, r#"{"rpm":60,"concurrency":5}"#).await;
    let tally = race(&access, &key, 3, 100).await;
    assert_eq!((tally.served, tally.throttled, tally.exhausted), (60, 240, 0));
    assert!((1..=5).contains(&tally.most_at_once), "{tally:?}");
    let standing = access.standing(&view.id).await.unwrap();
    let used: Vec<_> = standing.limits.iter().map(|limit| (limit.name, limit.used)).collect();
    assert_eq!(used, [("concurrency", 0), ("rpm", 60)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_clients_spend_a_budget_to_the_token() {
    let house = House::new().await;
    let access = house.access().await;
    // Each request reserves 200 and takes 100: 200 of them leave less than what another would reserve.
    let budget = r#"{"rpm":1000,"concurrency":5,"budgets":[{"unit":"tokens","period":"day","hard":20000}]}"#;
    let (view, key) = client(&access, budget).await;
    let tally = race(&access, &key, 5, 100).await;
    assert_eq!((tally.served, tally.throttled, tally.exhausted), (199, 0, 301));
    let standing = access.standing(&view.id).await.unwrap();
    assert_eq!((standing.budgets[0].spent, standing.budgets[0].reserved), (19_900, 0));
}
