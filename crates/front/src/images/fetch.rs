//! Fetching one picture: ask, follow, read within bounds.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;

use axum::body::HttpBody as _;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, ACCEPT_ENCODING, CONNECTION, HOST, HeaderMap, LOCATION, USER_AGENT};
use hyper::http::HeaderValue;
use hyper::{Request, Response, StatusCode};
use hyper_rustls::HttpsConnector;
use qm_canon::MediaType;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};
use tower_service::Service as _;

use super::Policy;
use super::connect::{Connector, Unconnected};
use super::target::Target;

/// Most redirects in a row.
const REDIRECTS: usize = 3;

/// Most bytes of a response's head.
const HEAD_BYTES: usize = 64 << 10;

/// How many bytes of a picture show its type.
const SIGNATURE_BYTES: usize = 12;

/// Unit of the budget: permits are counted in 32 bits.
pub(super) const UNIT: usize = 1024;

/// What is sent of us: no more than that it is us.
const OURSELVES: HeaderValue = HeaderValue::from_static(concat!("Quartermaster/", env!("CARGO_PKG_VERSION")));

/// A picture that was fetched. Its share of the budget is given back when it is dropped.
pub(super) struct Picture {
    pub(super) media_type: MediaType,
    pub(super) base64: String,
    pub(super) share: OwnedSemaphorePermit,
}

/// Why there is no picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// The URL is none that is asked.
    NotAsked,
    /// Nothing came of asking; the word is for the log. Clients are told the same whichever it was, or they could find
    /// out through us what there is on networks that they do not see.
    NotFetched(&'static str),
    /// It is larger than a picture may be.
    TooLarge,
    /// It is no picture of a type that is passed on.
    NoPicture,
    /// There was no room for it in time.
    NoRoom,
}

/// What fetching one picture needs.
pub(super) struct Errand<'f> {
    pub(super) policy: &'f Policy,
    pub(super) connector: HttpsConnector<Connector>,
    pub(super) budget: &'f Arc<Semaphore>,
    /// Until when room is waited for.
    pub(super) deadline: Instant,
}

/// What a request came to.
enum Found {
    Picture(Picture),
    Elsewhere(Target),
}

// === impl Errand ===

impl Errand<'_> {
    /// Fetches the picture behind a URL.
    pub(super) async fn run(mut self, url: &str) -> Result<Picture, Missing> {
        let mut target = Target::parse(url, self.policy.plain_http).ok_or(Missing::NotAsked)?;
        for _ in 0..=REDIRECTS {
            match self.ask(&target).await? {
                Found::Picture(picture) => return Ok(picture),
                Found::Elsewhere(next) => target = next,
            }
        }
        Err(Missing::NotFetched("redirects"))
    }

    /// Asks once, on a connection of its own. It is driven from here and not by a task, so that nothing is left of it
    /// when the client leaves.
    async fn ask(&mut self, target: &Target) -> Result<Found, Missing> {
        let stream = self.connector.call(target.uri().clone()).await.map_err(|error| {
            let unconnected = error.downcast_ref::<Unconnected>();
            Missing::NotFetched(unconnected.map_or("tls", |unconnected| unconnected.code()))
        })?;
        let handshake = http1::Builder::new().max_buf_size(HEAD_BYTES).handshake(stream).await;
        let (mut sender, connection) = handshake.map_err(|_| Missing::NotFetched("http"))?;
        let exchange = async {
            let response = sender.send_request(request(target)?).await;
            self.receive(target, response.map_err(|_| Missing::NotFetched("http"))?).await
        };
        let (mut exchange, mut connection) = (pin!(exchange), pin!(connection));
        let mut open = true;
        poll_fn(|cx| {
            // What it fails of, the exchange learns too.
            open = open && connection.as_mut().poll(cx).is_pending();
            exchange.as_mut().poll(cx)
        })
        .await
    }

    async fn receive(&self, target: &Target, response: Response<Incoming>) -> Result<Found, Missing> {
        match response.status() {
            StatusCode::OK => self.read(response.into_body()).await.map(Found::Picture),
            StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT => {
                let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
                let next = location.and_then(|location| target.follow(location, self.policy.plain_http));
                next.map(Found::Elsewhere).ok_or(Missing::NotFetched("redirect"))
            }
            _ => Err(Missing::NotFetched("status")),
        }
    }

    async fn read(&self, mut body: Incoming) -> Result<Picture, Missing> {
        let most = self.policy.image_bytes();
        let declared = body.size_hint();
        if declared.lower() > most as u64 {
            return Err(Missing::TooLarge);
        }
        // Of unknown length it may become as large as it may be.
        let expected = declared.exact().map_or(most, |length| length as usize);
        let mut share = self.share(expected).await?;
        let mut bytes = Vec::with_capacity(declared.exact().map_or(0, |length| length as usize));
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Missing::NotFetched("body"))?;
            let Ok(chunk) = frame.into_data() else { continue };
            if bytes.len() + chunk.len() > most {
                return Err(Missing::TooLarge);
            }
            bytes.extend_from_slice(&chunk);
            if bytes.len() >= SIGNATURE_BYTES && MediaType::sniff(&bytes).is_none() {
                return Err(Missing::NoPicture);
            }
        }
        // By its bytes: what the server says of it decides nothing.
        let media_type = MediaType::sniff(&bytes).ok_or(Missing::NoPicture)?;
        let base64 = BASE64_STANDARD.encode(&bytes);
        drop(bytes);
        drop(share.split(share.num_permits().saturating_sub(base64.len().div_ceil(UNIT))));
        Ok(Picture { media_type, base64, share })
    }

    /// Room for a picture of so many bytes, and for its base64 beside it.
    async fn share(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Missing> {
        let units = (bytes + bytes.div_ceil(3) * 4).div_ceil(UNIT).max(1);
        let share = Arc::clone(self.budget).acquire_many_owned(units as u32);
        timeout_at(self.deadline, share).await.ok().and_then(Result::ok).ok_or(Missing::NoRoom)
    }
}

fn request(target: &Target) -> Result<Request<Empty<Bytes>>, Missing> {
    let host = HeaderValue::from_str(target.host_header()).map_err(|_| Missing::NotAsked)?;
    let mut request = Request::new(Empty::new());
    *request.uri_mut() = target.path().parse().map_err(|_| Missing::NotAsked)?;
    // Nothing of the client's: no cookies, no credentials, no referrer.
    *request.headers_mut() = HeaderMap::from_iter([
        (HOST, host),
        (USER_AGENT, OURSELVES),
        (ACCEPT, HeaderValue::from_static("image/png, image/jpeg, image/webp, image/gif")),
        (ACCEPT_ENCODING, HeaderValue::from_static("identity")),
        (CONNECTION, HeaderValue::from_static("close")),
    ]);
    Ok(request)
}

// === impl Missing ===

impl Missing {
    /// For the log.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::NotAsked => "url",
            Self::NotFetched(code) => code,
            Self::TooLarge => "too-large",
            Self::NoPicture => "no-picture",
            Self::NoRoom => "no-room",
        }
    }
}
