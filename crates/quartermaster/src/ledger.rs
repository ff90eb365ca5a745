//! Receipts into the log, until there is a store to keep them.

use qm_relay::{Ledger, Outcome, Receipt};

/// One log line per request: numbers and names, no content.
pub(crate) struct LogLedger;

impl Ledger for LogLedger {
    fn record(&self, receipt: Receipt) {
        let outcome = match &receipt.outcome {
            Outcome::Finished => "finished".to_owned(),
            Outcome::ClientGone => "client_gone".to_owned(),
            Outcome::Failed(kind, code) => format!("{kind:?} {code}"),
        };
        tracing::info!(
            request.id = receipt.request_id,
            key = %receipt.key,
            account = receipt.account,
            model = receipt.model,
            outcome,
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
