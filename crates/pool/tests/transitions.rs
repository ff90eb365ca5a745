//! Each transition of an account's health, as a story: what it hears, and what becomes of it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::sync::Arc;

use qm_pool::{
    AccountId, Ailment, By, Evidence, Health, Outcome, Pool, Quota, Reason, Rules, Stored, Strategy, Traits,
    Want, Why,
};

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// 2026-11-21 13:43:45 UTC.
const NOW: u64 = 1_795_268_625_000;
const TOMORROW: u64 = 1_795_305_600_000;
const DECEMBER: u64 = 1_796_083_200_000;

const IT: AccountId = AccountId(1);

const ANY: Want<'static> = Want { model: None, affinity: None, owner: None, pinned: None, tried: &[] };

fn pool_with(rules: Rules, accounts: u64) -> Arc<Pool> {
    let pool = Pool::new(rules, Strategy::RoundRobin);
    for number in 1..=accounts {
        pool.add(AccountId(number), Traits::default(), Stored::default(), NOW);
    }
    pool
}

/// One account, and nobody beside it.
fn pool() -> Arc<Pool> {
    pool_with(Rules::default(), 1)
}

/// A request begins now and ends like this, with the least chance of jitter.
fn asks(pool: &Arc<Pool>, ailment: Ailment, now_ms: u64) {
    let want = Want { pinned: Some(IT), ..ANY };
    let lease = pool.pick(&want, now_ms, 0).unwrap();
    let _ = lease.settle(&Outcome::ailing(ailment), now_ms);
}

fn answers(pool: &Arc<Pool>, now_ms: u64) {
    let want = Want { pinned: Some(IT), ..ANY };
    let _ = pool.pick(&want, now_ms, 0).unwrap().settle(&Outcome::Answered { tokens: 1 }, now_ms);
}

fn health(pool: &Pool, now_ms: u64) -> Health {
    pool.one(IT, now_ms).unwrap().health
}

fn can(pool: &Arc<Pool>, now_ms: u64) -> Result<(), Reason> {
    let Err(refusal) = pool.pick(&ANY, now_ms, 0) else { return Ok(()) };
    Err(refusal.why.rows().next().unwrap().0)
}

fn throttled(retry_after_ms: Option<u64>) -> Ailment {
    Ailment::Throttled { retry_after_ms }
}

#[test]
fn what_follows_from_one_failure() {
    let cooling = |least_ms, full_ms, why| Health::Cooling {
        until_ms: NOW + full_ms,
        earliest_ms: NOW + least_ms,
        why,
    };
    let model = || Box::from("m");
    for (ailment, health_after) in [
        (Ailment::Network, Health::Ready),
        (Ailment::Failed, Health::Ready),
        (Ailment::ModelBusy { model: model(), retry_after_ms: None }, Health::Ready),
        (Ailment::LacksModel { model: model() }, Health::Ready),
        (throttled(None), cooling(8 * SECOND, MINUTE, Why::Throttled)),
        // Clamped into its window from both sides.
        (throttled(Some(1)), cooling(8 * SECOND, MINUTE, Why::Throttled)),
        (throttled(Some(30 * SECOND)), cooling(30 * SECOND, MINUTE, Why::Throttled)),
        (throttled(Some(90 * SECOND)), cooling(90 * SECOND, 90 * SECOND, Why::Throttled)),
        (throttled(Some(u64::MAX)), cooling(HOUR, HOUR, Why::Throttled)),
        (Ailment::Suspected, cooling(HOUR, HOUR, Why::Suspected)),
        (Ailment::Refused, cooling(5 * SECOND, 30 * SECOND, Why::Refused)),
        (Ailment::Exhausted { resets_ms: None }, Health::Exhausted { resets_ms: DECEMBER }),
        (Ailment::Exhausted { resets_ms: Some(NOW + HOUR) }, Health::Exhausted { resets_ms: NOW + HOUR }),
        // A renewal that is late is asked after soon; one in the far future is not believed.
        (Ailment::Exhausted { resets_ms: Some(NOW - 1) }, Health::Exhausted { resets_ms: NOW + HOUR }),
        (Ailment::Exhausted { resets_ms: Some(u64::MAX) }, Health::Exhausted { resets_ms: DECEMBER }),
        (Ailment::ExhaustedToday, Health::Exhausted { resets_ms: TOMORROW }),
        (Ailment::Suspended, Health::Suspended),
        (Ailment::LoginDead, Health::Broken),
    ] {
        let pool = pool();
        asks(&pool, ailment.clone(), NOW);
        assert_eq!(health(&pool, NOW), health_after, "{ailment:?}");
        // A dead login and a suspension do not heal by themselves; all else does.
        let healed = can(&pool, DECEMBER);
        let expected = match health_after {
            Health::Suspended => Err(Reason::Suspended),
            Health::Broken => Err(Reason::Broken),
            _ => Ok(()),
        };
        assert_eq!(healed, expected, "{ailment:?}");
    }
}

#[test]
fn rests_on_end_grow_and_an_answer_ends_them() {
    let pool = pool();
    let mut now_ms = NOW;
    let mut rests = Vec::new();
    for _ in 0..4 {
        asks(&pool, throttled(None), now_ms);
        let Health::Cooling { until_ms, earliest_ms, .. } = health(&pool, now_ms) else { panic!() };
        rests.push(((earliest_ms - now_ms) / SECOND, (until_ms - now_ms) / SECOND));
        now_ms = until_ms;
    }
    assert_eq!(rests, [(8, 60), (16, 120), (32, 120), (60, 120)]);
    answers(&pool, now_ms);
    assert_eq!(health(&pool, now_ms), Health::Ready);
    asks(&pool, throttled(None), now_ms);
    assert!(matches!(health(&pool, now_ms), Health::Cooling { until_ms, .. } if until_ms == now_ms + MINUTE));
}

#[test]
fn after_a_rest_one_request_tries_it() {
    let pool = pool();
    asks(&pool, throttled(None), NOW);
    let later = NOW + MINUTE;
    let mut trial = pool.pick(&ANY, later, 0).unwrap();
    assert_eq!(can(&pool, later), Err(Reason::OnTrial));
    // The first sign of an answer is enough: the others need not wait for its end.
    let moved = trial.begun(later).unwrap();
    assert_eq!((moved.id, moved.to), (IT, Health::Ready));
    assert_eq!(can(&pool, later), Ok(()));
    assert_eq!(trial.settle(&Outcome::Answered { tokens: 5 }, later), None);
    let counts = pool.take_changes().pop().unwrap().counts;
    assert_eq!((counts.answered, counts.tokens), (1, 5), "counted once");
}

#[test]
fn a_trial_that_says_nothing_is_followed_by_another() {
    let pool = pool();
    asks(&pool, throttled(None), NOW);
    let later = NOW + MINUTE;
    for outcome in [
        None,
        Some(Outcome::ClientLeft),
        Some(Outcome::RequestAtFault),
        Some(Outcome::ailing(Ailment::Network)),
    ] {
        let trial = pool.pick(&ANY, later, 0).unwrap();
        assert_eq!(can(&pool, later), Err(Reason::OnTrial));
        match outcome {
            Some(outcome) => assert_eq!(trial.settle(&outcome, later), None),
            None => drop(trial),
        }
    }
    asks(&pool, Ailment::Failed, later);
    let health = health(&pool, later);
    assert!(
        matches!(health, Health::Cooling { why: Why::Throttled, until_ms, .. } if until_ms == later + 2 * MINUTE)
    );
}

#[test]
fn a_trial_of_a_rest_long_gone_is_in_nobodys_way() {
    let pool = pool();
    asks(&pool, throttled(None), NOW);
    let later = NOW + MINUTE;
    let mut long = pool.pick(&ANY, later, 0).unwrap();
    let _ = long.begun(later);
    asks(&pool, throttled(None), later);
    assert_eq!(can(&pool, later + MINUTE), Ok(()), "while the first trial still streams");
    drop(long);
    assert_eq!(can(&pool, later + MINUTE), Ok(()));
}

#[test]
fn what_began_before_a_rest_neither_lengthens_nor_ends_it() {
    let pool = pool();
    let leases: Vec<_> = (0..20).map(|_| pool.pick(&ANY, NOW, 0).unwrap()).collect();
    for (at, lease) in leases.into_iter().enumerate() {
        let outcome =
            if at % 5 == 4 { Outcome::Answered { tokens: 1 } } else { Outcome::ailing(throttled(None)) };
        let _ = lease.settle(&outcome, NOW);
    }
    let rest = Health::Cooling { until_ms: NOW + MINUTE, earliest_ms: NOW + 8 * SECOND, why: Why::Throttled };
    assert_eq!(health(&pool, NOW), rest);
}

#[test]
fn a_hundred_requests_that_fail_at_once_switch_nothing_off() {
    let pool = pool();
    let leases: Vec<_> = (0..300).map(|_| pool.pick(&ANY, NOW, 0).unwrap()).collect();
    for lease in leases {
        let _ = lease.settle(&Outcome::ailing(Ailment::Failed), NOW);
    }
    assert!(matches!(health(&pool, NOW), Health::Cooling { why: Why::Quarantined, .. }));
    assert_eq!(pool.one(IT, NOW).unwrap().errors, 5);
}

#[test]
fn a12_12_five_failures_in_ten_minutes_are_half_an_hour_of_rest() {
    let pool = pool_with(Rules::default(), 2);
    for minute in 0..4 {
        asks(&pool, Ailment::Failed, NOW + minute * MINUTE);
        // What is no failure of the account does not add up.
        asks(&pool, Ailment::Network, NOW + minute * MINUTE);
    }
    // The first of the four is forgotten by now.
    let now_ms = NOW + 10 * MINUTE;
    asks(&pool, Ailment::Failed, now_ms);
    assert_eq!(health(&pool, now_ms), Health::Ready);
    asks(&pool, Ailment::Failed, now_ms);
    let quarantine = |it: &Health| matches!(it, Health::Cooling { why: Why::Quarantined, until_ms, .. } if *until_ms == now_ms + 30 * MINUTE);
    assert!(quarantine(&health(&pool, now_ms)));
    // It is the last resort; for as long as the other one can serve, that one does.
    let tried = [AccountId(2)];
    let last_resort = Want { tried: &tried, ..ANY };
    let refusal = pool.pick(&last_resort, now_ms + 9 * SECOND, 0).unwrap_err();
    assert_eq!(refusal.soonest_ms, Some(now_ms + 10 * SECOND));
    assert_eq!((refusal.why.of(Reason::Cooling), refusal.why.of(Reason::Tried)), (1, 1));
    assert_eq!(pool.pick(&last_resort, now_ms + 10 * SECOND, 0).unwrap().account(), IT);
    for second in 0..60 {
        let lease = pool.pick(&ANY, now_ms + 10 * SECOND + second * 29 * SECOND, 0).unwrap();
        assert_eq!(lease.account(), AccountId(2));
    }
    assert_eq!(pool.pick(&ANY, now_ms + 30 * MINUTE, 0).unwrap().account(), IT, "its turn after the rest");
}

#[test]
fn an_answer_clears_the_count_of_failures() {
    let pool = pool();
    for round in 0..10 {
        for _ in 0..4 {
            asks(&pool, Ailment::Failed, NOW + round);
        }
        answers(&pool, NOW + round);
    }
    assert_eq!(health(&pool, NOW), Health::Ready);
    assert_eq!(pool.one(IT, NOW).unwrap().errors, 0);
}

#[test]
fn a12_12_so_many_failures_on_end_switch_it_off() {
    for (max_errors, strikes) in [(3, 5), (3, 0), (100, 5), (1, 1)] {
        let pool = pool_with(Rules { max_errors, strikes, ..Rules::default() }, 1);
        let mut now_ms = NOW;
        for failure in 1..=max_errors {
            assert_ne!(health(&pool, now_ms), Health::Disabled { by: By::Errors }, "at {failure}");
            asks(&pool, Ailment::Failed, now_ms);
            now_ms += HOUR;
        }
        assert_eq!(health(&pool, now_ms), Health::Disabled { by: By::Errors });
        assert_eq!(can(&pool, DECEMBER), Err(Reason::Disabled));
        let moved = pool.enable(IT, DECEMBER).unwrap();
        assert_eq!(moved.to, Health::Ready);
        assert_eq!(can(&pool, DECEMBER), Ok(()));
    }
    let pool = pool_with(Rules { max_errors: 0, strikes: 0, ..Rules::default() }, 1);
    for _ in 0..1_000 {
        asks(&pool, Ailment::Failed, NOW);
    }
    assert_eq!(health(&pool, NOW), Health::Ready, "switched off are the rules themselves");
}

#[test]
fn told_not_to_rest_an_account_is_asked_after_every_failure_that_passes() {
    let pool = pool_with(Rules { rests: false, strikes: 0, ..Rules::default() }, 1);
    let passing = [
        Ailment::Throttled { retry_after_ms: Some(60_000) },
        Ailment::Suspected,
        Ailment::Refused,
        Ailment::ModelBusy { model: "m".into(), retry_after_ms: None },
        Ailment::LacksModel { model: "m".into() },
        Ailment::Exhausted { resets_ms: None },
        Ailment::ExhaustedToday,
    ];
    for ailment in passing {
        asks(&pool, ailment, NOW);
        assert_eq!((health(&pool, NOW), can(&pool, NOW)), (Health::Ready, Ok(())));
    }
    asks(&pool, Ailment::Suspended, NOW);
    assert_eq!(can(&pool, NOW), Err(Reason::Suspended), "what does not pass is another matter");
}

#[test]
fn what_a_person_must_heal_is_overwritten_by_nothing() {
    for (ailment, reason) in [(Ailment::Suspended, Reason::Suspended), (Ailment::LoginDead, Reason::Broken)] {
        let pool = pool();
        let leases: Vec<_> = (0..12).map(|_| pool.pick(&ANY, NOW, 0).unwrap()).collect();
        let evidence = Evidence { code: "the cause".into(), ..Evidence::default() };
        pool.report(IT, &Outcome::Ailing(ailment, evidence), NOW);
        let others = [
            Outcome::Answered { tokens: 1 },
            Outcome::ailing(Ailment::Failed),
            Outcome::ailing(throttled(None)),
            Outcome::ailing(Ailment::Exhausted { resets_ms: None }),
        ];
        for (at, lease) in leases.into_iter().enumerate() {
            assert_eq!(lease.settle(&others[at % others.len()], NOW), None);
        }
        pool.report(IT, &Outcome::Answered { tokens: 0 }, NOW);
        pool.set_quota(IT, Some(Quota { used: 0.0, limit: 50.0, resets_ms: None, overage: false }), NOW);
        assert_eq!(can(&pool, DECEMBER), Err(reason));
        assert_eq!(&*pool.one(IT, NOW).unwrap().cause.unwrap().code, "the cause");
        pool.reset(IT, NOW);
        assert_eq!(can(&pool, NOW), Ok(()));
    }
}

#[test]
fn the_operators_switch_is_the_operators() {
    let pool = pool();
    assert_eq!(pool.disable(IT, NOW).unwrap().to, Health::Disabled { by: By::Operator });
    assert_eq!(can(&pool, NOW), Err(Reason::Disabled));
    pool.reset(IT, NOW);
    assert_eq!(can(&pool, NOW), Err(Reason::Disabled), "a new login does not switch it on");
    assert_eq!(pool.enable(IT, NOW).unwrap().to, Health::Ready);
    assert_eq!(can(&pool, NOW), Ok(()));
}

#[test]
fn usage_limits_put_to_rest_and_wake() {
    let quota = |used, resets_ms| Some(Quota { used, limit: 50.0, resets_ms, overage: false });
    let pool = pool();
    let moved = pool.set_quota(IT, quota(50.0, Some(NOW + HOUR)), NOW).unwrap();
    assert_eq!(moved.to, Health::Exhausted { resets_ms: NOW + HOUR });
    assert_eq!(can(&pool, NOW), Err(Reason::Exhausted));
    // Bought more: one tries it.
    pool.set_quota(IT, quota(10.0, Some(NOW + HOUR)), NOW);
    let trial = pool.pick(&ANY, NOW, 0).unwrap();
    assert_eq!(can(&pool, NOW), Err(Reason::OnTrial));
    assert_eq!(trial.settle(&Outcome::Answered { tokens: 1 }, NOW).unwrap().to, Health::Ready);
    // Allowed to go beyond: never put to rest by numbers.
    pool.set_quota(IT, Some(Quota { used: 60.0, limit: 50.0, resets_ms: None, overage: true }), NOW);
    assert_eq!(can(&pool, NOW), Ok(()));
    // At renewal it is tried.
    asks(&pool, Ailment::Exhausted { resets_ms: Some(NOW + HOUR) }, NOW);
    assert_eq!(can(&pool, NOW + HOUR - 1), Err(Reason::Exhausted));
    answers(&pool, NOW + HOUR);
    assert_eq!(health(&pool, NOW + HOUR), Health::Ready);
}

#[test]
fn models_rest_by_themselves() {
    let pool = pool();
    let of = |model| Want { model: Some(model), ..ANY };
    let busy =
        |model: &str| Outcome::ailing(Ailment::ModelBusy { model: model.into(), retry_after_ms: None });
    let mut now_ms = NOW;
    let mut rests = Vec::new();
    for _ in 0..4 {
        // Three at once are one.
        let leases: Vec<_> = (0..3).map(|_| pool.pick(&of("opus"), now_ms, 0).unwrap()).collect();
        for lease in leases {
            let _ = lease.settle(&busy("opus"), now_ms);
        }
        let refusal = pool.pick(&of("opus"), now_ms, 0).unwrap_err();
        assert_eq!(refusal.why.of(Reason::LacksModel), 1);
        assert!(pool.pick(&of("sonnet"), now_ms, 0).is_ok(), "the account is well");
        let free_ms = refusal.soonest_ms.unwrap();
        rests.push((free_ms - now_ms) / SECOND);
        now_ms = free_ms;
    }
    assert_eq!(rests, [5, 10, 20, 30]);
    let lacks = Outcome::ailing(Ailment::LacksModel { model: "haiku".into() });
    pool.report(IT, &lacks, now_ms);
    let free_ms = pool.pick(&of("haiku"), now_ms, 0).unwrap_err().soonest_ms.unwrap();
    assert!((24 * HOUR..31 * HOUR).contains(&(free_ms - now_ms)));
    assert!(pool.pick(&of("haiku"), free_ms, 0).is_ok());
    assert_eq!(health(&pool, now_ms), Health::Ready);
    pool.set_models(IT, Some(vec!["sonnet".into(), "haiku".into()]), now_ms);
    assert_eq!(pool.pick(&of("opus-9"), now_ms, 0).unwrap_err().soonest_ms, None, "no time will bring it");
}

#[test]
fn health_outlives_the_process() {
    let pool = pool();
    asks(&pool, Ailment::LacksModel { model: "opus".into() }, NOW);
    asks(&pool, Ailment::Refused, NOW);
    let stored = pool.take_changes().pop().unwrap().stored.unwrap();
    let again = Pool::new(Rules::default(), Strategy::RoundRobin);
    again.add(IT, Traits::default(), stored.clone(), NOW);
    let (before, after) = (pool.one(IT, NOW).unwrap(), again.one(IT, NOW).unwrap());
    assert_eq!(before.health, after.health);
    assert_eq!((before.cause, before.errors, before.resting), (after.cause, after.errors, after.resting));
    assert_eq!(can(&again, NOW), Err(Reason::Cooling));
    assert!(again.take_changes().is_empty(), "nothing to write for what was read");
    // The next refusal is the second.
    asks(&again, Ailment::Refused, NOW + 30 * SECOND);
    assert!(matches!(health(&again, NOW), Health::Cooling { until_ms, .. } if until_ms == NOW + 90 * SECOND));
}

#[test]
fn jitter_spreads_rests_but_never_shortens_them() {
    let mut rests: Vec<u64> = (0..50_u64)
        .map(|at| {
            let pool = pool();
            let lease = pool.pick(&ANY, NOW, at.wrapping_mul(0x9e37_79b9_7f4a_7c15)).unwrap();
            let _ = lease.settle(&Outcome::ailing(throttled(None)), NOW);
            let Health::Cooling { until_ms, .. } = health(&pool, NOW) else { panic!() };
            until_ms - NOW
        })
        .collect();
    rests.sort_unstable();
    rests.dedup();
    assert!(rests.len() > 40 && rests[0] >= MINUTE && rests[rests.len() - 1] < 75 * SECOND, "{rests:?}");
}
