//! What is written down of a request: the seam behind which the ledger stands.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use qm_canon::{Fault, Kind, Origin, Usage};

use crate::admit::KeyId;

/// Keeps receipts.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Opens the entry of a request whose key is known. Waits while the ledger is behind with writing, so that what is
    /// not written yet is bounded and no receipt is lost for want of room.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] when that takes too long.
    async fn open(&self, opening: Opening) -> Result<Box<dyn Entry>, Fault>;
}

/// One request in the ledger, while it lasts. Must not block: it is called on the way of an answer.
///
/// Dropped without being closed, the request ended with the process or by a defect of the gateway.
pub trait Entry: Send {
    /// How far the request has come, for those who watch.
    fn progress(&mut self, step: Step<'_>);

    /// The request has ended.
    fn close(self: Box<Self>, receipt: Receipt);
}

/// What is known of a request when its key has been admitted.
#[derive(Clone, Debug)]
pub struct Opening {
    /// Id of the request, as the client gets it.
    pub request_id: Arc<str>,
    /// Whose key.
    pub key: KeyId,
    /// Who owns the key.
    pub owner: Option<Arc<str>>,
    /// The key's team.
    pub team: Option<Arc<str>>,
    /// Which format the client speaks, in one word.
    pub protocol: &'static str,
    /// Where it comes from.
    pub source: Option<IpAddr>,
    /// What the client calls itself, shortened.
    pub agent: Option<Box<str>>,
    /// When it came, in milliseconds since 1970.
    pub began_ms: u64,
}

/// A step of a request.
#[derive(Clone, Copy, Debug)]
pub enum Step<'a> {
    /// The client has asked this model.
    Asked(&'a str),
    /// An attempt begins.
    Attempt {
        /// Its number, from one.
        number: u32,
        /// Number of the account.
        account: u64,
        /// Name of the account.
        name: &'a str,
        /// The model that is asked.
        model: &'a str,
    },
    /// The answer has begun, so long after the request came.
    Begun(Duration),
}

/// One request, after the fact: what its opening does not say. Numbers and names only: no content.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// The model, as the client named it, shortened; `None` if the request could not be read.
    pub asked: Option<Box<str>>,
    /// The model that the upstream was asked for last; `None` if it neither lists nor answered for it, for sums are kept
    /// by this name, and clients must not make it up.
    pub served: Option<Box<str>>,
    /// The account that was asked last.
    pub account: Option<Served>,
    /// How it ended.
    pub outcome: Outcome,
    /// The HTTP status that the client got; `None` if it left before.
    pub status: Option<u16>,
    /// What it took, as far as known.
    pub usage: Usage,
    /// Attempts at the upstream.
    pub attempts: u32,
    /// From the request to the first event of the answer.
    pub first_event: Option<Duration>,
    /// From the request to its end.
    pub total: Duration,
    /// When it ended, in milliseconds since 1970.
    pub ended_ms: u64,
}

/// An account in a receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// Its number.
    pub number: u64,
    /// Its name.
    pub name: Box<str>,
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// With a whole answer.
    Finished,
    /// The request itself, or its key's limits, stood in the way; the code is [`Fault::code`].
    Refused(Kind, Cow<'static, str>),
    /// The gateway or the upstream could not answer; the code is [`Fault::code`].
    Failed(Kind, Cow<'static, str>),
    /// The client left before the end.
    ClientGone,
}

// === impl Receipt ===

impl Receipt {
    /// What it took of limits on tokens: what was read, what was written to a cache and what was said. What came out of
    /// a cache is free, as it is in Anthropic's own limits (docs.claude.com, "Rate limits", cache-aware ITPM).
    #[must_use]
    pub fn tokens(&self) -> u64 {
        let Usage { input, output, cache_write, .. } = self.usage;
        input.saturating_add(cache_write.unwrap_or_default()).saturating_add(output)
    }

    /// What the upstream billed, in millionths of a credit; zero if it did not say.
    #[must_use]
    pub fn credits_micro(&self) -> u64 {
        // The cast saturates, and makes zero of what is no number.
        self.usage.credits.map_or(0, |credits| (credits * 1e6).round() as u64)
    }
}

// === impl Outcome ===

impl Outcome {
    /// With this fault.
    #[must_use]
    pub fn of(fault: &Fault) -> Self {
        let clients = matches!(fault.kind, Kind::Invalid | Kind::TooLong { .. } | Kind::TooLarge);
        if clients || fault.origin == Origin::Client {
            Self::Refused(fault.kind, fault.code.clone())
        } else {
            Self::Failed(fault.kind, fault.code.clone())
        }
    }

    /// In one word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Finished => "ok",
            Self::Refused(..) => "refused",
            Self::Failed(..) => "failed",
            Self::ClientGone => "client_gone",
        }
    }

    /// Why it was not a whole answer; empty if it was, or if the client left.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Finished | Self::ClientGone => "",
            Self::Refused(_, code) | Self::Failed(_, code) => code,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_that_is_written_to_a_cache_counts_and_one_that_is_read_from_it_does_not() {
        let receipt = |cache_read, cache_write| Receipt {
            asked: None,
            served: None,
            account: None,
            outcome: Outcome::Finished,
            status: Some(200),
            usage: Usage { input: 5, output: 20, cache_read, cache_write, ..Usage::default() },
            attempts: 1,
            first_event: None,
            total: Duration::ZERO,
            ended_ms: 0,
        };
        assert_eq!(receipt(None, Some(150_000)).tokens(), 150_025);
        assert_eq!(receipt(Some(150_000), None).tokens(), 25);
        assert_eq!(receipt(None, Some(u64::MAX)).tokens(), u64::MAX);
    }

    #[test]
    fn what_the_client_or_its_limits_did_is_refused_and_the_rest_failed() {
        let of = |kind, origin| Outcome::of(&Fault::new(kind, origin, "x").code("c"));
        for (kind, origin, word) in [
            (Kind::Invalid, Origin::Client, "refused"),
            (Kind::TooLong { tokens: 2, limit: 1 }, Origin::Upstream, "refused"),
            (Kind::Throttled, Origin::Client, "refused"),
            (Kind::Throttled, Origin::Upstream, "failed"),
            (Kind::Exhausted, Origin::Gateway, "failed"),
            (Kind::Unavailable, Origin::Gateway, "failed"),
        ] {
            assert_eq!(
                (of(kind, origin).word(), of(kind, origin).code()),
                (word, "c"),
                "{kind:?} {origin:?}"
            );
        }
        assert_eq!((Outcome::Finished.word(), Outcome::ClientGone.word()), ("ok", "client_gone"));
    }
}
