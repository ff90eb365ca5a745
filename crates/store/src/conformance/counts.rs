//! What accounts did, and what is noted of them.

use super::{NOW, Under, keep, now};
use crate::account::Counts;
use crate::accounts::{CountsDelta, HealthSave};

/// Sums are sums; the run of errors ends with a success.
pub async fn counts_add_up_and_a_success_ends_the_run_of_errors(store: Under) {
    let number = keep(&store, &["a"]).await.remove(0).number;
    let errors = |errors| CountsDelta {
        number,
        requests: errors,
        errors,
        errors_since_success: errors,
        tokens: 7,
        ..CountsDelta::default()
    };
    let mixed = CountsDelta {
        number,
        requests: 4,
        successes: 1,
        errors: 3,
        errors_since_success: 2,
        tokens: 100,
        last_used_ms: Some(NOW),
    };
    let gone = CountsDelta { number: number + 99, requests: 1, ..CountsDelta::default() };
    store.accounts().add_counts(&[errors(2), gone, errors(3)]).await.unwrap();
    assert_eq!(now(&store, "a").await.counts.error_count, 5);
    store.accounts().add_counts(&[mixed]).await.unwrap();
    let counts = Counts {
        success_count: 1,
        error_count: 2,
        error_total: 8,
        total_requests: 9,
        total_tokens: 114,
        last_used_ms: Some(NOW),
    };
    assert_eq!(now(&store, "a").await.counts, counts);
}

/// Batches of two processes may come in any order.
pub async fn the_last_use_is_the_latest(store: Under) {
    let number = keep(&store, &["a"]).await.remove(0).number;
    for last_used_ms in [None, Some(NOW + 5), Some(NOW + 2), None] {
        store
            .accounts()
            .add_counts(&[CountsDelta { number, last_used_ms, ..CountsDelta::default() }])
            .await
            .unwrap();
    }
    assert_eq!(now(&store, "a").await.counts.last_used_ms, Some(NOW + 5));
}

/// As they were written.
pub async fn health_usage_and_face_are_kept(store: Under) {
    let numbers: Vec<i64> = keep(&store, &["a", "b"]).await.iter().map(|row| row.number).collect();
    let save = |number, state: &str| HealthSave {
        number,
        health: format!("{{\"of\":{number}}}"),
        state: state.into(),
    };
    let batch = [save(numbers[0], "cooling"), save(numbers[1] + 99, "broken"), save(numbers[1], "suspended")];
    store.accounts().save_health(&batch, NOW).await.unwrap();
    store.accounts().save_usage("a", "{\"used\":1}", NOW + 1).await.unwrap();
    store.accounts().save_face("a", "{\"surface\":\"q\"}", NOW + 2).await.unwrap();
    let [a, b] = [now(&store, "a").await, now(&store, "b").await];
    assert_eq!(
        (a.learned.health.as_str(), a.learned.health_state.as_str()),
        (batch[0].health.as_str(), "cooling")
    );
    assert_eq!(b.learned.health_state, "suspended");
    assert_eq!((a.learned.usage.as_deref(), a.learned.usage_ms), (Some("{\"used\":1}"), Some(NOW + 1)));
    assert_eq!((a.learned.face.as_str(), a.updated_ms), ("{\"surface\":\"q\"}", NOW + 2));
}
