//! The doors for admins: verbs on accounts, keys, usage and settings, in three dialects over one service of each.
//!
//! ```text
//! request ─▶ door (who, what he may, id, headers) ─▶ v2 │ classic (/admin) │ native (/api/v1) ─▶ Fleet, Access, Books, …
//!                                                    each: what is asked, what is answered, its own words
//! browser ─▶ pages: signing in, the documents
//! ```
//!
//! Knows: the paths, bodies and statuses of the dialects `/v2`, `/admin` and `/api/v1`, and what each asks of a key; the
//! pages; problem details; the document that describes them.
//! Must not know: clients' formats of chats, SQL, the upstream's wire.

mod begin;
mod brought;
mod classic;
mod door;
mod exchange;
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
use qm_access::Access;
use qm_accounts::Fleet;
use qm_ledger::Books;
use qm_store::Store;
use tokio::sync::Mutex;

pub use openapi::openapi;

use settings::Settings;

/// What the management routes are made from.
pub struct AdminParts {
    /// The accounts.
    pub fleet: Fleet,
    /// The keys and sessions.
    pub access: Access,
    /// What was used.
    pub books: Books,
    /// Where the audit is read, and what keys did together.
    pub store: Arc<dyn Store>,
    /// What can be set.
    pub settings: Arc<dyn Settings>,
    /// The time, in milliseconds since 1970.
    pub now: Arc<dyn Fn() -> u64 + Send + Sync>,
    /// Random bits, for the ids of requests.
    pub random: Arc<dyn Fn() -> u128 + Send + Sync>,
}

/// What the handlers share.
pub(crate) struct Desk {
    pub(crate) fleet: Fleet,
    pub(crate) access: Access,
    pub(crate) books: Books,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) settings: Arc<dyn Settings>,
    /// Held from reading the settings to changing them, where a change names what it was made for.
    pub(crate) settling: Mutex<()>,
    pub(crate) now: Arc<dyn Fn() -> u64 + Send + Sync>,
    pub(crate) random: Arc<dyn Fn() -> u128 + Send + Sync>,
}

/// The management routes, to be merged with those for clients. Wrong keys are counted by the address in
/// `ConnectInfo<SocketAddr>`, where the server puts one into requests; else only all together.
pub fn router(parts: AdminParts) -> Router {
    let AdminParts { fleet, access, books, store, settings, now, random } = parts;
    let desk = Desk { fleet, access, books, store, settings, settling: Mutex::default(), now, random };
    let desk = Arc::new(desk);
    routes::routes(&desk).merge(pages::routes(&desk))
}

/// Every path of [`router`] with its methods, for tests that walk them all.
pub fn table() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    routes::table()
}
