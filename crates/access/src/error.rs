//! Why a verb on a key or a session did not happen.

use std::borrow::Cow;

use qm_keys::LimitsError;
use qm_store::StoreError;

/// Why a verb did not happen, in words that an operator may read: nothing secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{words}")]
pub struct AccessError {
    /// What a caller can act on.
    pub kind: ErrorKind,
    /// What happened and the next step.
    pub words: Cow<'static, str>,
}

/// Kinds of refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// No such key or session.
    NotFound,
    /// A wish cannot be granted.
    Invalid {
        /// The field that is wrong, as `limits.rpm`.
        field: String,
    },
    /// The key comes from the configuration, where it is changed.
    ReadOnly,
    /// The state of things does not allow it.
    Conflict,
    /// Somebody else changed it meanwhile.
    Changed {
        /// Its revision now.
        revision: i64,
    },
    /// The store is busy: trying again may help.
    Unavailable,
    /// The store failed.
    Internal,
}

impl AccessError {
    pub(crate) fn new(kind: ErrorKind, words: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, words: words.into() }
    }

    pub(crate) fn not_found() -> Self {
        Self::new(ErrorKind::NotFound, "API key not found")
    }

    pub(crate) fn invalid(field: impl Into<String>, words: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Invalid { field: field.into() }, words)
    }

    pub(crate) fn read_only() -> Self {
        Self::new(
            ErrorKind::ReadOnly,
            "This key comes from the gateway's configuration and is changed or removed there.",
        )
    }

    pub(crate) fn conflict(words: &'static str) -> Self {
        Self::new(ErrorKind::Conflict, words)
    }
}

impl From<StoreError> for AccessError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Changed { revision } => {
                let words = "The key was changed meanwhile: read it again, then decide.";
                Self::new(ErrorKind::Changed { revision }, words)
            }
            StoreError::Busy => Self::new(ErrorKind::Unavailable, "The database is busy: try again."),
            other => {
                tracing::error!(error = %other, "the store failed");
                Self::new(ErrorKind::Internal, "The database failed; the log has the reason.")
            }
        }
    }
}

impl From<LimitsError> for AccessError {
    fn from(error: LimitsError) -> Self {
        Self::invalid(format!("limits.{}", error.field), format!("{}: {}.", error.field, error.words))
    }
}
