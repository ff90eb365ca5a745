//! The first admin key.

use std::sync::Arc;

use qm_access::Actor;
use qm_store_sqlite::SqliteStore;
use secrecy::ExposeSecret as _;

use crate::house::{ADMIN, House, admit};

#[tokio::test]
async fn a_house_without_an_admin_gets_one_and_only_once() {
    let house = House::new().await;
    let access = house.with(&["sk-a-clients-key"], &[]).await;
    let key = access.ensure_first_admin().await.unwrap().unwrap();
    assert!(admit(&access, key.expose_secret()).ok().unwrap().admin);
    assert!(access.ensure_first_admin().await.unwrap().is_none());
    assert!(house.bare().await.ensure_first_admin().await.unwrap().is_none(), "nor at the next start");
    assert_eq!(house.audited().await, [("house".to_owned(), "key.create".to_owned())]);
    // Who revoked it did not ask for another.
    let id = admit(&access, key.expose_secret()).ok().unwrap().key.to_string();
    access.revoke(&id, &Actor::Cli).await.unwrap();
    assert!(access.ensure_first_admin().await.unwrap().is_none());
}

#[tokio::test]
async fn an_admin_in_the_configuration_is_enough() {
    let house = House::new().await;
    assert!(house.with(&[], &[ADMIN]).await.ensure_first_admin().await.unwrap().is_none());
}

#[tokio::test]
async fn of_two_processes_that_start_at_once_one_makes_it() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..5 {
        let path = folder.path().join(format!("{round}.db"));
        let one = House::over(Arc::new(SqliteStore::open(&path).await.unwrap()));
        let other = House::over(Arc::new(SqliteStore::open(&path).await.unwrap()));
        other.with(&["spend-some-chance"], &[]).await;
        let (one, other) = (one.bare().await, other.bare().await);
        let (first, second) = tokio::join!(one.ensure_first_admin(), other.ensure_first_admin());
        let made: Vec<_> = [first.unwrap(), second.unwrap()].into_iter().flatten().collect();
        assert_eq!(made.len(), 1);
        for access in [one, other] {
            access.sync().await.unwrap();
            assert!(admit(&access, made[0].expose_secret()).ok().unwrap().admin);
        }
    }
}
