//! Why somebody was not let in.

use std::borrow::Cow;

/// Why somebody was not let in, in words for whoever asked. They tell something of a key only to who holds it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{words}")]
pub struct Denied {
    /// What a caller can act on.
    pub why: Why,
    /// What happened and the next step.
    pub words: Cow<'static, str>,
}

/// Kinds of denial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Nothing was shown.
    Missing,
    /// What was shown is not good, or not any more.
    Invalid,
    /// Too much that is not good has come from there.
    Throttled {
        /// In how many milliseconds there may be another try.
        left_ms: u64,
    },
    /// It is good, but not for this.
    Forbidden,
    /// The session is good, but the token against forged requests was not sent along.
    Forged,
    /// The gateway failed; its log has the reason.
    Failed,
}

impl Denied {
    pub(crate) fn new(why: Why, words: impl Into<Cow<'static, str>>) -> Self {
        Self { why, words: words.into() }
    }

    pub(crate) fn invalid(words: &'static str) -> Self {
        Self::new(Why::Invalid, words)
    }

    pub(crate) fn unknown() -> Self {
        Self::invalid(
            "Invalid or expired API key. Check the key, or ask the gateway's operator for a new one.",
        )
    }

    pub(crate) fn missing() -> Self {
        Self::new(Why::Missing, "API key required: send it as `x-api-key` or as `Authorization: Bearer`.")
    }

    /// Without any key in force nobody can send a right one.
    pub(crate) fn closed() -> Self {
        Self::new(
            Why::Missing,
            "The gateway is closed: it has no API keys yet. Its operator must configure one.",
        )
    }

    pub(crate) fn throttled(left_ms: u64) -> Self {
        let words = "Too many wrong API keys came from this address. Wait, then send the right one.";
        Self::new(Why::Throttled { left_ms }, words)
    }
}
