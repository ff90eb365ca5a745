//! `serve`: opens the door, says what is behind it, and serves until asked to stop.

use std::io;
use std::net::SocketAddr;

use anyhow::anyhow;
use qm_access::Access;
use qm_keys::Scope;
use qm_relay::Admission as _;
use qm_store::{KeyFilter, KeyPlace};
use tokio::net::{TcpListener, TcpSocket};
use tracing::{info, warn};

use crate::config::{Auth, Config, Listen};
use crate::fleet::Kept;
use crate::{access, first_key, stop, wiring};

/// Connections that may wait to be accepted; the kernel cuts it to its own limit (`net.core.somaxconn`).
const LISTEN_QUEUE: u32 = 4096;

/// Runs the gateway.
pub(crate) async fn run(config: Config) -> anyhow::Result<()> {
    let listeners = bind(&config.listen)?;
    let kept = Kept::open(&config).await?;
    let access = access::open(&config, &kept.store).await?;
    first_key::ensure(&config, &access).await?;
    announce(&config, &access, &listeners).await?;
    Box::pin(wiring::serve(config, kept, access, listeners, stop::asked())).await
}

/// Opens the ports, or says what stands in the way and what to do.
pub(crate) fn bind(listen: &Listen) -> anyhow::Result<Vec<TcpListener>> {
    listen.addresses.iter().map(|address| bind_one(*address)).collect()
}

fn bind_one(address: SocketAddr) -> anyhow::Result<TcpListener> {
    open(address).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => anyhow!(
            "{address} is already in use: stop the other program, or choose another port with --port or PORT"
        ),
        io::ErrorKind::PermissionDenied => {
            anyhow!("{address} needs more rights: choose a port above 1023 with --port or PORT")
        }
        io::ErrorKind::AddrNotAvailable => {
            anyhow!("{address} is not an address of this machine: choose another with --host or HOST")
        }
        _ => anyhow!(error).context(format!("{address} cannot be listened on")),
    })
}

/// The default queue holds 128: when thousands of agents come back at once, the kernel would drop the others'
/// attempts, which then wait a second, three, seven.
fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(LISTEN_QUEUE)
}

/// Says what the operator should know although it is no mistake.
pub(crate) fn mention(notes: &[String]) {
    for note in notes {
        warn!("{note}");
    }
}

async fn announce(config: &Config, access: &Access, listeners: &[TcpListener]) -> anyhow::Result<()> {
    mention(&config.notes);
    let keys = access.census();
    let accounts = config.accounts.len();
    let surface = config.upstream.surface.map_or("auto", |surface| surface.name);
    let database = config.database.path.display();
    for listener in listeners {
        let address = listener.local_addr()?;
        info!(%address, surface, accounts, keys, %database, "listening");
    }
    if accounts > 0 {
        info!(
            "accounts are from the environment or the file, which counts as having acknowledged the note on terms: \
             the upstream is not published for third-party use; see the README"
        );
    }
    let of_clients = KeyFilter { scope: Some(Scope::Inference.word().to_owned()), ..KeyFilter::default() };
    if access.list(&of_clients, KeyPlace::default(), 1).await?.total == 0 && config.auth == Auth::Keys {
        warn!(
            "there is no key of a client yet: make one with `quartermaster keys create`, or set OPENAI_KEYS"
        );
    }
    Ok(())
}

/// The first address, for whoever is to be told one.
pub(crate) fn first_address(listeners: &[TcpListener]) -> anyhow::Result<SocketAddr> {
    let first = listeners.first().ok_or_else(|| anyhow!("there is no address to listen on"))?;
    Ok(first.local_addr()?)
}

/// The address that a client on this machine uses.
pub(crate) fn base_url(address: SocketAddr) -> String {
    let mut reachable = address;
    if address.ip().is_unspecified() {
        reachable.set_ip(match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    format!("http://{reachable}")
}
