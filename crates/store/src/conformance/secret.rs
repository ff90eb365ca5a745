//! Logins are replaced by one writer at a time, and never lost.

use std::collections::BTreeSet;

use super::{NOW, Under, account, keep, login, now};
use crate::account::NewAccount;
use crate::{NewSecret, StoreError};

/// Who read an older login may not overwrite a newer one.
pub async fn a_stale_writer_is_refused(store: Under) {
    keep(&store, &["a"]).await;
    let accounts = store.accounts();
    assert!(accounts.replace_secret("a", 1, login("a", "second"), NOW).await.unwrap());
    let before = now(&store, "a").await;
    assert!(!accounts.replace_secret("a", 1, login("a", "stale"), NOW).await.unwrap());
    assert!(!accounts.replace_secret("a", 3, login("a", "early"), NOW).await.unwrap());
    assert_eq!(now(&store, "a").await, before);
    assert_eq!(accounts.by_fingerprint("fingerprint of stale").await.unwrap(), None);
}

/// Kind, sealed text, fingerprint, expiry and status together; nothing else.
pub async fn the_login_is_replaced_as_one(store: Under) {
    let before = keep(&store, &["a"]).await.remove(0);
    let secret = NewSecret { kind: "social".into(), expires_ms: None, ..login("a", "second") };
    assert!(store.accounts().replace_secret("a", 1, secret.clone(), NOW + 5).await.unwrap());
    let after = now(&store, "a").await;
    assert_eq!((after.secret.kind, after.secret.sealed), (secret.kind, secret.sealed));
    assert_eq!((after.secret.generation, after.secret.fingerprint), (2, secret.fingerprint));
    assert_eq!((after.secret.expires_ms, after.secret.last_refresh_ms), (None, Some(NOW + 5)));
    assert_eq!(after.secret.last_refresh_status, "success");
    assert!(after.revision > before.revision);
    assert_eq!((after.wishes, after.learned, after.counts), (before.wishes, before.learned, before.counts));
}

/// Twenty who all read the same generation.
pub async fn of_many_writers_one_replaces(store: Under) {
    keep(&store, &["a"]).await;
    let tries = (0..20).map(|at| {
        let store = store.clone();
        async move {
            let secret = login("a", &format!("token {at}"));
            let fingerprint = secret.fingerprint.clone();
            let replaced = store.accounts().replace_secret("a", 1, secret, NOW).await.unwrap();
            replaced.then_some(fingerprint)
        }
    });
    let winners: Vec<String> = super::together(tries).await.into_iter().flatten().collect();
    let after = now(&store, "a").await;
    assert_eq!(winners, [after.secret.fingerprint]);
    assert_eq!(after.secret.generation, 2);
}

/// A file that was imported long ago is known again; a rotation every hour does not fill the table.
pub async fn logins_before_are_still_known(store: Under) {
    keep(&store, &["a"]).await;
    for generation in 1..30 {
        let secret = login("a", &format!("token {generation}"));
        assert!(store.accounts().replace_secret("a", generation, secret, NOW).await.unwrap());
    }
    for token in ["token of a", "token 29", "token 25"] {
        let again = NewAccount { secret: login("b", token), ..account("b") };
        let refused = store.accounts().insert(again, NOW).await.unwrap_err();
        assert_eq!(refused, StoreError::DuplicateLogin { account: "a".into() }, "{token}");
    }
    let forgotten = store.accounts().by_fingerprint("fingerprint of token 3").await.unwrap();
    assert_eq!(forgotten, None);
}

/// The token was just given out; refusing it would lose it.
pub async fn a_login_of_another_account_is_not_refused(store: Under) {
    keep(&store, &["a", "b"]).await;
    assert!(store.accounts().replace_secret("b", 1, login("b", "token of a"), NOW).await.unwrap());
    assert_eq!(now(&store, "b").await.secret.fingerprint, "fingerprint of token of a");
    let whose = store.accounts().by_fingerprint("fingerprint of token of a").await.unwrap().unwrap();
    assert_eq!(whose.id, "a");
}

/// A rotation leaves it, a new token in the environment sets it.
pub async fn the_environments_fingerprint_stays_until_it_is_replaced(store: Under) {
    let account = NewAccount { env_fingerprint: Some("one".into()), ..account("a") };
    store.accounts().insert(account, NOW).await.unwrap();
    store.accounts().replace_secret("a", 1, login("a", "rotated"), NOW).await.unwrap();
    assert_eq!(now(&store, "a").await.env_fingerprint.as_deref(), Some("one"));
    let given = NewSecret { env_fingerprint: Some("two".into()), ..login("a", "given") };
    store.accounts().replace_secret("a", 2, given, NOW).await.unwrap();
    assert_eq!(now(&store, "a").await.env_fingerprint.as_deref(), Some("two"));
}

/// One holder at a time, until it gives the lease back or the time is over.
pub async fn a_lease_is_exclusive_and_runs_out(store: Under) {
    keep(&store, &["a", "b"]).await;
    let revision = store.accounts().revision().await.unwrap();
    let lease = async |id, holder, until, now| store.accounts().lease(id, holder, until, now).await.unwrap();
    assert!(lease("a", "me", NOW + 10, NOW).await);
    assert!(!lease("a", "you", NOW + 20, NOW + 9).await, "it is mine");
    assert!(lease("b", "you", NOW + 20, NOW + 9).await, "another account's is free");
    assert!(lease("a", "me", NOW + 12, NOW + 1).await, "longer");
    assert!(lease("a", "me", NOW + 5, NOW + 1).await, "never shorter");
    assert!(!lease("a", "you", NOW + 20, NOW + 11).await);
    assert!(lease("a", "you", NOW + 20, NOW + 12).await, "it ran out");
    store.accounts().release("a", "me").await.unwrap();
    assert!(!lease("a", "me", NOW + 30, NOW + 13).await, "what is yours I cannot give back");
    store.accounts().release("a", "you").await.unwrap();
    assert!(lease("a", "me", NOW + 30, NOW + 13).await);
    assert_eq!(store.accounts().revision().await.unwrap(), revision, "nobody need read accounts again");
}

/// Twenty at once.
pub async fn of_many_holders_one_has_the_lease(store: Under) {
    keep(&store, &["a"]).await;
    let tries = (0..20).map(|at| {
        let store = store.clone();
        async move { store.accounts().lease("a", &format!("holder {at}"), NOW + 10, NOW).await.unwrap() }
    });
    let taken = super::together(tries).await;
    assert_eq!(taken.into_iter().filter(|taken| *taken).count(), 1);
}

/// The status of a refresh that failed stands beside the login it left.
pub async fn a_refresh_is_noted(store: Under) {
    let before = keep(&store, &["a"]).await.remove(0);
    store.accounts().note_refresh("a", "failed_invalid_grant", NOW + 3).await.unwrap();
    let after = now(&store, "a").await.secret;
    assert_eq!(after.last_refresh_status, "failed_invalid_grant");
    assert_eq!((after.last_refresh_ms, after.generation), (Some(NOW + 3), before.secret.generation));
    let all: BTreeSet<_> = [after.sealed.as_str(), before.secret.sealed.as_str()].into();
    assert_eq!(all.len(), 1, "the login is the same");
}
