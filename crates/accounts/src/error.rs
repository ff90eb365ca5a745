//! Why a verb on an account did not happen.

use std::borrow::Cow;

use qm_seal::{OpenError, SealError};
use qm_store::StoreError;

/// Why a verb on an account did not happen, in words that an operator may read: nothing secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{words}")]
pub struct AccountError {
    /// What a caller can act on.
    pub kind: ErrorKind,
    /// What happened and the next step.
    pub words: Cow<'static, str>,
}

/// Kinds of refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// No such account or login.
    NotFound,
    /// What was given cannot be an account, or a wish cannot be granted.
    Invalid,
    /// The login is that of another account.
    Duplicate {
        /// Id of that account.
        of: String,
    },
    /// The note on the upstream's terms has not been acknowledged yet.
    TermsNotAcknowledged,
    /// The account comes from the environment, where its login is changed.
    ReadOnly,
    /// Somebody else changed it meanwhile.
    Conflict,
    /// The upstream refused, for good.
    Refused,
    /// The upstream or the network failed in passing.
    Unavailable,
    /// The store failed, or a record cannot be opened.
    Internal,
}

impl AccountError {
    pub(crate) fn new(kind: ErrorKind, words: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, words: words.into() }
    }

    pub(crate) fn not_found() -> Self {
        Self::new(ErrorKind::NotFound, "Account not found")
    }

    pub(crate) fn invalid(words: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Invalid, words)
    }
}

impl From<StoreError> for AccountError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::DuplicateLogin { account } => {
                let words = format!("This login is kept already, as account {account}.");
                Self::new(ErrorKind::Duplicate { of: account }, words)
            }
            StoreError::Changed { .. } => {
                Self::new(ErrorKind::Conflict, "The account has been changed meanwhile: read it again.")
            }
            StoreError::Busy => Self::new(ErrorKind::Unavailable, "The database is busy: try again."),
            other => {
                tracing::error!(error = %other, "the store failed");
                Self::new(ErrorKind::Internal, "The database failed; the log has the reason.")
            }
        }
    }
}

impl From<OpenError> for AccountError {
    fn from(error: OpenError) -> Self {
        Self::new(ErrorKind::Internal, format!("A sealed record cannot be opened: {error}."))
    }
}

impl From<SealError> for AccountError {
    fn from(error: SealError) -> Self {
        Self::invalid(error.to_string())
    }
}
