//! Who may call: accounts, the tokens given to them, client registrations and device logins.

mod device;
mod external;
mod holder;
mod oidc;
mod serve;
mod social;
mod tokens;

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::account::{AccountState, Behaviour, Counts, SimAccount};

pub(crate) use device::Device;
pub use device::DeviceOrigin;
pub(crate) use holder::Holder;
pub(crate) use serve::{Reply, answer};
use tokens::{Grant, Ticket};

/// The most client registrations, device logins, and accounts with adopted ones, kept.
const KEPT: usize = 10_000;
/// The most access tokens, and the most refresh tokens, kept.
const KEPT_TOKENS: usize = 200_000;

/// The state of authentication. Accounts are named by their place in the list.
#[derive(Debug, Default)]
pub(crate) struct Auth {
    holders: Vec<Holder>,
    /// Refresh tokens, living and replaced.
    tickets: HashMap<String, Ticket>,
    access: HashMap<String, Grant>,
    keys: HashMap<String, usize>,
    clients: HashMap<String, Registration>,
    devices: HashMap<String, Device>,
    issued: u64,
}

/// A client registration.
#[derive(Clone, Debug)]
struct Registration {
    secret: String,
    /// Accounts' own registrations never expire.
    until: Option<Instant>,
}

impl Auth {
    pub(crate) fn new(accounts: Vec<SimAccount>) -> Self {
        let mut auth = Self::default();
        for account in accounts {
            auth.add(account);
        }
        auth
    }

    /// Takes one more account; gives back its number.
    pub(crate) fn add(&mut self, account: SimAccount) -> usize {
        let number = self.holders.len();
        self.tickets.insert(account.refresh_token.clone(), Ticket::living(number));
        if let Some(key) = &account.api_key {
            self.keys.insert(key.clone(), number);
        }
        let registration = Registration { secret: account.client_secret.clone(), until: None };
        self.clients.insert(account.client_id.clone(), registration);
        self.holders.push(Holder::new(account));
        number
    }

    pub(crate) fn count(&self) -> usize {
        self.holders.len()
    }

    pub(crate) fn holder(&self, account: usize) -> Option<&Holder> {
        self.holders.get(account)
    }

    pub(crate) fn holder_mut(&mut self, account: usize) -> Option<&mut Holder> {
        self.holders.get_mut(account)
    }

    /// The counts of an account, to change.
    pub(crate) fn tally(&mut self, account: usize, change: impl FnOnce(&mut Counts)) {
        if let Some(holder) = self.holders.get_mut(account) {
            change(&mut holder.counts);
        }
    }

    /// The account that a bearer token or API key stands for. Using a token tells the service that it has arrived.
    pub(crate) fn account_of(&mut self, bearer: &str) -> Option<usize> {
        if bearer.starts_with("ksk_") {
            return self.keys.get(bearer).copied();
        }
        let grant = *self.access.get(bearer).filter(|grant| grant.until > Instant::now())?;
        self.arrived(grant.account, grant.serial);
        Some(grant.account)
    }

    /// Makes every access token given so far invalid.
    pub(crate) fn revoke(&mut self) {
        self.access.clear();
    }

    /// Makes every access token of one account invalid.
    pub(crate) fn revoke_of(&mut self, account: usize) {
        self.access.retain(|_, grant| grant.account != account);
    }

    /// Replaces how an account behaves; false when there is no such account.
    pub(crate) fn behave(&mut self, account: usize, behaviour: Behaviour) -> bool {
        let Some(holder) = self.holders.get_mut(account) else { return false };
        holder.behave(behaviour);
        true
    }

    fn is_revoked(&self, account: usize) -> bool {
        self.holders.get(account).is_some_and(|holder| holder.state() == AccountState::Revoked)
    }

    /// Keeps a client registration for so many seconds.
    fn register(&mut self, life_s: u64) -> (String, String) {
        self.issued += 1;
        let (id, secret) = (format!("client-{:08}", self.issued), format!("secret-{:08}", self.issued));
        if self.clients.len() >= KEPT + self.holders.len() {
            self.clients.retain(|_, registration| registration.until.is_none());
        }
        let until = Some(Instant::now() + Duration::from_secs(life_s));
        self.clients.insert(id.clone(), Registration { secret: secret.clone(), until });
        (id, secret)
    }

    /// Whether this client is registered, with this secret, and still is.
    fn knows_client(&self, id: &str, secret: &str) -> bool {
        self.clients.get(id).is_some_and(|known| {
            known.secret == secret && known.until.is_none_or(|until| until > Instant::now())
        })
    }
}
