//! Builds the gateway from its configuration: the bill of materials, in the order of who needs whom.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, anyhow};
use qm_credential::{Arn, ArnOrigin, Credential, Kind};
use qm_front::serve::{Bounds, serve as serve_http};
use qm_front::{Bodies, Front, Kept, router};
use qm_pool::{AccountId, Pool, Rules, Stored, Strategy, Traits};
use qm_relay::{Clock, Deadlines, Fixed, Random, Relay, StaticKeys};
use qm_upstream::{Account, Client, Endpoints, Forgetful, Identity, Learned, Parts, Pins, Way};
use secrecy::ExposeSecret;
use tokio::net::TcpListener;

use crate::config::{self, Config, Timeouts};
use crate::ledger::LogLedger;

/// Most client connections at once; further ones wait in the listener's queue.
const MAX_CONNECTIONS: usize = 16_384;

/// Most bytes of request bodies in memory at once; further ones wait to be read.
const BODIES_TOTAL: usize = 1 << 30;

/// How long open answers may go on once the gateway has been asked to stop.
const DRAIN: Duration = Duration::from_secs(30);

/// Serves until `shutdown` resolves and the open answers have ended.
pub(crate) async fn serve(
    config: Config,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let random: Random = Arc::new(rand::random::<u128>);
    let account =
        config.account.as_ref().map(|account| build_account(account, &config)).transpose()?.map(Arc::new);
    let now: Clock = Arc::new(now_ms);
    let pool = Pool::new(Rules::default(), Strategy::default());
    if account.is_some() {
        pool.add(AccountId(1), Traits::default(), Stored::default(), now_ms());
    }
    let relay = Relay {
        admission: Arc::new(StaticKeys::new(&config.keys.clients)),
        accounts: Arc::new(Fixed::new(
            account.iter().map(Arc::clone).collect(),
            pool,
            Arc::clone(&now),
            Arc::clone(&random),
        )),
        ledger: Arc::new(LogLedger),
        deadlines: deadlines(config.timeouts),
        default_model: config.models.default.clone(),
        aliases: config.models.aliases.clone(),
        random: Arc::clone(&random),
        now,
    };
    let draining = Arc::new(AtomicBool::new(false));
    let front = Front {
        relay: Arc::new(relay),
        bodies: Bodies::new(config.listen.body_limit_bytes, BODIES_TOTAL),
        images: images(config.fetch),
        kept: Arc::new(Kept::new(config.responses.keep, config.responses.memory_bytes)),
        random,
        now: Arc::new(|| now_ms() / 1000),
        keys: config.keys.clients.len(),
        draining: Arc::clone(&draining),
    };
    let shutdown = async move {
        shutdown.await;
        draining.store(true, Ordering::Relaxed);
    };
    if let Some(account) = account {
        // Ahead of the first request: its token and its models. Started here, awaited by nobody.
        drop(account.catalogue());
    }
    let bounds = Bounds { connections: MAX_CONNECTIONS, drain: DRAIN };
    serve_http(listener, router(front, config.listen.path_prefix.as_deref()), bounds, shutdown)
        .await
        .context("serving failed")
}

#[expect(clippy::disallowed_methods, reason = "this is where the time comes from")]
fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}

fn build_account(account: &config::Account, config: &Config) -> anyhow::Result<Account> {
    let upstream = &config.upstream;
    let api = upstream.api_endpoint.as_ref().map(config::Endpoint::as_str);
    let endpoints = Endpoints::new(api, Some(upstream.token_base.as_str()))?;
    let identity = Identity::new(upstream.user_agent.as_deref(), upstream.share_content)
        .map_err(|text| anyhow!("`{text}` cannot be a user agent"))?;
    let mut credential = Credential::new(Kind::BuilderId);
    credential.client = Some(qm_credential::Client {
        id: account.client_id.expose_secret().to_owned(),
        secret: Some(account.client_secret.clone()),
        expires_ms: None,
    });
    credential.refresh_token = Some(account.refresh_token.clone());
    let arn =
        account.profile_arn.as_deref().map(|arn| Arn::parse(arn, ArnOrigin::Operator, &credential.kind));
    // A profile that nobody could use is as good as none; the log says so.
    credential.arn = arn.transpose().unwrap_or_else(|flaw| {
        tracing::warn!("account.profile_arn {flaw}; it is not used");
        None
    });
    let region = Some(upstream.region.clone());
    Ok(Account::new(Parts {
        name: "environment".to_owned(),
        number: 1,
        credential,
        client: Client::new(identity, config.timeouts.connect)
            .by(Way::Usual(Arc::new(config.proxies.clone()))),
        endpoints,
        pins: Pins { surface: upstream.surface, arn: None, region },
        learned: Learned::default(),
        keeper: Arc::new(Forgetful),
        clock: Arc::new(now_ms),
        random: Arc::new(rand::random::<u128>),
    }))
}

fn images(fetch: config::FetchImages) -> qm_front::Images {
    use qm_front::{Images, Policy};

    let https = || Policy::new(qm_amazonq::IMAGE_CHARS);
    match fetch {
        config::FetchImages::Off => Images::off(),
        config::FetchImages::Https => Images::fetched(https()),
        config::FetchImages::HttpToo => Images::fetched(https().with_plain_http()),
    }
}

fn deadlines(timeouts: Timeouts) -> Deadlines {
    let Timeouts { connect: _, first_event, idle, total, ping_every } = timeouts;
    Deadlines { first_event, idle, total, ping: ping_every }
}
