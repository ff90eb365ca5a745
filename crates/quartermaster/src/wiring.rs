//! Builds the gateway from its configuration: the bill of materials, in the order of who needs whom.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use qm_access::Access;
use qm_accounts::Fleet;
use qm_admin::AdminParts;
use qm_canon::Kind;
use qm_front::serve::{Bounds, serve_all as serve_http};
use qm_front::{Bodies, Console, Front, Health, Kept as KeptResponses, Trusted, router};
use qm_ledger::Books;
use qm_relay::{Deadlines, Relay};
use qm_store_sqlite::SqliteStore;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::config::{self, Config, Timeouts};
use crate::decided::{self, Decided};
use crate::fleet::{self, Kept};
use crate::ledger;

/// Most client connections at once; further ones wait in the listener's queue.
const MAX_CONNECTIONS: usize = 16_384;

/// Most bytes of request bodies in memory at once; further ones wait to be read.
const BODIES_TOTAL: usize = 1 << 30;

/// How long open answers may go on once the gateway has been asked to stop.
const DRAIN: Duration = Duration::from_secs(30);

/// What the doors stand before.
struct House<'a> {
    fleet: &'a Fleet,
    access: &'a Access,
    books: &'a Books,
    decided: &'a Arc<Decided>,
}

/// Serves until `shutdown` resolves, the open answers have ended, and all that happened is written down.
pub(crate) async fn serve(
    mut config: Config,
    kept: Kept,
    access: Access,
    listeners: Vec<TcpListener>,
    shutdown: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    decided::take_in(&mut config, &kept.store).await?;
    let fleet = fleet::open(&config, &kept).await?;
    fleet.reconcile_environment(fleet::of_environment(&config)).await?;
    let draining = Arc::new(AtomicBool::new(false));
    let books = ledger::open(&config, &kept.store);
    let decided = Arc::new(Decided::new(&config, &fleet, &books, &kept.store));
    let house = House { fleet: &fleet, access: &access, books: &books, decided: &decided };
    let front = front(&config, &house, &draining);
    let shutdown = async move {
        shutdown.await;
        draining.store(true, Ordering::Relaxed);
    };
    let bounds = Bounds { connections: MAX_CONNECTIONS, drain: DRAIN };
    let prefix = config.listen.path_prefix.as_deref();
    let admin = management(&config, &house, &kept.store);
    let routes = router(front, prefix).merge(admin.clone());
    let routes = match prefix {
        Some(prefix) => routes.nest(prefix, admin),
        None => routes,
    };
    let routes = Trusted::new(config.listen.trusted_proxies.clone()).around(routes);
    let (serving, served) = watch::channel(());
    let serve = async move {
        let outcome = serve_http(listeners, routes, bounds, shutdown).await;
        // Only now: the last answers change accounts and keys too.
        drop(serving);
        outcome
    };
    let [fleet_ends, access_ends, books_end, decided_ends] = std::array::from_fn(|_| ended(&served));
    let (outcome, (), (), _, ()) = tokio::join!(
        serve,
        fleet.run(fleet_ends),
        access.run(access_ends),
        books.run(books_end),
        decided.run(decided_ends)
    );
    // Last: until here all of them write.
    kept.store.close().await;
    outcome.context("serving failed")
}

/// Resolves when nothing is served any more.
fn ended(served: &watch::Receiver<()>) -> impl Future<Output = ()> + use<> {
    let mut served = served.clone();
    async move { while served.changed().await.is_ok() {} }
}

/// The routes of management; none where the operator wants none.
fn management(config: &Config, house: &House<'_>, store: &SqliteStore) -> Router {
    if !config.console.enabled {
        return Router::new();
    }
    qm_admin::router(AdminParts {
        fleet: house.fleet.clone(),
        access: house.access.clone(),
        books: house.books.clone(),
        store: Arc::new(store.clone()),
        settings: Arc::clone(house.decided) as _,
        now: fleet::clock(),
        random: fleet::random(),
    })
}

fn front(config: &Config, house: &House<'_>, draining: &Arc<AtomicBool>) -> Front {
    let (random, now) = (fleet::random(), fleet::clock());
    let relay = Relay {
        admission: Arc::new(house.access.clone()),
        accounts: Arc::new(house.fleet.clone()),
        ledger: Arc::new(house.books.clone()),
        deadlines: deadlines(config.timeouts),
        names: house.decided.names(),
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
        console: console(config.console),
        draining: Arc::clone(draining),
    }
}

fn console(console: config::Console) -> Console {
    match (console.enabled, console.at_root) {
        (false, _) => Console::Off,
        (true, false) => Console::Beside,
        (true, true) => Console::AtRoot,
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
