//! Connecting: TCP and TLS under one deadline, and a connection that is small to carry.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower_service::Service;

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// Connects, or gives up after a while.
#[derive(Clone)]
pub(crate) struct Connector {
    inner: HttpsConnector<HttpConnector>,
    deadline: Duration,
}

/// A connection, behind a pointer: a TLS stream is a kilobyte, and the tasks that drive it hold it several times over.
pub(crate) struct Boxed(Pin<Box<MaybeHttpsStream<TokioIo<TcpStream>>>>);

impl Connector {
    pub(crate) fn new(inner: HttpsConnector<HttpConnector>, deadline: Duration) -> Self {
        Self { inner, deadline }
    }
}

impl Service<Uri> for Connector {
    type Response = Boxed;
    type Error = Failed;
    type Future = Pin<Box<dyn Future<Output = Result<Boxed, Failed>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failed>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, address: Uri) -> Self::Future {
        let (connecting, deadline) = (self.inner.call(address), self.deadline);
        Box::pin(async move {
            let connected = timeout(deadline, connecting).await;
            let connected = connected.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?;
            Ok(Boxed(Box::pin(connected?)))
        })
    }
}

impl Connection for Boxed {
    fn connected(&self) -> Connected {
        self.0.connected()
    }
}

impl Read for Boxed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_read(cx, buffer)
    }
}

impl Write for Boxed {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.as_mut().poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.0.as_mut().poll_write_vectored(cx, buffers)
    }
}
