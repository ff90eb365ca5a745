//! A change of the master key reaches every sealed text and breaks none.

use qm_seal::OpenError;

use super::{NOW, Under, account, keep, login, newer_ring, now, ring, sealed};
use crate::Shelf;
use crate::account::{AccountPatch, NewAccount, Proxy, Wishes};
use crate::login::NewLogin;

async fn fill(store: &Under) {
    for id in ["a", "b", "c"] {
        let proxy = Proxy::Through(sealed(&format!("proxy of {id}"), Shelf::Proxy, id));
        let proxy = if id == "b" { Proxy::House } else { proxy };
        let wishes = Wishes { proxy, ..Wishes::named(id) };
        store.accounts().insert(NewAccount { wishes, ..account(id) }, NOW).await.unwrap();
    }
    let asked = NewLogin {
        kind: "builder-id".into(),
        start_url: None,
        region: None,
        draft: String::new(),
        renews: None,
        user_code: "CODE".into(),
        verification_uri: "https://example.org".into(),
        verification_uri_complete: None,
        created_ms: NOW,
        expires_ms: NOW + 1,
    };
    store.logins().insert("l", asked, sealed("code of l", Shelf::Login, "l"), 1).await.unwrap();
}

/// Two at a time, as `quartermaster rekey` does it.
pub async fn every_sealed_text_is_found_and_replaced(store: Under) {
    fill(&store).await;
    let secrets = store.secrets();
    let old_key = ring().current().id().to_owned();
    assert_eq!(secrets.keys_in_use().await.unwrap(), [(old_key, 6)]);
    let before = store.accounts().revision().await.unwrap();
    let keys = newer_ring();
    let mut found = Vec::new();
    for shelf in Shelf::ALL {
        let mut after = String::new();
        loop {
            let some = secrets.on(shelf, &after, 2).await.unwrap();
            let Some((last, _)) = some.last() else { break };
            after.clone_from(last);
            for (id, old) in &some {
                let new = keys.reseal(old, &shelf.about(id), [1; 24]).unwrap().unwrap();
                assert!(secrets.replace(shelf, id, old, &new).await.unwrap());
                let plain = keys.open(&new, &shelf.about(id)).unwrap();
                found.push(String::from_utf8(plain.to_vec()).unwrap());
            }
        }
    }
    let expected = ["token of a", "token of b", "token of c", "proxy of a", "proxy of c", "code of l"];
    assert_eq!(found, expected);
    let new_key = keys.current().id().to_owned();
    assert_eq!(secrets.keys_in_use().await.unwrap(), [(new_key, 6)]);
    secrets.scrub().await.unwrap();
    let a = now(&store, "a").await;
    assert_eq!(keys.open(&a.secret.sealed, "account/a").unwrap().as_slice(), b"token of a");
    assert_eq!((a.secret.generation, store.accounts().revision().await.unwrap()), (1, before));
}

/// A refresh in between wrote a newer login; the old one must not come back.
pub async fn what_was_sealed_later_is_left_alone(store: Under) {
    keep(&store, &["a"]).await;
    let (id, old) = store.secrets().on(Shelf::Account, "", 9).await.unwrap().remove(0);
    store.accounts().replace_secret("a", 1, login("a", "newer"), NOW).await.unwrap();
    let new = newer_ring().reseal(&old, &Shelf::Account.about(&id), [1; 24]).unwrap().unwrap();
    assert!(!store.secrets().replace(Shelf::Account, &id, &old, &new).await.unwrap());
    let plain = ring().open(&now(&store, "a").await.secret.sealed, "account/a").unwrap();
    assert_eq!(plain.as_slice(), b"newer");
}

/// Whoever can write rows cannot give one account another's login, or read a proxy as a login.
pub async fn a_text_moved_to_another_row_does_not_open(store: Under) {
    fill(&store).await;
    let [a, b] = [now(&store, "a").await, now(&store, "b").await];
    let moved =
        store.secrets().replace(Shelf::Account, "b", &b.secret.sealed, &a.secret.sealed).await.unwrap();
    assert!(moved);
    let b = now(&store, "b").await;
    let opened = ring().open(&b.secret.sealed, &Shelf::Account.about("b"));
    assert_eq!(opened.unwrap_err(), OpenError::Altered);
    let patch = AccountPatch { proxy: Some(Proxy::Through(a.secret.sealed)), ..AccountPatch::default() };
    let a = store.accounts().update("a", patch, None, NOW).await.unwrap().unwrap();
    let Proxy::Through(proxy) = a.wishes.proxy else { panic!("it was set") };
    assert_eq!(ring().open(&proxy, &Shelf::Proxy.about("a")).unwrap_err(), OpenError::Altered);
}
