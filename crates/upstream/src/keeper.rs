//! Who keeps an account's login safe: the seam behind which the store stands.

use async_trait::async_trait;
use qm_amazonq::fault::Failure;
use qm_credential::Credential;

use crate::face::Learned;

/// Keeps the login of one account where it outlives the process, and sees to it that one renews it at a time.
#[async_trait]
pub trait Keeper: Send + Sync {
    /// Before a renewal: nobody else, in whatever process, may renew this login until [`Keeper::end`], or until the
    /// turn expires because this process has died. Waits as long as that is sensible.
    ///
    /// # Errors
    /// When the turn cannot be had; then there is no renewal, and `end` is not called.
    async fn begin(&self) -> Result<Turn, Failure>;

    /// Makes a renewed login durable. It is used only after this has succeeded: the service may have voided the old
    /// one, so that a crash in between would lose the account.
    ///
    /// # Errors
    /// When it is not durable. It is asked again before the next renewal.
    async fn keep(&self, renewed: &Credential) -> Result<Kept, Failure>;

    /// After a renewal, for the record: how it went. Called once for each `begin` that succeeded.
    async fn end(&self, outcome: Result<(), &Failure>);

    /// What has been learned of how the account is served. Need not be durable at once; must not block.
    fn learned(&self, learned: &Learned);
}

/// The answer to [`Keeper::begin`].
pub enum Turn {
    /// The login is as it was given; renew it.
    Renew,
    /// Somebody else has renewed or replaced it since.
    Newer(Box<Credential>),
}

/// The answer to [`Keeper::keep`].
pub enum Kept {
    /// It is durable.
    Saved,
    /// Somebody has replaced the login in the meantime, by logging in again: this one counts.
    Superseded(Box<Credential>),
}

/// Keeps nothing: for an account that lives as long as the process, and for tests.
pub struct Forgetful;

#[async_trait]
impl Keeper for Forgetful {
    async fn begin(&self) -> Result<Turn, Failure> {
        Ok(Turn::Renew)
    }

    async fn keep(&self, _: &Credential) -> Result<Kept, Failure> {
        Ok(Kept::Saved)
    }

    async fn end(&self, _: Result<(), &Failure>) {}

    fn learned(&self, _: &Learned) {}
}
