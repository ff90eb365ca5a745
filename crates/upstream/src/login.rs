//! Logging in with a device code: a person opens an address anywhere, the gateway polls (spec/upstream.md §5.1, §5.3).
//!
//! ```text
//! start ─▶ Device: address and code for the person ─▶ poll every `interval` ─┬▶ Pending: again
//!                                                                            ├▶ SlowDown: again, 5 s further apart
//!                                                                            ├▶ Done: a whole login
//!                                                                            └▶ Expired, Denied: over
//! ```
//!
//! There is nothing to undo when a login is abandoned: the code expires by itself.

mod oidc;
mod portal;
mod social;

use std::time::Duration;

use http::Uri;
use qm_credential::{Client as Registration, Credential, Kind};
use secrecy::SecretString;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use self::portal::{BadPortal, Portal};
use crate::Clock;
use crate::client::{Client, JSON, Reply};
use crate::endpoint::{EndpointError, Endpoints};
use crate::oauth::Refusal;

/// How much further apart polls must be after [`Poll::SlowDown`] (RFC 8628 §3.5).
pub const SLOW_DOWN: Duration = Duration::from_secs(5);

/// Shortest time between two polls, whatever the service says.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);

/// Longest time for which a code is believed to be good.
const LONGEST_CODE: Duration = Duration::from_secs(15 * 60);

/// Whom a person logs in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// AWS Builder ID, or an organisation's IAM Identity Center.
    Portal(Portal),
    /// Google or GitHub, by way of Kiro.
    Social(Provider),
}

/// The providers of social logins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// Google.
    Google,
    /// GitHub.
    Github,
}

/// A login that waits for its person. Holds secrets: it has no `Debug`, and is to be stored sealed.
#[derive(Clone)]
pub struct Device {
    /// What the login will be.
    pub kind: Kind,
    /// Where it takes place.
    pub region: Option<String>,
    /// The registration it belongs to; social logins have none.
    pub client: Option<Registration>,
    /// What the gateway polls with.
    pub code: SecretString,
    /// What the person types, if the address does not have it.
    pub user_code: String,
    /// The address to open.
    pub verification_uri: String,
    /// The same with the code in it.
    pub verification_uri_complete: String,
    /// When the code expires, in milliseconds since 1970.
    pub expires_ms: u64,
    /// Time between two polls.
    pub interval: Duration,
}

/// The answer to a poll.
pub enum Poll {
    /// The person has not finished.
    Pending,
    /// The same, and polls are too close together: [`SLOW_DOWN`].
    SlowDown,
    /// The person has logged in.
    Done(Box<Credential>),
    /// The code has expired.
    Expired,
    /// The person, or the organisation, has refused.
    Denied,
}

/// Why a login could not be started, or a poll said nothing.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum LoginError {
    /// The login service could not be reached. Try again.
    #[error("the login service cannot be reached ({0}); check the gateway's network and proxy")]
    Unreached(String),
    /// It refused.
    #[error("the login service refused: {0}")]
    Refused(String),
    /// Its answer made no sense. Try again.
    #[error("the login service did not answer as it should ({0}); try again")]
    Senseless(String),
}

/// The login services.
#[derive(Clone)]
pub struct Logins {
    client: Client,
    endpoints: Endpoints,
    clock: Clock,
}

// === impl Logins ===

impl Logins {
    /// The login services, reached by `client`.
    #[must_use]
    pub fn new(client: Client, endpoints: Endpoints, clock: Clock) -> Self {
        Self { client, endpoints, clock }
    }

    /// Starts a login: what the person must open comes back.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub async fn start(&self, start: &Start) -> Result<Device, LoginError> {
        match start {
            Start::Portal(portal) => self.start_oidc(portal).await,
            Start::Social(provider) => self.start_social(*provider).await,
        }
    }

    /// Asks whether the person has logged in.
    ///
    /// # Errors
    /// When the service cannot say; the login goes on.
    pub async fn poll(&self, device: &Device) -> Result<Poll, LoginError> {
        if (self.clock)() >= device.expires_ms {
            return Ok(Poll::Expired);
        }
        match device.kind {
            Kind::Social { .. } => self.poll_social(device).await,
            _ => self.poll_oidc(device).await,
        }
    }

    /// Polls until the login is over, one way or the other: never [`Poll::Pending`] or [`Poll::SlowDown`]. A service
    /// that fails in between is asked again until the code expires. Dropping the future abandons the login.
    pub async fn finish(&self, device: &Device) -> Poll {
        let mut interval = device.interval.max(SHORTEST_INTERVAL);
        loop {
            tokio::time::sleep(interval).await;
            match self.poll(device).await {
                Ok(Poll::Pending) => {}
                Ok(Poll::SlowDown) => interval += SLOW_DOWN,
                Ok(over) => return over,
                Err(error) => tracing::warn!(%error, "a poll for a login failed; it goes on"),
            }
        }
    }

    async fn post(
        &self,
        address: Result<Uri, EndpointError>,
        body: &impl Serialize,
    ) -> Result<Reply, LoginError> {
        let address = address.map_err(|_| LoginError::Senseless("address".to_owned()))?;
        let body = serde_json::to_vec(body).map_err(|_| LoginError::Senseless("body".to_owned()))?;
        let reply = self.client.post(&address, JSON, body).await;
        reply.map_err(|failure| LoginError::Unreached(failure.fault.code.into_owned()))
    }

    /// When a code that lives so long from now expires.
    fn expiry(&self, life: Duration) -> u64 {
        (self.clock)() + life.min(LONGEST_CODE).as_millis() as u64
    }
}

// === impl Provider ===

impl Provider {
    /// The word for it at the service, and in a login's kind.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Google => "Google",
            Self::Github => "Github",
        }
    }

    /// The provider of this name, however it is capitalised.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Google, Self::Github].into_iter().find(|provider| provider.word().eq_ignore_ascii_case(name))
    }
}

/// Reads a whole answer, or what the refusal says.
fn read<T: DeserializeOwned>(reply: &Reply) -> Result<T, LoginError> {
    if reply.status == 200 {
        return serde_json::from_slice(&reply.body).map_err(|_| LoginError::Senseless("not-json".to_owned()));
    }
    Err(refused(reply))
}

fn refused(reply: &Reply) -> LoginError {
    let error = serde_json::from_slice::<Refusal>(&reply.body).ok().and_then(|refusal| refusal.error);
    // Only a name can be shown: whatever else the body has may be a stranger's.
    let named = |error: &String| {
        error.len() <= 64 && error.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    match error.filter(named) {
        Some(error) if reply.status < 500 => LoginError::Refused(error),
        _ => LoginError::Senseless(reply.status.to_string()),
    }
}

/// The address for the person, if it is one: it will be shown as a link.
fn shown(address: String) -> Result<String, LoginError> {
    let sound = address.starts_with("https://") && address.bytes().all(|byte| byte.is_ascii_graphic());
    if sound { Ok(address) } else { Err(LoginError::Senseless("verification-address".to_owned())) }
}
