//! What a choice costs among ten thousand accounts: `cargo bench -p qm-pool`. Medians are of batches, so that the
//! clock does not count; each row says what the pool looks like.

#![expect(clippy::print_stdout, reason = "it is what a benchmark is for")]
#![expect(clippy::disallowed_methods, reason = "a benchmark needs a clock")]

use std::sync::Arc;
use std::time::Instant;

use qm_pool::{AccountId, Ailment, LicencePolicy, Outcome, Pool, Rules, Stored, Strategy, Traits, Want};

const ACCOUNTS: u64 = 10_000;
const BATCHES: usize = 2_000;
const BATCH: usize = 50;

/// 2026-11-21.
const START_MS: u64 = 1_795_268_625_000;

/// `SplitMix64`.
struct Chance(u64);

/// A pool and the requests that are made of it.
struct Row {
    name: &'static str,
    pool: Arc<Pool>,
    model: Option<&'static str>,
    owner: bool,
    affinity: bool,
}

fn main() {
    println!("{:<44} {:>10} {:>10} {:>10}", "10,000 accounts", "median ns", "p99 ns", "refused");
    for row in rows() {
        measure(&row);
    }
}

fn rows() -> Vec<Row> {
    let row =
        |name, pool| Row { name, pool, model: Some("claude-sonnet-4.5"), owner: false, affinity: false };
    let of = |strategy| filled(strategy, |_| Traits::default());
    vec![
        row("round robin", of(Strategy::RoundRobin)),
        row("random", of(Strategy::Random)),
        row("least used", of(Strategy::LeastUsed)),
        row("weighted", of(Strategy::Weighted)),
        row(
            "priority, ten of them",
            filled(Strategy::Priority, |number| Traits {
                priority: (number % 10) as i32,
                ..Traits::default()
            }),
        ),
        row("sticky", of(Strategy::Sticky)),
        Row { affinity: true, ..row("round robin, 5,000 conversations", of(Strategy::RoundRobin)) },
        row("5,000 cooling", cooling(5_000)),
        row("9,999 cooling", cooling(9_999)),
        row("all cooling: refused", cooling(ACCOUNTS)),
        row(
            "limit of 10 a minute, never reached",
            filled(Strategy::RoundRobin, |_| Traits { rpm: Some(10), ..Traits::default() }),
        ),
        row("9,000 at their limit of 1 an hour", limited(9_000)),
        row("all at their limit: refused", limited(ACCOUNTS)),
        row("three sets of models", with_models()),
        Row { owner: true, ..row("each its owner's first", owned()) },
    ]
}

fn filled(strategy: Strategy, traits: impl Fn(u64) -> Traits) -> Arc<Pool> {
    let pool = Pool::new(Rules::default(), strategy);
    for number in 0..ACCOUNTS {
        pool.add(AccountId(number), traits(number), Stored::default(), START_MS);
    }
    pool
}

fn cooling(count: u64) -> Arc<Pool> {
    let pool = filled(Strategy::RoundRobin, |_| Traits::default());
    for number in 0..count {
        pool.report(AccountId(number), &Outcome::ailing(Ailment::Suspected), START_MS);
    }
    pool
}

fn limited(count: u64) -> Arc<Pool> {
    let traits = |number| Traits { per_hour: (number < count).then_some(1), ..Traits::default() };
    let pool = filled(Strategy::RoundRobin, traits);
    for number in 0..count {
        let want = Want { pinned: Some(AccountId(number)), ..Want::default() };
        drop(pool.pick(&want, START_MS, number));
    }
    pool
}

fn with_models() -> Arc<Pool> {
    let pool = filled(Strategy::RoundRobin, |_| Traits::default());
    for number in 0..ACCOUNTS {
        let mut models = vec!["claude-haiku-4.5".into(), "claude-sonnet-4".into(), "auto".into()];
        models.extend((number % 3 > 0).then(|| "claude-sonnet-4.5".into()));
        models.extend((number % 3 > 1).then(|| "claude-opus-4.8".into()));
        pool.set_models(AccountId(number), Some(models), START_MS);
    }
    pool
}

fn owned() -> Arc<Pool> {
    filled(Strategy::RoundRobin, |number| Traits {
        owner: Some(owner(number).into()),
        policy: LicencePolicy::OwnThenPool,
        ..Traits::default()
    })
}

fn owner(number: u64) -> String {
    format!("developer-{number}@example.com")
}

fn measure(row: &Row) {
    let mut chance = Chance(7);
    let owners: Vec<String> = (0..ACCOUNTS).map(owner).collect();
    let mut batches = Vec::with_capacity(BATCHES);
    let mut refused = 0_u64;
    // At first untimed: structures grow to their size.
    for batch in 0..BATCHES + BATCHES / 10 {
        // A thousand requests a second of virtual time.
        let now_ms = START_MS + batch as u64 * 50;
        let mut leases = Vec::with_capacity(BATCH);
        let wants: Vec<(u64, usize)> =
            (0..BATCH).map(|_| (chance.next(), (chance.next() % ACCOUNTS) as usize)).collect();
        let began = Instant::now();
        for (random, at) in wants {
            let owner = owners.get(at).filter(|_| row.owner).map(String::as_str);
            let affinity = row.affinity.then_some(random % 5_000);
            let want = Want { model: row.model, owner, affinity, ..Want::default() };
            leases.push(row.pool.pick(&want, now_ms, random));
        }
        let took = began.elapsed().as_nanos() as u64 / BATCH as u64;
        if batch >= BATCHES / 10 {
            batches.push(took);
        }
        for lease in leases {
            match lease {
                Ok(lease) => {
                    let _ = lease.settle(&Outcome::Answered { tokens: 100 }, now_ms + 40);
                }
                Err(_) => refused += 1,
            }
        }
    }
    batches.sort_unstable();
    let at = |share: usize| batches.get(batches.len() * share / 100).copied().unwrap_or_default();
    let percent = refused * 100 / ((BATCHES + BATCHES / 10) * BATCH) as u64;
    println!("{:<44} {:>10} {:>10} {:>9}%", row.name, at(50), at(99), percent);
}

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
