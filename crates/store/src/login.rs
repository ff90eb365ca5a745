//! Device logins under way: kept, so that a restart or another process can finish them.

use async_trait::async_trait;
use qm_seal::Sealed;

use crate::account::{AccountRecord, NewAccount, NewSecret};
use crate::{Ms, StoreError};

/// A device login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginRecord {
    /// UUID version 4.
    pub id: String,
    /// What was asked for.
    pub asked: NewLogin,
    /// Device code, client id and client secret as JSON, sealed about [`crate::Shelf::Login`]; nothing once the login has ended.
    pub sealed: Option<Sealed>,
    /// Seconds between two polls, in milliseconds; longer after each `slow_down`.
    pub interval_ms: Ms,
    /// Not to be polled before.
    pub poll_after_ms: Ms,
    /// How it stands.
    pub status: LoginStatus,
    /// Why it failed, in words for people.
    pub error: Option<String>,
    /// The account it made or renewed.
    pub account_id: Option<String>,
    /// When it ended.
    pub ended_ms: Option<Ms>,
}

/// A device login to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLogin {
    /// `builder-id`, `identity-center` or `social`.
    pub kind: String,
    /// The organisation's start URL.
    pub start_url: Option<String>,
    /// The region of the OIDC endpoint.
    pub region: Option<String>,
    /// JSON of what the account shall be (label, owner, …), for whoever finishes the login. No secrets.
    pub draft: String,
    /// The account whose login this renews; nothing makes a new one.
    pub renews: Option<String>,
    /// The code the person compares or types.
    pub user_code: String,
    /// Where the person goes.
    pub verification_uri: String,
    /// The same with the code in it.
    pub verification_uri_complete: Option<String>,
    /// When it began.
    pub created_ms: Ms,
    /// When the upstream forgets it.
    pub expires_ms: Ms,
}

/// How a device login stands. All but the first are ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginStatus {
    /// Waiting for the person.
    Pending,
    /// The account is there.
    Completed,
    /// Nobody came in time.
    Expired,
    /// The person said no.
    Denied,
    /// Called off here.
    Cancelled,
    /// Something else; see the error.
    Failed,
}

/// How a login ends without an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginEnd {
    /// An end; `Pending` and `Completed` are refused.
    pub status: LoginStatus,
    /// Why, in words for people.
    pub error: Option<String>,
}

/// How a login ends with an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completion {
    /// A new one.
    New(Box<NewAccount>),
    /// An account that is there has a new login.
    Renew {
        /// The account.
        id: String,
        /// Its login.
        secret: Box<NewSecret>,
    },
}

/// Device logins.
#[async_trait]
pub trait Logins: Send + Sync {
    /// Keeps a login that began. It may be polled after `interval_ms`.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] for its id.
    async fn insert(
        &self,
        id: &str,
        login: NewLogin,
        sealed: Sealed,
        interval_ms: Ms,
    ) -> Result<LoginRecord, StoreError>;

    /// The login of this id, whether or not it has ended.
    async fn by_id(&self, id: &str) -> Result<Option<LoginRecord>, StoreError>;

    /// Logins that wait, oldest first.
    async fn pending(&self) -> Result<Vec<LoginRecord>, StoreError>;

    /// Takes the right to poll this login until then, for one process at a time; as [`crate::Accounts::lease`]. False also if it has ended.
    async fn lease(&self, id: &str, holder: &str, until_ms: Ms, now_ms: Ms) -> Result<bool, StoreError>;

    /// Gives the right back.
    async fn release(&self, id: &str, holder: &str) -> Result<(), StoreError>;

    /// Notes a poll that brought nothing: the interval from now on and the time of the next.
    async fn note_poll(&self, id: &str, interval_ms: Ms, poll_after_ms: Ms) -> Result<(), StoreError>;

    /// Ends a login with its account, both in one transaction, and wipes its secrets. Nothing if it had ended: then there is no account.
    /// Also nothing if it was to renew an account that is gone.
    ///
    /// # Errors
    /// As [`crate::Accounts::insert`]; the login is then still pending.
    async fn complete(
        &self,
        id: &str,
        completion: Completion,
        now_ms: Ms,
    ) -> Result<Option<AccountRecord>, StoreError>;

    /// Ends a login without an account and wipes its secrets. False if it had ended.
    async fn end(&self, id: &str, end: LoginEnd, now_ms: Ms) -> Result<bool, StoreError>;

    /// Ends what expired before now, and forgets what ended before then. How many were forgotten.
    async fn sweep(&self, forget_before_ms: Ms, now_ms: Ms) -> Result<u64, StoreError>;
}

impl LoginStatus {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Completed, Self::Expired, Self::Denied, Self::Cancelled, Self::Failed];

    /// The word in tables.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Completed => "completed",
            Self::Expired => "expired",
            Self::Denied => "denied",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }

    /// The status of this word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word() == word)
    }
}
