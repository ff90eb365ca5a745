//! A forward proxy for tests: HTTP `CONNECT` or SOCKS5, with or without a password, that counts what goes through it.
//!
//! It can send every tunnel to one address, so that a client may ask for the service's real host names and still end
//! at the simulator.

mod connect;
mod socks;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// The most targets kept.
const KEPT_TARGETS: usize = 10_000;

/// What a proxy is started with. The default is an open HTTP proxy on a free loopback port.
#[derive(Clone, Default)]
pub struct ProxyOptions {
    /// What it speaks.
    pub kind: ProxyKind,
    /// User and password that must be given.
    pub login: Option<(String, String)>,
    /// Where every tunnel ends, whatever was asked for; absent connects to what was asked for.
    pub to: Option<SocketAddr>,
    /// What it does instead of its work.
    pub fault: Option<ProxyFault>,
}

/// What a proxy speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProxyKind {
    /// HTTP `CONNECT`, Basic authorization.
    #[default]
    Http,
    /// SOCKS5 (RFC 1928), user and password (RFC 1929).
    Socks5,
}

/// What a proxy does instead of its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyFault {
    /// It says that the target cannot be reached.
    Unreachable,
    /// It closes the connection without a word.
    Close,
    /// It says nothing until the client leaves.
    Stall,
}

/// What went through a proxy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProxyCounts {
    /// Connections taken.
    pub connections: u64,
    /// Those whose user or password was missing or wrong.
    pub refused: u64,
    /// Those that were connected to a target.
    pub tunnels: u64,
    /// Bytes from clients, of tunnels that have ended.
    pub sent_bytes: u64,
    /// Bytes to clients, of tunnels that have ended.
    pub received_bytes: u64,
    /// `host:port` as asked for, in order; the last ten thousand. A name here was not resolved by the client.
    pub targets: Vec<String>,
}

/// A running proxy; dropping it ends it and every tunnel.
pub struct Proxy {
    state: Arc<State>,
    addr: SocketAddr,
    task: JoinHandle<()>,
}

struct State {
    options: Mutex<ProxyOptions>,
    counts: Mutex<ProxyCounts>,
}

/// Why a connection came to nothing; what there was to say has been said.
struct Ended;

/// Binds and serves on a task of its own until the handle is dropped.
///
/// # Errors
/// When no port can be had.
pub async fn start(options: ProxyOptions) -> io::Result<Proxy> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let addr = listener.local_addr()?;
    let state = Arc::new(State { options: Mutex::new(options), counts: Mutex::default() });
    #[expect(clippy::disallowed_methods, reason = "the accept loop; it ends with the handle")]
    let task = tokio::spawn(serve(Arc::clone(&state), listener));
    Ok(Proxy { state, addr, task })
}

impl Proxy {
    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its address as people write it: `http://user:password@127.0.0.1:PORT` or `socks5h://…`. User and password are
    /// written as they are, so they should need no encoding.
    #[must_use]
    pub fn url(&self) -> String {
        let options = locked(&self.state.options);
        let scheme = match options.kind {
            ProxyKind::Http => "http",
            ProxyKind::Socks5 => "socks5h",
        };
        let login =
            options.login.as_ref().map_or_else(String::new, |(user, password)| format!("{user}:{password}@"));
        format!("{scheme}://{login}{}", self.addr)
    }

    /// What went through it so far.
    #[must_use]
    pub fn counts(&self) -> ProxyCounts {
        locked(&self.state.counts).clone()
    }

    /// What it does instead of its work from now on; `None` lets it work.
    pub fn set_fault(&self, fault: Option<ProxyFault>) {
        locked(&self.state.options).fault = fault;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(state: Arc<State>, listener: TcpListener) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                locked(&state.counts).connections += 1;
                connections.spawn(converse(Arc::clone(&state), stream));
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

async fn converse(state: Arc<State>, mut client: TcpStream) {
    let options = locked(&state.options).clone();
    let opened = match options.kind {
        ProxyKind::Http => connect::open(&state, &options, &mut client).await,
        ProxyKind::Socks5 => socks::open(&state, &options, &mut client).await,
    };
    let Ok(mut target) = opened else { return };
    locked(&state.counts).tunnels += 1;
    // A tunnel that broke has ended as well; its bytes are not known then.
    if let Ok((sent, received)) = copy_bidirectional(&mut client, &mut target).await {
        let mut counts = locked(&state.counts);
        counts.sent_bytes += sent;
        counts.received_bytes += received;
    }
}

impl State {
    fn refused(&self) {
        locked(&self.counts).refused += 1;
    }

    /// Connects to where this tunnel leads; `asked` is `host:port`.
    async fn reach(&self, options: &ProxyOptions, asked: String) -> io::Result<TcpStream> {
        let to = options.to.map_or_else(|| asked.clone(), |to| to.to_string());
        {
            let mut counts = locked(&self.counts);
            if counts.targets.len() < KEPT_TARGETS {
                counts.targets.push(asked);
            }
        }
        if options.fault == Some(ProxyFault::Unreachable) {
            return Err(io::ErrorKind::HostUnreachable.into());
        }
        TcpStream::connect(to).await
    }
}

/// Whether a fault ends the connection before a word is said; a stall takes as long as the client does.
async fn faulty(options: &ProxyOptions, client: &mut TcpStream) -> Result<(), Ended> {
    match options.fault {
        Some(ProxyFault::Close) => Err(Ended),
        Some(ProxyFault::Stall) => {
            drop(tokio::io::copy(client, &mut tokio::io::sink()).await);
            Err(Ended)
        }
        Some(ProxyFault::Unreachable) | None => Ok(()),
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl From<io::Error> for Ended {
    fn from(_: io::Error) -> Self {
        Self
    }
}
