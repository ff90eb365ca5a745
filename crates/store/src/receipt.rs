//! What is written down about each request that had a key: numbers and names, never content.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use crate::Ms;

/// The largest figure of a receipt. Some of them are other people's words, and no word of theirs may make a sum overflow, which would keep
/// every later receipt of the hour from being written.
pub const MOST: u64 = 1_000_000_000_000;

/// One request, after the fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptEntry {
    /// Id of the request, as the client got it.
    pub request_id: Arc<str>,
    /// When it ended.
    pub at_ms: Ms,
    /// Whose key: the id of a kept one, or the name of one from the environment.
    pub key_id: Arc<str>,
    /// Whose key it was then.
    pub owner: Option<Arc<str>>,
    /// The team it was counted for.
    pub team: Option<Arc<str>>,
    /// The account that was asked last: its number, which is never used again, and what it was called then.
    pub account: Option<(i64, Box<str>)>,
    /// The client's format: `messages`, `chat`, `responses`, …
    pub protocol: Cow<'static, str>,
    /// The model as the client named it; empty if its body was not understood.
    pub asked: Box<str>,
    /// The model that was asked upstream; empty if none was.
    pub model: Box<str>,
    /// How it ended.
    pub outcome: ReceiptOutcome,
    /// The fault's short code; empty for an answer that ended well.
    pub code: Cow<'static, str>,
    /// The status the client got; zero if it left before there was one.
    pub status: u16,
    /// What it took.
    pub taken: Taken,
    /// Where the token figures come from: `reported`, `window`, `estimated`.
    pub basis: Cow<'static, str>,
    /// From the request to the first event of the answer, in milliseconds.
    pub first_event_ms: Option<u64>,
    /// From the request to its end, in milliseconds.
    pub total_ms: u64,
    /// Attempts at the upstream.
    pub attempts: u32,
    /// The address it came from, if it is known.
    pub source: Option<IpAddr>,
    /// The client, as it calls itself.
    pub agent: Box<str>,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceiptOutcome {
    /// With a whole answer.
    Ok,
    /// The client left before the end.
    ClientGone,
    /// It was not attempted: by its own fault, or because a limit was reached.
    Refused,
    /// It was attempted in vain, or its answer broke off.
    Failed,
}

/// What a request took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Taken {
    /// Tokens read, those of the cache not included.
    pub input: u64,
    /// Tokens produced.
    pub output: u64,
    /// Tokens read from the upstream's cache.
    pub cache_read: u64,
    /// Tokens written to the upstream's cache.
    pub cache_write: u64,
    /// Millionths of a credit billed by the upstream.
    pub credits_micro: u64,
}

/// A receipt in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptRecord {
    /// Ascending in the order of writing, never used again.
    pub number: i64,
    /// The receipt.
    pub entry: ReceiptEntry,
}

// === impl ReceiptOutcome ===

impl ReceiptOutcome {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Ok, Self::ClientGone, Self::Refused, Self::Failed];

    /// The word in tables and listings.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::ClientGone => "client_gone",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }

    /// The outcome of this word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.word() == word)
    }
}
