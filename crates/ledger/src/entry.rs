//! One request in the ledger: opened when there is room, closed without waiting.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use qm_canon::usage::Basis;
use qm_canon::{Fault, Kind, Origin};
use qm_relay::{Entry, Ledger, Opening, Outcome, Receipt, Step};
use qm_store::{ReceiptEntry, ReceiptOutcome, Taken};

use crate::live::Live;
use crate::{Books, Inner};

/// The code of a request that ended without anybody saying how.
const LOST: &str = "house/lost";

/// An entry that is open: its place in the table of live requests.
struct OpenEntry {
    inner: Arc<Inner>,
    /// Nothing once it is closed: from then on the place is another request's.
    at: Option<usize>,
}

#[async_trait]
impl Ledger for Books {
    async fn open(&self, opening: Opening) -> Result<Box<dyn Entry>, Fault> {
        let room = &self.inner.room;
        let permit = match room.try_acquire() {
            Ok(permit) => permit,
            Err(_) => match tokio::time::timeout(self.inner.habits.patience, room.acquire()).await {
                Ok(Ok(permit)) => permit,
                Ok(Err(_)) | Err(_) => return Err(behind()),
            },
        };
        // From here it belongs to the entry, and then to its receipt, with which it comes back.
        permit.forget();
        let at = self.inner.live.add(opening);
        Ok(Box::new(OpenEntry { inner: Arc::clone(&self.inner), at: Some(at) }))
    }
}

impl Entry for OpenEntry {
    fn progress(&mut self, step: Step<'_>) {
        if let Some(at) = self.at {
            self.inner.live.step(at, step);
        }
    }

    fn close(mut self: Box<Self>, receipt: Receipt) {
        if let Some(live) = self.leave() {
            log(&live.opening, &receipt);
            self.inner.receive(written(live.opening, receipt));
        }
    }
}

impl Drop for OpenEntry {
    /// A request that nobody closed leaves a receipt as well: its task panicked, or the runtime is going down.
    fn drop(&mut self) {
        if let Some(live) = self.leave() {
            let now_ms = (self.inner.now)();
            tracing::warn!(request.id = &*live.opening.request_id, "a request ended without a word");
            self.inner.receive(lost(live, now_ms));
        }
    }
}

impl OpenEntry {
    /// Gives its place up, once.
    fn leave(&mut self) -> Option<Live> {
        self.inner.live.take(self.at.take()?)
    }
}

fn behind() -> Fault {
    let words = "The gateway is behind with its bookkeeping; try again in a few seconds.";
    Fault::new(Kind::Unavailable, Origin::Gateway, words)
        .code("ledger/behind")
        .retry_after(Duration::from_secs(5))
}

/// The receipt as the store keeps it. Nothing is copied that can be moved.
fn written(opening: Opening, receipt: Receipt) -> ReceiptEntry {
    let taken = taken(&receipt);
    let (outcome, code) = match receipt.outcome {
        Outcome::Finished => (ReceiptOutcome::Ok, Cow::Borrowed("")),
        Outcome::ClientGone => (ReceiptOutcome::ClientGone, Cow::Borrowed("")),
        Outcome::Refused(_, code) => (ReceiptOutcome::Refused, code),
        Outcome::Failed(_, code) => (ReceiptOutcome::Failed, code),
    };
    ReceiptEntry {
        request_id: opening.request_id,
        at_ms: receipt.ended_ms,
        key_id: opening.key.0,
        owner: opening.owner,
        team: opening.team,
        account: receipt.account.map(|account| (account.number.cast_signed(), account.name)),
        protocol: Cow::Borrowed(opening.protocol),
        asked: receipt.asked.unwrap_or_default(),
        model: receipt.served.unwrap_or_default(),
        outcome,
        code,
        status: receipt.status.unwrap_or_default(),
        taken,
        basis: Cow::Borrowed(basis(receipt.usage.basis)),
        first_event_ms: receipt.first_event.map(millis),
        total_ms: millis(receipt.total),
        attempts: receipt.attempts,
        source: opening.source,
        agent: opening.agent.unwrap_or_default(),
    }
}

fn taken(receipt: &Receipt) -> Taken {
    Taken {
        input: receipt.usage.input,
        output: receipt.usage.output,
        cache_read: receipt.usage.cache_read.unwrap_or_default(),
        cache_write: receipt.usage.cache_write.unwrap_or_default(),
        credits_micro: receipt.credits_micro(),
    }
}

/// As much of a receipt as the table of live requests can tell.
fn lost(live: Live, now_ms: u64) -> ReceiptEntry {
    let opening = live.opening;
    ReceiptEntry {
        total_ms: now_ms.saturating_sub(opening.began_ms),
        request_id: opening.request_id,
        at_ms: now_ms,
        key_id: opening.key.0,
        owner: opening.owner,
        team: opening.team,
        account: live.account.map(|(number, name)| (number.cast_signed(), name)),
        protocol: Cow::Borrowed(opening.protocol),
        asked: live.asked.unwrap_or_default(),
        model: live.model.unwrap_or_default(),
        outcome: ReceiptOutcome::Failed,
        code: Cow::Borrowed(LOST),
        status: 0,
        taken: Taken::default(),
        basis: Cow::Borrowed(basis(Basis::Estimated)),
        first_event_ms: live.first_event_ms,
        attempts: live.attempts,
        source: opening.source,
        agent: opening.agent.unwrap_or_default(),
    }
}

/// Where token figures come from, in one word.
fn basis(basis: Basis) -> &'static str {
    match basis {
        Basis::Reported => "reported",
        Basis::Window => "window",
        Basis::Estimated => "estimated",
    }
}

pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// One line for each request: numbers and names, no content.
fn log(opening: &Opening, receipt: &Receipt) {
    tracing::info!(
        request.id = &*opening.request_id,
        key = %opening.key,
        protocol = opening.protocol,
        account = receipt.account.as_ref().map(|account| &*account.name),
        asked = receipt.asked.as_deref(),
        model = receipt.served.as_deref(),
        outcome = receipt.outcome.word(),
        code = receipt.outcome.code(),
        status = receipt.status,
        attempts = receipt.attempts,
        tokens.input = receipt.usage.input,
        tokens.output = receipt.usage.output,
        tokens.basis = basis(receipt.usage.basis),
        credits = receipt.usage.credits,
        first_event_ms = receipt.first_event.map(millis),
        total_ms = millis(receipt.total),
        "request ended",
    );
}
