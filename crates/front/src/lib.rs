//! The doors for clients: connections, routes, extractors, limits; which encoder answers which route.
//!
//! Knows: HTTP, paths and headers, how large a body may be, which wire format a path speaks, how a picture behind a URL
//! is fetched without harm.
//! Must not know: retries, accounts, the upstream's wire, SQL, Redis.

mod answer;
mod arrivals;
mod asked;
mod body;
mod caller;
mod chat;
mod cors;
mod forwarded;
mod health;
mod images;
mod kept;
mod limits;
mod messages;
mod models;
mod respond;
mod responses;
mod routes;
pub mod serve;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use axum::http::HeaderValue;
use qm_relay::{Random, Relay};

pub use body::Bodies;
pub use forwarded::Trusted;
pub use health::{Console, Health};
pub use images::{Images, Policy};
pub use kept::Kept;
pub use routes::router;

/// What the handlers share. Built once.
pub struct Front {
    /// What answers requests.
    pub relay: Arc<Relay>,
    /// What request bodies may take.
    pub bodies: Bodies,
    /// What fetches the pictures that requests point to.
    pub images: Images,
    /// Responses that are kept for those who asked for them.
    pub kept: Arc<Kept>,
    /// Random bits for ids.
    pub random: Random,
    /// The time, in seconds since the Unix epoch, for formats that say when an answer was made.
    pub now: Arc<dyn Fn() -> u64 + Send + Sync>,
    /// What `/health` tells, and how.
    pub health: Health,
    /// Origins of web pages whose scripts may chat, such as `https://chat.example.com`. None: none may.
    pub origins: Vec<HeaderValue>,
    /// Whether there is a console for people, and who is led there.
    pub console: Console,
    /// Set when the process is about to stop and wants no new requests.
    pub draining: Arc<AtomicBool>,
}
