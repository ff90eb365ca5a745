//! The state of an account. States and what is stored of them are here, the table of what follows from which
//! failure in [`rules`], the transitions in `condition`.

pub(crate) mod condition;
pub mod rules;

use serde::{Deserialize, Serialize};

pub use rules::Rules;

/// The state of an account.
///
/// ```text
///            failure of a kind that passes               until_ms, resets_ms reached: one request on trial
///   Ready ───────────────────────────────▶ Cooling ───┐
///     ▲ ▲ └──────────────────────────────▶ Exhausted ─┤
///     │ └───────────────── it was answered ───────────┘   (it failed: back, and for longer)
///     │
///     │                    Suspended, Broken, Disabled ◀── failures of a kind that does not pass, from any state
///     └──────────────────────────────────┘
///         enabled or reset by a person
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Health {
    /// Can serve.
    #[default]
    Ready,
    /// Rests. After `until_ms` one request tries it.
    Cooling {
        /// When the rest ends.
        until_ms: u64,
        /// From here on it is tried all the same when no other account can serve: the last resort.
        earliest_ms: u64,
        /// What it rests from.
        why: Why,
    },
    /// Its credits are used up. After `resets_ms` one request tries it.
    Exhausted {
        /// When they renew.
        resets_ms: u64,
    },
    /// Suspended by the upstream. Never tried until a person says so.
    Suspended,
    /// Its login is dead. Never tried until someone has logged in again.
    Broken,
    /// Switched off.
    Disabled {
        /// By whom.
        by: By,
    },
}

/// What an account rests from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// It asked too often.
    Throttled,
    /// It is under suspicion.
    Suspected,
    /// It was refused.
    Refused,
    /// It failed too often in a short time.
    Quarantined,
}

/// Who switched an account off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// The operator.
    Operator,
    /// Too many failures on end.
    Errors,
}

/// Why an account is in the state it is in. Nothing secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// Names only, such as `AccessDeniedException/TEMPORARILY_SUSPENDED`.
    pub code: Box<str>,
    /// In words.
    pub words: Box<str>,
    /// When.
    pub at_ms: u64,
    /// The upstream's id of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_request_id: Option<Box<str>>,
}

/// A model that an account is not asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelRest {
    /// Upstream's name.
    pub model: Box<str>,
    /// Until when.
    pub until_ms: u64,
    /// Whether its plan or region lacks it; else the upstream had no capacity for it.
    pub lacking: bool,
    /// How often on end there was no capacity.
    #[serde(default)]
    pub level: u32,
}

/// All that must outlive the process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stored {
    /// The state.
    pub health: Health,
    /// What led to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// Failures since the last answer.
    pub errors: u32,
    /// Rests on end without an answer between them: each is longer.
    pub level: u32,
    /// Times of the latest failures.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub strikes_ms: Vec<u64>,
    /// Models it is not asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<ModelRest>,
}

// === impl Health ===

impl Health {
    /// Its word in listings.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Cooling { .. } => "cooling",
            Self::Exhausted { .. } => "exhausted",
            Self::Suspended => "suspended",
            Self::Broken => "broken",
            Self::Disabled { .. } => "disabled",
        }
    }

    /// Whether time heals it.
    #[must_use]
    pub fn heals(&self) -> bool {
        matches!(self, Self::Ready | Self::Cooling { .. } | Self::Exhausted { .. })
    }
}

// === impl Why ===

impl Why {
    /// Its word in listings.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::Suspected => "suspected",
            Self::Refused => "refused",
            Self::Quarantined => "quarantined",
        }
    }
}
