//! A store, time and chance, and as many processes over it as a test wants.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use qm_access::{Access, Actor, KeyView, KeyWish, Parts};
use qm_canon::Fault;
use qm_coord::Memory;
use qm_keys::{Limits, Scopes};
use qm_relay::{Admission as _, Caller, Entered, Refused, Shown, Wish};
use qm_store::{AuditFilter, Store};
use qm_store_sqlite::SqliteStore;
use secrecy::{ExposeSecret as _, SecretString};

/// 2026-11-21 13:43:45 UTC.
pub(crate) const NOW: u64 = 1_795_268_625_000;

/// An admin's key from configuration: long enough that nobody guesses it.
pub(crate) const ADMIN: &str = "environment-admin-key-0123456789";

pub(crate) struct House {
    pub(crate) store: Arc<dyn Store>,
    now_ms: Arc<AtomicU64>,
    drawn: Arc<AtomicU64>,
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::over(Arc::new(SqliteStore::in_memory().await.unwrap()))
    }

    pub(crate) fn over(store: Arc<dyn Store>) -> Self {
        Self { store, now_ms: Arc::new(AtomicU64::new(NOW)), drawn: Arc::default() }
    }

    /// A process without keys from configuration.
    pub(crate) async fn bare(&self) -> Access {
        self.with(&[], &[]).await
    }

    /// One with an admin's key from configuration.
    pub(crate) async fn access(&self) -> Access {
        self.with(&[], &[ADMIN]).await
    }

    pub(crate) async fn with(&self, clients: &[&str], admins: &[&str]) -> Access {
        self.made(clients, &Limits::default(), admins, false).await
    }

    pub(crate) async fn made(
        &self,
        clients: &[&str],
        client_limits: &Limits,
        admins: &[&str],
        open: bool,
    ) -> Access {
        let secrets = |keys: &[&str]| keys.iter().map(|key| SecretString::from(*key)).collect();
        let (now, drawn) = (Arc::clone(&self.now_ms), Arc::clone(&self.drawn));
        let parts = Parts {
            store: Arc::clone(&self.store),
            coord: Arc::new(Memory::default()),
            clients: secrets(clients),
            client_limits: client_limits.clone(),
            admins: secrets(admins),
            open,
            now: Arc::new(move || now.load(Ordering::Relaxed)),
            random: Arc::new(move || {
                let half = || mixed(drawn.fetch_add(1, Ordering::Relaxed));
                half() << 64 | half()
            }),
        };
        Access::open(parts).await.unwrap()
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.now_ms.load(Ordering::Relaxed)
    }

    pub(crate) fn pass(&self, ms: u64) {
        self.now_ms.fetch_add(ms, Ordering::Relaxed);
    }

    /// What the audit holds, oldest first: who did what.
    pub(crate) async fn audited(&self) -> Vec<(String, String)> {
        let listed = self.store.audit().list(&AuditFilter::default(), 100).await.unwrap();
        listed.into_iter().rev().map(|record| (record.entry.actor, record.entry.action)).collect()
    }
}

/// `SplitMix64`.
fn mixed(n: u64) -> u128 {
    let mut bits = n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    u128::from(bits ^ (bits >> 31))
}

pub(crate) fn limits(json: &str) -> Limits {
    serde_json::from_str(json).unwrap()
}

/// A client's key with these limits, and the key itself.
pub(crate) async fn client(access: &Access, json: &str) -> (KeyView, String) {
    let wish = KeyWish { limits: limits(json), ..KeyWish::named("client", Scopes::INFERENCE) };
    let (view, key) = access.create(wish, &Actor::Cli).await.unwrap();
    (view, key.expose_secret().to_owned())
}

pub(crate) fn admit(access: &Access, key: &str) -> Result<Caller, Fault> {
    access.admit(&Shown::tokens(&[key]))
}

pub(crate) fn admit_from(access: &Access, key: &str, from: IpAddr) -> Result<Caller, Fault> {
    access.admit(&Shown { from: Some(from), ..Shown::tokens(&[key]) })
}

/// Why this key is refused.
pub(crate) fn refused(access: &Access, key: &str) -> Fault {
    admit(access, key).map(|caller| caller.key).unwrap_err()
}

/// A request of this size.
pub(crate) async fn enter(
    caller: &Caller,
    input: u64,
    max_output: Option<u64>,
    now_ms: u64,
) -> Result<Entered, Refused> {
    let input_tokens = move || input;
    let wish = Wish {
        asked: "claude-sonnet-4-5",
        model: "claude-sonnet-4.5",
        input_tokens: &input_tokens,
        max_output,
        now_ms,
    };
    caller.grant.enter(&wish).await
}

pub(crate) fn fault(entered: Result<Entered, Refused>) -> Fault {
    entered.err().unwrap().fault
}
