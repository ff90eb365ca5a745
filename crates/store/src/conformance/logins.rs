//! Device logins wait, are polled by one process and end once.

use super::{NOW, Under, account, keep, login, now, sealed};
use crate::login::{Completion, LoginEnd, LoginRecord, LoginStatus, NewLogin};
use crate::{Shelf, StoreError};

fn asked() -> NewLogin {
    NewLogin {
        kind: "identity-center".into(),
        start_url: Some("https://acme.awsapps.com/start".into()),
        region: Some("eu-central-1".into()),
        draft: r#"{"label":"x"}"#.into(),
        renews: None,
        user_code: "ABCD-EFGH".into(),
        verification_uri: "https://device.sso.eu-central-1.amazonaws.com/".into(),
        verification_uri_complete: None,
        created_ms: NOW,
        expires_ms: NOW + 600_000,
    }
}

async fn begin(store: &Under, id: &str) -> LoginRecord {
    store.logins().insert(id, asked(), sealed("device code", Shelf::Login, id), 1000).await.unwrap()
}

async fn read(store: &Under, id: &str) -> LoginRecord {
    store.logins().by_id(id).await.unwrap().unwrap()
}

fn completion(id: &str) -> Completion {
    Completion::New(Box::new(account(id)))
}

/// The account and the end of the login are one; the secrets of the login go with it.
pub async fn a_login_waits_and_ends_with_its_account(store: Under) {
    let begun = begin(&store, "l").await;
    assert_eq!((begun.asked.clone(), begun.status), (asked(), LoginStatus::Pending));
    assert_eq!(begun.sealed, Some(sealed("device code", Shelf::Login, "l")));
    assert_eq!((begun.interval_ms, begun.poll_after_ms), (1000, NOW + 1000));
    assert_eq!(store.logins().pending().await.unwrap(), [begun]);
    store.logins().note_poll("l", 6000, NOW + 7000).await.unwrap();
    let polled = read(&store, "l").await;
    assert_eq!((polled.interval_ms, polled.poll_after_ms), (6000, NOW + 7000));
    let kept = store.logins().complete("l", completion("a"), NOW + 8000).await.unwrap().unwrap();
    assert_eq!(now(&store, "a").await, kept);
    let ended = read(&store, "l").await;
    assert_eq!((ended.status, ended.account_id.as_deref()), (LoginStatus::Completed, Some("a")));
    assert_eq!((ended.sealed, ended.ended_ms), (None, Some(NOW + 8000)));
    assert_eq!(store.logins().pending().await.unwrap(), []);
    let again = store.logins().insert("l", asked(), sealed("x", Shelf::Login, "l"), 1).await;
    assert_eq!(again.unwrap_err(), StoreError::Duplicate("id"));
}

/// An account that is there already is an error, and neither half happened.
pub async fn a_login_that_failed_to_be_kept_still_waits(store: Under) {
    keep(&store, &["a"]).await;
    let begun = begin(&store, "l").await;
    let mut same = account("b");
    same.secret = login("b", "token of a");
    let refused = store.logins().complete("l", Completion::New(Box::new(same)), NOW).await;
    assert_eq!(refused.unwrap_err(), StoreError::DuplicateLogin { account: "a".into() });
    assert_eq!(read(&store, "l").await, begun);
    assert_eq!(store.accounts().by_id("b").await.unwrap(), None);
}

/// Whoever comes second makes no account and changes no end.
pub async fn a_login_ends_once(store: Under) {
    begin(&store, "l").await;
    let denied = LoginEnd { status: LoginStatus::Denied, error: Some("you said no".into()) };
    assert!(store.logins().end("l", denied.clone(), NOW).await.unwrap());
    assert_eq!(store.logins().complete("l", completion("a"), NOW).await.unwrap(), None);
    assert_eq!(store.accounts().by_id("a").await.unwrap(), None, "the account was taken back");
    let failed = LoginEnd { status: LoginStatus::Failed, error: None };
    assert!(!store.logins().end("l", failed, NOW).await.unwrap());
    assert!(!store.logins().end("none", denied.clone(), NOW).await.unwrap());
    let ended = read(&store, "l").await;
    assert_eq!((ended.status, ended.error, ended.sealed), (LoginStatus::Denied, denied.error, None));
    begin(&store, "m").await;
    for status in [LoginStatus::Pending, LoginStatus::Completed] {
        assert!(!store.logins().end("m", LoginEnd { status, error: None }, NOW).await.unwrap());
    }
    assert_eq!(read(&store, "m").await.status, LoginStatus::Pending, "these are no ends without an account");
}

/// The account keeps its number, its wishes and its past.
pub async fn a_login_renews_an_account(store: Under) {
    let before = keep(&store, &["a"]).await.remove(0);
    begin(&store, "l").await;
    let renew = |id: &str| Completion::Renew { id: id.into(), secret: Box::new(login(id, "renewed")) };
    assert_eq!(store.logins().complete("l", renew("gone"), NOW).await.unwrap(), None);
    assert_eq!(read(&store, "l").await.status, LoginStatus::Pending);
    let after = store.logins().complete("l", renew("a"), NOW).await.unwrap().unwrap();
    assert_eq!((after.number, after.wishes), (before.number, before.wishes));
    assert_eq!((after.secret.generation, after.secret.fingerprint.as_str()), (2, "fingerprint of renewed"));
    assert_eq!(read(&store, "l").await.account_id.as_deref(), Some("a"));
}

/// A code is exchanged once; two processes that poll would see each other's answers.
pub async fn one_process_polls_at_a_time(store: Under) {
    begin(&store, "l").await;
    let lease = async |holder, until, now| store.logins().lease("l", holder, until, now).await.unwrap();
    assert!(lease("me", NOW + 10, NOW).await);
    assert!(lease("me", NOW + 12, NOW).await);
    assert!(!lease("you", NOW + 20, NOW + 11).await);
    assert!(lease("you", NOW + 20, NOW + 12).await);
    store.logins().release("l", "me").await.unwrap();
    assert!(!lease("me", NOW + 30, NOW + 13).await);
    store.logins().release("l", "you").await.unwrap();
    assert!(lease("me", NOW + 30, NOW + 13).await);
    store.logins().complete("l", completion("a"), NOW).await.unwrap();
    assert!(!lease("me", NOW + 40, NOW + 14).await, "there is nothing left to poll for");
    assert!(!store.logins().lease("none", "me", NOW + 1, NOW).await.unwrap());
}

/// So that the table does not grow for ever.
pub async fn what_expired_ends_and_what_ended_is_forgotten(store: Under) {
    begin(&store, "l").await;
    let expiry = asked().expires_ms;
    assert_eq!(store.logins().sweep(0, expiry - 1).await.unwrap(), 0);
    assert_eq!(read(&store, "l").await.status, LoginStatus::Pending);
    assert_eq!(store.logins().sweep(0, expiry).await.unwrap(), 0);
    let expired = read(&store, "l").await;
    assert_eq!((expired.status, expired.sealed), (LoginStatus::Expired, None));
    assert_eq!(store.logins().sweep(expiry, expiry + 5).await.unwrap(), 0);
    assert_eq!(store.logins().sweep(expiry + 1, expiry + 5).await.unwrap(), 1);
    assert_eq!(store.logins().by_id("l").await.unwrap(), None);
}
