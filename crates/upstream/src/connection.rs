//! One connection, driven by whoever waits for something from it: no task of its own.

use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};

use crate::bell::Bell;
use crate::connector::Stream;

/// A request as it is sent.
pub(crate) type Call = Request<Full<Bytes>>;

/// A connection that carries one exchange after the other.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    /// `None` once it has ended.
    driver: Option<http1::Connection<Stream, Full<Bytes>>>,
    bell: Bell,
}

/// An exchange that failed before the head of an answer came.
pub(crate) struct Unanswered {
    pub(crate) error: hyper::Error,
    /// The request, where nothing of it has been sent.
    pub(crate) unsent: Option<Call>,
}

// === impl Connection ===

impl Connection {
    pub(crate) async fn begin(stream: Stream) -> hyper::Result<Self> {
        let (sender, driver) = http1::Builder::new().handshake(stream).await?;
        Ok(Self { sender, driver: Some(driver), bell: Bell::new() })
    }

    /// Sends a request and waits for the head of its answer. Dropping the connection closes it.
    pub(crate) async fn exchange(&mut self, call: Call) -> Result<Response<Incoming>, Unanswered> {
        let mut answer = pin!(self.sender.try_send_request(call));
        let answered = std::future::poll_fn(|cx| self.poll(cx, |cx| answer.as_mut().poll(cx))).await;
        answered
            .map_err(|mut failed| Unanswered { unsent: failed.take_message(), error: failed.into_error() })
    }

    /// Drives the connection, then looks whether what is waited for has come of it. Whatever that is, it comes from
    /// the driver and from nowhere else, so `look` need not wake anybody.
    pub(crate) fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut look: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        let Self { driver, bell, .. } = self;
        bell.poll(cx, || {
            drive(driver, &mut bell.context());
            look(&mut Context::from_waker(Waker::noop()))
        })
    }

    /// Whether it can carry another exchange, as far as can be seen from here. Looks for a close by the peer.
    pub(crate) fn is_reusable(&mut self) -> bool {
        drive(&mut self.driver, &mut self.bell.context());
        self.driver.is_some() && self.sender.is_ready()
    }

    /// Lets go of the task that read from it.
    pub(crate) fn rest(&self) {
        self.bell.forget_listener();
    }
}

fn drive(driver: &mut Option<http1::Connection<Stream, Full<Bytes>>>, cx: &mut Context<'_>) {
    let Some(running) = driver else { return };
    if let Poll::Ready(ended) = Pin::new(running).poll(cx) {
        // Who waits is told by what the driver leaves behind for him; nobody waits for an idle connection.
        if let Err(error) = ended {
            tracing::debug!(%error, "an upstream connection ended");
        }
        *driver = None;
    }
}
