//! The accounts, from the configuration: the same for `serve`, the demo and every command.

use std::sync::Arc;

use anyhow::anyhow;
use qm_accounts::{EnvironmentAccount, Fleet, Habits, Outbound, Parts};
use qm_credential::Proxy as WishedProxy;
use qm_pool::Pool;
use qm_relay::{Clock, Random};
use qm_seal::Keyring;
use qm_store_sqlite::SqliteStore;
use qm_upstream::{Client, Endpoints, Identity, Pins, Proxy, Way};
use secrecy::ExposeSecret;

use crate::config::{self, Config};
use crate::keyring;

/// Where accounts are kept, and what seals their secrets.
pub(crate) struct Kept {
    /// The database.
    pub(crate) store: SqliteStore,
    /// The master keys.
    pub(crate) keyring: Arc<Keyring>,
}

impl Kept {
    /// In the configured file; makes what is missing.
    pub(crate) async fn open(config: &Config) -> anyhow::Result<Self> {
        let store = SqliteStore::open(&config.database.path).await?;
        let keyring = keyring::open(&config.master, &store).await?;
        Ok(Self { store, keyring: Arc::new(keyring) })
    }

    /// In memory: nothing is on disk, and nothing is left.
    pub(crate) async fn in_memory() -> anyhow::Result<Self> {
        Ok(Self { store: SqliteStore::in_memory().await?, keyring: Arc::new(keyring::passing()?) })
    }
}

/// All accounts that are kept.
pub(crate) async fn open(config: &Config, kept: &Kept) -> anyhow::Result<Fleet> {
    Ok(Fleet::open(Parts {
        store: Arc::new(kept.store.clone()),
        keyring: Arc::clone(&kept.keyring),
        pool: Pool::new(config.pool.rules, config.pool.strategy),
        outbound: outbound(config)?,
        now: clock(),
        random: random(),
        habits: Habits { quota_every: config.pool.quota_every, ..Habits::default() },
        terms_by_environment: config.terms || !config.accounts.is_empty(),
    })
    .await?)
}

/// The accounts that the configuration names, for the fleet to make its own.
pub(crate) fn of_environment(config: &Config) -> Vec<EnvironmentAccount> {
    let accounts = config.accounts.iter();
    accounts
        .map(|config::Account { slot, draft }| EnvironmentAccount {
            slot: slot.clone(),
            draft: draft.clone(),
        })
        .collect()
}

/// Milliseconds since 1970.
pub(crate) fn clock() -> Clock {
    Arc::new(now_ms)
}

/// Chance, good enough for keys.
pub(crate) fn random() -> Random {
    Arc::new(rand::random::<u128>)
}

#[expect(clippy::disallowed_methods, reason = "this is where the time comes from")]
pub(crate) fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}

/// Calls to the upstream, by the machine's own way.
pub(crate) fn client(config: &Config) -> anyhow::Result<Client> {
    let upstream = &config.upstream;
    let identity = Identity::new(upstream.user_agent.as_deref(), upstream.share_content)
        .map_err(|text| anyhow!("`{text}` cannot be a user agent"))?;
    let usual = Way::Usual(Arc::new(config.proxies.clone()));
    Ok(Client::new(identity, config.timeouts.connect).by(usual))
}

fn outbound(config: &Config) -> anyhow::Result<Outbound> {
    let upstream = &config.upstream;
    let api = upstream.api_endpoint.as_ref().map(config::Endpoint::as_str);
    let client = client(config)?;
    let other_ways = client.clone();
    let through = move |wished: &WishedProxy| match wished {
        WishedProxy::Direct => Ok(other_ways.by(Way::Direct)),
        WishedProxy::Url(url) => Proxy::parse(url.expose_secret())
            .map(|proxy| other_ways.by(Way::Through(proxy)))
            .map_err(|bad| bad.to_string()),
    };
    Ok(Outbound {
        client,
        through: Arc::new(through),
        endpoints: Endpoints::new(api, Some(upstream.token_base.as_str()))?,
        pins: Pins { surface: upstream.surface, arn: None, region: upstream.region.clone() },
    })
}
