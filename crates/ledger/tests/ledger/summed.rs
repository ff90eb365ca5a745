//! Whatever is closed in whatever order: receipts, hours, days and keys' totals are the same sums.

use proptest::prelude::*;
use qm_canon::Usage as Used;
use qm_ledger::{Habits, Span};
use qm_relay::receipt::Served;
use qm_relay::{Ledger as _, Outcome, Receipt};
use qm_store::conformance::key;
use qm_store::{Group, Step, Store as _, Usage, UsageFilter};

use crate::house::{Moody, NOW, books, kept, opening, receipt, run};

#[derive(Debug, Clone)]
struct Case {
    key: usize,
    account: Option<u64>,
    input: u64,
    output: u64,
    credits: f64,
    outcome: usize,
    before_ms: u64,
}

const KEYS: [&str; 3] = ["a", "b", "env-01234567"];

fn case() -> impl Strategy<Value = Case> {
    let figures = (0..5_000_u64, 0..5_000_u64, 0.0..3.0);
    let parts = (0..3_usize, proptest::option::of(1..4_u64), figures, 0..4_usize, 0..4 * 86_400_000_u64);
    parts.prop_map(|(key, account, (input, output, credits), outcome, before_ms)| Case {
        key,
        account,
        input,
        output,
        credits,
        outcome,
        before_ms,
    })
}

fn ended(case: &Case) -> Receipt {
    let outcome = match case.outcome {
        0 => Outcome::Finished,
        1 => Outcome::ClientGone,
        2 => Outcome::Refused(qm_canon::Kind::Throttled, "limit".into()),
        _ => Outcome::Failed(qm_canon::Kind::Broken, "cut".into()),
    };
    Receipt {
        usage: Used {
            input: case.input,
            output: case.output,
            credits: Some(case.credits),
            ..Used::default()
        },
        account: case.account.map(|number| Served { number, name: number.to_string().into() }),
        ended_ms: NOW - case.before_ms,
        outcome,
        ..receipt()
    }
}

fn added_up(parts: impl Iterator<Item = Usage>) -> Usage {
    parts.fold(Usage::default(), |mut sum, part| {
        sum.add(&part);
        sum
    })
}

async fn sums_agree(cases: Vec<Case>, batch: usize) {
    let store = Moody::new().await;
    for id in ["a", "b"] {
        store.keys().insert(key(id), NOW).await.unwrap();
    }
    let books = books(&store, Habits { batch, entries: 50, ..Habits::default() });
    let running = run(&books);
    for case in &cases {
        books.open(opening("r", KEYS[case.key])).await.unwrap().close(ended(case));
    }
    assert_eq!(running.end().await, qm_ledger::Left::default());
    let receipts = kept(&store).await;
    assert_eq!(receipts.len(), cases.len());
    let sum = added_up(receipts.iter().map(Usage::of));
    assert_eq!(sum.tokens(), cases.iter().map(|case| case.input + case.output).sum::<u64>());
    let span = Span::days_until(NOW, 8);
    let all = UsageFilter::default;
    assert_eq!(books.totals(all(), span).await.unwrap(), sum);
    for (step, group) in
        [Step::Hour, Step::Day].into_iter().flat_map(|step| Group::ALL.map(|group| (step, group)))
    {
        let series = books.series(all(), span, Some(step), group).await.unwrap();
        assert_eq!(added_up(series.rows.iter().map(|row| row.usage)), sum, "{step:?} {group:?}");
    }
    for id in ["a", "b"] {
        let counts = store.keys().by_id(id).await.unwrap().unwrap().counts;
        let of = UsageFilter { key_id: Some(id.into()), ..all() };
        let used = books.totals(of, span).await.unwrap();
        assert_eq!((counts.total_requests, counts.total_tokens), (used.requests, used.tokens()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn all_sums_are_one(cases in proptest::collection::vec(case(), 0..200), batch in 1..70_usize) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(sums_agree(cases, batch));
    }
}
