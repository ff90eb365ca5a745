//! What every verb needs: the store, the keys, the pool, the way out, the time and chance.

use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, RwLock};

use qm_pool::Pool;
use qm_relay::{Clock, Random};
use qm_seal::Keyring;
use qm_seal::sealed::NONCE_BYTES;
use qm_store::Store;
use tokio::sync::Notify;

use crate::login::Polled;
use crate::outbound::Outbound;
use crate::probe::Probing;
use crate::roster::Roster;
use crate::writer::Pending;

/// How the house keeps its accounts.
#[derive(Clone, Copy, Debug)]
pub struct Habits {
    /// How often the usage limits of an account are asked for; nothing for never.
    pub quota_every: Option<std::time::Duration>,
    /// How often tokens are looked through for those about to expire.
    pub renew_every: std::time::Duration,
    /// Most renewals and questions at once, beside what requests need.
    pub at_once: usize,
}

/// What every verb needs.
pub(crate) struct House {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) outbound: Outbound,
    pub(crate) now: Clock,
    pub(crate) random: Random,
    pub(crate) habits: Habits,
    /// This process, in leases.
    pub(crate) holder: String,
    /// Whether the environment acknowledges the note on terms.
    pub(crate) terms_by_environment: bool,
    pub(crate) roster: RwLock<Roster>,
    /// Held while a record is taken in, so that no older one comes in behind it.
    pub(crate) entering: Mutex<()>,
    /// What is waiting to be written.
    pub(crate) pending: Arc<Pending>,
    /// Logins that this process polls for just now.
    pub(crate) polled: Arc<Polled>,
    /// Rings when accounts wait to be tried.
    pub(crate) fed: Notify,
    /// Chats that show whether the house can serve.
    pub(crate) probing: Probing,
    /// The store's revision that the roster shows.
    pub(crate) revision: AtomicI64,
}

impl Default for Habits {
    fn default() -> Self {
        let [quota_every, renew_every] = [15 * 60, 60].map(std::time::Duration::from_secs);
        Self { quota_every: Some(quota_every), renew_every, at_once: 8 }
    }
}

impl House {
    pub(crate) fn now_ms(&self) -> u64 {
        (self.now)()
    }

    /// UUID version 4.
    pub(crate) fn new_id(&self) -> String {
        qm_upstream::uuid((self.random)())
    }

    pub(crate) fn nonce(&self) -> [u8; NONCE_BYTES] {
        let drawn = [(self.random)().to_le_bytes(), (self.random)().to_le_bytes()].concat();
        let mut nonce = [0; NONCE_BYTES];
        for (to, from) in nonce.iter_mut().zip(drawn) {
            *to = from;
        }
        nonce
    }
}
