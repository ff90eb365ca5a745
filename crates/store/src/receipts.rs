//! The verbs on receipts, and on what they add up to.

use async_trait::async_trait;

use crate::page::Cursor;
use crate::receipt::{ReceiptEntry, ReceiptOutcome, ReceiptRecord};
use crate::usage::{Usage, UsageQuestion, UsageRow};
use crate::{Ms, StoreError};

/// Receipts, and the sums of them by hour and day.
#[async_trait]
pub trait Receipts: Send + Sync {
    /// Writes receipts down, adds them to the sums of their hours and days and to what their keys did: all of it, or nothing.
    /// Keys that are gone are passed over in the last. Figures beyond [`crate::receipt::MOST`] are written down as that.
    async fn append(&self, batch: &[ReceiptEntry]) -> Result<(), StoreError>;

    /// One page of receipts, those that ended last first, `limit` rows at most. Receipts are gone through by their time: a filter that lets
    /// few through takes as long as the span is, so give it one.
    ///
    /// # Errors
    /// [`StoreError::Cursor`] for one of another listing.
    async fn list(
        &self,
        filter: &ReceiptFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<ReceiptPage, StoreError>;

    /// Sums over the roll-ups. There are some of who asked (key, owner, team) and some of who answered (account). A question about both at
    /// once is answered by reading receipts: it takes longer, and only knows as much as is kept of them.
    async fn usage(&self, question: &UsageQuestion) -> Result<Vec<UsageRow>, StoreError>;

    /// What each key took in the days since the one that begins then: by which limits per day and month go on after a restart.
    async fn spent(&self, since_ms: Ms) -> Result<Vec<(String, Usage)>, StoreError>;

    /// Forgets some of what ended before those times: `limit` receipts at most, as many rows of each roll-up, and of whatever else the store
    /// keeps for receipts alone. How many rows are gone: zero means that nothing so old is left.
    async fn prune(&self, before: PruneBefore, limit: u32) -> Result<u64, StoreError>;
}

/// Which receipts; all that are set must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReceiptFilter {
    /// Only those that ended at this time or later.
    pub from_ms: Option<Ms>,
    /// Only those that ended before this time.
    pub to_ms: Option<Ms>,
    /// Only of this request.
    pub request_id: Option<String>,
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
    /// Only those that ended like this.
    pub outcome: Option<ReceiptOutcome>,
}

/// Some receipts of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptPage {
    /// The receipts.
    pub receipts: Vec<ReceiptRecord>,
    /// Where the next page begins; nothing after the last.
    pub next: Option<Cursor>,
}

/// How old what is forgotten must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PruneBefore {
    /// Receipts that ended before then.
    pub receipts_ms: Ms,
    /// Hours that began before then.
    pub hours_ms: Ms,
    /// Days that began before then; zero keeps all.
    pub days_ms: Ms,
}
