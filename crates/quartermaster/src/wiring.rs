//! Builds the gateway from its configuration: the bill of materials, in the order of who needs whom.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use qm_admin::AdminParts;
use qm_canon::Kind;
use qm_front::serve::{Bounds, serve_all as serve_http};
use qm_front::{Bodies, Front, Health, Kept as KeptResponses, router};
use qm_relay::{Deadlines, Names, Naming, Relay, StaticKeys};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::config::{self, Config, Timeouts};
use crate::fleet::{self, Kept};
use crate::ledger::LogLedger;

/// Most client connections at once; further ones wait in the listener's queue.
const MAX_CONNECTIONS: usize = 16_384;

/// Most bytes of request bodies in memory at once; further ones wait to be read.
const BODIES_TOTAL: usize = 1 << 30;

/// How long open answers may go on once the gateway has been asked to stop.
const DRAIN: Duration = Duration::from_secs(30);

/// Serves until `shutdown` resolves, the open answers have ended, and all that happened to accounts is written down.
pub(crate) async fn serve(
    config: Config,
    kept: Kept,
    listeners: Vec<TcpListener>,
    shutdown: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let fleet = fleet::open(&config, &kept).await?;
    fleet.reconcile_environment(fleet::of_environment(&config)).await?;
    let draining = Arc::new(AtomicBool::new(false));
    let front = front(&config, fleet.clone(), Arc::clone(&draining));
    let shutdown = async move {
        shutdown.await;
        draining.store(true, Ordering::Relaxed);
    };
    let bounds = Bounds { connections: MAX_CONNECTIONS, drain: DRAIN };
    let prefix = config.listen.path_prefix.as_deref();
    let admin = qm_admin::router(AdminParts {
        fleet: fleet.clone(),
        keys: config.keys.admins.clone(),
        now: fleet::clock(),
        random: fleet::random(),
    });
    let routes = router(front, prefix).merge(admin.clone());
    let routes = match prefix {
        Some(prefix) => routes.nest(prefix, admin),
        None => routes,
    };
    let (serving, served) = oneshot::channel::<()>();
    let serve = async move {
        let outcome = serve_http(listeners, routes, bounds, shutdown).await;
        // Only now: the last answers change accounts too.
        drop(serving);
        outcome
    };
    let ended = async move { drop(served.await) };
    let (outcome, ()) = tokio::join!(serve, fleet.run(ended));
    kept.store.close().await;
    outcome.context("serving failed")
}

fn front(config: &Config, fleet: qm_accounts::Fleet, draining: Arc<AtomicBool>) -> Front {
    let (random, now) = (fleet::random(), fleet::clock());
    let keys = &config.keys;
    let relay = Relay {
        admission: Arc::new(StaticKeys::new(&keys.clients).with_admins(&keys.admins)),
        accounts: Arc::new(fleet),
        ledger: Arc::new(LogLedger),
        deadlines: deadlines(config.timeouts),
        names: Arc::new(Names::new(Naming {
            aliases: config.models.aliases.clone(),
            default_model: config.models.default.clone(),
        })),
        without_account: without_account(config),
        random: Arc::clone(&random),
        now,
    };
    Front {
        relay: Arc::new(relay),
        bodies: Bodies::new(config.listen.body_limit_bytes, BODIES_TOTAL),
        images: images(config.fetch),
        kept: Arc::new(KeptResponses::new(config.responses.keep, config.responses.memory_bytes)),
        random,
        now: Arc::new(|| fleet::now_ms() / 1000),
        health: Health {
            counts_for_everybody: config.answers.counts_for_everybody,
            unhealthy_is_200: config.answers.unhealthy_is_200,
        },
        origins: config.answers.origins.clone(),
        draining,
    }
}

fn without_account(config: &Config) -> Kind {
    if config.answers.no_account_is_401 { Kind::Unauthenticated } else { Kind::Unavailable }
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
