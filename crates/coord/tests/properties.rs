//! Whatever is asked for in whatever order: no limit is ever passed, and what is refused costs nothing.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use proptest::prelude::*;
use qm_coord::{Ask, Coord, Full, Memory, Meter, Room, Taken};

const SPAN_MS: u64 = 60_000;
const DAY_MS: u64 = 86_400_000;
const MINUTE: Meter = Meter::Window { span_ms: SPAN_MS, step_ms: 1 };
const TOKENS: Meter = Meter::Window { span_ms: SPAN_MS, step_ms: 1_000 };

#[derive(Clone, Debug)]
enum Act {
    /// One request that reserves this many tokens.
    Ask(u64),
    /// Ends the n-th that is under way; with more tokens than it reserved, fewer, or as many.
    Settle(usize, Option<u64>),
    Pass(u64),
}

#[derive(Clone, Copy, Debug)]
struct Limits {
    requests: u64,
    tokens: u64,
    at_once: u64,
    daily: u64,
}

/// One request, as a bystander saw it.
struct Seen {
    at_ms: u64,
    reserved: u64,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let settle = (0_usize..8, proptest::option::of(0_u64..150)).prop_map(|(at, real)| Act::Settle(at, real));
    let act = prop_oneof![
        4 => (1_u64..120).prop_map(Act::Ask),
        3 => settle,
        2 => (0_u64..3_000).prop_map(Act::Pass),
        1 => (0_u64..70_000).prop_map(Act::Pass),
    ];
    proptest::collection::vec(act, 1..250)
}

fn limits() -> impl Strategy<Value = Limits> {
    (1_u64..12, 50_u64..600, 1_u64..6, 100_u64..3_000).prop_map(|(requests, tokens, at_once, daily)| Limits {
        requests,
        tokens,
        at_once,
        daily,
    })
}

fn asks(limits: Limits, tokens: u64, now_ms: u64) -> [Ask; 4] {
    let start_ms = now_ms / DAY_MS * DAY_MS;
    let day = Meter::Period { start_ms, end_ms: start_ms + DAY_MS };
    [
        Ask { slot: "requests", meter: MINUTE, limit: limits.requests, amount: 1, sure: false },
        Ask { slot: "tokens", meter: TOKENS, limit: limits.tokens, amount: tokens, sure: false },
        Ask { slot: "held", meter: Meter::Held, limit: limits.at_once, amount: 1, sure: false },
        Ask { slot: "day", meter: day, limit: limits.daily, amount: tokens, sure: false },
    ]
}

/// These futures are ready at once: nothing here waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("it waited"),
    }
}

fn take(memory: &Memory, asks: &[Ask], now_ms: u64) -> Result<Taken, Full> {
    now(memory.take(&Arc::from("somebody"), asks, now_ms))
}

proptest! {
    #[test]
    fn no_limit_is_passed_and_a_refusal_costs_nothing(limits in limits(), acts in acts()) {
        let memory = Memory::default();
        let mut now_ms = 1_795_268_625_000;
        let mut under_way = Vec::new();
        let mut seen: Vec<Seen> = Vec::new();
        let mut spent = 0;
        for act in acts {
            match act {
                Act::Pass(ms) => now_ms += ms,
                Act::Ask(tokens) => {
                    let asks = asks(limits, tokens, now_ms);
                    let before = now(memory.levels("somebody", &asks, now_ms));
                    match take(&memory, &asks, now_ms) {
                        Ok(taken) => {
                            under_way.push((taken.ticket, tokens));
                            seen.push(Seen { at_ms: now_ms, reserved: tokens });
                        }
                        Err(full) => {
                            prop_assert_eq!(&before, &now(memory.levels("somebody", &asks, now_ms)));
                            let (ask, level) = (asks[full.which], before[full.which]);
                            prop_assert!(level.used + ask.amount > ask.limit, "{:?} had room", ask);
                        }
                    }
                }
                Act::Settle(at, real) if !under_way.is_empty() => {
                    let at = at % under_way.len();
                    let (ticket, reserved) = under_way.swap_remove(at);
                    spent += real.unwrap_or(reserved);
                    ticket.settle(&[None, real, None, real], now_ms);
                }
                Act::Settle(..) => {}
            }
            let levels = now(memory.levels("somebody", &asks(limits, 1, now_ms), now_ms));
            prop_assert_eq!(levels[2].used, under_way.len() as u64);
            prop_assert!(levels[2].used <= limits.at_once);
            // All within one day: what is spent and what is reserved is what the day says.
            let reserved: u64 = under_way.iter().map(|(_, tokens)| tokens).sum();
            if now_ms / DAY_MS == 1_795_268_625_000 / DAY_MS {
                prop_assert_eq!((levels[3].used, levels[3].unsettled), (spent + reserved, reserved));
            }
        }
        // In any span that begins with a request: every other span holds no more than one of these.
        for first in &seen {
            let within = seen.iter().filter(|one| (first.at_ms..first.at_ms + SPAN_MS).contains(&one.at_ms));
            prop_assert!(within.count() as u64 <= limits.requests);
        }
    }

    #[test]
    fn what_is_reserved_never_passes_the_limit_of_tokens(
        tokens in 50_u64..600,
        asked in proptest::collection::vec((1_u64..200, 0_u64..4_000), 1..200),
    ) {
        let memory = Memory::default();
        let mut now_ms = 1_795_268_625_000;
        let mut seen: Vec<Seen> = Vec::new();
        for (amount, pass) in asked {
            now_ms += pass;
            let ask = Ask { slot: "tokens", meter: TOKENS, limit: tokens, amount, sure: false };
            match take(&memory, &[ask], now_ms) {
                Ok(taken) => {
                    seen.push(Seen { at_ms: now_ms, reserved: amount });
                    taken.ticket.settle(&[None], now_ms);
                }
                Err(Full { room: Room::At(at_ms), .. }) => {
                    // Room comes when it was said, neither later nor earlier.
                    prop_assert!(at_ms > now_ms && at_ms <= now_ms + SPAN_MS + 1_000);
                    prop_assert!(take(&memory, &[ask], at_ms - 1).is_err());
                    now_ms = at_ms;
                    let taken = take(&memory, &[ask], now_ms).unwrap();
                    seen.push(Seen { at_ms: now_ms, reserved: amount });
                    taken.ticket.settle(&[None], now_ms);
                }
                Err(full) => prop_assert!(full.room == Room::Never && amount > tokens),
            }
        }
        for first in &seen {
            let within = seen.iter().filter(|one| (first.at_ms..first.at_ms + SPAN_MS).contains(&one.at_ms));
            prop_assert!(within.map(|one| one.reserved).sum::<u64>() <= tokens);
        }
    }
}
