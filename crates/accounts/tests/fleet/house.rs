//! A simulator, a database file, and as many fleets over it as there would be processes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use qm_accounts::{Actor, Fleet, Habits, Outbound, Parts, View};
use qm_amazonq::fault::Context;
use qm_credential::{Client as Registration, Credential, Draft, Kind};
use qm_pool::{Pool, Rules, Strategy};
use qm_relay::{Accounts as _, Caller, Clock, Picked, Random, Unlimited, Want};
use qm_seal::{Key, Keyring};
use qm_simulator::{Options, SimAccount, Simulator};
use qm_store::Store;
use qm_store_sqlite::SqliteStore;
use qm_upstream::{Client, Endpoints, Identity, Pins};
use tempfile::TempDir;
use tokio::time::Instant;

/// The time at which tests begin.
const BEGIN_MS: u64 = 1_790_000_000_000;

/// The key of the house.
pub(crate) const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// What a test starts from.
pub(crate) struct Bench {
    pub(crate) simulator: Simulator,
    folder: TempDir,
    /// Added to the time that passes by itself.
    ahead_ms: Arc<AtomicU64>,
    began: Instant,
    /// Behind all chance, so that no two processes draw the same.
    drawn: Arc<AtomicU64>,
}

impl Bench {
    pub(crate) async fn with(options: Options) -> Self {
        Self {
            simulator: qm_simulator::start(options).await.unwrap(),
            folder: tempfile::tempdir().unwrap(),
            ahead_ms: Arc::default(),
            began: Instant::now(),
            drawn: Arc::default(),
        }
    }

    pub(crate) async fn of(accounts: Vec<SimAccount>) -> Self {
        Self::with(Options { accounts, ..Options::default() }).await
    }

    /// One more process on the same database.
    pub(crate) async fn fleet(&self) -> Fleet {
        self.open("accounts.db", KEY, true).await
    }

    pub(crate) async fn open(&self, database: &str, key: &str, terms: bool) -> Fleet {
        Fleet::open(self.parts(database, key, terms).await).await.unwrap()
    }

    pub(crate) async fn parts(&self, database: &str, key: &str, terms: bool) -> Parts {
        let (path, base) = (self.path(database), self.simulator.base());
        let parts = parts(&path, &base, key, self.clock(), self.random()).await;
        Parts { terms_by_environment: terms, ..parts }
    }

    pub(crate) fn path(&self, database: &str) -> PathBuf {
        self.folder.path().join(database)
    }

    fn clock(&self) -> Clock {
        let (ahead_ms, began) = (Arc::clone(&self.ahead_ms), self.began);
        Arc::new(move || BEGIN_MS + ahead_ms.load(Ordering::Relaxed) + began.elapsed().as_millis() as u64)
    }

    /// `SplitMix64` over a counter that all processes share.
    fn random(&self) -> Random {
        let drawn = Arc::clone(&self.drawn);
        let half = move || {
            let mut bits = drawn.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            u128::from(bits ^ (bits >> 31))
        };
        Arc::new(move || half() << 64 | half())
    }

    pub(crate) fn now_ms(&self) -> u64 {
        (self.clock())()
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.ahead_ms.fetch_add(time.as_millis() as u64, Ordering::Relaxed);
    }
}

/// What a process is made from: its database, the simulator's address, the key, time and chance.
pub(crate) async fn parts(path: &Path, base: &str, key: &str, now: Clock, random: Random) -> Parts {
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(path).await.unwrap());
    let client = Client::new(Identity::new(None, false).unwrap(), Duration::from_secs(5));
    let endpoints = Endpoints::behind(base).unwrap().with_provider("127.0.0.1");
    let through = client.clone();
    let outbound = Outbound {
        client,
        through: Arc::new(move |_| Ok(through.clone())),
        endpoints,
        pins: Pins::default(),
    };
    Parts {
        store,
        keyring: Arc::new(Keyring::new(vec![Key::from_text(key).unwrap()]).unwrap()),
        pool: Pool::new(Rules::default(), Strategy::default()),
        outbound,
        now,
        random,
        habits: Habits::default(),
        terms_by_environment: true,
    }
}

/// The login of a simulated account.
pub(crate) fn login(account: &SimAccount) -> Credential {
    let client = Registration {
        id: account.client_id.clone(),
        secret: Some(account.client_secret.as_str().into()),
        expires_ms: None,
    };
    Credential {
        client: Some(client),
        refresh_token: Some(account.refresh_token.as_str().into()),
        ..Credential::new(Kind::BuilderId)
    }
}

pub(crate) fn draft(account: &SimAccount, label: &str) -> Draft {
    Draft { label: Some(label.to_owned()), ..Draft::new(login(account)) }
}

pub(crate) async fn add(fleet: &Fleet, account: &SimAccount, label: &str) -> View {
    fleet.add(&draft(account, label), &Actor::Cli).await.unwrap()
}

/// The account that serves a request of anybody's, or the code of the fault.
pub(crate) fn pick(fleet: &Fleet) -> Result<Picked, String> {
    let (key, grant) = ("00000000".into(), Unlimited::shared());
    let caller = Caller { key, owner: None, team: None, admin: false, stranger: false, grant };
    let want = Want { caller: &caller, model: None, affinity: None, pinned: None, tried: &[] };
    fleet.pick(&want).map_err(|fault| fault.code.to_string())
}

/// One request, as the relay makes it; the code of its failure.
pub(crate) async fn chat(fleet: &Fleet) -> Result<(), String> {
    let picked = pick(fleet)?;
    let account = &picked.account;
    let ready = account.ready(None).await.map_err(|failure| failure.fault.code.to_string())?;
    let origin = ready.face.surface().origin;
    let body = format!(
        r#"{{"conversationState":{{"conversationId":"4ea9f1a4-92c4-4f3e-9a52-7a4a1a9f1a4e","chatTriggerType":"MANUAL",
        "currentMessage":{{"userInputMessage":{{"content":"hi","origin":"{origin}","modelId":"claude-sonnet-4.5"}}}}}}{}}}"#,
        ready.face.arn().map(|arn| format!(r#","profileArn":"{arn}""#)).unwrap_or_default(),
    );
    let id = "4ea9f1a4-92c4-4f3e-9a52-7a4a1a9f1a4e";
    let sent = account.chat(&ready, Bytes::from(body), (id, 1), &Context::default()).await;
    sent.map(drop).map_err(|failure| failure.fault.code.to_string())
}

/// Waits until it holds, for ten seconds at most.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds().await {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
