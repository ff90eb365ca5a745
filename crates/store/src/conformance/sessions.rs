//! Sessions of the console.

use super::{NOW, Under};
use crate::StoreError;
use crate::sessions::SessionRecord;

fn session(id: &str, key_id: &str, created_ms: u64) -> SessionRecord {
    SessionRecord {
        id: id.into(),
        key_id: key_id.into(),
        csrf: format!("csrf of {id}"),
        scopes: vec!["read".into(), "admin".into()],
        created_ms,
        last_seen_ms: created_ms,
        expires_ms: created_ms + 100,
        source: "192.0.2.1".into(),
        agent: "a \"browser\"".into(),
    }
}

async fn ids(store: &Under, key_id: Option<&str>) -> Vec<String> {
    store.sessions().list(key_id).await.unwrap().into_iter().map(|session| session.id).collect()
}

/// A key of the environment, which is not kept, has sessions too.
pub async fn a_session_is_read_back_and_ends_once(store: Under) {
    let sessions = store.sessions();
    let first = session("1", "env-01234567", NOW);
    sessions.insert(first.clone()).await.unwrap();
    assert_eq!(sessions.insert(first.clone()).await, Err(StoreError::Duplicate("id")));
    assert_eq!(sessions.by_id("1").await.unwrap(), Some(first));
    assert!(sessions.remove("1").await.unwrap());
    assert!(!sessions.remove("1").await.unwrap());
    assert_eq!(sessions.by_id("1").await.unwrap(), None);
}

/// Newest first; of one key, or of all.
pub async fn sessions_are_listed_and_end_by_key(store: Under) {
    for (id, key, at) in [("1", "a", 1), ("2", "b", 3), ("3", "a", 2)] {
        store.sessions().insert(session(id, key, NOW + at)).await.unwrap();
    }
    assert_eq!(ids(&store, None).await, ["2", "3", "1"]);
    assert_eq!(ids(&store, Some("a")).await, ["3", "1"]);
    assert_eq!(store.sessions().remove_of("a").await.unwrap(), 2);
    assert_eq!(ids(&store, None).await, ["2"]);
}

/// Used ones stay until they expire, idle ones end before.
pub async fn what_is_idle_or_expired_is_forgotten(store: Under) {
    let sessions = store.sessions();
    for (id, at) in [("old", 0), ("idle", 50), ("used", 50), ("new", 90)] {
        sessions.insert(session(id, "a", NOW + at)).await.unwrap();
    }
    assert!(sessions.touch("used", NOW + 95).await.unwrap());
    assert!(sessions.touch("used", NOW + 94).await.unwrap(), "an earlier use does not undo a later");
    assert!(sessions.touch("old", NOW + 99).await.unwrap());
    assert!(!sessions.touch("none", NOW).await.unwrap());
    assert_eq!(sessions.by_id("used").await.unwrap().unwrap().last_seen_ms, NOW + 95);
    assert_eq!(sessions.prune(NOW + 80, NOW + 100).await.unwrap(), 2);
    assert_eq!(ids(&store, None).await, ["new", "used"]);
}
