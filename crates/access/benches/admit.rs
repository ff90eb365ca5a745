//! What admission and limits cost a request: `cargo bench -p qm-access`. Medians are of batches, so that the clock does
//! not count.

#![expect(clippy::print_stdout, reason = "it is what a benchmark is for")]
#![expect(clippy::disallowed_methods, reason = "a benchmark needs a clock")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run has no result")]

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use qm_access::{Access, Actor, KeyWish, Parts};
use qm_coord::Memory;
use qm_keys::{Limits, Scopes};
use qm_relay::{Admission as _, Shown, Wish};
use qm_store_sqlite::SqliteStore;
use secrecy::{ExposeSecret as _, SecretString};

const KEYS: usize = 1_000;
const BATCHES: usize = 1_000;
const BATCH: usize = 100;

/// 2026-11-21.
const START_MS: u64 = 1_795_268_625_000;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let access = access().await;
    println!("{:<60} {:>10} {:>10}", format!("{KEYS} keys"), "median ns", "p99 ns");
    for (name, limits) in [
        ("admit, without limits", "{}"),
        ("admit, 60 requests a minute and 5 at once", r#"{"rpm":1000000,"concurrency":5}"#),
        (
            "admit, these, tokens a minute and a budget of credits",
            r#"{"rpm":1000000,"concurrency":5,"tpm":1000000000,
                "budgets":[{"unit":"credits","period":"month","hard":1000000}]}"#,
        ),
    ] {
        let keys = keys(&access, &serde_json::from_str(limits).unwrap()).await;
        measure(name, &access, &keys).await;
    }
}

async fn access() -> Access {
    let drawn = AtomicU64::new(1);
    let parts = Parts {
        store: Arc::new(SqliteStore::in_memory().await.unwrap()),
        coord: Arc::new(Memory::default()),
        clients: Vec::new(),
        client_limits: Limits::default(),
        admins: Vec::new(),
        open: false,
        now: Arc::new(|| START_MS),
        random: Arc::new(move || {
            u128::from(drawn.fetch_add(1, Ordering::Relaxed)).wrapping_mul(u128::MAX / 59)
        }),
    };
    Access::open(parts).await.unwrap()
}

async fn keys(access: &Access, limits: &Limits) -> Vec<SecretString> {
    let mut keys = Vec::with_capacity(KEYS);
    for _ in 0..KEYS {
        let wish = KeyWish { limits: limits.clone(), ..KeyWish::named("client", Scopes::INFERENCE) };
        keys.push(access.create(wish, &Actor::Cli).await.unwrap().1);
    }
    keys
}

async fn measure(name: &str, access: &Access, keys: &[SecretString]) {
    let mut batches = Vec::with_capacity(BATCHES);
    let mut random = 7_u64;
    let input_tokens = || 1_000;
    // At first untimed: structures grow to their size.
    for batch in 0..BATCHES + BATCHES / 10 {
        let now_ms = START_MS + batch as u64 * 50;
        let began = Instant::now();
        for _ in 0..BATCH {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let Some(key) = keys.get((random >> 33) as usize % keys.len()) else { continue };
            let tokens = [key.expose_secret()];
            let from = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
            let caller = access.admit(&Shown { from, ..Shown::tokens(&tokens) }).ok().unwrap();
            let wish = Wish {
                asked: "claude-sonnet-4-5",
                model: "claude-sonnet-4.5",
                input_tokens: &input_tokens,
                max_output: Some(4_096),
                now_ms,
            };
            let entered = caller.grant.enter(&wish).await.ok().unwrap();
            entered.pass.settle(1_500, 40_000, now_ms + 40);
        }
        let took = began.elapsed().as_nanos() as u64 / BATCH as u64;
        if batch >= BATCHES / 10 {
            batches.push(took);
        }
    }
    batches.sort_unstable();
    let at = |share: usize| batches.get(batches.len() * share / 100).copied().unwrap_or_default();
    println!("{name:<60} {:>10} {:>10}", at(50), at(99));
}
