//! Keeping an account's access token fresh: ahead of expiry, on demand, one renewal at a time.
//!
//! ```text
//! fresh ─▶ good ──────────────────────────────▶ the token in hand
//!          due, not expired ─▶ renew beside ──▶ the token in hand
//!          none or expired ──▶ wait for the one renewal
//! renewal: turn (keeper) ─▶ ask the login service ─▶ make it durable (keeper) ─▶ use it
//! ```

mod state;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use qm_amazonq::fault::{Ailment, Failure, Remedy};
use qm_canon::Fault;
use qm_credential::Credential;
use secrecy::{ExposeSecret, SecretString};

use self::state::{Look, State};
use crate::client::Client;
use crate::endpoint::Endpoints;
use crate::keeper::{Keeper, Kept, Turn};
use crate::oauth::{Ungiven, Ungranted};
use crate::{Clock, Random, renewal};

/// The pause before the second try of a call that failed without the service having refused.
const SECOND_TRY: Duration = Duration::from_millis(200);

/// An `authorization` header's value. Marked sensitive, so that it never shows in a debug print.
#[derive(Clone, PartialEq, Eq)]
pub struct Bearer(HeaderValue);

/// The tokens of one account.
#[derive(Clone)]
pub struct Tokens {
    shared: Arc<Shared>,
}

/// What tokens are made from.
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) client: Client,
    pub(crate) endpoints: Endpoints,
    pub(crate) keeper: Arc<dyn Keeper>,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
}

struct Shared {
    source: Source,
    state: Mutex<State>,
    /// Held during a renewal, so that there is one at a time.
    renewing: tokio::sync::Mutex<()>,
}

// === impl Tokens ===

impl Tokens {
    pub(crate) fn new(source: Source, credential: Credential) -> Self {
        let state = State::new(credential, (source.clock)(), (source.random)());
        let shared = Shared { source, state: Mutex::new(state), renewing: tokio::sync::Mutex::new(()) };
        Self { shared: Arc::new(shared) }
    }

    /// A token that is good for some minutes at least, as far as anyone can tell. Waits only if there is none that is
    /// still good; one that soon expires is given out while it is being replaced.
    ///
    /// # Errors
    /// When there is none and none can be had.
    pub async fn fresh(&self) -> Result<Bearer, Failure> {
        let look = self.shared.state().look(self.shared.now());
        match look {
            Look::Good(bearer) => Ok(bearer),
            Look::Due(bearer) => {
                self.renew_beside();
                Ok(bearer)
            }
            Look::None => self.renewal(None).await,
        }
    }

    /// A token that need not be replaced soon; waits for that even if the one in hand is still good. For whoever
    /// renews ahead of requests.
    ///
    /// # Errors
    /// When there is none and none can be had.
    pub async fn ahead(&self) -> Result<Bearer, Failure> {
        let look = self.shared.state().look(self.shared.now());
        match look {
            Look::Good(bearer) => Ok(bearer),
            Look::Due(_) | Look::None => self.renewal(None).await,
        }
    }

    /// A token other than this one, which the upstream has refused.
    ///
    /// # Errors
    /// When none can be had.
    pub async fn renew(&self, refused: &Bearer) -> Result<Bearer, Failure> {
        self.renewal(Some(refused.clone())).await
    }

    /// A new token whatever the one in hand is like, even if the login was found dead: the operator has asked.
    ///
    /// # Errors
    /// When none can be had.
    pub async fn force(&self) -> Result<Bearer, Failure> {
        let refused = {
            let mut state = self.shared.state();
            state.forget_failure();
            state.in_hand(self.shared.now())
        };
        self.renewal(refused).await
    }

    /// When the token should next be renewed, in milliseconds since 1970; `None`: never, because it needs no renewal
    /// or a person must log in.
    #[must_use]
    pub fn due_ms(&self) -> Option<u64> {
        self.shared.state().due_ms()
    }

    /// When the token in hand expires, in milliseconds since 1970; `None`: there is none, or it does not.
    #[must_use]
    pub fn expires_ms(&self) -> Option<u64> {
        self.shared.state().expires_ms()
    }

    /// The login as it is now.
    #[must_use]
    pub fn credential(&self) -> Credential {
        self.shared.state().credential().clone()
    }

    /// Takes a login from elsewhere in place of the one in hand, whole: somebody has logged in again, or another
    /// process has renewed it.
    pub fn replace(&self, credential: Credential) {
        self.shared.adopt(credential);
    }

    /// Looks at the login in place, which is cheaper than a copy.
    pub(crate) fn look_at<T>(&self, look: impl FnOnce(&Credential) -> T) -> T {
        look(self.shared.state().credential())
    }

    /// Changes whenever the login may have.
    pub(crate) fn version(&self) -> u64 {
        self.shared.state().attempts()
    }

    fn renew_beside(&self) {
        if self.shared.renewing.try_lock().is_err() || self.shared.state().waits(self.shared.now()) {
            return;
        }
        let shared = Arc::clone(&self.shared);
        #[expect(
            clippy::disallowed_methods,
            reason = "no request waits for it; at most one runs per account"
        )]
        let _beside = tokio::spawn(async move { shared.renewal(None).await.map(drop) });
    }

    async fn renewal(&self, refused: Option<Bearer>) -> Result<Bearer, Failure> {
        let shared = Arc::clone(&self.shared);
        #[expect(
            clippy::disallowed_methods,
            reason = "a renewal must outlive the request that began it: once the upstream has replaced the refresh \
                      token, dropping its answer would lose the account"
        )]
        let task = tokio::spawn(async move { shared.renewal(refused.as_ref()).await });
        task.await.unwrap_or_else(|_| Err(internal("refresh/panicked")))
    }
}

// === impl Shared ===

impl Shared {
    async fn renewal(&self, refused: Option<&Bearer>) -> Result<Bearer, Failure> {
        let came = self.state().attempts();
        let _one_at_a_time = self.renewing.lock().await;
        // Whoever held the lock before may have done it already, or found that it cannot be done.
        if let Some(bearer) = self.good(refused) {
            return Ok(bearer);
        }
        let known = self.state().known_failure(came, self.now());
        if let Some(failure) = known {
            return self.make_do(failure, refused);
        }
        match self.source.keeper.begin().await {
            Ok(Turn::Renew) => {}
            Ok(Turn::Newer(newer)) => {
                self.adopt(*newer);
                if let Some(bearer) = self.good(refused) {
                    self.source.keeper.end(Ok(())).await;
                    return Ok(bearer);
                }
            }
            Err(failure) => return self.make_do(failure, refused),
        }
        let outcome = self.renew_and_keep().await;
        self.source.keeper.end(outcome.as_ref().map(drop)).await;
        match outcome {
            // Even if it is the one that was refused: the login service has no other.
            Ok(()) => self.state().in_hand(self.now()).ok_or_else(|| internal("refresh/of-no-use")),
            Err(failure) => self.make_do(failure, refused),
        }
    }

    /// The one renewal: what it brings is in hand when it is done.
    async fn renew_and_keep(&self) -> Result<(), Failure> {
        let unkept = self.state().unkept();
        let renewed = match unkept {
            // Renewed before, but not made durable: the old token may be void, so this one is all there is.
            Some(unkept) => unkept,
            None => self.ask_twice().await.map_err(|ungranted| self.failed(&ungranted))?,
        };
        self.state().hold(renewed.clone());
        match self.source.keeper.keep(&renewed).await {
            Ok(Kept::Saved) => {
                self.adopt(renewed);
                tracing::info!(account = self.source.name, "upstream token refreshed");
                Ok(())
            }
            Ok(Kept::Superseded(newer)) => {
                self.adopt(*newer);
                Ok(())
            }
            Err(failure) => {
                tracing::error!(account = self.source.name, code = %failure.fault.code, "a renewed login could not be stored; it is not used until it is");
                self.state().failed(
                    failure.clone(),
                    Some(Duration::from_secs(1)),
                    self.now(),
                    (self.source.random)(),
                );
                Err(failure)
            }
        }
    }

    /// Asks the login service, and once more if that failed in passing: a single account has no other to turn to.
    async fn ask_twice(&self) -> Result<Credential, Ungranted> {
        let old = self.state().credential().clone();
        let Source { client, endpoints, .. } = &self.source;
        let first = renewal::renew(client, endpoints, &old, self.now()).await;
        let passing = match &first {
            Err(Ungranted { kind: Ungiven::Unreached, .. }) => true,
            Err(Ungranted { kind: Ungiven::Busy { after: None }, code }) => code != "refresh/429",
            _ => false,
        };
        if !passing {
            return first;
        }
        tokio::time::sleep(SECOND_TRY.mul_f64(1.0 + state::share((self.source.random)()))).await;
        renewal::renew(client, endpoints, &old, self.now()).await
    }

    fn failed(&self, ungranted: &Ungranted) -> Failure {
        let after = match ungranted.kind {
            Ungiven::Dead => None,
            Ungiven::Busy { after } => Some(after.unwrap_or(Duration::from_secs(5))),
            Ungiven::Unreached => Some(Duration::from_secs(1)),
        };
        let failure = ungranted.failure(after.unwrap_or_default());
        tracing::warn!(account = self.source.name, code = ungranted.code, "upstream token refresh failed");
        self.state().failed(failure.clone(), after, self.now(), (self.source.random)());
        failure
    }

    /// A renewal that failed is no reason to fail a request while there is a token that may still be good.
    fn make_do(&self, failure: Failure, refused: Option<&Bearer>) -> Result<Bearer, Failure> {
        self.state().in_hand(self.now()).filter(|bearer| Some(bearer) != refused).ok_or(failure)
    }

    /// The token in hand, if it needs no renewal and is not the one that was refused.
    fn good(&self, refused: Option<&Bearer>) -> Option<Bearer> {
        match self.state().look(self.now()) {
            Look::Good(bearer) if Some(&bearer) != refused => Some(bearer),
            _ => None,
        }
    }

    fn adopt(&self, credential: Credential) {
        self.state().adopt(credential, self.now(), (self.source.random)());
    }

    fn now(&self) -> u64 {
        (self.source.clock)()
    }

    /// Short critical sections of plain assignments: a panic cannot leave them half done, so poison is no news.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Bearer ===

impl Bearer {
    fn new(token: &SecretString) -> Option<Self> {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret())).ok()?;
        value.set_sensitive(true);
        Some(Self(value))
    }

    pub(crate) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

fn internal(code: &'static str) -> Failure {
    Failure { fault: Fault::internal(code), remedy: Remedy::Elsewhere(Ailment::LoginBusy) }
}
