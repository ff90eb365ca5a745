//! Connecting: TCP and TLS under one deadline, and a connection that is small to carry.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::uri::{Authority, Scheme};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower_service::Service;

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
}

/// Connects, or gives up after a while. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Connector {
    direct: HttpsConnector<HttpConnector>,
    deadline: Duration,
}

/// A connected stream. TLS is behind a pointer: it is a kilobyte, which plain connections need not carry.
pub(crate) enum Stream {
    Plain(TokioIo<TcpStream>),
    Tls(Box<MaybeHttpsStream<TokioIo<TcpStream>>>),
}

// === impl Connector ===

impl Connector {
    /// A connector that gives up, TLS included, after `deadline`.
    pub(crate) fn new(deadline: Duration) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(Duration::from_mins(1)));
        // A kept connection whose peer has gone without a word must not eat a request's whole time.
        #[cfg(target_os = "linux")]
        tcp.set_tcp_user_timeout(Some(GONE));
        tcp.enforce_http(false);
        // The system's roots, so that a company's own authority works; the bundled ones where a bare image has none.
        let tls = match HttpsConnectorBuilder::new().with_native_roots() {
            Ok(tls) => tls,
            Err(error) => {
                tracing::warn!(%error, "no system certificates; using the bundled ones");
                HttpsConnectorBuilder::new().with_webpki_roots()
            }
        };
        Self { direct: tls.https_or_http().enable_http1().wrap_connector(tcp), deadline }
    }

    /// A new connection to this place.
    ///
    /// # Errors
    /// When it cannot be had, or not in time.
    pub(crate) async fn connect(&self, place: &Place) -> Result<Stream, Failed> {
        let Route::Direct = place.route;
        let address = Uri::builder()
            .scheme(place.scheme.clone())
            .authority(place.authority.clone())
            .path_and_query("/")
            .build()?;
        let mut connector = self.direct.clone();
        let connecting = async {
            poll_fn(|cx| connector.poll_ready(cx)).await?;
            connector.call(address).await
        };
        // Boxed: names, addresses and handshakes make a long future, and most requests never need it.
        let connected = timeout(self.deadline, Box::pin(connecting)).await;
        let connected = connected.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?;
        Ok(Stream::from(connected?))
    }
}

// === impl Stream ===

impl From<MaybeHttpsStream<TokioIo<TcpStream>>> for Stream {
    fn from(stream: MaybeHttpsStream<TokioIo<TcpStream>>) -> Self {
        match stream {
            MaybeHttpsStream::Http(plain) => Self::Plain(plain),
            tls @ MaybeHttpsStream::Https(_) => Self::Tls(Box::new(tls)),
        }
    }
}

impl Read for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl Write for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
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
        }
    }
}
