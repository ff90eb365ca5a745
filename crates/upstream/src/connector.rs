//! Connecting: TCP and TLS under one deadline, and a connection that is small to carry.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::uri::{Authority, Scheme};
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower_service::Service;

use crate::proxy::{Proxy, Speaks};

/// How long the upstream may leave bytes unacknowledged.
#[cfg(target_os = "linux")]
const GONE: Duration = Duration::from_secs(30);

/// Why there is no connection.
pub(crate) type Failed = Box<dyn std::error::Error + Send + Sync>;

/// Where a connection leads and by which way. Connections to the same place are alike.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) scheme: Scheme,
    pub(crate) authority: Authority,
    pub(crate) route: Route,
}

/// The way to a host. Part of the place, so that calls that must take different ways never share a connection.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum Route {
    /// Straight there.
    Direct,
    /// Through a proxy.
    Proxy(Proxy),
}

/// A proxy did not do its work.
#[derive(Debug, thiserror::Error)]
#[error("proxy {proxy}: {stage}")]
pub(crate) struct ProxyFailed {
    proxy: String,
    pub(crate) stage: Stage,
    #[source]
    source: Failed,
}

/// Where it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Stage {
    /// On the way to the proxy.
    #[error("it cannot be reached")]
    Reach,
    /// It wants another user or password.
    #[error("it refuses the user or the password")]
    Login,
    /// On the way from the proxy to the upstream.
    #[error("it does not connect to the upstream")]
    Beyond,
}

/// Connects, or gives up after a while. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Connector {
    direct: HttpsConnector<HttpConnector>,
    tls: Arc<ClientConfig>,
    deadline: Duration,
}

/// A connection that exists already, where a connector is asked for.
struct Ready<C>(Option<C>);

type Straight = MaybeHttpsStream<TokioIo<TcpStream>>;

/// A connected stream. TLS is behind a pointer: it is a kilobyte, which plain connections need not carry.
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TokioIo<Straight>>),
    Proxied(Box<TokioIo<MaybeHttpsStream<Straight>>>),
}

// === impl Connector ===

impl Connector {
    /// A connector that gives up, TLS included, after `deadline`.
    pub(crate) fn new(deadline: Duration) -> Self {
        // The system's roots, so that a company's own authority works; the bundled ones where a bare image has none.
        let tls = match ClientConfig::builder().with_native_roots() {
            Ok(tls) => tls,
            Err(error) => {
                tracing::warn!(%error, "no system certificates; using the bundled ones");
                ClientConfig::builder().with_webpki_roots()
            }
        };
        Self::trusting(tls.with_no_client_auth(), deadline)
    }

    fn trusting(tls: ClientConfig, deadline: Duration) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(Duration::from_mins(1)));
        // A kept connection whose peer has gone without a word must not eat a request's whole time.
        #[cfg(target_os = "linux")]
        tcp.set_tcp_user_timeout(Some(GONE));
        tcp.enforce_http(false);
        let tls = Arc::new(tls);
        Self { direct: HttpsConnector::from((tcp, Arc::clone(&tls))), tls, deadline }
    }

    /// The longest that [`Self::connect`] takes.
    pub(crate) fn deadline(&self) -> Duration {
        self.deadline
    }

    /// A new connection to this place.
    ///
    /// # Errors
    /// When it cannot be had, or not in time.
    pub(crate) async fn connect(&self, place: &Place) -> Result<Stream, Failed> {
        let address = Uri::builder()
            .scheme(place.scheme.clone())
            .authority(place.authority.clone())
            .path_and_query("/")
            .build()?;
        // Boxed: names, addresses and handshakes make a long future, and most requests never need it.
        let connected = match &place.route {
            Route::Direct => {
                let straight = connected(self.direct.clone(), address);
                timeout(self.deadline, Box::pin(straight)).await.map(|stream| stream.map(Stream::from))
            }
            Route::Proxy(proxy) => timeout(self.deadline, Box::pin(self.through(proxy, address))).await,
        };
        connected.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    }

    /// First to the proxy, then beyond it, then TLS to the upstream: each with an error of its own.
    async fn through(&self, proxy: &Proxy, address: Uri) -> Result<Stream, Failed> {
        let failed = |stage, source| ProxyFailed { proxy: proxy.to_string(), stage, source };
        let there = connected(self.direct.clone(), proxy.address());
        let there = Ready(Some(there.await.map_err(|source| failed(Stage::Reach, source))?));
        let port =
            address.port_u16().unwrap_or(if address.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 });
        let target = format!("{}:{port}", address.host().unwrap_or_default());
        let target = Uri::builder().scheme("https").authority(target).path_and_query("/").build()?;
        let beyond = match proxy.speaks() {
            Speaks::Http => {
                let tunnel = Tunnel::new(proxy.address(), there);
                let tunnel = proxy.basic().into_iter().fold(tunnel, Tunnel::with_auth);
                connected(tunnel, target).await
            }
            Speaks::Socks5 => {
                let socks = SocksV5::new(proxy.address(), there);
                let socks = proxy.login().into_iter().fold(socks, |socks, (user, password)| {
                    socks.with_auth(user.to_owned(), password.to_owned())
                });
                connected(socks, target).await
            }
        };
        let beyond = beyond.map_err(|source| failed(stage_of(&source), source))?;
        let tls = HttpsConnector::from((Ready(Some(beyond)), Arc::clone(&self.tls)));
        Ok(Stream::Proxied(Box::new(TokioIo::new(connected(tls, address).await?))))
    }
}

/// Calls a connector once it is ready.
async fn connected<C>(mut connector: C, address: Uri) -> Result<C::Response, Failed>
where
    C: Service<Uri>,
    C::Error: Into<Failed>,
{
    poll_fn(|cx| connector.poll_ready(cx)).await.map_err(Into::into)?;
    connector.call(address).await.map_err(Into::into)
}

/// Whether a proxy refused who asks or what was asked for. The library's errors have no names outside it, but words.
fn stage_of(error: &Failed) -> Stage {
    let words = format!("{error} {error:?}").to_ascii_lowercase();
    if words.contains("auth") { Stage::Login } else { Stage::Beyond }
}

// === impl Ready ===

impl<C: Send + 'static> Service<Uri> for Ready<C> {
    type Response = C;
    type Error = Failed;
    type Future = std::future::Ready<Result<C, Failed>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failed>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        std::future::ready(self.0.take().ok_or_else(|| "the connection is taken".into()))
    }
}

// === impl Stream ===

impl From<MaybeHttpsStream<TokioIo<TcpStream>>> for Stream {
    fn from(stream: MaybeHttpsStream<TokioIo<TcpStream>>) -> Self {
        match stream {
            MaybeHttpsStream::Http(plain) => Self::Plain(plain.into_inner()),
            tls @ MaybeHttpsStream::Https(_) => Self::Tls(Box::new(TokioIo::new(tls))),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Proxied(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Proxied(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
            Self::Proxied(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Proxied(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
            Self::Proxied(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, buffers),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, buffers),
            Self::Proxied(stream) => Pin::new(stream).poll_write_vectored(cx, buffers),
        }
    }
}

#[cfg(test)]
mod tests;
