//! Whom to ask: the seam behind which the pool will stand.

use std::sync::Arc;

use qm_amazonq::fault::Ailment;
use qm_canon::{Fault, Kind, Origin};
use qm_upstream::Account;

/// Chooses accounts.
pub trait Accounts: Send + Sync {
    /// The account for a request of this session, none of those already `tried`.
    ///
    /// # Errors
    /// When there is none: the fault to end with if no attempt has been made.
    fn pick(&self, affinity: Option<&str>, tried: &[Arc<Account>]) -> Result<Arc<Account>, Fault>;

    /// Says that an account failed in a way that is its own.
    fn ailing(&self, account: &Account, ailment: Ailment);

    /// Any account, for what does not depend on the request, such as the list of models.
    fn any(&self) -> Option<Arc<Account>>;
}

/// At most one account, always the same.
pub struct OneAccount(pub Option<Arc<Account>>);

impl Accounts for OneAccount {
    fn pick(&self, _affinity: Option<&str>, tried: &[Arc<Account>]) -> Result<Arc<Account>, Fault> {
        match &self.0 {
            Some(account) if tried.is_empty() => Ok(Arc::clone(account)),
            _ => Err(none_left()),
        }
    }

    fn ailing(&self, account: &Account, ailment: Ailment) {
        tracing::warn!(account = account.name(), ?ailment, "account is ailing");
    }

    fn any(&self) -> Option<Arc<Account>> {
        self.0.clone()
    }
}

fn none_left() -> Fault {
    Fault::new(
        Kind::Unavailable,
        Origin::Gateway,
        "No available accounts in pool: the gateway has no upstream account that can serve this. Its operator must add one.",
    )
    .never_retry()
    .code("pool/empty")
}
