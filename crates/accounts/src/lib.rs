//! The life of an account: added, logged in, loaded, renewed, cooled, healed, removed.
//!
//! ```text
//! files, people, environment ─▶ Fleet ─▶ store (records, logins sealed by the keyring)
//!                                 │  ▲
//!                   pool (health) ◀─┘  └─ upstream accounts (tokens, faces), each kept by a keeper over the store
//! ```
//!
//! Several processes may share one store: what one writes, the others notice within a second or two, and of all of them
//! one renews a login or polls for one at a time.
//!
//! Knows: how pool, store, seal, credential and upstream come together in one account, who did what to it, and what of it
//! people may see.
//! Must not know: HTTP routes, SQL, clients' formats, the command line.

pub mod actor;
pub mod care;
pub mod choice;
pub mod edit;
pub mod environment;
pub mod error;
pub mod export;
pub mod feed;
pub mod house;
pub mod import;
pub mod login;
pub mod outbound;
pub mod survey;
pub mod terms;
pub mod verbs;
pub mod view;

mod enter;
mod keeper;
mod probe;
mod records;
mod roster;
mod run;
mod seam;
mod writer;

use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, RwLock};

use qm_pool::Pool;
use qm_relay::{Clock, Random};
use qm_seal::Keyring;
use qm_store::Store;
use tokio::sync::Notify;

pub use actor::Actor;
pub use care::{Checkup, Refreshed};
pub use edit::{Edit, LoginEdit, LoginParts, ProxyWish};
pub use environment::{EnvironmentAccount, Reconciled};
pub use error::{AccountError, ErrorKind};
pub use export::{Export, ExportForm, Selection};
pub use house::Habits;
pub use import::{Fate, ImportInput, ImportOptions, Report};
pub use login::{LoginState, Wish};
pub use outbound::Outbound;
pub use survey::{Explained, Question, Summary};
pub use verbs::Listing;
pub use view::View;

use house::House;
use probe::Probing;

/// All accounts of the gateway. A cheap handle.
#[derive(Clone)]
pub struct Fleet {
    inner: Arc<House>,
}

/// What a fleet is made from.
pub struct Parts {
    /// Where accounts are kept.
    pub store: Arc<dyn Store>,
    /// Seals what is secret of them.
    pub keyring: Arc<Keyring>,
    /// Chooses among them. Must be empty.
    pub pool: Arc<Pool>,
    /// How they reach the upstream.
    pub outbound: Outbound,
    /// Tells the time.
    pub now: Clock,
    /// Random bits, good enough for nonces and ids.
    pub random: Random,
    /// How often what is done in the background.
    pub habits: Habits,
    /// Whether the environment acknowledges the note on the upstream's terms.
    pub terms_by_environment: bool,
}

impl Fleet {
    /// Loads every account. One that cannot be opened is there, cannot serve and says why; it never stops the start.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn open(parts: Parts) -> Result<Self, AccountError> {
        let Parts { store, keyring, pool, outbound, now, random, habits, terms_by_environment } = parts;
        let all = store.accounts().all().await?;
        let holder = qm_upstream::uuid(random());
        let inner = Arc::new(House {
            store,
            keyring,
            pool,
            outbound,
            now,
            random,
            habits,
            holder,
            terms_by_environment,
            roster: RwLock::default(),
            entering: Mutex::default(),
            pending: Arc::default(),
            polled: Arc::default(),
            fed: Notify::new(),
            probing: Probing::default(),
            revision: AtomicI64::new(all.revision),
        });
        let pending = Arc::clone(&inner.pending);
        inner.pool.on_news(move || pending.ring());
        for record in all.changed {
            inner.enter(record);
        }
        Ok(Self { inner })
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.inner.now_ms()
    }

    /// Writes down who did what. `detail` is JSON without secrets, or empty.
    pub(crate) async fn audit(
        &self,
        actor: &Actor,
        action: &str,
        subject: &str,
        detail: String,
    ) -> Result<(), AccountError> {
        let entry = actor.did(action, subject, detail, self.now_ms());
        self.inner.store.audit().append(entry).await?;
        Ok(())
    }
}
