//! Keeping an account's access token fresh: ahead of expiry, on demand, one refresh at a time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use qm_amazonq::fault::Failure;
use qm_canon::Fault;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use crate::client::Client;
use crate::endpoint::Endpoints;
use crate::oidc::{self, Grant, Granted};

/// How long before its expiry a token is replaced (spec/mission.md A5.15).
const AHEAD: Duration = Duration::from_secs(5 * 60);

/// An `authorization` header's value. Marked sensitive, so that it never shows in a debug print.
#[derive(Clone, PartialEq, Eq)]
pub struct Bearer(HeaderValue);

/// The tokens of one account.
#[derive(Clone)]
pub struct Tokens {
    shared: Arc<Shared>,
}

struct Shared {
    client: Client,
    endpoints: Endpoints,
    state: Mutex<State>,
    /// Held during a refresh, so that there is one at a time.
    refreshing: tokio::sync::Mutex<()>,
}

struct State {
    grant: Grant,
    access: Option<Access>,
    /// Set once the login is dead: asking again would only hammer.
    dead: Option<Failure>,
}

struct Access {
    bearer: Bearer,
    expires: Instant,
}

// === impl Tokens ===

impl Tokens {
    pub(crate) fn new(client: Client, endpoints: Endpoints, grant: Grant) -> Self {
        let state = Mutex::new(State { grant, access: None, dead: None });
        Self {
            shared: Arc::new(Shared { client, endpoints, state, refreshing: tokio::sync::Mutex::new(()) }),
        }
    }

    /// A token that is good for some minutes at least, as far as anyone can tell.
    ///
    /// # Errors
    /// When there is none and none can be had.
    pub async fn fresh(&self) -> Result<Bearer, Failure> {
        match self.shared.current(AHEAD) {
            Some(bearer) => Ok(bearer),
            None => self.refresh(None).await,
        }
    }

    /// A token other than this one, which the upstream has refused.
    ///
    /// # Errors
    /// When none can be had.
    pub async fn renew(&self, refused: &Bearer) -> Result<Bearer, Failure> {
        self.refresh(Some(refused.clone())).await
    }

    async fn refresh(&self, refused: Option<Bearer>) -> Result<Bearer, Failure> {
        let shared = Arc::clone(&self.shared);
        #[expect(
            clippy::disallowed_methods,
            reason = "a refresh must outlive the request that began it: once the upstream has replaced the refresh \
                      token, dropping its answer would lose the account"
        )]
        let task = tokio::spawn(async move { shared.refresh(refused.as_ref()).await });
        task.await.unwrap_or_else(|_| {
            Err(Failure { fault: Fault::internal("refresh/panicked"), remedy: qm_amazonq::Remedy::None })
        })
    }
}

// === impl Shared ===

impl Shared {
    /// The token in hand, if it lives at least `margin` longer.
    fn current(&self, margin: Duration) -> Option<Bearer> {
        let state = self.state();
        let access = state.access.as_ref()?;
        (access.expires > Instant::now() + margin).then(|| access.bearer.clone())
    }

    async fn refresh(&self, refused: Option<&Bearer>) -> Result<Bearer, Failure> {
        let _one_at_a_time = self.refreshing.lock().await;
        // Whoever held the lock before may have done it already.
        if let Some(bearer) = self.current(AHEAD).filter(|bearer| Some(bearer) != refused) {
            return Ok(bearer);
        }
        let grant = {
            let state = self.state();
            if let Some(dead) = &state.dead {
                return Err(dead.clone());
            }
            state.grant.clone()
        };
        match oidc::refresh(&self.client, self.endpoints.token(), &grant).await {
            Ok(granted) => self.keep(granted),
            Err(failure) => self.make_do(failure, refused),
        }
    }

    fn keep(&self, granted: Granted) -> Result<Bearer, Failure> {
        let bearer = Bearer::new(&granted.access_token).ok_or_else(|| Failure {
            fault: Fault::internal("refresh/token-not-a-header"),
            remedy: qm_amazonq::Remedy::None,
        })?;
        let mut state = self.state();
        if let Some(rotated) = granted.refresh_token {
            state.grant.refresh_token = rotated;
        }
        let expires = Instant::now() + granted.expires_in;
        state.access = Some(Access { bearer: bearer.clone(), expires });
        tracing::info!(expires_in_s = granted.expires_in.as_secs(), "upstream token refreshed");
        Ok(bearer)
    }

    /// A refresh ahead of time that failed is no reason to fail a request: the old token may still be good.
    fn make_do(&self, failure: Failure, refused: Option<&Bearer>) -> Result<Bearer, Failure> {
        tracing::warn!(code = %failure.fault.code, "upstream token refresh failed");
        if failure.fault.final_ {
            self.state().dead = Some(failure.clone());
        }
        match self.current(Duration::ZERO) {
            Some(bearer) if refused.is_none() => Ok(bearer),
            _ => Err(failure),
        }
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
