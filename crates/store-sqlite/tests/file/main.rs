//! The file: its modes, its schema, what it says when it is not ours, and what is never in it.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod schema;

use std::path::Path;

use qm_seal::{Key, Keyring, OpenError as Sealing};
use qm_store::conformance::{NOW, account, key, login, now};
use qm_store::{
    AuditEntry, Completion, KeyFilter, KeyPlace, KeyRecord, Proxy, Shelf, Store, Wishes, account::NewAccount,
    audit, login::NewLogin,
};
use qm_store_sqlite::{OpenError, SqliteStore};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{SqlSafeStr, SqlitePool};

/// A connection beside the store's, as somebody with a shell has it.
async fn shell(path: &Path) -> SqlitePool {
    let options = SqliteConnectOptions::new().filename(path);
    SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap()
}

async fn run(path: &Path, sql: impl SqlSafeStr) -> Result<(), sqlx::Error> {
    let shell = shell(path).await;
    let done = sqlx::raw_sql(sql).execute(&shell).await.map(|_| ());
    shell.close().await;
    done
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/data/store.db");
    let store = SqliteStore::open(&path).await.unwrap();
    store.settings().set("a", "b", NOW).await.unwrap();
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    for suffix in ["", "-wal", "-shm"] {
        assert_eq!(mode(Path::new(&format!("{}{suffix}", path.display()))), 0o600, "{suffix}");
    }
    store.close().await;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    SqliteStore::open(&path).await.unwrap().close().await;
    assert_eq!(mode(&path), 0o600, "a file that was open to others is closed");
}

#[tokio::test]
async fn a_file_is_opened_again_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let kept = {
        let store = SqliteStore::open(&path).await.unwrap();
        let kept = store.accounts().insert(account("a"), NOW).await.unwrap();
        store.close().await;
        kept
    };
    let store: std::sync::Arc<dyn Store> = std::sync::Arc::new(SqliteStore::open(&path).await.unwrap());
    assert_eq!(now(&store, "a").await, kept);
}

/// What a connection is told is what it does; a lost pragma would be noticed on the day of the power cut.
#[tokio::test]
async fn the_database_is_set_to_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let [journal, synchronous, foreign_keys, secure_delete] = store.settings_of_connection().await.unwrap();
    assert_eq!(journal, "wal");
    assert_eq!(synchronous, "2", "FULL");
    assert_eq!((foreign_keys.as_str(), secure_delete.as_str()), ("1", "1"));
}

#[tokio::test]
async fn one_broken_key_takes_no_other_along() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStore::open(&path).await.unwrap();
    for id in ["a", "b", "c", "d"] {
        store.keys().insert(key(id), NOW).await.unwrap();
    }
    let seen = store.keys().all().await.unwrap();
    let broken = "UPDATE keys SET scopes = '[', revision = revision + 100 WHERE id = 'b';
        UPDATE keys SET origin = 'a later version', revision = revision + 100 WHERE id = 'c'";
    run(&path, broken).await.unwrap();
    let ids = |keys: &[KeyRecord]| keys.iter().map(|key| key.id.clone()).collect::<Vec<_>>();
    let all = store.keys().all().await.unwrap();
    assert_eq!(
        (ids(&all.changed), all.unreadable),
        (vec!["a".into(), "d".into()], vec!["b".into(), "c".into()])
    );
    let news = store.keys().changed_since(seen.revision).await.unwrap();
    assert_eq!((ids(&news.changed), news.unreadable), (vec![], vec!["b".to_owned(), "c".to_owned()]));
    // Pages go past them, whatever is looked for.
    let listed = async |filter: KeyFilter, after| {
        let place = KeyPlace { after, descending: false };
        let page = store.keys().list(&filter, place, 2).await.unwrap();
        (ids(&page.keys), page.next)
    };
    assert_eq!(listed(KeyFilter::default(), None).await, (vec!["a".to_owned()], Some(2)));
    assert_eq!(listed(KeyFilter::default(), Some(2)).await, (vec!["d".to_owned()], None));
    let inference = KeyFilter { scope: Some("inference".to_owned()), ..KeyFilter::default() };
    assert_eq!(listed(inference, None).await.0, ["a"]);
    assert!(store.keys().insert_first(key("first"), "admin", NOW).await.unwrap().is_some());
}

#[tokio::test]
async fn what_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    std::fs::write(&path, "not a database, but long enough to look at".repeat(100)).unwrap();
    let refused = SqliteStore::open(&path).await.err().unwrap();
    assert!(matches!(refused, OpenError::Database { .. }), "{refused}");
}

#[tokio::test]
async fn two_stores_on_one_file_share_its_locks_and_see_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let [a, b] = [SqliteStore::open(&path).await.unwrap(), SqliteStore::open(&path).await.unwrap()];
    a.accounts().insert(account("a"), NOW).await.unwrap();
    assert!(a.accounts().lease("a", "a", NOW + 5, NOW).await.unwrap());
    assert!(!b.accounts().lease("a", "b", NOW + 5, NOW).await.unwrap());
    let writers =
        (0..40).map(|at| {
            let store = if at % 2 == 0 { a.clone() } else { b.clone() };
            async move {
                store.audit().append(AuditEntry { at_ms: NOW + at, ..AuditEntry::default() }).await.unwrap()
            }
        });
    qm_store::conformance::together(writers).await;
    let chain = b.audit().chain(0, 100).await.unwrap();
    assert_eq!(audit::verify(0, "", &chain).unwrap().0, 40);
}

#[tokio::test]
async fn the_audit_is_not_altered_by_the_way_and_a_forced_change_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStore::open(&path).await.unwrap();
    for action in ["a", "b", "c"] {
        store.audit().append(AuditEntry { action: action.into(), ..AuditEntry::default() }).await.unwrap();
    }
    for sql in ["UPDATE audit SET actor = 'nobody' WHERE number = 2", "DELETE FROM audit WHERE number = 3"] {
        let refused = run(&path, sql).await.unwrap_err().to_string();
        assert!(refused.contains("only ever appended"), "{refused}");
    }
    let forced = "DROP TRIGGER audit_is_never_changed; UPDATE audit SET actor = 'nobody' WHERE number = 2";
    run(&path, forced).await.unwrap();
    let chain = store.audit().chain(0, 9).await.unwrap();
    assert_eq!(audit::verify(0, "", &chain).unwrap_err().number, 2);
}

const SECRETS: [&str; 5] = [
    "aorREFRESH-of-the-account",
    "aorROTATED-of-the-account",
    "http://user:PROXYPASSWORD@proxy:8080",
    "DEVICECODE-and-CLIENTSECRET",
    "aorRENEWED-by-a-login",
];

/// Every way in which a secret enters the store, then every byte of its files.
#[tokio::test]
async fn no_secret_is_in_the_files_in_the_clear() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let keys = qm_store::conformance::ring();
    let seal =
        |plain: &str, shelf: Shelf, id: &str| keys.seal(plain.as_bytes(), &shelf.about(id), [9; 24]).unwrap();
    let [refresh, rotated, proxy, device, renewed] = SECRETS;
    let wishes =
        Wishes { proxy: Proxy::Through(seal(proxy, Shelf::Proxy, "a")), ..Wishes::named("visible label") };
    let secret = |plain: &str| {
        let mut secret = login("a", plain);
        secret.fingerprint = "a hash".to_owned() + &plain.len().to_string() + &plain[3..4];
        secret.sealed = seal(plain, Shelf::Account, "a");
        secret
    };
    let made = NewAccount { wishes, secret: secret(refresh), ..account("a") };
    store.accounts().insert(made, NOW).await.unwrap();
    store.accounts().replace_secret("a", 1, secret(rotated), NOW).await.unwrap();
    let asked = NewLogin {
        kind: "builder-id".into(),
        start_url: None,
        region: None,
        draft: "{}".into(),
        renews: Some("a".into()),
        user_code: "CODE".into(),
        verification_uri: "https://example.org".into(),
        verification_uri_complete: None,
        created_ms: NOW,
        expires_ms: NOW + 1,
    };
    store.logins().insert("l", asked, seal(device, Shelf::Login, "l"), 1).await.unwrap();
    let renew = Completion::Renew { id: "a".into(), secret: Box::new(secret(renewed)) };
    assert!(store.logins().complete("l", renew, NOW).await.unwrap().is_some());
    let mut files = 0;
    let mut seen_label = false;
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        files += 1;
        let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        seen_label |= holds("visible label");
        for secret in SECRETS {
            assert!(!holds(secret), "{secret}");
        }
    }
    assert!(
        files >= 2 && seen_label,
        "the file and its log were looked through, and what is no secret was found"
    );
}

/// After a change of the master key and a scrub, nothing in the files opens with the old key.
#[tokio::test]
async fn after_a_rekey_nothing_of_the_old_key_is_left_in_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStore::open(&path).await.unwrap();
    for at in 0..50 {
        store.accounts().insert(account(&format!("id-{at}")), NOW).await.unwrap();
    }
    let keys = qm_store::conformance::newer_ring();
    let old = qm_store::conformance::ring().current().id().to_owned();
    for (id, sealed) in store.secrets().on(Shelf::Account, "", 99).await.unwrap() {
        let anew = keys.reseal(&sealed, &Shelf::Account.about(&id), [3; 24]).unwrap().unwrap();
        assert!(store.secrets().replace(Shelf::Account, &id, &sealed, &anew).await.unwrap());
    }
    store.secrets().scrub().await.unwrap();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(old.len()).any(|window| window == old.as_bytes()));
    }
    let only_new = Keyring::new(vec![Key::from_text(keys_text()).unwrap()]).unwrap();
    let kept = store.accounts().by_id("id-7").await.unwrap().unwrap().secret.sealed;
    assert_eq!(only_new.open(&kept, "account/id-7").unwrap().as_slice(), b"token of id-7");
    assert!(matches!(qm_store::conformance::ring().open(&kept, "account/id-7"), Err(Sealing::UnknownKey(_))));
}

/// The newer key of the suite's second ring.
fn keys_text() -> &'static str {
    "/////v38+/r5+Pf29fTz8vHw7+7t7Ovq6ejn5uXk4+I="
}
