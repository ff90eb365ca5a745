//! Keys: kept by their digests, changed by whoever knows their revision, revoked with everything that hangs on them.

use super::{NOW, Under, key, mark};
use crate::account::Change;
use crate::key::{KeyOrigin, KeyPatch, KeyRecord, KeyWishes, NewKey, OldMark};
use crate::keys::{KeyFilter, KeyPlace};
use crate::sessions::SessionRecord;
use crate::{KeyTotals, StoreError};

async fn kept(store: &Under, ids: &[&str]) -> Vec<KeyRecord> {
    let mut records = Vec::new();
    for id in ids {
        records.push(store.keys().insert(key(id), NOW).await.unwrap());
    }
    records
}

async fn now(store: &Under, id: &str) -> KeyRecord {
    store.keys().by_id(id).await.unwrap().unwrap()
}

fn session(id: &str, key_id: &str) -> SessionRecord {
    SessionRecord {
        id: id.into(),
        key_id: key_id.into(),
        csrf: format!("csrf of {id}"),
        scopes: vec!["admin".into()],
        created_ms: NOW,
        last_seen_ms: NOW,
        expires_ms: NOW + 100,
        source: "192.0.2.1".into(),
        agent: "a browser".into(),
    }
}

/// All that was given, and a number and a revision.
pub async fn a_key_is_read_back(store: Under) {
    let wishes = KeyWishes {
        description: Some("it's for 测试".into()),
        owner: Some("me".into()),
        team: Some("us".into()),
        tags: vec!["a".into(), "b \"c\"".into()],
        enabled: false,
        expires_ms: Some(NOW + 9),
        limits: r#"{"rpm":60}"#.into(),
        ..KeyWishes::named("first", &["inference", "read"])
    };
    let new = NewKey { wishes: wishes.clone(), origin: KeyOrigin::Cli, ..key("a") };
    let made = store.keys().insert(new.clone(), NOW).await.unwrap();
    assert_eq!((&made.id, &made.mark, &made.before, made.origin), (&new.id, &new.mark, &None, new.origin));
    assert_eq!((&made.wishes, made.created_by.as_str()), (&wishes, "somebody"));
    assert_eq!((made.created_ms, made.updated_ms, made.revoked_ms), (NOW, NOW, None));
    assert_eq!((made.counts.total_requests, made.counts.last_used_ms), (0, None));
    assert_eq!(store.keys().by_id("a").await.unwrap().as_ref(), Some(&made));
    assert_eq!(store.keys().by_number(made.number).await.unwrap(), Some(made));
    assert_eq!(store.keys().by_id("b").await.unwrap(), None);
}

/// Neither an id, nor a digest that is, nor one that lately was.
pub async fn an_id_and_a_digest_are_kept_once(store: Under) {
    kept(&store, &["a"]).await;
    store.keys().rotate("a", mark("rotated"), Some(NOW + 5), None, NOW).await.unwrap();
    let same_id = NewKey { mark: mark("another"), ..key("a") };
    let same_digest = NewKey { mark: mark("rotated"), ..key("b") };
    let old_digest = NewKey { mark: mark("a"), ..key("b") };
    for new in [same_id, same_digest, old_digest] {
        let refused = store.keys().insert(new, NOW).await.unwrap_err();
        assert_eq!(refused, StoreError::Duplicate("id or digest"));
    }
    kept(&store, &["b"]).await;
    for taken in ["rotated", "a", "b"] {
        let refused = store.keys().rotate("b", mark(taken), None, None, NOW).await.unwrap_err();
        assert_eq!(refused, StoreError::Duplicate("id or digest"), "{taken}");
    }
}

/// As scripts know them.
pub async fn a_keys_number_is_never_used_again(store: Under) {
    let first = kept(&store, &["a", "b"]).await;
    assert!(first[0].number < first[1].number);
    assert!(store.keys().remove("b", None, NOW).await.unwrap());
    assert!(!store.keys().remove("b", None, NOW).await.unwrap());
    assert!(kept(&store, &["c"]).await[0].number > first[1].number);
}

/// Twenty processes that start at once on an empty store.
pub async fn of_many_first_keys_one_is_made(store: Under) {
    let tries = (0..20).map(|at| {
        let store = store.clone();
        async move {
            let id = at.to_string();
            let first = NewKey { wishes: KeyWishes::named("first", &["read", "admin"]), ..key(&id) };
            store.keys().insert_first(first, "admin", NOW).await.unwrap()
        }
    });
    let made: Vec<KeyRecord> = super::together(tries).await.into_iter().flatten().collect();
    assert_eq!((made.len(), store.keys().all().await.unwrap().changed), (1, made.clone()));
    store.keys().revoke(&made[0].id, NOW).await.unwrap();
    let again = NewKey { wishes: KeyWishes::named("again", &["admin"]), ..key("again") };
    assert_eq!(
        store.keys().insert_first(again.clone(), "admin", NOW).await.unwrap(),
        None,
        "nor a revoked one"
    );
    assert!(store.keys().insert_first(again, "other", NOW).await.unwrap().is_some());
}

/// The rest stays; an empty patch is none.
pub async fn a_patch_of_a_key_changes_what_it_names(store: Under) {
    let before = kept(&store, &["a"]).await.remove(0);
    let patch = KeyPatch {
        name: Some("second".into()),
        owner: Change::Set("me".into()),
        scopes: Some(vec!["admin".into()]),
        enabled: Some(false),
        expires_ms: Change::Set(NOW + 7),
        limits: Some("{}".into()),
        ..KeyPatch::default()
    };
    let after = store.keys().update("a", patch, None, NOW + 1).await.unwrap().unwrap();
    let wishes = KeyWishes {
        name: "second".into(),
        owner: Some("me".into()),
        scopes: vec!["admin".into()],
        enabled: false,
        expires_ms: Some(NOW + 7),
        limits: "{}".into(),
        ..before.wishes.clone()
    };
    assert_eq!((after.wishes.clone(), after.updated_ms), (wishes, NOW + 1));
    assert!(after.revision > before.revision);
    let again = store.keys().update("a", KeyPatch::default(), None, NOW + 2).await.unwrap();
    assert_eq!(again, Some(after));
    let clear = KeyPatch { owner: Change::Clear, ..KeyPatch::default() };
    assert_eq!(store.keys().update("a", clear.clone(), None, NOW).await.unwrap().unwrap().wishes.owner, None);
    assert_eq!(store.keys().update("b", clear, None, NOW).await.unwrap(), None);
}

/// Of twenty who read the same key, one changes it; the others learn that it has changed.
pub async fn a_stale_change_of_a_key_is_refused(store: Under) {
    let before = kept(&store, &["a"]).await.remove(0);
    let tries = (0..20).map(|at| {
        let store = store.clone();
        async move {
            let patch = KeyPatch { name: Some(at.to_string()), ..KeyPatch::default() };
            store.keys().update("a", patch, Some(before.revision), NOW).await
        }
    });
    let done = super::together(tries).await;
    let after = now(&store, "a").await;
    assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1);
    let refused = StoreError::Changed { revision: after.revision };
    assert!(done.iter().filter_map(|done| done.as_ref().err()).all(|error| *error == refused));
    let stale = Some(before.revision);
    assert_eq!(store.keys().rotate("a", mark("x"), None, stale, NOW).await, Err(refused.clone()));
    assert_eq!(store.keys().remove("a", stale, NOW).await, Err(refused));
    assert!(store.keys().remove("a", Some(after.revision), NOW).await.unwrap());
}

/// The first time counts; its old form and its sessions go with it, and do not come back with it.
pub async fn a_revoked_key_takes_its_sessions_and_its_old_form_along(store: Under) {
    kept(&store, &["a", "b"]).await;
    store.keys().rotate("a", mark("rotated"), Some(NOW + 50), None, NOW).await.unwrap();
    for (id, of) in [("1", "a"), ("2", "b"), ("3", "a")] {
        store.sessions().insert(session(id, of)).await.unwrap();
    }
    let revoked = store.keys().revoke("a", NOW + 1).await.unwrap().unwrap();
    assert_eq!((revoked.revoked_ms, &revoked.before), (Some(NOW + 1), &None));
    assert_eq!(store.keys().revoke("a", NOW + 2).await.unwrap(), Some(revoked.clone()));
    let left = store.sessions().list(None).await.unwrap();
    assert_eq!(left.iter().map(|session| session.id.as_str()).collect::<Vec<_>>(), ["2"]);
    let restored = store.keys().restore("a", NOW + 3).await.unwrap().unwrap();
    assert_eq!((restored.revoked_ms, &restored.before), (None, &None));
    assert!(restored.revision > revoked.revision);
    assert_eq!(store.keys().restore("a", NOW + 4).await.unwrap(), Some(restored));
    assert!(store.keys().remove("b", None, NOW).await.unwrap());
    assert_eq!(store.sessions().list(None).await.unwrap(), []);
    assert_eq!(store.keys().revoke("b", NOW).await.unwrap(), None);
    assert_eq!(store.keys().restore("b", NOW).await.unwrap(), None);
}

/// The form it had is good for a while; the one before that is not.
pub async fn a_rotated_key_has_two_forms_for_a_while(store: Under) {
    let before = kept(&store, &["a"]).await.remove(0);
    let once = store.keys().rotate("a", mark("one"), Some(NOW + 50), None, NOW).await.unwrap().unwrap();
    assert_eq!(once.mark, mark("one"));
    assert_eq!(once.before, Some(OldMark { digest: before.mark.digest.clone(), until_ms: NOW + 50 }));
    assert_eq!((once.number, &once.id, &once.wishes), (before.number, &before.id, &before.wishes));
    let twice = store.keys().rotate("a", mark("two"), Some(NOW + 60), None, NOW).await.unwrap().unwrap();
    assert_eq!(twice.before, Some(OldMark { digest: mark("one").digest, until_ms: NOW + 60 }));
    for (id, of) in [("1", "a"), ("2", "b")] {
        store.sessions().insert(session(id, of)).await.unwrap();
    }
    store.keys().rotate("a", mark("two and a half"), Some(NOW + 70), None, NOW).await.unwrap();
    assert_eq!(
        store.sessions().list(Some("a")).await.unwrap().len(),
        1,
        "it is good for a while, and so are they"
    );
    let at_once = store.keys().rotate("a", mark("three"), None, None, NOW).await.unwrap().unwrap();
    assert_eq!((at_once.before, at_once.mark), (None, mark("three")));
    let left = store.sessions().list(None).await.unwrap();
    assert_eq!(left.iter().map(|session| session.id.as_str()).collect::<Vec<_>>(), ["2"]);
    assert_eq!(store.keys().rotate("b", mark("four"), None, None, NOW).await.unwrap(), None);
}

/// Another process learns of every change once, and of accounts' changes nothing.
pub async fn every_change_of_a_key_is_seen_once(store: Under) {
    let keys = store.keys();
    let start = keys.all().await.unwrap();
    assert_eq!(start.changed, []);
    kept(&store, &["a", "b", "c"]).await;
    let first = keys.changed_since(start.revision).await.unwrap();
    assert_eq!(first.changed.iter().map(|key| key.id.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    super::keep(&store, &["a"]).await;
    keys.revoke("b", NOW).await.unwrap();
    assert!(keys.remove("c", None, NOW).await.unwrap());
    let second = keys.changed_since(first.revision).await.unwrap();
    assert_eq!(second.changed, [now(&store, "b").await]);
    assert_eq!(second.removed, ["c"]);
    assert_eq!(store.accounts().revision().await.unwrap(), second.revision);
    let third = keys.changed_since(second.revision).await.unwrap();
    assert_eq!((third.changed, third.removed), (vec![], vec![]));
    assert_eq!(keys.all().await.unwrap().removed, [""; 0]);
}

/// Each filter alone and together, at every page size, in both directions.
pub async fn keys_are_listed_by_number(store: Under) {
    for at in 0..7_u8 {
        let wishes = KeyWishes {
            description: (at == 5).then(|| "Five_ 100%".into()),
            owner: Some(if at % 2 == 0 { "even" } else { "odd" }.into()),
            team: (at < 2).then(|| "team".into()),
            tags: if at < 3 { vec!["low".into()] } else { vec![] },
            enabled: at != 4,
            expires_ms: (at == 6).then_some(NOW),
            ..KeyWishes::named(format!("key {at}"), if at == 3 { &["admin"] } else { &["inference"] })
        };
        let origin = if at == 0 { KeyOrigin::Setup } else { KeyOrigin::Api };
        let new = NewKey { wishes, origin, ..key(&format!("id-{at}")) };
        store.keys().insert(new, NOW).await.unwrap();
    }
    store.keys().revoke("id-1", NOW).await.unwrap();
    let (none, text) = (KeyFilter::default(), |text: &str| Some(text.to_owned()));
    let cases = [
        (none.clone(), "0123456"),
        (KeyFilter { enabled: Some(false), ..none.clone() }, "4"),
        (KeyFilter { revoked: Some(true), ..none.clone() }, "1"),
        (KeyFilter { revoked: Some(false), ..none.clone() }, "023456"),
        (KeyFilter { alive_at_ms: Some(NOW), ..none.clone() }, "012345"),
        (KeyFilter { owner: text("odd"), ..none.clone() }, "135"),
        (KeyFilter { team: text("team"), ..none.clone() }, "01"),
        (KeyFilter { tag: text("low"), ..none.clone() }, "012"),
        (KeyFilter { scope: text("admin"), ..none.clone() }, "3"),
        (KeyFilter { origin: Some(KeyOrigin::Setup), ..none.clone() }, "0"),
        (KeyFilter { search: text("five_ 100%"), ..none.clone() }, "5"),
        (KeyFilter { search: text("KEY 2"), ..none.clone() }, "2"),
        (KeyFilter { owner: text("even"), tag: text("low"), enabled: Some(true), ..none.clone() }, "02"),
    ];
    for (filter, expected) in cases {
        for (limit, descending) in [(1, false), (2, true), (3, false), (100, true)] {
            let mut found = String::new();
            let mut place = KeyPlace { after: None, descending };
            loop {
                let page = store.keys().list(&filter, place, limit).await.unwrap();
                assert_eq!(page.total, expected.len() as u64, "{filter:?}");
                assert!(page.keys.len() <= limit as usize);
                found.extend(page.keys.iter().map(|key| key.id.trim_start_matches("id-")));
                let Some(next) = page.next else { break };
                place.after = Some(next);
            }
            let found: String = if descending { found.chars().rev().collect() } else { found };
            assert_eq!(found, expected, "{filter:?} by {limit}");
        }
    }
    assert_eq!(store.keys().totals().await.unwrap(), KeyTotals { keys: 7, requests: 0, tokens: 0 });
}
