//! A whole house in one process: simulator, upstream, relay and front on loopback. For tests only.
//!
//! Knows: how to build every room with small deadlines and exact randomness, and how to ask it as a client would.
//! Must not know: any vendor's wire format; tests bring theirs.

mod client;
mod keys;
mod ledger;
pub mod sse;

use std::future::pending;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub use client::{Answer, Client};
pub use keys::StaticKeys;
pub use ledger::{Receipts, Written};
use qm_amazonq::Surface;
use qm_credential::{Arn, ArnOrigin, Credential, Kind};
use qm_front::serve::{Bounds, serve};
use qm_front::{Bodies, Console, Front, Health, Kept, router};
use qm_pool::{AccountId, Pool, Rules, Stored, Strategy, Traits};
use qm_relay::{
    Admission, Aliases, Deadlines, Fixed, Grant, Ledger, Names, Naming, Random, Relay, Unlimited,
};
use qm_simulator::{Options, SimAccount, Simulator};
use qm_upstream::{Account, Client as Upstream, Clock, Endpoints, Forgetful, Identity, Learned, Parts, Pins};
use tokio::net::TcpListener;
use tokio::time::Instant;

/// The key that opens a house.
pub const KEY: &str = "test-key-0123456789abcdef";

/// Another key that opens it.
pub const OTHER_KEY: &str = "test-key-fedcba9876543210";

/// The key of its admin.
pub const ADMIN_KEY: &str = "test-admin-key-0123456789abcdef";

/// What a house is built with. It has an account for each of the simulator's.
pub struct Plan {
    /// The face of the upstream, by name; `auto`: whichever serves.
    pub surface: &'static str,
    /// How long things may take.
    pub deadlines: Deadlines,
    /// The model for unknown names.
    pub default_model: Option<String>,
    /// The operator's names for models.
    pub aliases: Aliases,
    /// Most bytes a body may have.
    pub max_body: usize,
    /// What fetches the pictures that requests point to.
    pub images: qm_front::Images,
    /// Most responses that are kept.
    pub kept: usize,
    /// Most bytes that kept responses take.
    pub kept_bytes: usize,
    /// What the keys may take.
    pub grant: Arc<dyn Grant>,
    /// Who is admitted, instead of the keys of this crate.
    pub admission: Option<Arc<dyn Admission>>,
    /// Where receipts go, instead of to those who wait for them.
    pub ledger: Option<Arc<dyn Ledger>>,
    /// What is said when no account can serve.
    pub without_account: qm_canon::Kind,
    /// What `/health` tells.
    pub health: Health,
    /// Origins of web pages whose scripts may chat.
    pub origins: Vec<String>,
    /// How the simulator is set up.
    pub simulator: Options,
}

/// A running house. Stops when the runtime of the test does.
pub struct House {
    /// The upstream's part.
    pub simulator: Simulator,
    /// What the relay wrote down.
    pub receipts: Arc<Receipts>,
    /// A client with the right key.
    pub client: Client,
    /// The first account.
    pub account: Arc<Account>,
    /// What the names of models stand for.
    pub names: Arc<Names>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            surface: "auto",
            deadlines: Deadlines::default(),
            default_model: None,
            aliases: Aliases::default(),
            max_body: 32 << 20,
            images: qm_front::Images::off(),
            kept: 0,
            kept_bytes: 1 << 20,
            grant: Unlimited::shared(),
            admission: None,
            ledger: None,
            without_account: qm_canon::Kind::Unavailable,
            health: Health::default(),
            origins: Vec::new(),
            simulator: Options::default(),
        }
    }
}

impl House {
    /// Builds a house to plan.
    ///
    /// # Errors
    /// When a port cannot be had, or the plan names a surface that does not exist.
    pub async fn build(plan: Plan) -> io::Result<Self> {
        let Plan {
            surface,
            deadlines,
            default_model,
            aliases,
            max_body,
            images,
            kept,
            kept_bytes,
            grant,
            admission,
            ledger,
            without_account,
            health,
            origins,
            simulator,
        } = plan;
        let surface = match surface {
            "auto" => None,
            named => Some(Surface::named(named).ok_or_else(|| io::Error::other("no such surface"))?),
        };
        let simulator_accounts = simulator.accounts.clone();
        let simulator = qm_simulator::start(simulator).await?;
        let random = counting();
        let numbered = simulator_accounts.into_iter().zip(1..);
        let built =
            numbered.map(|(login, number)| account(login, number, surface, &simulator.base()).map(Arc::new));
        let accounts: Vec<_> = built.collect::<Result<_, _>>().map_err(io::Error::other)?;
        let account = accounts.first().map(Arc::clone).ok_or_else(|| io::Error::other("no account"))?;
        let receipts = Arc::new(Receipts::default());
        let clock = counting_clock();
        let pool = Pool::new(Rules::default(), Strategy::default());
        for account in &accounts {
            pool.add(AccountId(account.number()), Traits::default(), Stored::default(), clock());
        }
        let names = Arc::new(Names::new(Naming { aliases, default_model }));
        let relay = Relay {
            admission: admission.unwrap_or_else(|| keys(grant)),
            accounts: Arc::new(Fixed::new(accounts, pool, Arc::clone(&clock), Arc::clone(&random))),
            ledger: ledger.unwrap_or_else(|| Arc::clone(&receipts) as _),
            deadlines,
            names: Arc::clone(&names),
            without_account,
            random: Arc::clone(&random),
            now: clock,
        };
        let bodies = Bodies::new(max_body, 1 << 30);
        let front = Front {
            relay: Arc::new(relay),
            bodies,
            images,
            kept: Arc::new(Kept::new(kept, kept_bytes)),
            random,
            now: Arc::new(|| 1_700_000_000),
            health,
            origins: origins.iter().filter_map(|origin| origin.parse().ok()).collect(),
            console: Console::default(),
            draining: Arc::default(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let client = Client::new(listener.local_addr()?, KEY);
        let bounds = Bounds { connections: 1024, drain: Duration::ZERO };
        #[expect(clippy::disallowed_methods, reason = "the house runs beside its test and ends with it")]
        let _task = tokio::spawn(serve(listener, router(front, Some("/team")), bounds, pending()));
        Ok(Self { simulator, receipts, client, account, names })
    }
}

/// Those of this crate, each with this grant.
fn keys(grant: Arc<dyn Grant>) -> Arc<dyn Admission> {
    let keys = StaticKeys::new(&[KEY, OTHER_KEY]).with_grant(grant);
    Arc::new(keys.with_admins(&[ADMIN_KEY]))
}

fn account(
    login: SimAccount,
    number: u64,
    surface: Option<&'static Surface>,
    base: &str,
) -> Result<Account, Box<dyn std::error::Error + Send + Sync>> {
    let SimAccount { refresh_token, client_id, client_secret, profile_arn, .. } = login;
    let mut credential = Credential::new(Kind::BuilderId);
    let secret = Some(client_secret.into());
    credential.client = Some(qm_credential::Client { id: client_id, secret, expires_ms: None });
    credential.refresh_token = Some(refresh_token.into());
    let arn = profile_arn.map(|arn| Arn::parse(&arn, ArnOrigin::Operator, &credential.kind));
    credential.arn = arn.transpose()?;
    Ok(Account::new(Parts {
        name: format!("account {number}"),
        number,
        credential,
        client: Upstream::new(Identity::new(None, false)?, Duration::from_secs(5)),
        endpoints: Endpoints::new(Some(base), Some(base))?,
        pins: Pins { surface, ..Pins::default() },
        learned: Learned::default(),
        keeper: Arc::new(Forgetful),
        clock: counting_clock(),
        random: counting(),
    }))
}

/// Milliseconds that pass with the runtime's own clock, which tests can pause.
fn counting_clock() -> Clock {
    let start = Instant::now();
    Arc::new(move || 1_700_000_000_000 + start.elapsed().as_millis() as u64)
}

/// Random bits that are the same in every run.
fn counting() -> Random {
    let next = AtomicU64::new(1);
    Arc::new(move || {
        u128::from(next.fetch_add(1, Ordering::Relaxed))
            .wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
    })
}
