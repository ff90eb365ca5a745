//! The audit is a chain, whoever writes.

use super::{NOW, Under};
use crate::audit::{AuditEntry, AuditFilter, verify};

fn entry(actor: &str, action: &str, subject: &str) -> AuditEntry {
    AuditEntry {
        at_ms: NOW,
        actor: actor.into(),
        source: "127.0.0.1".into(),
        action: action.into(),
        subject: subject.into(),
        detail: r#"{"rows":3}"#.into(),
    }
}

/// As written, in order, each holding the one before.
pub async fn entries_form_a_chain(store: Under) {
    let audit = store.audit();
    let mut written = Vec::new();
    for action in ["account.add", "account.export", "account.remove"] {
        written.push(audit.append(entry("cli", action, "a")).await.unwrap());
    }
    let read = audit.chain(0, 10).await.unwrap();
    assert_eq!(read, written);
    assert_eq!(verify(0, "", &read).unwrap(), (3, written[2].hash.clone()));
    let [first, rest] = [audit.chain(0, 1).await.unwrap(), audit.chain(1, 10).await.unwrap()];
    let (number, hash) = verify(0, "", &first).unwrap();
    assert!(verify(number, &hash, &rest).is_ok());
}

/// Sixteen at once: no two follow the same entry.
pub async fn many_writers_form_one_chain(store: Under) {
    let writers = (0..16).map(|at| {
        let store = store.clone();
        async move { store.audit().append(entry(&at.to_string(), "x", "")).await.unwrap() }
    });
    super::together(writers).await;
    let read = store.audit().chain(0, 100).await.unwrap();
    assert_eq!(verify(0, "", &read).unwrap().0, 16);
}

/// Newest first.
pub async fn the_listing_filters_and_goes_back(store: Under) {
    let audit = store.audit();
    let entries = [("cli", "account.add", "a"), ("me", "account.export", ""), ("cli", "accounting", "a")];
    for (actor, action, subject) in entries {
        audit.append(entry(actor, action, subject)).await.unwrap();
    }
    let none = AuditFilter::default();
    let text = |text: &str| Some(text.to_owned());
    let cases = [
        (none.clone(), vec![3, 2, 1]),
        (AuditFilter { actor: text("cli"), ..none.clone() }, vec![3, 1]),
        (AuditFilter { action: text("account"), ..none.clone() }, vec![2, 1]),
        (AuditFilter { action: text("account.add"), ..none.clone() }, vec![1]),
        (AuditFilter { subject: text("a"), actor: text("me"), ..none.clone() }, vec![]),
        (AuditFilter { before: Some(3), ..none.clone() }, vec![2, 1]),
    ];
    for (filter, expected) in cases {
        let found = audit.list(&filter, 10).await.unwrap();
        let numbers: Vec<i64> = found.iter().map(|record| record.number).collect();
        assert_eq!(numbers, expected, "{filter:?}");
    }
    assert_eq!(audit.list(&none, 2).await.unwrap().len(), 2);
}
