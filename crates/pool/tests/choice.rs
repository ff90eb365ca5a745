//! Which account is chosen: strategies, licences, conversations, credits.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use qm_pool::{
    AccountId, Ailment, Health, LicencePolicy, Outcome, Pool, Quota, Reason, Rules, Stored, Strategy, Traits,
    Want,
};

const NOW: u64 = 1_795_268_625_000;

const ANY: Want<'static> = Want { model: None, affinity: None, owner: None, pinned: None, tried: &[] };

fn pool(strategy: Strategy, accounts: &[Traits]) -> Arc<Pool> {
    let pool = Pool::new(Rules::default(), strategy);
    for (id, traits) in (1..).zip(accounts) {
        pool.add(AccountId(id), traits.clone(), Stored::default(), NOW);
    }
    pool
}

fn alike(count: usize) -> Vec<Traits> {
    vec![Traits::default(); count]
}

fn chance(at: u64) -> u64 {
    (at + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

/// One request is served at once.
fn serve(pool: &Arc<Pool>, want: &Want<'_>, at: u64) -> u64 {
    let now_ms = NOW + at * 10;
    let lease = pool.pick(want, now_ms, chance(at)).unwrap();
    let AccountId(id) = lease.account();
    let _ = lease.settle(&Outcome::Answered { tokens: 1 }, now_ms);
    id
}

/// Requests in a row; whom they went to.
fn serve_all(pool: &Arc<Pool>, count: u64) -> Vec<u64> {
    (0..count).map(|at| serve(pool, &ANY, at)).collect()
}

/// Shares in per cent.
fn shares(served: &[u64]) -> HashMap<u64, usize> {
    let mut counts = HashMap::new();
    for id in served {
        *counts.entry(*id).or_insert(0) += 1;
    }
    counts.into_iter().map(|(id, count)| (id, (count * 100 + served.len() / 2) / served.len())).collect()
}

#[test]
fn round_robin_is_a_round() {
    let pool = pool(Strategy::RoundRobin, &alike(3));
    assert_eq!(serve_all(&pool, 7), [1, 2, 3, 1, 2, 3, 1]);
}

#[test]
fn the_lowest_rate_is_next() {
    let pool = pool(Strategy::RoundRobin, &alike(2));
    let pinned = Want { pinned: Some(AccountId(1)), ..ANY };
    for at in 0..10 {
        serve(&pool, &pinned, at);
    }
    let served: Vec<u64> = (10..19).map(|at| serve(&pool, &ANY, at)).collect();
    assert_eq!(served, [2; 9], "until both have had as many");
}

#[test]
fn of_two_with_the_same_rate_the_idler_is_next() {
    let pool = pool(Strategy::RoundRobin, &alike(2));
    let held = pool.pick(&ANY, NOW, 0).unwrap();
    assert_eq!(held.account(), AccountId(1));
    // The first has one in flight still. But only within one request of each other: streams that never end must not
    // turn shares over.
    let served: Vec<u64> = (0..4).map(|_| serve(&pool, &ANY, 0)).collect();
    assert_eq!(served, [2, 2, 2, 1]);
}

#[test]
fn shares_are_what_the_strategy_says() {
    let weighing = |weight| Traits { weight, ..Traits::default() };
    let of_priority = |priority| Traits { priority, ..Traits::default() };
    for (strategy, accounts, expected) in [
        (Strategy::RoundRobin, vec![weighing(10), weighing(20), of_priority(-5)], vec![33, 33, 33]),
        (Strategy::LeastUsed, alike(4), vec![25; 4]),
        (Strategy::Weighted, vec![weighing(10), weighing(20), weighing(70)], vec![10, 20, 70]),
        (Strategy::Weighted, vec![weighing(0), weighing(1)], vec![50, 50]),
        (Strategy::Priority, vec![of_priority(2), of_priority(-1), of_priority(-1)], vec![0, 50, 50]),
        (Strategy::Random, alike(5), vec![20; 5]),
    ] {
        let shares = shares(&serve_all(&pool(strategy, &accounts), 20_000));
        for (id, expected) in (1..).zip(expected) {
            let share = shares.get(&id).copied().unwrap_or_default();
            assert!(
                share.abs_diff(expected) <= 1,
                "{strategy:?}: account {id} has {share} %, not {expected}"
            );
        }
    }
}

#[test]
fn chance_is_no_round() {
    let served = serve_all(&pool(Strategy::Random, &alike(5)), 10_000);
    let repeated = served.windows(2).filter(|pair| pair[0] == pair[1]).count();
    assert!((500..3_500).contains(&repeated), "{repeated}: every fifth would be even chance");
}

#[test]
fn sticky_stays_until_it_cannot() {
    let pool = pool(Strategy::Sticky, &alike(3));
    assert_eq!(shares(&serve_all(&pool, 50)), HashMap::from([(1, 100)]));
    pool.report(AccountId(1), &Outcome::ailing(Ailment::Throttled { retry_after_ms: None }), NOW + 500);
    assert_eq!(serve(&pool, &ANY, 50), 2);
    // The first is well again; there is no reason to go back.
    assert_eq!(serve(&pool, &ANY, 20_000), 2);
}

#[test]
fn conversations_stay_where_they_were() {
    let pool = pool(Strategy::RoundRobin, &alike(5));
    let of = |conversation| Want { affinity: Some(conversation), ..ANY };
    let first: Vec<u64> = (0..20).map(|at| serve(&pool, &of(at), at)).collect();
    let again: Vec<u64> = (0..20).map(|at| serve(&pool, &of(at), 50 + at)).collect();
    assert_eq!(first, again);
    // Health comes first; and whoever took over keeps it.
    let home = AccountId(first[0]);
    pool.report(home, &Outcome::ailing(Ailment::Throttled { retry_after_ms: None }), NOW + 800);
    let refuge = serve(&pool, &of(0), 100);
    assert_ne!(AccountId(refuge), home);
    assert_eq!(serve(&pool, &of(0), 60_000), refuge);
    // So does what was tried.
    let tried = [AccountId(refuge)];
    assert_ne!(serve(&pool, &Want { tried: &tried, ..of(0) }, 60_001), refuge);
}

#[test]
fn an_account_that_is_nearly_dry_is_the_last_choice() {
    let pool = pool(Strategy::RoundRobin, &alike(2));
    let quota = Quota { used: 49.0, limit: 50.0, resets_ms: Some(NOW + 3_600_000), overage: false };
    pool.set_quota(AccountId(1), Some(quota), NOW);
    assert_eq!(shares(&serve_all(&pool, 50)), HashMap::from([(2, 100)]));
    let tried = [AccountId(2)];
    assert_eq!(serve(&pool, &Want { tried: &tried, ..ANY }, 60), 1);
    // A conversation does not hold on to it either.
    let conversation = Want { affinity: Some(7), ..ANY };
    serve(&pool, &Want { pinned: Some(AccountId(1)), ..conversation }, 61);
    assert_eq!(serve(&pool, &conversation, 62), 2);
    assert!((370_000..370_004).any(|at| serve(&pool, &ANY, at) == 1), "renewed, it is as good as any");
}

#[test]
fn licences_serve_whom_they_may() {
    let of =
        |owner: Option<&str>, policy| Traits { owner: owner.map(Into::into), policy, ..Traits::default() };
    let accounts = [
        of(Some("ann"), LicencePolicy::Own),
        of(Some("bob"), LicencePolicy::OwnThenPool),
        // Without an owner there is nobody to keep it for.
        of(None, LicencePolicy::Own),
    ];
    for (owner, order) in [
        (Some("ann"), vec![1, 3, 2]),
        (Some("bob"), vec![2, 3]),
        (Some("eve"), vec![3, 2]),
        (None, vec![3, 2]),
    ] {
        let pool = pool(Strategy::RoundRobin, &accounts);
        let mut tried = Vec::new();
        for &expected in &order {
            let want = Want { owner, tried: &tried, ..ANY };
            let served: Vec<u64> = (0..5).map(|at| serve(&pool, &want, at)).collect();
            assert_eq!(served, [expected; 5], "{owner:?} after {tried:?}");
            tried.push(AccountId(expected));
        }
        let refusal = pool.pick(&Want { owner, tried: &tried, ..ANY }, NOW, 0).unwrap_err();
        assert_eq!(refusal.why.of(Reason::Tried) as usize, order.len());
        assert_eq!(refusal.why.of(Reason::NotYours) as usize, 3 - order.len());
        assert_eq!(refusal.soonest_ms, None);
    }
}

#[test]
fn a_pinned_account_or_none() {
    let pool = pool(Strategy::RoundRobin, &alike(2));
    let pinned = |id| Want { pinned: Some(AccountId(id)), ..ANY };
    assert_eq!(serve(&pool, &pinned(2), 0), 2);
    pool.disable(AccountId(2), NOW);
    for (id, reason) in [(2, Reason::Disabled), (9, Reason::Unknown)] {
        let refusal = pool.pick(&pinned(id), NOW, 0).unwrap_err();
        assert_eq!((refusal.why.of(reason), refusal.why.total()), (1, 1));
    }
}

#[test]
fn the_writer_is_woken_once_until_it_asks() {
    let pool = pool(Strategy::RoundRobin, &alike(2));
    let woken = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&woken);
    pool.on_news(move || {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    serve_all(&pool, 10);
    assert_eq!(woken.load(Ordering::Relaxed), 1);
    let changes = pool.take_changes();
    assert_eq!(changes.iter().map(|change| change.counts.answered).sum::<u64>(), 10);
    assert!(changes.iter().all(|change| change.stored.is_none()), "no health has changed");
    assert!(pool.take_changes().is_empty());
    serve_all(&pool, 1);
    assert_eq!(woken.load(Ordering::Relaxed), 2);
}

#[test]
fn what_another_process_knows_is_adopted() {
    let pool = pool(Strategy::RoundRobin, &alike(1));
    let lease = pool.pick(&ANY, NOW, 0).unwrap();
    let stored = Stored { health: Health::Suspended, ..Stored::default() };
    assert_eq!(pool.adopt(AccountId(1), stored, NOW).unwrap().to, Health::Suspended);
    assert_eq!(lease.settle(&Outcome::Answered { tokens: 1 }, NOW), None);
    assert_eq!(pool.pick(&ANY, NOW, 0).unwrap_err().why.of(Reason::Suspended), 1);
    assert!(pool.take_changes().iter().all(|change| change.stored.is_none()));
}

/// Whom `explain` names, at this time.
fn named(pool: &Arc<Pool>, now_ms: u64) -> u64 {
    let verdicts = pool.explain(&ANY, now_ms, 0);
    verdicts.iter().find(|verdict| verdict.chosen).unwrap().id.0
}

#[test]
fn an_account_that_is_read_again_keeps_its_turn() {
    let pool = pool(Strategy::RoundRobin, &alike(2));
    assert_eq!(serve(&pool, &ANY, 0), 1);
    assert_eq!(named(&pool, NOW), 2);
    // Its record was written, with something that says nothing of whom it serves: it is as it was.
    pool.add(AccountId(2), Traits { rpm: Some(99), ..Traits::default() }, Stored::default(), NOW);
    assert_eq!(named(&pool, NOW), 2);
    // And it has told its models; before, all were offered.
    pool.set_models(AccountId(2), Some(vec!["opus".into()]), NOW);
    assert_eq!(named(&pool, NOW), 2);
}

#[test]
fn one_that_is_back_from_a_rest_gets_no_more_than_its_share() {
    for ailment in [Ailment::Refused, Ailment::Throttled { retry_after_ms: Some(60_000) }] {
        let pool = pool(Strategy::RoundRobin, &alike(3));
        serve_all(&pool, 300);
        pool.report(AccountId(1), &Outcome::ailing(ailment), NOW + 3_000);
        // Long enough for any first rest, with requests all the while.
        let served: Vec<u64> = (300..90_300).map(|at| serve(&pool, &ANY, at)).collect();
        let back = served.iter().position(|id| *id == 1).unwrap();
        let first: Vec<u64> = served[back..back + 30].to_vec();
        let its = first.iter().filter(|id| **id == 1).count();
        assert!((8..=12).contains(&its), "{its} of the first thirty: {first:?}");
    }
}

#[test]
fn another_strategy_holds_from_the_next_request() {
    let of_priority = |priority| Traits { priority, ..Traits::default() };
    let pool = pool(Strategy::RoundRobin, &[of_priority(2), of_priority(1), of_priority(2)]);
    serve_all(&pool, 30);
    let held = pool.pick(&Want { pinned: Some(AccountId(3)), ..ANY }, NOW + 300, 0).unwrap();
    for (strategy, expected) in [
        (Strategy::Priority, HashMap::from([(2, 100)])),
        (Strategy::RoundRobin, HashMap::from([(1, 33), (2, 33), (3, 33)])),
        (Strategy::Random, HashMap::from([(1, 33), (2, 33), (3, 33)])),
        (Strategy::LeastUsed, HashMap::from([(1, 33), (2, 33), (3, 33)])),
        (Strategy::Weighted, HashMap::from([(1, 33), (2, 33), (3, 33)])),
    ] {
        pool.set_strategy(strategy, NOW + 300);
        assert_eq!(pool.strategy(), strategy);
        let served: Vec<u64> = (0..30_000).map(|at| serve(&pool, &ANY, 100 + at / 10)).collect();
        let shares = shares(&served);
        for (id, expected) in expected {
            let share = shares.get(&id).copied().unwrap_or_default();
            assert!(share.abs_diff(expected) <= 2, "{strategy:?}: {shares:?}");
        }
    }
    pool.set_strategy(Strategy::Sticky, NOW + 300);
    assert_eq!(shares(&serve_all(&pool, 50)).len(), 1);
    assert_eq!(pool.one(AccountId(3), NOW).unwrap().in_flight, 1, "requests under way stay");
    drop(held);
    assert_eq!(pool.one(AccountId(3), NOW).unwrap().in_flight, 0);
}

#[test]
fn the_strategy_may_change_while_requests_are_served() {
    let pool = pool(Strategy::RoundRobin, &alike(40));
    let strategies = [Strategy::Random, Strategy::Sticky, Strategy::Weighted, Strategy::RoundRobin];
    let serve = |thread: u64| {
        for at in 0..2_000 {
            let lease = pool.pick(&ANY, NOW + at, chance(at ^ thread << 32)).unwrap();
            let _ = lease.settle(&Outcome::Answered { tokens: 1 }, NOW + at);
        }
    };
    std::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || serve(thread));
        }
        for strategy in strategies.iter().cycle().take(200) {
            pool.set_strategy(*strategy, NOW);
        }
    });
    let counts: u64 = pool.take_changes().iter().map(|change| change.counts.answered).sum();
    assert_eq!(counts, 8_000);
    assert!(pool.snapshot(NOW).iter().all(|view| view.in_flight == 0));
    assert_eq!(pool.strategy(), Strategy::RoundRobin);
    let served = serve_all(&pool, 4_000);
    assert_eq!(shares(&served).len(), 40, "none is lost");
}

#[test]
fn other_rules_hold_from_the_next_failure() {
    let pool = pool(Strategy::RoundRobin, &alike(2));
    let unforgiving = Rules { max_errors: 1, ..Rules::default() };
    pool.report(AccountId(1), &Outcome::ailing(Ailment::Failed), NOW);
    assert_eq!(pool.one(AccountId(1), NOW).unwrap().health, Health::Ready);
    pool.set_rules(unforgiving);
    assert_eq!(pool.rules(), unforgiving);
    pool.report(AccountId(2), &Outcome::ailing(Ailment::Failed), NOW);
    assert!(matches!(pool.one(AccountId(2), NOW).unwrap().health, Health::Disabled { .. }));
}

#[test]
fn requests_of_the_last_hour_are_counted() {
    let pool = pool(Strategy::RoundRobin, &alike(1));
    for minute in 0..30 {
        serve(&pool, &ANY, minute * 6_000);
    }
    let counts = |now_ms| {
        let view = pool.one(AccountId(1), now_ms).unwrap();
        (view.current_rpm, view.last_hour)
    };
    assert_eq!(counts(NOW + 30 * 60_000), (0, 30));
    let (_, half) = counts(NOW + 75 * 60_000);
    assert!((10..=15).contains(&half), "of thirty, half are an hour old: {half}");
    assert_eq!(counts(NOW + 91 * 60_000), (0, 0));
}
