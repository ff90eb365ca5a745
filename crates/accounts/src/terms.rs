//! The note on the upstream's terms: acknowledged once, before the first account is added.

use crate::{AccountError, Actor, ErrorKind, Fleet};

/// The setting that remembers the acknowledgement.
const SETTING: &str = "terms.acknowledged";

/// The note, for whoever must acknowledge it. The README says more.
pub const NOTE: &str = "The upstream's direct interface is not published for third-party use. Use only accounts and \
     licences that are yours to use, and check the service's terms and your company's rules first (README, \"Terms\").";

impl Fleet {
    /// Whether the note has been acknowledged, once and for all.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn terms_acknowledged(&self) -> Result<bool, AccountError> {
        if self.inner.terms_by_environment {
            return Ok(true);
        }
        Ok(self.inner.store.settings().value(SETTING).await?.is_some())
    }

    /// Acknowledges the note.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn acknowledge_terms(&self, actor: &Actor) -> Result<(), AccountError> {
        if self.terms_acknowledged().await? {
            return Ok(());
        }
        let now_ms = self.now_ms();
        self.inner.store.settings().set(SETTING, "true", now_ms).await?;
        self.audit(actor, "terms.acknowledge", "", String::new()).await
    }

    pub(crate) async fn require_terms(&self) -> Result<(), AccountError> {
        if self.terms_acknowledged().await? {
            return Ok(());
        }
        let how = "Acknowledge the note on the upstream's terms first: POST /api/v1/terms, `--accept-terms` at the \
                   command line, or QM_ACCEPT_UPSTREAM_TERMS=1.";
        Err(AccountError::new(ErrorKind::TermsNotAcknowledged, format!("{NOTE} {how}")))
    }
}
