//! Device logins: begun here, finished by whichever process polls next; they survive a restart.

mod poll;
mod wish;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use qm_store::{LoginEnd, LoginRecord, LoginStatus, NewLogin, Shelf};
pub use qm_upstream::login::{BadPortal, Portal, Provider, Start};
use qm_upstream::login::{LoginError, Logins};

pub use self::wish::Wish;
use crate::house::House;
use crate::{AccountError, Actor, ErrorKind, Fleet};

/// The longest that whoever claims a login is kept waiting (spec/mission.md A2.5).
pub const LONGEST_CLAIM: Duration = Duration::from_mins(5);

/// How often whoever claims looks whether another process has finished the login.
const LOOK: Duration = Duration::from_millis(500);

/// A device login as people may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginView {
    /// Its id.
    pub id: String,
    /// `builder-id`, `identity-center` or `social`.
    pub kind: String,
    /// The code the person compares or types.
    pub user_code: String,
    /// Where the person goes.
    pub verification_uri: String,
    /// The same with the code in it.
    pub verification_uri_complete: Option<String>,
    /// When it began.
    pub created_ms: u64,
    /// When its code expires.
    pub expires_ms: u64,
    /// Time between two polls.
    pub interval_ms: u64,
    /// How it stands.
    pub state: LoginState,
}

/// How a device login stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoginState {
    /// It waits for the person.
    Pending {
        /// Time until the code expires.
        remaining_ms: u64,
    },
    /// The account is there.
    Completed {
        /// Its id.
        account: String,
    },
    /// Nobody came in time.
    Expired,
    /// The person, or the organisation, said no.
    Denied,
    /// Called off here.
    Cancelled,
    /// Something else.
    Failed {
        /// Why.
        words: String,
    },
}

/// Logins that this process polls for just now: a lease alone does not tell two tasks of one process apart.
#[derive(Default)]
pub(crate) struct Polled(Mutex<HashSet<String>>);

/// The right to poll, within this process.
struct Polling {
    polled: Arc<Polled>,
    id: String,
}

// === impl Fleet ===

impl Fleet {
    /// Starts a login: what the person must open comes back. Nothing needs to be polled: [`Fleet::run`] does it, and so
    /// does whoever claims.
    ///
    /// # Errors
    /// Without the terms; for a wish that cannot be granted; when the login service refuses or cannot be reached.
    pub async fn login_start(&self, wish: Wish, actor: &Actor) -> Result<LoginView, AccountError> {
        let house = &self.inner;
        self.require_terms().await?;
        wish.check()?;
        if let Some(account) = &wish.renews {
            // By its UUID from here on.
            self.writable(account).await?;
        }
        let device = house.logins().start(&wish.start).await.map_err(|error| unstarted(&error))?;
        let (id, now_ms) = (house.new_id(), self.now_ms());
        let sealed = house.keyring.seal(&poll::secrets(&device), &Shelf::Login.about(&id), house.nonce())?;
        let login = NewLogin {
            kind: device.kind.word().to_owned(),
            start_url: wish.start_url(),
            region: device.region.clone(),
            draft: wish.draft(),
            renews: match &wish.renews {
                Some(account) => Some(self.record(account).await?.id),
                None => None,
            },
            user_code: device.user_code,
            verification_uri: device.verification_uri,
            verification_uri_complete: Some(device.verification_uri_complete),
            created_ms: now_ms,
            expires_ms: device.expires_ms,
        };
        let interval_ms = device.interval.as_millis() as u64;
        let record = house.store.logins().insert(&id, login, sealed, interval_ms).await?;
        self.audit(actor, "login.start", &id, String::new()).await?;
        Ok(view(&record, now_ms))
    }

    /// How a login stands.
    ///
    /// # Errors
    /// When there is no such login.
    pub async fn login_status(&self, id: &str) -> Result<LoginView, AccountError> {
        Ok(view(&self.inner.login(id).await?, self.now_ms()))
    }

    /// Waits until a login is over, and finishes it: for `patience` at most, which should not be longer than
    /// [`LONGEST_CLAIM`]. A login that is still pending then goes on.
    ///
    /// # Errors
    /// When there is no such login, or the store fails.
    pub async fn login_claim(&self, id: &str, patience: Duration) -> Result<LoginView, AccountError> {
        let until = tokio::time::Instant::now() + patience;
        loop {
            let record = self.inner.poll_login(id).await?;
            if record.status != LoginStatus::Pending || tokio::time::Instant::now() >= until {
                return Ok(view(&record, self.now_ms()));
            }
            let next = Duration::from_millis(record.poll_after_ms.saturating_sub(self.now_ms()));
            let rest = until.saturating_duration_since(tokio::time::Instant::now());
            tokio::time::sleep(next.clamp(Duration::from_millis(10), LOOK).min(rest)).await;
        }
    }

    /// Calls a login off. One that is over stays as it ended.
    ///
    /// # Errors
    /// When there is no such login.
    pub async fn login_cancel(&self, id: &str, actor: &Actor) -> Result<LoginView, AccountError> {
        self.inner.login(id).await?;
        let end = LoginEnd { status: LoginStatus::Cancelled, error: None };
        if self.inner.store.logins().end(id, end, self.now_ms()).await? {
            self.audit(actor, "login.cancel", id, String::new()).await?;
        }
        self.login_status(id).await
    }

    /// Logins that wait for their people, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn logins_pending(&self) -> Result<Vec<LoginView>, AccountError> {
        let pending = self.inner.store.logins().pending().await?;
        Ok(pending.iter().map(|record| view(record, self.now_ms())).collect())
    }
}

// === impl House ===

impl House {
    pub(crate) fn logins(&self) -> Logins {
        let Self { outbound, now, .. } = self;
        Logins::new(outbound.client.clone(), outbound.endpoints.clone(), Arc::clone(now))
    }

    pub(crate) async fn login(&self, id: &str) -> Result<LoginRecord, AccountError> {
        let record = self.store.logins().by_id(id).await?;
        record.ok_or_else(|| AccountError::new(ErrorKind::NotFound, "Login not found"))
    }
}

// === impl Polled ===

impl Polled {
    /// Whether a task of this process polls for it.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(id)
    }
}

// === impl Polling ===

impl Polling {
    /// Nothing if another task polls for it.
    fn of(polled: &Arc<Polled>, id: &str) -> Option<Self> {
        let mut ids = polled.0.lock().unwrap_or_else(PoisonError::into_inner);
        ids.insert(id.to_owned()).then(|| Self { polled: Arc::clone(polled), id: id.to_owned() })
    }
}

impl Drop for Polling {
    fn drop(&mut self) {
        self.polled.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

fn view(record: &LoginRecord, now_ms: u64) -> LoginView {
    let asked = record.asked.clone();
    let state = match record.status {
        LoginStatus::Pending if now_ms >= asked.expires_ms => LoginState::Expired,
        LoginStatus::Pending => LoginState::Pending { remaining_ms: asked.expires_ms - now_ms },
        LoginStatus::Completed => {
            LoginState::Completed { account: record.account_id.clone().unwrap_or_default() }
        }
        LoginStatus::Expired => LoginState::Expired,
        LoginStatus::Denied => LoginState::Denied,
        LoginStatus::Cancelled => LoginState::Cancelled,
        LoginStatus::Failed => LoginState::Failed { words: record.error.clone().unwrap_or_default() },
    };
    LoginView {
        id: record.id.clone(),
        kind: asked.kind,
        user_code: asked.user_code,
        verification_uri: asked.verification_uri,
        verification_uri_complete: asked.verification_uri_complete,
        created_ms: asked.created_ms,
        expires_ms: asked.expires_ms,
        interval_ms: record.interval_ms,
        state,
    }
}

fn unstarted(error: &LoginError) -> AccountError {
    let kind = match error {
        LoginError::Refused(_) => ErrorKind::Refused,
        LoginError::Unreached(_) | LoginError::Senseless(_) => ErrorKind::Unavailable,
    };
    AccountError::new(kind, format!("The login could not be started: {error}."))
}
