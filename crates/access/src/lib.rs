//! The life of an API key and of a console session: made, admitted, limited, rotated, revoked.
//!
//! ```text
//! request ─▶ Admission (relay) ─▶ roster: keys in memory, found by digest ─▶ Caller + Grant ─▶ coord: limits
//! people  ─▶ verbs (create, change, rotate, revoke…) ─▶ store, audit ─▶ roster
//! browser ─▶ sessions (login, admit, revoke)        ─▶ store, audit ─▶ sessions in memory
//! ```
//!
//! Several processes may share one store: what one writes, the others notice within about a second. Limits are counted
//! where the [`qm_coord::Coord`] counts them: with [`qm_coord::Memory`] each process counts for itself.
//!
//! Knows: which keys are in force, what each may do and has left, who did what to which.
//! Must not know: HTTP routes, SQL, clients' formats, the command line.

pub mod actor;
pub mod denied;
pub mod edit;
pub mod error;
pub mod first;
pub mod principal;
pub mod sessions;
pub mod standing;
pub mod verbs;
pub mod view;

mod admit;
mod entry;
mod fault;
mod grant;
mod house;
mod means;
mod measure;
mod roster;
mod run;

use std::sync::Arc;

use qm_coord::Coord;
use qm_keys::Limits;
use qm_relay::{Clock, Random};
use qm_store::Store;
use secrecy::SecretString;

pub use actor::Actor;
pub use denied::{Denied, Why};
pub use edit::{KeyEdit, KeyWish};
pub use error::{AccessError, ErrorKind};
pub use principal::Principal;
pub use sessions::{Opened, SessionView};
pub use standing::{BudgetStanding, KeyStanding, LimitStanding};
pub use verbs::Listing;
pub use view::{KeyState, KeyView};

use house::House;

/// All keys and sessions of the gateway. A cheap handle.
#[derive(Clone)]
pub struct Access {
    house: Arc<House>,
}

/// What it is made from.
pub struct Parts {
    /// Where keys and sessions are kept.
    pub store: Arc<dyn Store>,
    /// Where limits are counted.
    pub coord: Arc<dyn Coord>,
    /// Keys of clients from configuration.
    pub clients: Vec<SecretString>,
    /// What each of these may use at most.
    pub client_limits: Limits,
    /// Keys of admins from configuration.
    pub admins: Vec<SecretString>,
    /// Whether who shows no key that is good may ask models all the same. Management is never open.
    pub open: bool,
    /// Tells the time.
    pub now: Clock,
    /// Random bits, good enough for secrets.
    pub random: Random,
}

impl Access {
    /// Loads every key and session, and what keys with limits per day or month have used of them.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn open(parts: Parts) -> Result<Self, AccessError> {
        Ok(Self { house: Arc::new(House::open(parts).await?) })
    }
}
