//! Two processes over one file: what one does, the other notices.

use std::sync::Arc;
use std::time::Duration;

use qm_access::{Access, Actor, KeyEdit};
use qm_relay::{SessionShown, Shown};
use qm_store_sqlite::SqliteStore;
use secrecy::ExposeSecret as _;
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::house::{ADMIN, House, admit, client, enter, fault, limits, refused};

struct Two {
    _folder: TempDir,
    house: House,
    one: Access,
    other: Access,
}

async fn two() -> Two {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.db");
    let house = House::over(Arc::new(SqliteStore::open(&path).await.unwrap()));
    let one = house.access().await;
    let other = House::over(Arc::new(SqliteStore::open(&path).await.unwrap())).access().await;
    Two { _folder: folder, house, one, other }
}

#[tokio::test]
async fn what_one_writes_the_other_notices() {
    let Two { _folder, house, one, other } = two().await;
    let (view, key) = client(&one, "{}").await;
    assert!(admit(&one, &key).is_ok(), "where it was made, at once");
    assert!(admit(&other, &key).is_err());
    other.sync().await.unwrap();
    assert!(admit(&other, &key).is_ok());

    let edit = KeyEdit { limits: Some(limits(r#"{"rpm":1}"#)), ..KeyEdit::default() };
    one.change(&view.id, edit, None, &Actor::Cli).await.unwrap();
    other.sync().await.unwrap();
    let caller = admit(&other, &key).ok().unwrap();
    let pass = enter(&caller, 1, None, house.now_ms()).await.ok().unwrap();
    drop(pass);
    assert!(fault(enter(&caller, 1, None, house.now_ms()).await).retry_after.is_some());

    one.revoke(&view.id, &Actor::Cli).await.unwrap();
    other.sync().await.unwrap();
    assert!(refused(&other, &key).message.contains("revoked"));
    one.remove(&view.id, None, &Actor::Cli).await.unwrap();
    other.sync().await.unwrap();
    assert!(refused(&other, &key).message.starts_with("Invalid"));
}

#[tokio::test]
async fn a_session_opens_in_both_and_ends_in_both() {
    let Two { _folder, one, other, .. } = two().await;
    let opened = one.login(ADMIN, None, "browser").await.ok().unwrap();
    let shown = || SessionShown { cookie: opened.cookie.expose_secret(), csrf: None };
    let principal = |access: &Access| {
        access.principal(&Shown { session: Some(shown()), ..Shown::tokens(&[]) }, false).is_ok()
    };
    assert!(principal(&one) && !principal(&other));
    other.sync().await.unwrap();
    assert!(principal(&other));
    other.end_session(&opened.view.id, &Actor::Cli).await.unwrap();
    one.sync().await.unwrap();
    assert!(!principal(&one) && !principal(&other));
}

#[tokio::test]
async fn a_process_that_runs_notices_within_about_a_second() {
    let house = House::new().await;
    let (one, other) = (house.access().await, house.access().await);
    let (view, key) = client(&one, "{}").await;
    let (stop, stopped) = oneshot::channel::<()>();
    let until = async |admitted: bool| {
        while admit(&other, &key).is_ok() != admitted {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let watch = async {
        until(true).await;
        one.revoke(&view.id, &Actor::Cli).await.unwrap();
        // Twice what it should take, for a busy machine.
        tokio::time::timeout(Duration::from_secs(2), until(false)).await.unwrap();
        drop(stop);
    };
    tokio::join!(watch, other.run(async { drop(stopped.await) }));
}
