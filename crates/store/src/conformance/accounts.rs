//! Accounts are kept, found, changed and removed.

use super::{NOW, Under, account, keep, login, now, sealed};
use crate::account::{AccountPatch, Change, Counts, Learned, NewAccount, Origin, Proxy, Secret, Wishes};
use crate::{Shelf, StoreError};

fn full() -> NewAccount {
    let wishes = Wishes {
        owner: Some("zoë".into()),
        tags: vec!["a \"b\"".into(), "生产".into()],
        notes: Some("line\nline".into()),
        other: Some(r#"{"source":"feed"}"#.into()),
        enabled: false,
        weight: u32::MAX,
        priority: i32::MIN,
        rpm: Some(10),
        rate_per_hour: Some(20),
        concurrency: Some(0),
        policy: Some("own".into()),
        proxy: Proxy::Through(sealed("http://u:p@proxy:1", Shelf::Proxy, "a")),
        surface_pin: Some("q".into()),
        arn_pin: Some("arn:aws:codewhisperer:eu-central-1:123456789012:profile/ABC".into()),
        region: Some("eu-central-1".into()),
        ..Wishes::named("it's")
    };
    NewAccount {
        origin: Origin::Environment,
        slot: Some("AMAZONQ".into()),
        env_fingerprint: Some("of the environment".into()),
        wishes,
        face: r#"{"surface":"q"}"#.into(),
        ..account("a")
    }
}

/// Every field comes back as it was given.
pub async fn what_is_kept_is_read_back(store: Under) {
    let given = full();
    let kept = store.accounts().insert(given.clone(), NOW).await.unwrap();
    assert_eq!((kept.id.as_str(), kept.origin, &kept.slot), ("a", given.origin, &given.slot));
    assert_eq!(kept.env_fingerprint, given.env_fingerprint);
    assert_eq!(kept.wishes, given.wishes);
    let secret = Secret {
        kind: given.secret.kind,
        sealed: given.secret.sealed,
        generation: 1,
        fingerprint: given.secret.fingerprint.clone(),
        expires_ms: given.secret.expires_ms,
        last_refresh_ms: None,
        last_refresh_status: given.secret.status,
    };
    assert_eq!(kept.secret, secret);
    let learned = Learned { face: given.face, health_state: "ready".into(), ..Learned::default() };
    assert_eq!(kept.learned, learned);
    assert_eq!((kept.counts, kept.created_ms, kept.updated_ms), (Counts::default(), NOW, NOW));
    let accounts = store.accounts();
    let found = [
        accounts.by_id("a").await.unwrap(),
        accounts.by_number(kept.number).await.unwrap(),
        accounts.by_slot("AMAZONQ").await.unwrap(),
        accounts.by_fingerprint(&given.secret.fingerprint).await.unwrap(),
    ];
    assert!(found.iter().all(|found| found.as_ref() == Some(&kept)), "{found:?}");
    assert_eq!(accounts.all().await.unwrap().changed, [kept]);
}

/// The same login again is refused, and says whose it is.
pub async fn a_login_is_kept_once(store: Under) {
    keep(&store, &["a"]).await;
    let again = NewAccount { secret: login("b", "token of a"), ..account("b") };
    let refused = store.accounts().insert(again, NOW).await.unwrap_err();
    assert_eq!(refused, StoreError::DuplicateLogin { account: "a".into() });
    assert_eq!(store.accounts().by_id("b").await.unwrap(), None, "nothing of it is kept");
}

/// Ids and slots are unique; nothing of what was refused stays behind.
pub async fn an_id_and_a_slot_are_kept_once(store: Under) {
    let slot = |id: &str| NewAccount { slot: Some("AMAZONQ".into()), ..account(id) };
    store.accounts().insert(slot("a"), NOW).await.unwrap();
    let same_id = NewAccount { secret: login("a", "other"), ..account("a") };
    for refused in [same_id, slot("b")] {
        let token = refused.secret.fingerprint.clone();
        let error = store.accounts().insert(refused, NOW).await.unwrap_err();
        assert!(matches!(error, StoreError::Duplicate(_)), "{error:?}");
        assert_eq!(store.accounts().by_fingerprint(&token).await.unwrap(), None);
    }
}

/// The number of the last account is not given to the next one after it was removed.
pub async fn numbers_ascend_and_are_never_used_again(store: Under) {
    let before: Vec<i64> = keep(&store, &["a", "b", "c"]).await.iter().map(|kept| kept.number).collect();
    assert!(before.is_sorted_by(|a, b| a < b) && before[0] > 0, "{before:?}");
    assert!(store.accounts().remove("c", NOW).await.unwrap());
    let next = keep(&store, &["d"]).await;
    assert!(next[0].number > before[2]);
}

/// Each wish can be changed, cleared and left.
pub async fn a_patch_changes_what_it_names_and_nothing_else(store: Under) {
    let before = store.accounts().insert(full(), NOW).await.unwrap();
    let patch = AccountPatch {
        label: Some("new".into()),
        notes: Change::Clear,
        enabled: Some(true),
        rpm: Change::Set(5),
        proxy: Some(Proxy::Direct),
        ..AccountPatch::default()
    };
    let after = store.accounts().update("a", patch, None, NOW + 1).await.unwrap().unwrap();
    let expected = Wishes {
        label: "new".into(),
        notes: None,
        enabled: true,
        rpm: Some(5),
        proxy: Proxy::Direct,
        ..before.wishes.clone()
    };
    assert_eq!(after.wishes, expected);
    assert_eq!((after.updated_ms, after.created_ms), (NOW + 1, NOW));
    assert_eq!((&after.secret, &after.learned), (&before.secret, &before.learned));
    assert_eq!(now(&store, "a").await, after);
    assert_eq!(store.accounts().update("b", AccountPatch::default(), None, NOW).await.unwrap(), None);
}

/// Not even the time or the revision.
pub async fn an_empty_patch_changes_nothing(store: Under) {
    let before = keep(&store, &["a"]).await.remove(0);
    let after = store.accounts().update("a", AccountPatch::default(), None, NOW + 9).await.unwrap();
    assert_eq!(after, Some(before.clone()));
    assert_eq!(store.accounts().revision().await.unwrap(), before.revision);
}

/// With all that hangs on it.
pub async fn a_removed_account_is_gone_and_its_login_may_come_back(store: Under) {
    keep(&store, &["a", "b"]).await;
    assert!(store.accounts().remove("a", NOW).await.unwrap());
    assert!(!store.accounts().remove("a", NOW).await.unwrap());
    assert_eq!(store.accounts().by_fingerprint("fingerprint of token of a").await.unwrap(), None);
    keep(&store, &["a"]).await;
}

/// Verbs on accounts that do not exist do nothing.
pub async fn what_is_not_there_is_not_there(store: Under) {
    let accounts = store.accounts();
    assert_eq!(accounts.by_id("a").await.unwrap(), None);
    assert_eq!(accounts.by_number(1).await.unwrap(), None);
    assert_eq!(accounts.by_slot("s").await.unwrap(), None);
    assert!(!accounts.replace_secret("a", 1, login("a", "t"), NOW).await.unwrap());
    assert!(!accounts.lease("a", "me", NOW + 1, NOW).await.unwrap());
    accounts.release("a", "me").await.unwrap();
    accounts.save_face("a", "{}", NOW).await.unwrap();
    accounts.note_refresh("a", "failed", NOW).await.unwrap();
    assert_eq!(accounts.all().await.unwrap().changed, []);
}

/// Of twenty who read the same account, one changes it; the others learn that it has changed.
pub async fn a_stale_change_of_an_account_is_refused(store: Under) {
    let before = keep(&store, &["a"]).await.remove(0);
    let tries = (0..20).map(|at| {
        let store = store.clone();
        async move {
            let patch = AccountPatch { label: Some(at.to_string()), ..AccountPatch::default() };
            store.accounts().update("a", patch, Some(before.revision), NOW).await
        }
    });
    let done = super::together(tries).await;
    let after = now(&store, "a").await;
    let changed: Vec<_> = done.iter().flatten().flatten().collect();
    assert_eq!(changed, [&after]);
    let refused = StoreError::Changed { revision: after.revision };
    assert_eq!(done.iter().filter(|done| **done == Err(refused.clone())).count(), 19);
    let patch = AccountPatch { enabled: Some(false), ..AccountPatch::default() };
    assert!(store.accounts().update("a", patch, Some(after.revision), NOW).await.unwrap().is_some());
}
