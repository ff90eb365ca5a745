//! What becomes of a key: every verb, what it refuses, and what the audit says of it.

use qm_access::{AccessError, Actor, ErrorKind, KeyEdit, KeyWish};
use qm_keys::Scopes;
use qm_store::{Change, KeyFilter, KeyPlace};
use secrecy::ExposeSecret as _;

use crate::house::{ADMIN, House, NOW, admit, client, limits, refused};

fn by() -> Actor {
    Actor::Key { id: "tester".to_owned(), source: "192.0.2.7".to_owned() }
}

fn field(error: &AccessError) -> &str {
    match &error.kind {
        ErrorKind::Invalid { field } => field,
        other => unreachable!("{other:?}"),
    }
}

#[tokio::test]
async fn a_key_is_shown_once_and_then_only_its_ends() {
    let house = House::new().await;
    let access = house.access().await;
    let wish = KeyWish { limits: limits(r#"{"rpm":60}"#), ..KeyWish::named("one", Scopes::INFERENCE) };
    let (view, key) = access.create(wish, &by()).await.unwrap();
    let key = key.expose_secret();
    assert!(key.starts_with("amq-") && key.len() == 68);
    assert_eq!(view.hint, format!("{}…{}", &key[..8], &key[64..]));
    assert_eq!((view.limits.rpm, view.state.word(), view.origin), (Some(60), "active", "api"));
    assert_eq!(view.created_by, "key tester");
    assert_eq!(access.show(&view.id).await.unwrap(), view);
    assert_eq!(access.show(&view.number.unwrap().to_string()).await.unwrap(), view);
    // Nothing that is kept holds it.
    let records = house.store.keys().all().await.unwrap();
    assert!(!format!("{records:?}{:?}", house.audited().await).contains(&key[8..64]));
}

#[tokio::test]
async fn a_rotated_key_is_good_until_its_overlap_ends() {
    let house = House::new().await;
    let access = house.access().await;
    let (view, first) = client(&access, "{}").await;
    let (rotated, second) = access.rotate(&view.id, 60_000, None, &by()).await.unwrap();
    let second = second.expose_secret();
    assert_eq!(
        (rotated.id.as_str(), rotated.old_until_ms),
        (view.id.as_str(), Some(house.now_ms() + 60_000))
    );
    assert_ne!(rotated.hint, view.hint);
    for key in [first.as_str(), second] {
        assert_eq!(&*admit(&access, key).ok().unwrap().key.0, view.id);
    }
    house.pass(60_000);
    assert!(refused(&access, &first).message.contains("replaced"));
    assert!(admit(&access, second).is_ok());
    // Without an overlap the old one ends at once; the one before it is forgotten.
    let (_, third) = access.rotate(&view.id, 0, None, &by()).await.unwrap();
    assert!(admit(&access, second).is_err() && admit(&access, &first).is_err());
    assert!(admit(&access, third.expose_secret()).is_ok());
    assert_eq!(field(&access.rotate(&view.id, u64::MAX, None, &by()).await.unwrap_err()), "overlap");
    access.revoke(&view.id, &by()).await.unwrap();
    assert_eq!(access.rotate(&view.id, 0, None, &by()).await.unwrap_err().kind, ErrorKind::Conflict);
}

#[tokio::test]
async fn a_change_meant_for_another_revision_does_nothing() {
    let house = House::new().await;
    let access = house.access().await;
    let (view, key) = client(&access, "{}").await;
    let rename = |name: &str| KeyEdit { name: Some(name.to_owned()), ..KeyEdit::default() };
    let changed = access.change(&view.id, rename("two"), Some(view.revision), &by()).await.unwrap();
    assert!(changed.name == "two" && changed.revision > view.revision);
    let late = access.change(&view.id, rename("three"), Some(view.revision), &by()).await.unwrap_err();
    assert_eq!(late.kind, ErrorKind::Changed { revision: changed.revision });
    let late = access.rotate(&view.id, 0, Some(view.revision), &by()).await.unwrap_err();
    assert_eq!(late.kind, ErrorKind::Changed { revision: changed.revision });
    assert!(access.remove(&view.id, Some(view.revision), &by()).await.is_err());
    assert!(admit(&access, &key).is_ok());
    assert_eq!(access.show(&view.id).await.unwrap().name, "two");
}

#[tokio::test]
async fn what_cannot_be_set_is_refused_by_its_name() {
    let house = House::new().await;
    let access = house.access().await;
    let wish = || KeyWish::named("name", Scopes::INFERENCE);
    for (name, wish) in [
        ("name", KeyWish { name: "  ".to_owned(), ..wish() }),
        ("name", KeyWish { name: "n".repeat(201), ..wish() }),
        ("name", KeyWish { name: "two\nlines".to_owned(), ..wish() }),
        ("owner", KeyWish { owner: Some(String::new()), ..wish() }),
        ("tags", KeyWish { tags: vec!["t".to_owned(); 51], ..wish() }),
        ("expires", KeyWish { expires_ms: Some(house.now_ms()), ..wish() }),
        ("limits.rpm", KeyWish { limits: limits(r#"{"rpm":0}"#), ..wish() }),
    ] {
        assert_eq!(field(&access.create(wish, &by()).await.unwrap_err()), name);
    }
    let (view, _) = client(&access, "{}").await;
    let edit = KeyEdit { expires_ms: Change::Set(1), ..KeyEdit::default() };
    assert_eq!(field(&access.change(&view.id, edit, None, &by()).await.unwrap_err()), "expires");
    assert_eq!(house.store.keys().all().await.unwrap().changed.len(), 1);
}

#[tokio::test]
async fn a_key_from_configuration_is_listed_and_cannot_be_changed() {
    let house = House::new().await;
    let access = house.with(&["sk-first-key"], &[ADMIN]).await;
    let (kept, _) = client(&access, "{}").await;
    let all = access.list(&KeyFilter::default(), KeyPlace::default(), 10).await.unwrap();
    assert_eq!((all.total, all.keys.len()), (3, 3));
    let configured = &all.keys[0];
    assert!(configured.is_read_only() && !all.keys[2].is_read_only());
    assert_eq!(access.show(&configured.id).await.unwrap(), *configured);
    let id = &configured.id;
    for error in [
        access.change(id, KeyEdit::default(), None, &by()).await.unwrap_err(),
        access.revoke(id, &by()).await.unwrap_err(),
        access.remove(id, None, &by()).await.unwrap_err(),
        access.rotate(id, 0, None, &by()).await.unwrap_err(),
    ] {
        assert_eq!(error.kind, ErrorKind::ReadOnly);
    }
    let admins = KeyFilter { scope: Some("admin".to_owned()), ..KeyFilter::default() };
    assert_eq!(access.list(&admins, KeyPlace::default(), 10).await.unwrap().total, 1);
    let next = KeyPlace { after: kept.number, ..KeyPlace::default() };
    let page = access.list(&KeyFilter::default(), next, 10).await.unwrap();
    assert!(page.keys.is_empty() && page.total == 3);
}

#[tokio::test]
async fn the_last_admin_key_stays() {
    let house = House::new().await;
    let access = house.bare().await;
    let admin = || KeyWish::named("admin", Scopes::ADMIN);
    let (one, _) = access.create(admin(), &by()).await.unwrap();
    let demoted = KeyEdit { scopes: Some(Scopes::INFERENCE), ..KeyEdit::default() };
    let disabled = KeyEdit { enabled: Some(false), ..KeyEdit::default() };
    for error in [
        access.revoke(&one.id, &by()).await.unwrap_err(),
        access.remove(&one.id, None, &by()).await.unwrap_err(),
        access.change(&one.id, demoted, None, &by()).await.unwrap_err(),
        access.change(&one.id, disabled, None, &by()).await.unwrap_err(),
    ] {
        assert_eq!(error.kind, ErrorKind::Conflict);
    }
    let (two, _) = access.create(admin(), &by()).await.unwrap();
    access.remove(&one.id, None, &by()).await.unwrap();
    assert_eq!(access.show(&one.id).await.unwrap_err().kind, ErrorKind::NotFound);
    // At the command line one can always make another.
    access.remove(&two.id, None, &Actor::Cli).await.unwrap();
}

#[tokio::test]
async fn an_end_that_is_set_does_not_take_the_last_admin_key_either() {
    let house = House::new().await;
    let access = house.bare().await;
    let (one, _) = access.create(KeyWish::named("one", Scopes::ADMIN), &by()).await.unwrap();
    let ends = |after_ms| KeyEdit { expires_ms: Change::Set(NOW + after_ms), ..KeyEdit::default() };
    let kind = |ended: Result<_, qm_access::AccessError>| ended.map(drop).unwrap_err().kind;
    assert_eq!(kind(access.change(&one.id, ends(9_000), None, &by()).await), ErrorKind::Conflict);
    // With another that stays, it may end; then the other may not, though this one is in force still.
    let (two, _) = access.create(KeyWish::named("two", Scopes::ADMIN), &by()).await.unwrap();
    access.change(&one.id, ends(9_000), None, &by()).await.unwrap();
    assert_eq!(kind(access.change(&two.id, ends(9_000), None, &by()).await), ErrorKind::Conflict);
    // Later than it would have ended is no loss; a client's key may end when it likes.
    access.change(&one.id, ends(10_000), None, &by()).await.unwrap();
    let (client, _) = access.create(KeyWish::named("client", Scopes::INFERENCE), &by()).await.unwrap();
    access.change(&client.id, ends(1), None, &by()).await.unwrap();
    access.change(&two.id, ends(20_000), None, &Actor::Cli).await.unwrap();
}

#[tokio::test]
async fn every_act_is_in_the_audit() {
    let house = House::new().await;
    let access = house.access().await;
    let (view, _) = access.create(KeyWish::named("one", Scopes::INFERENCE), &by()).await.unwrap();
    let edit = KeyEdit { owner: Change::Set("ann".to_owned()), ..KeyEdit::default() };
    access.change(&view.id, edit, None, &by()).await.unwrap();
    access.rotate(&view.id, 0, None, &by()).await.unwrap();
    access.revoke(&view.id, &by()).await.unwrap();
    access.restore(&view.id, &by()).await.unwrap();
    access.remove(&view.id, None, &Actor::Cli).await.unwrap();
    let audited = house.audited().await;
    let actions: Vec<_> = audited.iter().map(|(_, action)| action.as_str()).collect();
    assert_eq!(
        actions,
        ["key.create", "key.change", "key.rotate", "key.revoke", "key.restore", "key.remove"]
    );
    assert!(audited[..5].iter().all(|(actor, _)| actor == "key tester"));
    assert_eq!(audited[5].0, "cli");
    // What is refused has not been done.
    assert!(access.revoke("nobody", &by()).await.is_err());
    assert_eq!(house.audited().await.len(), 6);
}
