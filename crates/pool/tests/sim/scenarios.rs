//! What may happen to one of five accounts, or to all.

use std::ops::Range;

use qm_pool::{AccountId, Ailment, By, Health, Stored, Traits};

use crate::world::{Behaviour, MINUTE, RATE, SECOND, START, World};

/// Account 1 ails like this within a span; the others are well.
fn one_ails(span: Range<u64>, ailment: Ailment) -> Behaviour {
    Box::new(move |id, now_ms| (id.0 == 1 && span.contains(&(now_ms - START))).then(|| ailment.clone()))
}

fn five(behaviour: Behaviour) -> World {
    World::new(5, &Traits::default(), behaviour)
}

/// All five have the same share, to within one per cent.
fn even(world: &World, span: Range<u64>) {
    for id in 1..=5 {
        let share = world.share(id, span.clone());
        assert!((19.0..21.0).contains(&share), "account {id}: {share} %");
    }
}

#[test]
fn five_that_are_well_share_evenly() {
    let mut world = five(Box::new(|_, _| None));
    world.run(0..5);
    world.nothing_lost();
    even(&world, 0..5 * MINUTE);
    even(&world, 0..10 * SECOND);
}

#[test]
fn one_is_throttled() {
    let ailing = 2 * MINUTE..7 * MINUTE;
    let mut world = five(one_ails(ailing.clone(), Ailment::Throttled { retry_after_ms: None }));
    world.run(0..15);
    world.nothing_lost();
    // What was under way when the first refusal came, and one trial for each rest of one to two and a half minutes.
    let failures = world.failures(1, ailing.clone());
    assert!((3..=12).contains(&failures), "{failures}");
    assert!(world.share(1, ailing.start + SECOND..ailing.end) < 0.01);
    assert!(world.share(2, ailing.clone()) > 24.0);
    let back = world.back_after(1, ailing.end);
    assert!(back < 151 * SECOND, "{back}");
    even(&world, ailing.end + back + SECOND..15 * MINUTE);
}

#[test]
fn one_is_suspended() {
    let mut world = five(one_ails(MINUTE..u64::MAX, Ailment::Suspended));
    world.run(0..61);
    world.nothing_lost();
    // Only what was under way when the first answer came; never asked again.
    assert_eq!(world.failures(1, MINUTE + SECOND..u64::MAX), 0);
    assert!(world.failures(1, 0..u64::MAX) <= (RATE / 5 / 5) as usize);
    assert_eq!(world.pool.one(AccountId(1), START).unwrap().health, Health::Suspended);
}

#[test]
fn one_is_exhausted_until_its_renewal() {
    let renewal = 20 * MINUTE;
    let ailment = Ailment::Exhausted { resets_ms: Some(START + renewal) };
    let mut world = five(one_ails(MINUTE..renewal, ailment));
    world.run(0..25);
    world.nothing_lost();
    assert_eq!(world.failures(1, MINUTE + SECOND..u64::MAX), 0);
    let back = world.back_after(1, renewal);
    assert!(back < SECOND, "{back}");
    even(&world, renewal + SECOND..25 * MINUTE);
}

#[test]
fn one_is_revoked_and_logged_in_again() {
    let ailing = MINUTE..10 * MINUTE;
    let mut world = five(one_ails(ailing.clone(), Ailment::LoginDead));
    world.run(0..12);
    assert_eq!(world.failures(1, ailing.start + SECOND..u64::MAX), 0);
    assert!(world.share(1, ailing.end..12 * MINUTE) < f64::EPSILON, "nobody has logged in yet");
    world.pool.reset(AccountId(1), START + 12 * MINUTE);
    world.run(12..15);
    world.nothing_lost();
    even(&world, 12 * MINUTE + SECOND..15 * MINUTE);
    even(&world, 12 * MINUTE + SECOND..12 * MINUTE + 11 * SECOND);
}

#[test]
fn one_flaps() {
    // Twenty seconds well, twenty seconds not, for half an hour.
    let flapping = 2 * MINUTE..32 * MINUTE;
    let span = flapping.clone();
    let mut world = five(Box::new(move |id, now_ms| {
        let at_ms = now_ms - START;
        let down = id.0 == 1 && span.contains(&at_ms) && at_ms / (20 * SECOND) % 2 == 1;
        down.then_some(Ailment::Failed)
    }));
    world.run(0..75);
    world.nothing_lost();
    // Quarantined for half an hour at a time, it costs little.
    let failures = world.failures(1, flapping.clone());
    assert!(failures < 30, "{failures}");
    let back = world.back_after(1, flapping.end);
    assert!(back < 38 * MINUTE, "{back}");
    even(&world, flapping.end + back + SECOND..75 * MINUTE);
}

#[test]
fn a_new_account_is_not_flooded() {
    let mut world = five(Box::new(|_, _| None));
    world.run(0..5);
    world.pool.add(AccountId(6), Traits::default(), Stored::default(), START + 5 * MINUTE);
    world.run(5..10);
    world.nothing_lost();
    for second in 1..300 {
        let from = 5 * MINUTE + second * SECOND;
        let share = world.share(6, from..from + SECOND);
        assert!((15.0..18.5).contains(&share), "{share} % in second {second}");
    }
}

#[test]
fn the_upstream_is_down_for_all_and_comes_back() {
    let down = 2 * MINUTE..22 * MINUTE;
    let span = down.clone();
    let mut world =
        five(Box::new(move |_, now_ms| span.contains(&(now_ms - START)).then_some(Ailment::Failed)));
    world.run(0..40);
    // All rest by then; the last resort finds out that it is over, for no rest of it is longer than five minutes.
    let back = (1..=5).map(|id| world.back_after(id, down.end)).min().unwrap();
    assert!(back < 376 * SECOND, "{back}");
    let lost_ms = down.start..=down.end + back;
    assert!(world.lost.iter().all(|(at_ms, _)| lost_ms.contains(at_ms)));
    let disabled = Health::Disabled { by: By::Errors };
    assert!(world.pool.snapshot(START + 40 * MINUTE).iter().all(|view| view.health != disabled));
}

#[test]
fn a_network_that_fails_is_held_against_nobody() {
    let down = 2 * MINUTE..7 * MINUTE;
    let span = down.clone();
    let mut world =
        five(Box::new(move |_, now_ms| span.contains(&(now_ms - START)).then_some(Ailment::Network)));
    world.run(0..9);
    assert!(world.lost.iter().all(|(at_ms, _)| (down.start..down.end + SECOND).contains(at_ms)));
    assert!((1..=5).all(|id| world.back_after(id, down.end) < SECOND));
    even(&world, down.end + SECOND..9 * MINUTE);
}

#[test]
fn all_at_their_limits_refuse_and_say_when() {
    let traits = Traits { rpm: Some(1_000), ..Traits::default() };
    let mut world = World::new(5, &traits, Box::new(|_, _| None));
    world.run(0..10);
    for id in 1..=5 {
        let times: Vec<u64> =
            world.answered.iter().filter(|(_, account)| account.0 == id).map(|(at, _)| *at).collect();
        let packed = times.windows(1_001).filter(|times| times[1_000] - times[0] < MINUTE).count();
        assert_eq!(packed, 0, "account {id} began more than its thousand within a minute");
        assert!(times.len() >= 9_990, "{} of the 10,000 it may", times.len());
    }
}
