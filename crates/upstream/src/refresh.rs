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

/// Longest life of an access token that is believed; whatever is said beyond it cannot be counted on.
const LONGEST_LIFE: Duration = Duration::from_hours(24);

/// How early a token counts as used up.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Margin {
    /// In time to be replaced before anyone notices; for a short life, a fifth of it.
    Ahead,
    /// When it expires.
    None,
}

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
    /// The last refresh, if it failed.
    failed: Option<Failed>,
}

struct Access {
    bearer: Bearer,
    expires: Instant,
    /// From here on it is replaced.
    due: Instant,
}

struct Failed {
    failure: Failure,
    at: Instant,
}

// === impl Tokens ===

impl Tokens {
    pub(crate) fn new(client: Client, endpoints: Endpoints, grant: Grant) -> Self {
        let state = Mutex::new(State { grant, access: None, failed: None });
        Self {
            shared: Arc::new(Shared { client, endpoints, state, refreshing: tokio::sync::Mutex::new(()) }),
        }
    }

    /// A token that is good for some minutes at least, as far as anyone can tell.
    ///
    /// # Errors
    /// When there is none and none can be had.
    pub async fn fresh(&self) -> Result<Bearer, Failure> {
        if let Some(bearer) = self.shared.current(Margin::Ahead) {
            return Ok(bearer);
        }
        // Somebody is at it already: no reason to wait while the old token is still good.
        match self.shared.current(Margin::None).filter(|_| self.shared.refreshing.try_lock().is_err()) {
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
    /// The token in hand, if it is not to be replaced yet.
    fn current(&self, margin: Margin) -> Option<Bearer> {
        let (state, now) = (self.state(), Instant::now());
        let access = state.access.as_ref()?;
        let until = if margin == Margin::Ahead { access.due } else { access.expires };
        (now < until).then(|| access.bearer.clone())
    }

    async fn refresh(&self, refused: Option<&Bearer>) -> Result<Bearer, Failure> {
        let came = Instant::now();
        let _one_at_a_time = self.refreshing.lock().await;
        // Whoever held the lock before may have done it already, or found that it cannot be done.
        if let Some(bearer) = self.current(Margin::Ahead).filter(|bearer| Some(bearer) != refused) {
            return Ok(bearer);
        }
        let (grant, known) = {
            let state = self.state();
            let known =
                state.failed.as_ref().filter(|failed| failed.failure.fault.final_ || failed.at >= came);
            (state.grant.clone(), known.map(|failed| failed.failure.clone()))
        };
        if let Some(failure) = known {
            return self.make_do(failure, refused);
        }
        match oidc::refresh(&self.client, self.endpoints.token(), &grant).await {
            Ok(granted) => self.keep(granted),
            Err(failure) => {
                tracing::warn!(code = %failure.fault.code, "upstream token refresh failed");
                self.state().failed = Some(Failed { failure: failure.clone(), at: Instant::now() });
                self.make_do(failure, refused)
            }
        }
    }

    fn keep(&self, granted: Granted) -> Result<Bearer, Failure> {
        let mut state = self.state();
        // First of all: the old one may be void from now on.
        if let Some(rotated) = granted.refresh_token {
            state.grant.refresh_token = rotated;
        }
        let bearer = Bearer::new(&granted.access_token).ok_or_else(|| Failure {
            fault: Fault::internal("refresh/token-not-a-header"),
            remedy: qm_amazonq::Remedy::None,
        })?;
        let (now, life) = (Instant::now(), granted.expires_in.min(LONGEST_LIFE));
        let due = now + life.saturating_sub(AHEAD.min(life / 5));
        state.access = Some(Access { bearer: bearer.clone(), expires: now + life, due });
        state.failed = None;
        tracing::info!(expires_in_s = life.as_secs(), "upstream token refreshed");
        Ok(bearer)
    }

    /// A refresh that failed is no reason to fail a request while there is a token that may still be good.
    fn make_do(&self, failure: Failure, refused: Option<&Bearer>) -> Result<Bearer, Failure> {
        self.current(Margin::None).filter(|bearer| Some(bearer) != refused).ok_or(failure)
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

#[cfg(test)]
mod tests {
    use qm_amazonq::Surface;
    use tokio::time::advance;

    use super::*;
    use crate::identity::Identity;

    fn shared() -> Shared {
        let surface = Surface::named("q").expect("is in the table");
        let endpoints = Endpoints::new(surface, None, None, None, None).expect("addresses parse");
        let client = Client::new(Identity::new(None, false).expect("a header"), AHEAD);
        let grant = Grant { client_id: "c".into(), client_secret: "s".into(), refresh_token: "r".into() };
        let state = Mutex::new(State { grant, access: None, failed: None });
        Shared { client, endpoints, state, refreshing: tokio::sync::Mutex::new(()) }
    }

    fn granted(token: &str, life: Duration) -> Granted {
        Granted { access_token: token.into(), refresh_token: Some("rotated".into()), expires_in: life }
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_due_five_minutes_early_or_a_fifth_of_its_life() {
        for (life_s, due_s) in [(3600, 3300), (300, 240), (u64::MAX, 24 * 3600 - 300)] {
            let shared = shared();
            shared.keep(granted("t", Duration::from_secs(life_s))).expect("kept");
            advance(Duration::from_secs(due_s - 1)).await;
            assert!(shared.current(Margin::Ahead).is_some(), "{life_s}");
            advance(Duration::from_secs(1)).await;
            assert!(shared.current(Margin::Ahead).is_none(), "{life_s}");
            assert!(shared.current(Margin::None).is_some(), "{life_s}");
        }
    }

    #[tokio::test]
    async fn a_rotated_token_is_kept_even_if_the_rest_is_of_no_use() {
        let shared = shared();
        assert!(shared.keep(granted("not\na header", Duration::from_secs(60))).is_err());
        assert_eq!(shared.state().grant.refresh_token.expose_secret(), "rotated");
    }

    #[tokio::test]
    async fn while_somebody_refreshes_the_old_token_serves() {
        let tokens = Tokens { shared: Arc::new(shared()) };
        tokens.shared.keep(granted("old", Duration::from_secs(60))).expect("kept");
        if let Some(access) = &mut tokens.shared.state().access {
            access.due = Instant::now();
        }
        let _busy = tokens.shared.refreshing.lock().await;
        assert!(tokens.fresh().await.is_ok());
    }
}
