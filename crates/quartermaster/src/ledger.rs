//! Receipts into the log, until there is a store to keep them.

use async_trait::async_trait;
use qm_canon::Fault;
use qm_relay::{Entry, Ledger, Opening, Receipt, Step};

/// One log line per request: numbers and names, no content.
pub(crate) struct LogLedger;

struct LogEntry(Opening);

#[async_trait]
impl Ledger for LogLedger {
    async fn open(&self, opening: Opening) -> Result<Box<dyn Entry>, Fault> {
        Ok(Box::new(LogEntry(opening)))
    }
}

impl Entry for LogEntry {
    fn progress(&mut self, _: Step<'_>) {}

    fn close(self: Box<Self>, receipt: Receipt) {
        let Self(opening) = *self;
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
            tokens.basis = ?receipt.usage.basis,
            credits = receipt.usage.credits,
            first_event_ms = receipt.first_event.map(|time| time.as_millis() as u64),
            total_ms = receipt.total.as_millis() as u64,
            "request ended",
        );
    }
}
