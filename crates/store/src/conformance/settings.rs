//! Settings.

use super::{NOW, Under};

/// Another value is a change for others, the same is none.
pub async fn a_setting_is_set_read_and_cleared(store: Under) {
    let settings = store.settings();
    assert_eq!(settings.value("a.b").await.unwrap(), None);
    for key in ["a.b", "a.c", "a_", "b"] {
        settings.set(key, "1", NOW).await.unwrap();
    }
    let revision = store.accounts().revision().await.unwrap();
    settings.set("a.b", "1", NOW + 5).await.unwrap();
    assert_eq!(store.accounts().revision().await.unwrap(), revision);
    settings.set("a.b", "it's 2", NOW + 6).await.unwrap();
    assert!(store.accounts().revision().await.unwrap() > revision);
    assert_eq!(settings.value("a.b").await.unwrap().as_deref(), Some("it's 2"));
    let below: Vec<_> = settings.all("a.").await.unwrap();
    let below: Vec<_> = below.iter().map(|row| (row.key.as_str(), row.updated_ms)).collect();
    assert_eq!(below, [("a.b", NOW + 6), ("a.c", NOW)]);
    assert_eq!(settings.all("").await.unwrap().len(), 4);
    assert!(settings.clear("a.b").await.unwrap());
    assert!(!settings.clear("a.b").await.unwrap());
    assert_eq!(settings.value("a.b").await.unwrap(), None);
}

/// The first value stays.
pub async fn a_setting_set_once_stands(store: Under) {
    let settings = store.settings();
    assert_eq!(settings.set_once("k", "first", NOW).await.unwrap(), "first");
    assert_eq!(settings.set_once("k", "second", NOW + 1).await.unwrap(), "first");
    assert_eq!(settings.value("k").await.unwrap().as_deref(), Some("first"));
}

/// Twenty at once.
pub async fn of_many_who_set_once_all_learn_the_same(store: Under) {
    let tries = (0..20).map(|at| {
        let store = store.clone();
        async move { store.settings().set_once("k", &at.to_string(), NOW).await.unwrap() }
    });
    let learned = super::together(tries).await;
    assert!(learned.iter().all(|value| *value == learned[0]), "{learned:?}");
}
