//! The way to the upstream: TLS and connections, endpoints, token refresh, the catalogue of models.
//!
//! Knows: hosts, headers, deadlines of connecting, how an account's token is kept fresh (one refresh at a time).
//! Must not know: who the client is, what it asked or in which format, which account to choose, where anything is
//! stored.

pub mod account;
mod bell;
pub mod body;
pub mod catalogue;
pub mod client;
mod connection;
mod connections;
mod connector;
pub mod endpoint;
pub mod identity;
mod idle;
pub mod oidc;
pub mod refresh;

use std::sync::Arc;

pub use account::{Account, Login};
pub use body::AnswerBody;
pub use client::{Answer, Client};
pub use endpoint::{EndpointError, Endpoints};
pub use identity::Identity;
pub use refresh::Bearer;

/// Where random bits come from. An argument, so that tests are exact.
pub type Random = Arc<dyn Fn() -> u128 + Send + Sync>;

/// A version 4 UUID of these random bits.
#[must_use]
pub fn uuid(bits: u128) -> String {
    uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid().to_string()
}
