//! The doors for admins: verbs on accounts, in three dialects over one [`Fleet`].
//!
//! ```text
//! request ─▶ door (key, throttle, id, headers) ─▶ v2 │ classic (/admin) │ native (/api/v1) ─▶ Fleet
//!                                                   each: what is asked, what is answered, its own words
//! ```
//!
//! Knows: the paths, bodies and statuses of the dialects `/v2`, `/admin` and `/api/v1`; the admin's key and who guesses
//! it; problem details.
//! Must not know: clients' formats of chats, SQL, the upstream's wire.

mod begin;
mod brought;
mod classic;
mod door;
mod exchange;
mod keys;
mod listing;
mod moment;
mod native;
mod one;
mod openapi;
mod pages;
mod patch;
mod refused;
mod routes;
pub mod settings;
mod standing;
mod v2;

use std::sync::Arc;

use axum::Router;
use qm_accounts::Fleet;
use secrecy::SecretString;

pub use openapi::openapi;

use keys::Keys;
use qm_keys::Throttle;

/// What the management routes are made from.
pub struct AdminParts {
    /// The accounts.
    pub fleet: Fleet,
    /// The admin's keys. Without any, every route answers 401 and says how to set one.
    pub keys: Vec<SecretString>,
    /// The time, in milliseconds since 1970.
    pub now: Arc<dyn Fn() -> u64 + Send + Sync>,
    /// Random bits, for the ids of requests.
    pub random: Arc<dyn Fn() -> u128 + Send + Sync>,
}

/// What the handlers share.
pub(crate) struct Desk {
    pub(crate) fleet: Fleet,
    pub(crate) keys: Keys,
    pub(crate) throttle: Throttle,
    pub(crate) now: Arc<dyn Fn() -> u64 + Send + Sync>,
    pub(crate) random: Arc<dyn Fn() -> u128 + Send + Sync>,
}

/// The management routes, to be merged with those for clients. Wrong keys are counted by the address in
/// `ConnectInfo<SocketAddr>`, where the server puts one into requests; else only all together.
pub fn router(parts: AdminParts) -> Router {
    let AdminParts { fleet, keys, now, random } = parts;
    let desk = Desk { fleet, keys: Keys::new(&keys), throttle: Throttle::default(), now, random };
    let desk = Arc::new(desk);
    routes::routes(&desk).merge(pages::routes(&desk))
}

/// Every path of [`router`] with its methods, for tests that walk them all.
pub fn table() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    routes::table()
}
