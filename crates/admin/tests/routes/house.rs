//! A house for these tests: the real router over the real fleet, a store in memory and the simulated upstream.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, Response};
use qm_access::Access;
use qm_accounts::{Fleet, Habits, Outbound, Parts};
use qm_admin::{AdminParts, router};
use qm_coord::Memory;
use qm_keys::Limits;
use qm_ledger::Books;
use qm_pool::{Pool, Rules, Strategy};
use qm_seal::{Key, Keyring};
use qm_simulator::{AccountState, Behaviour, Options, SimAccount, Simulator};
use qm_store::{ReceiptEntry, Store};
use qm_store_sqlite::SqliteStore;
use qm_upstream::{Client, Endpoints, Identity, Pins};
use serde_json::{Value, json};
use tokio::time::Instant;
use tower_service::Service as _;

use crate::settings::Kept;

/// The admin's key.
pub(crate) const KEY: &str = "the-admins-own-key-0123456789";

/// An admin's key so short that guessing might find it.
pub(crate) const GUESSABLE: &str = "sixteen-letters!";

/// A client's key from the configuration.
pub(crate) const CLIENT: &str = "a-clients-key-from-the-configuration";

/// The time at which every house opens.
pub(crate) const NOW: u64 = 1_800_000_000_000;

/// A running house.
pub(crate) struct House {
    pub(crate) simulator: Simulator,
    pub(crate) fleet: Fleet,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) access: Access,
    router: Router,
}

/// An answer, read whole.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl House {
    /// One with ten accounts at the upstream, none here, and the terms acknowledged.
    pub(crate) async fn open() -> Self {
        Self::with(&[KEY], true).await
    }

    /// One with these admin keys.
    pub(crate) async fn with(keys: &[&str], terms_by_environment: bool) -> Self {
        let simulator = qm_simulator::start(Options::many(10)).await.unwrap();
        let base = simulator.base();
        let client = Client::new(Identity::new(None, false).unwrap(), Duration::from_secs(5));
        let through = client.clone();
        let start = Instant::now();
        let now: Arc<dyn Fn() -> u64 + Send + Sync> =
            Arc::new(move || NOW + start.elapsed().as_millis() as u64);
        let next = AtomicU64::new(1);
        let random: Arc<dyn Fn() -> u128 + Send + Sync> = Arc::new(move || {
            u128::from(next.fetch_add(1, Ordering::Relaxed))
                .wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
        });
        let key = Key::from_text("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap();
        let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory().await.unwrap());
        let fleet = Fleet::open(Parts {
            store: Arc::clone(&store),
            keyring: Arc::new(Keyring::new(vec![key]).unwrap()),
            pool: Pool::new(Rules::default(), Strategy::default()),
            outbound: Outbound {
                client,
                through: Arc::new(move |_| Ok(through.clone())),
                endpoints: Endpoints::new(Some(&base), Some(&base)).unwrap(),
                pins: Pins::default(),
            },
            now: Arc::clone(&now),
            random: Arc::clone(&random),
            habits: Habits::default(),
            terms_by_environment,
        })
        .await
        .unwrap();
        let access = Access::open(qm_access::Parts {
            store: Arc::clone(&store),
            coord: Arc::new(Memory::default()),
            clients: vec![CLIENT.into()],
            client_limits: Limits::default(),
            admins: keys.iter().map(|key| (*key).into()).collect(),
            open: false,
            now: Arc::clone(&now),
            random: Arc::clone(&random),
        })
        .await
        .unwrap();
        let books = Books::new(Arc::clone(&store), qm_ledger::Habits::default(), Arc::clone(&now));
        let parts = AdminParts {
            fleet: fleet.clone(),
            access: access.clone(),
            books,
            store: Arc::clone(&store),
            settings: Arc::new(Kept::default()),
            now,
            random,
        };
        Self { simulator, fleet, store, access, router: router(parts) }
    }

    /// Asks as the admin.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: impl Into<Body>) -> Answer {
        self.send(request(method, path).header("x-admin-key", KEY).body(body.into()).unwrap()).await
    }

    /// Asks as the admin, for what must work.
    pub(crate) async fn get(&self, path: &str) -> Value {
        self.ask("GET", path, "").await.good()
    }

    /// Posts as the admin, for what must work.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Value {
        self.ask("POST", path, body.to_string()).await.good()
    }

    /// Asks with this key.
    pub(crate) async fn ask_as(&self, key: &str, method: &str, path: &str, body: &str) -> Answer {
        let request = request(method, path).header("authorization", format!("Bearer {key}"));
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    /// Makes a key that opens these.
    pub(crate) async fn key(&self, name: &str, scopes: &[&str]) -> Value {
        self.post("/api/v1/keys", &json!({ "name": name, "scopes": scopes })).await
    }

    /// The key that the first start makes.
    pub(crate) async fn first_admin(&self) -> String {
        let key = self.access.ensure_first_admin().await.unwrap().unwrap();
        secrecy::ExposeSecret::expose_secret(&key).to_owned()
    }

    /// Writes receipts down, as the ledger does.
    pub(crate) async fn used(&self, receipts: &[ReceiptEntry]) {
        self.store.receipts().append(receipts).await.unwrap();
    }

    /// Sends any request.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response: Response<Body> = self.router.clone().call(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 64 << 20).await.unwrap().to_vec();
        Answer { status: parts.status.as_u16(), headers: parts.headers, bytes }
    }

    /// Logs the simulator's account of this number out: its refresh token is dead from now on.
    pub(crate) fn log_out(&self, n: usize) {
        let behaviour = Behaviour { state: AccountState::Revoked, ..Behaviour::default() };
        self.simulator.set_behaviour(n, behaviour).unwrap();
    }

    /// Adds the simulator's account of this number by `/v2`; its id.
    pub(crate) async fn add(&self, n: usize) -> String {
        let account = self.post("/v2/accounts", &login(n)).await;
        account["id"].as_str().unwrap().to_owned()
    }
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// Its JSON, if it is a good answer.
    #[track_caller]
    pub(crate) fn good(&self) -> Value {
        assert!((200..300).contains(&self.status), "{}: {}", self.status, self.text());
        if self.bytes.is_empty() { Value::Null } else { self.json() }
    }

    /// Its JSON, if it is a refusal with this status.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        self.json()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A request from a known address.
pub(crate) fn request(method: &str, path: &str) -> axum::http::request::Builder {
    let from: SocketAddr = "192.0.2.7:4711".parse().unwrap();
    Request::builder().method(method).uri(path).extension(ConnectInfo(from))
}

/// The login of the simulator's account of this number, in the words of `/v2`.
pub(crate) fn login(n: usize) -> Value {
    let SimAccount { refresh_token, client_id, client_secret, .. } = SimAccount::numbered(n);
    json!({
        "label": format!("account {n}"), "clientId": client_id, "clientSecret": client_secret,
        "refreshToken": refresh_token,
    })
}

/// A receipt of the key with this id, so many tokens in and half as many out.
pub(crate) fn receipt(number: u64, key: &str, account: Option<(i64, &str)>, tokens: u64) -> ReceiptEntry {
    ReceiptEntry {
        request_id: format!("req_{number}").into(),
        at_ms: NOW - number * 1000,
        key_id: key.into(),
        owner: Some("ann".into()),
        team: None,
        account: account.map(|(number, name)| (number, name.into())),
        protocol: "messages".into(),
        asked: "claude-sonnet-4-5".into(),
        model: "claude-sonnet-4.5".into(),
        outcome: qm_store::ReceiptOutcome::Ok,
        code: "".into(),
        status: 200,
        taken: qm_store::Taken {
            input: tokens,
            output: tokens / 2,
            credits_micro: 1_500_000,
            ..Default::default()
        },
        basis: "reported".into(),
        first_event_ms: Some(20),
        total_ms: 100,
        attempts: 1,
        source: Some("192.0.2.9".parse().unwrap()),
        agent: "=cmd()".into(),
    }
}
