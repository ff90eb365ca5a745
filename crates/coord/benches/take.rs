//! What taking and settling the limits of a request costs: `cargo bench -p qm-coord`. Medians are of batches, so that
//! the clock does not count.

#![expect(clippy::print_stdout, reason = "it is what a benchmark is for")]
#![expect(clippy::disallowed_methods, reason = "a benchmark needs a clock")]

use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use qm_coord::{Ask, Coord, Memory, Meter};

/// As many as fit into the processor's caches, and as many as do not.
const KEYS: [usize; 2] = [100, 10_000];
const BATCHES: usize = 2_000;
const BATCH: usize = 100;

/// 2026-11-21.
const START_MS: u64 = 1_795_268_625_000;

fn main() {
    for keys in KEYS {
        println!("{:<44} {:>10} {:>10}", format!("take and settle, {keys} keys"), "median ns", "p99 ns");
        for (name, asks) in [
            ("one window of requests", 1),
            ("requests and places held", 2),
            ("requests, places, tokens, requests per day", 4),
            ("these and four budgets", 8),
        ] {
            measure(name, keys, asks);
        }
    }
}

fn asks(count: usize) -> Vec<Ask> {
    let day = Meter::Period { start_ms: START_MS, end_ms: START_MS + 86_400_000 };
    let window = |step_ms| Meter::Window { span_ms: 60_000, step_ms };
    let ask = |slot, meter, amount| Ask { slot, meter, limit: u64::MAX / 2, amount, sure: amount == 1 };
    let all = [
        ask("rpm", window(1), 1),
        ask("held", Meter::Held, 1),
        ask("tpm", window(1_000), 5_000),
        ask("rpd", day, 1),
        ask("tokens/day", day, 5_000),
        ask("tokens/month", day, 5_000),
        ask("credits/day", day, 40_000),
        ask("credits/month", day, 40_000),
    ];
    all.into_iter().take(count).collect()
}

fn measure(name: &str, many: usize, count: usize) {
    let memory = Memory::default();
    let keys: Vec<Arc<str>> = (0..many).map(|n| format!("c0ffee00-0000-4000-8000-{n:012}").into()).collect();
    let asks = asks(count);
    let real: Vec<Option<u64>> = asks.iter().map(|ask| (ask.amount > 1).then_some(ask.amount / 2)).collect();
    let mut batches = Vec::with_capacity(BATCHES);
    let mut random = 7_u64;
    // At first untimed: structures grow to their size.
    for batch in 0..BATCHES + BATCHES / 10 {
        let now_ms = START_MS + batch as u64 * 50;
        let began = Instant::now();
        for _ in 0..BATCH {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let Some(key) = keys.get((random >> 33) as usize % many) else { continue };
            let taking = pin!(memory.take(key, &asks, now_ms));
            if let Poll::Ready(Ok(taken)) = taking.poll(&mut Context::from_waker(Waker::noop())) {
                black_box(&taken.levels);
                taken.ticket.settle(&real, now_ms + 40);
            }
        }
        let took = began.elapsed().as_nanos() as u64 / BATCH as u64;
        if batch >= BATCHES / 10 {
            batches.push(took);
        }
    }
    batches.sort_unstable();
    let at = |share: usize| batches.get(batches.len() * share / 100).copied().unwrap_or_default();
    println!("{name:<44} {:>10} {:>10}", at(50), at(99));
}
