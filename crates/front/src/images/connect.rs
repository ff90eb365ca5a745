//! Connecting to exactly the address that was checked. A client of HTTP that resolves names by itself would resolve them
//! a second time, and what was public at the first may not be at the second.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Uri;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower_service::Service;

use super::Policy;
use super::names::Names;
use super::target::Host;

/// How long one address may take to be connected.
const CONNECT: Duration = Duration::from_secs(3);

/// Most addresses of one name that are tried.
const TRIES: usize = 3;

/// Connects to where a URL leads, if that is a place from which pictures may be fetched.
#[derive(Clone)]
pub(super) struct Connector {
    policy: Arc<Policy>,
    names: Arc<dyn Names>,
}

/// Why there is no connection. For the log; clients are not told which it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unconnected {
    /// The name leads nowhere.
    Unknown,
    /// It leads to a place that is not public, or to a port that is not the web's.
    NotPublic,
    /// Nobody took the connection.
    Unreachable,
}

// === impl Connector ===

impl Connector {
    pub(super) fn new(policy: Arc<Policy>, names: Arc<dyn Names>) -> Self {
        Self { policy, names }
    }

    async fn connect(self, uri: Uri) -> Result<TcpStream, Unconnected> {
        let host = uri.host().and_then(Host::of).ok_or(Unconnected::Unknown)?;
        let port = uri.port_u16().ok_or(Unconnected::Unknown)?;
        let found = match host {
            Host::Address(address) => vec![address],
            Host::Name(name) => self.names.lookup(&name).await.map_err(|_| Unconnected::Unknown)?,
        };
        for address in self.checked(found, port)?.into_iter().take(TRIES) {
            if let Ok(Ok(stream)) = timeout(CONNECT, TcpStream::connect(address)).await {
                return Ok(stream);
            }
        }
        Err(Unconnected::Unreachable)
    }

    /// The places to try, each once. One that is closed closes all: a name that leads to both is no honest one.
    fn checked(&self, found: Vec<IpAddr>, port: u16) -> Result<Vec<SocketAddr>, Unconnected> {
        let mut places = Vec::new();
        for address in found {
            let place = SocketAddr::new(address.to_canonical(), port);
            if !self.policy.permits(place) {
                return Err(Unconnected::NotPublic);
            }
            if !places.contains(&place) {
                places.push(place);
            }
        }
        if places.is_empty() { Err(Unconnected::Unknown) } else { Ok(places) }
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = Unconnected;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Unconnected>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Unconnected>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.clone().connect(uri);
        Box::pin(async move { connecting.await.map(TokioIo::new) })
    }
}

// === impl Unconnected ===

impl Unconnected {
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Unknown => "name",
            Self::NotPublic => "not-public",
            Self::Unreachable => "connect",
        }
    }
}

impl fmt::Display for Unconnected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl std::error::Error for Unconnected {}
