//! The way to the upstream: TLS and connections, login, endpoints, token refresh, the catalogue of models.
//!
//! Knows: hosts, headers, deadlines of connecting, how people log in, how an account's token is kept fresh (one renewal
//! at a time), which face of the upstream serves an account.
//! Must not know: who the client is, what it asked or in which format, which account to choose, where anything is
//! stored.

pub mod account;
pub mod body;
pub mod catalogue;
pub mod client;
mod connection;
mod connections;
mod connector;
mod control;
pub mod endpoint;
pub mod face;
pub mod identity;
mod idle;
pub mod keeper;
pub mod login;
mod oauth;
pub mod proxy;
mod query;
pub mod refresh;
mod renewal;

use std::sync::Arc;

pub use account::{Account, Parts, Ready};
pub use body::{AnswerBody, Broken};
pub use client::{Answer, Client, Obstacle, Probed, Unprobed};
pub use endpoint::{EndpointError, Endpoints};
pub use face::{Face, Learned, Pins};
pub use identity::Identity;
pub use keeper::{Forgetful, Keeper, Kept, Turn};
pub use proxy::{Proxies, Proxy, Way};
pub use refresh::{Bearer, Tokens};

/// Where random bits come from. An argument, so that tests are exact.
pub type Random = Arc<dyn Fn() -> u128 + Send + Sync>;

/// What time it is, in milliseconds since 1970 UTC. An argument, so that tests are exact.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// A version 4 UUID of these random bits.
#[must_use]
pub fn uuid(bits: u128) -> String {
    uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid().to_string()
}
