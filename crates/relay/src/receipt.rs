//! What is written down when a request has ended, however it ended.

use std::time::Duration;

use qm_canon::estimate::Meter;
use qm_canon::{Encoder, Event, Fault, Finish, Kind, Sink, Usage};
use qm_pool::{self as pool, Lease};
use tokio::time::Instant;

use crate::admit::{Caller, KeyId};
use crate::{Clock, blame};

/// Takes receipts. Must not block: it is called on the way of an answer.
pub trait Ledger: Send + Sync {
    /// Writes one down.
    fn record(&self, receipt: Receipt);
}

/// One request, after the fact. Numbers and names only: no content.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// Id of the request, as the client got it.
    pub request_id: String,
    /// Whose key.
    pub key: KeyId,
    /// Which account, if one was asked.
    pub account: Option<String>,
    /// The model that was asked.
    pub model: String,
    /// How it ended.
    pub outcome: Outcome,
    /// What it took, as far as known.
    pub usage: Usage,
    /// Attempts at the upstream.
    pub attempts: u32,
    /// From the request to the first event of the answer.
    pub first_event: Option<Duration>,
    /// From the request to its end.
    pub total: Duration,
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// With a whole answer.
    Finished,
    /// With a fault; the code is [`Fault::code`].
    Failed(Kind, String),
    /// The client left before the end.
    ClientGone,
}

/// A receipt being written: settled once, at the latest when it is dropped.
pub(crate) struct Draft {
    ledger: std::sync::Arc<dyn Ledger>,
    receipt: Receipt,
    began: Instant,
    /// What has come so far: an answer that does not end well has cost something too.
    said: Meter,
    settled: bool,
    /// The account that answers, and the clock to settle with it by.
    lease: Option<(Lease, Clock)>,
}

impl Draft {
    pub(crate) fn begin(
        ledger: std::sync::Arc<dyn Ledger>,
        caller: &Caller,
        request_id: &str,
        model: &str,
    ) -> Self {
        let receipt = Receipt {
            request_id: request_id.to_owned(),
            key: caller.key.clone(),
            account: None,
            model: model.to_owned(),
            outcome: Outcome::ClientGone,
            usage: Usage::default(),
            attempts: 0,
            first_event: None,
            total: Duration::ZERO,
        };
        Self { ledger, receipt, began: Instant::now(), said: Meter::default(), settled: false, lease: None }
    }

    pub(crate) fn attempt(&mut self, account: &str, model: &str) {
        self.receipt.attempts += 1;
        self.receipt.account = Some(account.to_owned());
        model.clone_into(&mut self.receipt.model);
    }

    pub(crate) fn attempts(&self) -> u32 {
        self.receipt.attempts
    }

    pub(crate) fn began(&self) -> Instant {
        self.began
    }

    pub(crate) fn first_event(&mut self, input_tokens: u64) {
        self.receipt.first_event = Some(self.began.elapsed());
        self.receipt.usage.input = input_tokens;
    }

    /// The answer comes from the account of this lease.
    pub(crate) fn answering(&mut self, lease: Lease, now: Clock) {
        self.lease = Some((lease, now));
    }

    pub(crate) fn finished(&mut self, usage: Usage) {
        self.receipt.usage = usage;
        self.release(&pool::Outcome::Answered { tokens: usage.input + usage.output });
        self.settle(Outcome::Finished);
    }

    pub(crate) fn failed(&mut self, fault: &Fault) {
        self.release(&blame::of_broken_answer(fault));
        self.settle(Outcome::Failed(fault.kind, fault.code.to_string()));
    }

    /// Gives the account back to the pool. Without this, when the client has left, the lease does so by itself.
    fn release(&mut self, outcome: &pool::Outcome) {
        if let Some((lease, now)) = self.lease.take() {
            blame::log(lease.settle(outcome, now()));
        }
    }

    fn settle(&mut self, outcome: Outcome) {
        if !self.settled {
            self.settled = true;
            if outcome != Outcome::Finished {
                self.receipt.usage.output = self.said.tokens();
            }
            self.receipt.outcome = outcome;
            self.receipt.total = self.began.elapsed();
            self.ledger.record(self.receipt.clone());
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        self.settle(Outcome::ClientGone);
    }
}

/// Passes everything on and keeps what the receipt needs.
pub(crate) struct Metered<S> {
    pub(crate) inner: S,
    pub(crate) draft: Draft,
}

impl<S: Sink> Sink for Metered<S> {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Delta(text) => self.draft.said.add(text),
            Event::Finish(Finish { usage, .. }) => self.draft.finished(*usage),
            _ => {}
        }
        self.inner.event(event);
    }

    fn fault(&mut self, fault: &Fault) {
        tracing::warn!(kind = ?fault.kind, code = %fault.code, "the answer broke off");
        self.draft.failed(fault);
        self.inner.fault(fault);
    }

    fn idle(&mut self) {
        self.inner.idle();
    }
}

impl<S: Encoder> Encoder for Metered<S> {
    fn take(&mut self) -> bytes::Bytes {
        self.inner.take()
    }
}
