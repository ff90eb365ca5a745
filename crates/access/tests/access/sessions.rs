//! Sessions of the console.

use std::net::IpAddr;

use qm_access::sessions::{IDLE_MS, LONGEST_MS};
use qm_access::{Access, Actor, Denied, ErrorKind, KeyEdit, KeyWish, Opened, Principal, Why};
use qm_keys::{Digest, Scope, Scopes};
use qm_relay::{Admission as _, SessionShown, Shown};
use secrecy::ExposeSecret as _;

use crate::house::{ADMIN, House, client};

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

fn shown(opened: &Opened) -> SessionShown<'_> {
    SessionShown { cookie: opened.cookie.expose_secret(), csrf: Some(opened.csrf.expose_secret()) }
}

fn look(access: &Access, opened: &Opened) -> Result<Principal, Denied> {
    let session = SessionShown { csrf: None, ..shown(opened) };
    access.principal(&Shown { session: Some(session), ..Shown::tokens(&[]) }, false)
}

fn act(access: &Access, session: SessionShown<'_>) -> Result<Principal, Denied> {
    access.principal(&Shown { session: Some(session), ..Shown::tokens(&[]) }, true)
}

async fn login(access: &Access, key: &str) -> Opened {
    access.login(key, Some(HERE), "a browser").await.ok().unwrap()
}

#[tokio::test]
async fn a_session_is_its_keys_and_acts_want_their_token() {
    let house = House::new().await;
    let access = house.access().await;
    let opened = login(&access, ADMIN).await;
    let principal = look(&access, &opened).unwrap();
    assert!(principal.key.starts_with("env-") && principal.may(Scope::Admin));
    assert_eq!(principal.session.as_deref(), Some(opened.view.id.as_str()));
    assert!(act(&access, shown(&opened)).is_ok());
    for csrf in [None, Some(""), Some("wrong"), Some(opened.cookie.expose_secret())] {
        assert_eq!(act(&access, SessionShown { csrf, ..shown(&opened) }).unwrap_err().why, Why::Forged);
    }
    let wrong = SessionShown { cookie: &opened.view.id, ..shown(&opened) };
    assert_eq!(act(&access, wrong).unwrap_err().why, Why::Invalid, "its id opens nothing");
    // On the console's own chat route it may chat; without its token another site would.
    let chat = |session| access.admit(&Shown { session: Some(session), ..Shown::tokens(&[]) });
    assert!(chat(shown(&opened)).ok().unwrap().admin);
    assert!(chat(SessionShown { csrf: None, ..shown(&opened) }).is_err());
}

#[tokio::test]
async fn nothing_that_is_kept_opens_a_session() {
    let house = House::new().await;
    let access = house.access().await;
    let opened = login(&access, ADMIN).await;
    let kept = house.store.sessions().list(None).await.unwrap();
    let said = format!("{kept:?}{:?}{:?}", access.sessions(), house.audited().await);
    for secret in [&opened.cookie, &opened.csrf] {
        assert!(!said.contains(secret.expose_secret()));
    }
    assert_eq!(kept[0].id, Digest::of(opened.cookie.expose_secret()).hex());
    assert_eq!((kept[0].source.as_str(), kept[0].agent.as_str()), ("192.0.2.7", "a browser"));
}

#[tokio::test]
async fn a_session_ends_unused_after_an_hour_and_used_after_twelve() {
    let house = House::new().await;
    let access = house.access().await;
    let idle = login(&access, ADMIN).await;
    house.pass(IDLE_MS - 1);
    assert!(look(&access, &idle).is_ok());
    house.pass(IDLE_MS);
    assert_eq!(look(&access, &idle).unwrap_err().why, Why::Invalid);
    assert!(access.sessions().is_empty());

    let used = login(&access, ADMIN).await;
    for _ in 0..(LONGEST_MS / IDLE_MS * 2 - 1) {
        house.pass(IDLE_MS / 2);
        assert!(look(&access, &used).is_ok());
    }
    house.pass(IDLE_MS / 2);
    assert!(look(&access, &used).is_err());
}

#[tokio::test]
async fn a_session_ends_with_its_key_and_opens_no_more_than_it() {
    let house = House::new().await;
    let access = house.access().await;
    let (view, key) = access.create(KeyWish::named("admin", Scopes::ADMIN), &Actor::Cli).await.unwrap();
    let opened = login(&access, key.expose_secret()).await;
    let reader = KeyEdit { scopes: Some(Scopes::of_words(["read"]).unwrap()), ..KeyEdit::default() };
    access.change(&view.id, reader, None, &Actor::Cli).await.unwrap();
    let principal = look(&access, &opened).unwrap();
    assert!(principal.may(Scope::Read) && !principal.may(Scope::Admin));
    // Raised again, the session is what it was opened for; one that was opened as a reader stays one.
    let as_reader = login(&access, key.expose_secret()).await;
    let admin = KeyEdit { scopes: Some(Scopes::ADMIN), ..KeyEdit::default() };
    access.change(&view.id, admin, None, &Actor::Cli).await.unwrap();
    assert!(look(&access, &opened).unwrap().may(Scope::Admin));
    assert!(!look(&access, &as_reader).unwrap().may(Scope::Admin));
    // On the console's chat route as well, where a reader asks no model and chooses no account.
    let chat = |opened| access.admit(&Shown { session: Some(shown(opened)), ..Shown::tokens(&[]) });
    assert!(chat(&opened).ok().unwrap().admin);
    assert!(chat(&as_reader).is_err());
    access.revoke(&view.id, &Actor::Cli).await.unwrap();
    assert!(look(&access, &opened).is_err() && access.sessions().is_empty());
    access.restore(&view.id, &Actor::Cli).await.unwrap();
    assert!(look(&access, &opened).is_err(), "a restored key does not bring its sessions back");
}

#[tokio::test]
async fn a_key_that_is_replaced_at_once_takes_its_sessions_along() {
    let house = House::new().await;
    let access = house.access().await;
    let (view, key) = access.create(KeyWish::named("admin", Scopes::ADMIN), &Actor::Cli).await.unwrap();
    let opened = login(&access, key.expose_secret()).await;
    let other = login(&access, ADMIN).await;
    let (_, second) = access.rotate(&view.id, 60_000, None, &Actor::Cli).await.unwrap();
    assert!(look(&access, &opened).is_ok(), "the key it was opened with is good as well");
    access.rotate(&view.id, 0, None, &Actor::Cli).await.unwrap();
    assert!(look(&access, &opened).is_err());
    access.sync().await.unwrap();
    assert!(look(&access, &opened).is_err() && look(&access, &other).is_ok());
    assert_eq!(access.login(second.expose_secret(), None, "").await.err().unwrap().why, Why::Invalid);
}

#[tokio::test]
async fn sessions_are_listed_and_ended() {
    let house = House::new().await;
    let access = house.access().await;
    let mut opened = Vec::new();
    for _ in 0..3 {
        opened.push(login(&access, ADMIN).await);
        house.pass(1);
    }
    assert_eq!(access.sessions().len(), 3);
    assert_eq!(access.sessions()[0].id, opened[2].view.id, "newest first");
    access.end_session(&opened[0].view.id.to_ascii_uppercase(), &Actor::Cli).await.unwrap();
    access.sync().await.unwrap();
    assert!(look(&access, &opened[0]).is_err(), "in the store too");
    let error = access.end_session(&opened[0].view.id, &Actor::Cli).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
    let principal = look(&access, &opened[1]).unwrap();
    assert_eq!(access.end_other_sessions(&principal).await.unwrap(), 1);
    assert!(look(&access, &opened[1]).is_ok() && look(&access, &opened[2]).is_err());
    // And after a start they are still what they were.
    let restarted = house.access().await;
    assert!(look(&restarted, &opened[1]).is_ok() && look(&restarted, &opened[2]).is_err());
    let actions: Vec<_> = house.audited().await.into_iter().map(|(_, action)| action).collect();
    assert_eq!(actions, ["session.open", "session.open", "session.open", "session.end", "session.end"]);
}

#[tokio::test]
async fn a_key_has_so_many_sessions_and_the_one_least_used_ends() {
    let house = House::new().await;
    let access = house.access().await;
    let first = login(&access, ADMIN).await;
    let second = login(&access, ADMIN).await;
    house.pass(10);
    assert!(look(&access, &first).is_ok());
    for _ in 0..49 {
        house.pass(1);
        login(&access, ADMIN).await;
    }
    assert_eq!(access.sessions().len(), 50);
    assert!(look(&access, &first).is_ok() && look(&access, &second).is_err());
}

#[tokio::test]
async fn what_does_not_open_the_console_is_written_down_and_slowed_down() {
    let house = House::new().await;
    let access = house.with(&[], &["short-admin-key-1"]).await;
    let (_, inference) = client(&access, "{}").await;
    let denied = async |key: &str| access.login(key, Some(HERE), "").await.err().unwrap();
    assert_eq!(denied(&inference).await.why, Why::Forbidden);
    assert_eq!(denied("").await.why, Why::Missing);
    for n in 0..9 {
        assert_eq!(denied(&format!("guess-{n}")).await.why, Why::Invalid);
    }
    assert!(matches!(denied("guess").await.why, Why::Throttled { left_ms: 60_000 }));
    assert!(matches!(denied("short-admin-key-1").await.why, Why::Throttled { .. }));
    let refused = house.audited().await.into_iter().filter(|(actor, _)| actor == "stranger").count();
    assert_eq!(refused, 10, "a client's key is one of them");
    house.pass(60_000);
    login(&access, "short-admin-key-1").await;
}

#[tokio::test]
async fn a_clients_key_that_tries_the_console_is_a_guess_like_others() {
    let house = House::new().await;
    let access = house.access().await;
    let (_, inference) = client(&access, "{}").await;
    let why = async || access.login(&inference, Some(HERE), "").await.err().unwrap().why;
    for _ in 0..10 {
        assert_eq!(why().await, Why::Forbidden);
    }
    assert_eq!(why().await, Why::Throttled { left_ms: 60_000 });
    assert_eq!(house.audited().await.len(), 11, "one key was made, ten attempts were written down, no more");
    // Who holds a key that nobody can guess is let in all the same, and at the routes of models nothing has changed.
    login(&access, ADMIN).await;
    assert!(access.admit(&Shown::tokens(&[&inference])).is_ok());
}
