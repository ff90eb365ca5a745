//! Who is let in, who is not, and what he is told.

use std::net::IpAddr;
use std::time::Duration;

use qm_access::{Actor, KeyEdit, KeyWish, Why};
use qm_canon::Kind;
use qm_keys::{Limits, Scope, Scopes};
use qm_relay::{Admission as _, Shown};
use qm_store::{KeyMark, KeyOrigin, KeyWishes, NewKey};
use secrecy::ExposeSecret as _;

use crate::house::{ADMIN, House, admit, admit_from, client, refused};

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));
const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 8));

/// Short enough to be found by trying.
const SHORT: &str = "sk-first-key";

#[tokio::test]
async fn a_kept_key_and_one_from_configuration_open() {
    let house = House::new().await;
    let access = house.with(&[SHORT], &[ADMIN]).await;
    let wish = KeyWish {
        owner: Some("ann".to_owned()),
        team: Some("blue".to_owned()),
        ..KeyWish::named("ann's laptop", Scopes::INFERENCE)
    };
    let (view, key) = access.create(wish, &Actor::Cli).await.unwrap();
    let caller = admit(&access, key.expose_secret()).ok().unwrap();
    assert_eq!((&*caller.key.0, caller.admin), (&*view.id, false));
    assert_eq!((caller.owner.as_deref(), caller.team.as_deref()), (Some("ann"), Some("blue")));
    let configured = admit(&access, SHORT).ok().unwrap();
    assert!(configured.key.0.starts_with("env-") && configured.key.0.len() == 12 && !configured.admin);
    assert!(admit(&access, ADMIN).ok().unwrap().admin);
    assert_eq!(access.census(), 3);
    // Some clients send two: one that is good is enough.
    assert!(access.admit(&Shown::tokens(&["nonsense", SHORT])).is_ok());
}

#[tokio::test]
async fn everything_else_is_refused_with_its_own_words() {
    let house = House::new().await;
    let closed = house.bare().await;
    assert!(refused(&closed, "whatever").message.starts_with("Invalid"));
    let nothing = |access: &qm_access::Access| access.admit(&Shown::tokens(&[])).err().unwrap().message;
    assert!(nothing(&closed).contains("closed"));
    let access = house.with(&[SHORT], &[]).await;
    assert!(nothing(&access).starts_with("API key required"));
    for wrong in ["sk-first-ke", "sk-first-key ", "SK-FIRST-KEY", "", &"x".repeat(5_000)] {
        let fault = refused(&access, wrong);
        assert_eq!((fault.kind, fault.final_), (Kind::Unauthenticated, true), "{wrong}");
        assert!(fault.message.starts_with("Invalid or expired API key"), "{wrong}");
    }
    // The digest of a key is no key.
    let (_, key) = client(&access, "{}").await;
    assert!(admit(&access, &qm_keys::Digest::of(&key).hex()).is_err());
}

#[tokio::test]
async fn who_holds_a_key_is_told_what_became_of_it() {
    let house = House::new().await;
    let access = house.access().await;
    let message = |key: &str| refused(&access, key).message.into_owned();

    let (view, key) = client(&access, "{}").await;
    access
        .change(&view.id, KeyEdit { enabled: Some(false), ..KeyEdit::default() }, None, &Actor::Cli)
        .await
        .unwrap();
    assert!(message(&key).contains("disabled"));
    access
        .change(&view.id, KeyEdit { enabled: Some(true), ..KeyEdit::default() }, None, &Actor::Cli)
        .await
        .unwrap();
    assert!(admit(&access, &key).is_ok());
    access.revoke(&view.id, &Actor::Cli).await.unwrap();
    assert!(message(&key).contains("revoked"));
    access.restore(&view.id, &Actor::Cli).await.unwrap();
    assert!(admit(&access, &key).is_ok());

    let wish =
        KeyWish { expires_ms: Some(house.now_ms() + 1_000), ..KeyWish::named("short", Scopes::INFERENCE) };
    let (_, key) = access.create(wish, &Actor::Cli).await.unwrap();
    house.pass(999);
    assert!(admit(&access, key.expose_secret()).is_ok());
    house.pass(1);
    assert!(message(key.expose_secret()).contains("expired"));
    assert_eq!(access.census(), 2, "the configuration's admin and the client that was restored");
}

#[tokio::test]
async fn a_key_of_management_does_not_open_the_models_and_the_other_way_round() {
    let house = House::new().await;
    let access = house.access().await;
    let reader = KeyWish::named("reader", Scopes::of_words(["read"]).unwrap());
    let (_, reader) = access.create(reader, &Actor::Cli).await.unwrap();
    let fault = refused(&access, reader.expose_secret());
    assert_eq!(fault.kind, Kind::Forbidden);
    let principal = access.principal(&Shown::tokens(&[reader.expose_secret()]), true).unwrap();
    assert!(principal.may(Scope::Read) && !principal.may(Scope::Admin) && !principal.may(Scope::Inference));

    let (view, key) = client(&access, "{}").await;
    let principal = access.principal(&Shown::tokens(&[&key]), false).unwrap();
    assert_eq!((&principal.key, principal.may(Scope::Read)), (&view.id, false));
    let admin = access.principal(&Shown::tokens(&[ADMIN]), true).unwrap();
    assert!(admin.may(Scope::Admin) && admin.may(Scope::Read) && admin.may(Scope::Inference));
    assert_eq!(access.principal(&Shown::tokens(&[]), false).unwrap_err().why, Why::Missing);
    assert_eq!(access.principal(&Shown::tokens(&["no"]), false).unwrap_err().why, Why::Invalid);
}

#[tokio::test]
async fn who_guesses_waits_and_does_not_keep_out_those_with_keys_nobody_can_guess() {
    let house = House::new().await;
    let access = house.with(&[SHORT], &[]).await;
    let (_, minted) = client(&access, "{}").await;
    for n in 0..10 {
        assert_eq!(
            admit_from(&access, &format!("guess-{n}"), HERE).err().unwrap().kind,
            Kind::Unauthenticated
        );
    }
    let fault = admit_from(&access, "guess-10", HERE).err().unwrap();
    assert_eq!((fault.kind, fault.retry_after), (Kind::Throttled, Some(Duration::from_secs(60))));
    // Had he found it, he would not know.
    assert_eq!(admit_from(&access, SHORT, HERE).err().unwrap().kind, Kind::Throttled);
    assert!(admit_from(&access, SHORT, THERE).is_ok());
    assert!(admit_from(&access, &minted, HERE).is_ok());
    // Management counts for itself.
    let shown = |from| Shown { from: Some(from), ..Shown::tokens(&["guess"]) };
    assert_eq!(access.principal(&shown(HERE), false).unwrap_err().why, Why::Invalid);
    house.pass(60_000);
    assert!(admit_from(&access, SHORT, HERE).is_ok());
}

#[tokio::test]
async fn a_key_that_was_revoked_is_no_guess() {
    let house = House::new().await;
    let access = house.with(&[SHORT], &[]).await;
    let (view, key) = client(&access, "{}").await;
    access.revoke(&view.id, &Actor::Cli).await.unwrap();
    for _ in 0..50 {
        assert_eq!(admit_from(&access, &key, HERE).err().unwrap().kind, Kind::Unauthenticated);
    }
    assert!(admit_from(&access, SHORT, HERE).is_ok());
}

#[tokio::test]
async fn an_open_house_lets_anybody_ask_models_and_nobody_manage() {
    let house = House::new().await;
    let access = house.made(&[SHORT], &Limits::default(), &[ADMIN], true).await;
    for token in ["", "nonsense"] {
        let caller = admit(&access, token).ok().unwrap();
        assert_eq!((&*caller.key.0, caller.admin), ("open", false));
        assert!(access.principal(&Shown::tokens(&[token]), false).is_err());
    }
    assert!(admit(&access, SHORT).ok().unwrap().key.0.starts_with("env-"));
    assert!(admit(&access, ADMIN).ok().unwrap().admin);
}

#[tokio::test]
async fn a_record_that_cannot_be_read_opens_nothing() {
    let house = House::new().await;
    let keep = async |name: &str, scopes: &[&str], limits: &str| {
        let mark = KeyMark {
            digest: qm_keys::Digest::of(name).hex(),
            hint_prefix: "amq-AAAA".to_owned(),
            hint_last4: "AAAA".to_owned(),
        };
        let wishes = KeyWishes { limits: limits.to_owned(), ..KeyWishes::named(name, scopes) };
        let (id, origin, created_by) = (name.to_owned(), KeyOrigin::Api, "somebody".to_owned());
        let new = NewKey { id, mark, wishes, origin, created_by };
        house.store.keys().insert(new, house.now_ms()).await.unwrap();
    };
    keep("good", &["inference"], r#"{"rpm":5}"#).await;
    keep("of a later version", &["inference"], r#"{"rpm":5,"per_week":7}"#).await;
    keep("unlimited by mistake", &["inference"], r#"{"rpm":0}"#).await;
    keep("with another scope", &["inference", "everything"], "").await;
    let access = house.bare().await;
    assert!(admit(&access, "good").is_ok());
    for name in ["of a later version", "unlimited by mistake", "with another scope"] {
        assert!(refused(&access, name).message.contains("cannot be used"), "{name}");
        assert_eq!(access.show(name).await.unwrap().state.word(), "unreadable");
    }
    assert_eq!(access.census(), 1);
}
