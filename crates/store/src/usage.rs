//! What receipts add up to, by hour and by day.

use crate::Ms;
use crate::receipt::{MOST, ReceiptEntry, ReceiptOutcome};

/// Milliseconds of an hour.
pub const HOUR_MS: Ms = 3_600_000;
/// Milliseconds of a day.
pub const DAY_MS: Ms = 24 * HOUR_MS;

/// Sums over receipts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(
    missing_docs,
    reason = "each is the sum of the receipts' field of this name, or the number of those that ended so"
)]
pub struct Usage {
    pub requests: u64,
    pub succeeded: u64,
    pub client_gone: u64,
    pub refused: u64,
    pub failed: u64,
    pub input: u64,
    pub output: u64,
    pub cache_read: u64,
    pub cache_write: u64,
    pub credits_micro: u64,
    pub total_ms: u64,
}

/// A question about sums. Periods are those of UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageQuestion {
    /// From which roll-up.
    pub step: Step,
    /// Periods that begin at this time or later.
    pub from_ms: Ms,
    /// Periods that begin before this time.
    pub to_ms: Ms,
    /// Of whom.
    pub of: UsageFilter,
    /// Whether each period has its own rows; else there is one sum for all.
    pub by_period: bool,
    /// Whether each key, account, … has its own rows.
    pub group: Group,
    /// The largest of what first; with periods, oldest first, and then by this.
    pub order: Order,
    /// Most rows.
    pub limit: u32,
}

/// Whose use; all that are set must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UsageFilter {
    /// Only of this key.
    pub key_id: Option<String>,
    /// Only of the account of this number; zero for requests that reached none.
    pub account: Option<i64>,
    /// Only of this model, as it was asked upstream.
    pub model: Option<String>,
    /// Only of this format.
    pub protocol: Option<String>,
    /// Only of this owner; the empty text for keys of nobody.
    pub owner: Option<String>,
    /// Only of this team; the empty text for keys of none.
    pub team: Option<String>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageRow {
    /// When the period began; zero for a sum over all.
    pub start_ms: Ms,
    /// Which key (its id), account (its number), …; empty for a sum over all, and for what had none.
    pub name: String,
    /// The sums.
    pub usage: Usage,
}

/// How long a period is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "they say it")]
pub enum Step {
    Hour,
    Day,
}

/// Who has rows of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "they say it")]
pub enum Group {
    #[default]
    None,
    Key,
    Account,
    Model,
    Protocol,
    Owner,
    Team,
}

/// By which sum rows are ordered, the largest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "they say it")]
pub enum Order {
    #[default]
    Requests,
    Tokens,
    Credits,
    Failed,
}

// === impl Usage ===

impl Usage {
    /// That of one receipt.
    #[must_use]
    pub fn of(receipt: &ReceiptEntry) -> Self {
        let ended = |outcome| u64::from(receipt.outcome == outcome);
        Self {
            requests: 1,
            succeeded: ended(ReceiptOutcome::Ok),
            client_gone: ended(ReceiptOutcome::ClientGone),
            refused: ended(ReceiptOutcome::Refused),
            failed: ended(ReceiptOutcome::Failed),
            input: receipt.taken.input.min(MOST),
            output: receipt.taken.output.min(MOST),
            cache_read: receipt.taken.cache_read.min(MOST),
            cache_write: receipt.taken.cache_write.min(MOST),
            credits_micro: receipt.taken.credits_micro.min(MOST),
            total_ms: receipt.total_ms.min(MOST),
        }
    }

    /// Adds another sum.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.fields_mut().into_iter().zip(other.fields()) {
            *mine = mine.saturating_add(theirs);
        }
    }

    /// Tokens that count to limits and in a key's totals: those read, those written to a cache and those said. What came
    /// out of a cache does not.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.input.saturating_add(self.cache_write).saturating_add(self.output)
    }

    /// Each sum, in the order in which they are declared.
    #[must_use]
    pub fn fields(&self) -> [u64; 11] {
        let mut copy = *self;
        copy.fields_mut().map(|field| *field)
    }

    /// From sums in that order.
    #[must_use]
    pub fn from_fields(fields: [u64; 11]) -> Self {
        let mut usage = Self::default();
        for (field, value) in usage.fields_mut().into_iter().zip(fields) {
            *field = value;
        }
        usage
    }

    fn fields_mut(&mut self) -> [&mut u64; 11] {
        [
            &mut self.requests,
            &mut self.succeeded,
            &mut self.client_gone,
            &mut self.refused,
            &mut self.failed,
            &mut self.input,
            &mut self.output,
            &mut self.cache_read,
            &mut self.cache_write,
            &mut self.credits_micro,
            &mut self.total_ms,
        ]
    }
}

// === impl Step ===

impl Step {
    /// Its length in milliseconds.
    #[must_use]
    pub fn length_ms(self) -> Ms {
        match self {
            Self::Hour => HOUR_MS,
            Self::Day => DAY_MS,
        }
    }

    /// When the period of this time began. Milliseconds since 1970 know no leap seconds, so this is arithmetic.
    #[must_use]
    pub fn start_of(self, at_ms: Ms) -> Ms {
        at_ms - at_ms % self.length_ms()
    }
}

// === impl Group ===

impl Group {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::None, Self::Key, Self::Account, Self::Model, Self::Protocol, Self::Owner, Self::Team];

    /// The word in questions.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Key => "key",
            Self::Account => "account",
            Self::Model => "model",
            Self::Protocol => "protocol",
            Self::Owner => "owner",
            Self::Team => "team",
        }
    }

    /// The group of this word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.word() == word)
    }
}

// === impl Order ===

impl Order {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Requests, Self::Tokens, Self::Credits, Self::Failed];

    /// The word in questions.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Tokens => "tokens",
            Self::Credits => "credits",
            Self::Failed => "failed",
        }
    }

    /// The order of this word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.word() == word)
    }
}
