//! Whom to ask: the seam behind which the pool of accounts stands.

use std::sync::Arc;

use async_trait::async_trait;
use qm_amazonq::model::Catalogue;
use qm_canon::Fault;
use qm_pool::{AccountId, Lease, Pool};
use qm_upstream::Account;

use crate::admit::Caller;
use crate::{Clock, Random, hello, refusal};

/// Chooses accounts.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// An account that can serve this now, with the lease that counts it as busy.
    ///
    /// # Errors
    /// When there is none: the fault to end with if no attempt has been made.
    fn pick(&self, want: &Want<'_>) -> Result<Picked, Fault>;

    /// The models of all accounts together.
    fn catalogue(&self) -> Arc<Catalogue>;

    /// How many accounts there are, and how they are.
    fn census(&self) -> Census;

    /// Asks the upstream through an account, to see whether it answers; `None` where that cannot be done.
    async fn probe(&self) -> Option<Probed> {
        None
    }

    /// What was seen when that was done last.
    fn last_probe(&self) -> Option<Probed> {
        None
    }
}

/// What was seen when the upstream was asked through an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probed {
    /// Name of the account, if there was one to ask.
    pub account: Option<Box<str>>,
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// Why it did not answer, in words for admins; `None` if it did.
    pub trouble: Option<Box<str>>,
}

/// How many accounts there are, and how they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// All of them.
    pub total: usize,
    /// Not switched off by the operator.
    pub enabled: usize,
    /// Able to serve, or resting for a while.
    pub active: usize,
    /// Able to serve now, as far as is known.
    pub healthy: usize,
    /// With a token that has not expired.
    pub with_token: usize,
}

/// What a request needs of an account.
pub struct Want<'a> {
    /// Who asks.
    pub caller: &'a Caller,
    /// The model, upstream's name; none if it is not known whether the upstream has it.
    pub model: Option<&'a str>,
    /// Hash of the conversation and its caller.
    pub affinity: Option<u64>,
    /// Id or number of the only account that will do.
    pub pinned: Option<&'a str>,
    /// Accounts that have failed for this request.
    pub tried: &'a [AccountId],
}

/// An account that has been chosen.
pub struct Picked {
    /// Who it is.
    pub account: Arc<Account>,
    /// To be settled with what came of it.
    pub lease: Lease,
}

impl Census {
    /// Of the accounts of a pool; of tokens it knows nothing.
    #[must_use]
    pub fn of(views: &[qm_pool::View]) -> Self {
        let count = |is: fn(&qm_pool::View) -> bool| views.iter().filter(|view| is(view)).count();
        Self {
            total: views.len(),
            enabled: count(|view| view.traits.enabled),
            active: count(|view| view.health.heals()),
            healthy: count(|view| view.health == qm_pool::Health::Ready),
            with_token: 0,
        }
    }
}

/// A few accounts that never change, each known to the pool by its place. For tests and small tools.
pub struct Fixed {
    accounts: Vec<Arc<Account>>,
    pool: Arc<Pool>,
    now: Clock,
    random: Random,
}

impl Fixed {
    /// Accounts that the pool knows as 1, 2, 3, ….
    #[must_use]
    pub fn new(accounts: Vec<Arc<Account>>, pool: Arc<Pool>, now: Clock, random: Random) -> Self {
        Self { accounts, pool, now, random }
    }
}

#[async_trait]
impl Accounts for Fixed {
    fn pick(&self, want: &Want<'_>) -> Result<Picked, Fault> {
        let now_ms = (self.now)();
        // An account that nobody has: the pool says so.
        let pinned = want.pinned.map(|id| AccountId(id.parse().unwrap_or(u64::MAX)));
        let wanted = qm_pool::Want {
            model: want.model,
            affinity: want.affinity,
            owner: want.caller.owner.as_deref(),
            pinned,
            tried: want.tried,
        };
        let lease = self
            .pool
            .pick(&wanted, now_ms, (self.random)() as u64)
            .map_err(|refusal| refusal::fault(&refusal, pinned.is_some(), now_ms))?;
        let place = usize::try_from(lease.account().0).ok().and_then(|number| number.checked_sub(1));
        let account = place.and_then(|place| self.accounts.get(place));
        let account = account.ok_or_else(|| Fault::internal("pool/unknown-account"))?;
        Ok(Picked { account: Arc::clone(account), lease })
    }

    fn catalogue(&self) -> Arc<Catalogue> {
        self.accounts.first().map_or_else(|| Arc::new(Catalogue::builtin()), Account::catalogue)
    }

    fn census(&self) -> Census {
        let now_ms = (self.now)();
        let with_token = self
            .accounts
            .iter()
            .filter(|account| account.tokens().expires_ms().is_some_and(|expires_ms| expires_ms > now_ms));
        Census { with_token: with_token.count(), ..Census::of(&self.pool.snapshot(now_ms)) }
    }

    async fn probe(&self) -> Option<Probed> {
        let account = self.accounts.first()?;
        let answered = hello(account, &self.random).await;
        let trouble = answered.err().map(|unanswered| unanswered.failure.fault.message.as_ref().into());
        Some(Probed { account: Some(account.name().into()), at_ms: (self.now)(), trouble })
    }
}
