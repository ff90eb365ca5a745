//! A receipt being written, from the moment a key is admitted until its request has ended, however it ends.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use qm_canon::estimate::Meter;
use qm_canon::{Basis, Encoder, Event, Fault, Finish, Sink, Usage};
use qm_pool::{self as pool, Lease};
use qm_upstream::Account;
use tokio::time::Instant;

use crate::admit::Caller;
use crate::grant::Pass;
use crate::receipt::{Entry, Opening, Outcome, Receipt, Served, Step};
use crate::{Clock, Relay, blame};

/// Most bytes that are kept of what a client calls itself.
const MAX_AGENT: usize = 256;

/// Most bytes that are kept of a model's name.
const MAX_MODEL: usize = 128;

/// What is known of a request when its head is here.
pub struct Arrival<'a> {
    /// Its id.
    pub request_id: Arc<str>,
    /// Which format the client speaks, in one word.
    pub protocol: &'static str,
    /// Where it comes from.
    pub source: Option<IpAddr>,
    /// What the client calls itself.
    pub agent: Option<&'a str>,
    /// The HTTP status of a fault in the client's format.
    pub status_of: fn(&Fault) -> u16,
}

/// A receipt being written: closed once, at the latest when it is dropped, for then the client has left.
pub struct Draft {
    /// `None` once it is closed.
    entry: Option<Box<dyn Entry>>,
    receipt: Receipt,
    /// The model that is asked for, where the upstream does not list it.
    unlisted: Option<Box<str>>,
    began: Instant,
    /// What the upstream has produced so far: an answer that does not end well has cost something too.
    produced: Meter,
    /// The client has its status already; what happens now cannot change it.
    head_sent: bool,
    status_of: fn(&Fault) -> u16,
    /// The account that answers.
    lease: Option<Lease>,
    /// The place within the limits of the key.
    pass: Option<Box<dyn Pass>>,
    now: Clock,
}

impl Relay {
    /// Begins the receipt of a request. From here to its end it is among those who are watched, and what becomes of it
    /// is written down.
    ///
    /// # Errors
    /// When the ledger is too far behind.
    pub async fn begin(&self, caller: &Caller, arrival: Arrival<'_>) -> Result<Draft, Fault> {
        let Arrival { request_id, protocol, source, agent, status_of } = arrival;
        let began = Instant::now();
        let opening = Opening {
            request_id,
            key: caller.key.clone(),
            owner: caller.owner.clone(),
            team: caller.team.clone(),
            protocol,
            source,
            agent: agent.map(|agent| cut(agent, MAX_AGENT).into()),
            began_ms: (self.now)(),
        };
        let entry = self.ledger.open(opening).await?;
        Ok(Draft::new(Some(entry), began, status_of, Arc::clone(&self.now)))
    }
}

impl Draft {
    fn new(entry: Option<Box<dyn Entry>>, began: Instant, status_of: fn(&Fault) -> u16, now: Clock) -> Self {
        let (receipt, produced) = (blank(), Meter::default());
        Self {
            entry,
            receipt,
            unlisted: None,
            began,
            produced,
            head_sent: false,
            status_of,
            lease: None,
            pass: None,
            now,
        }
    }

    /// Takes it over; what stays behind is closed.
    pub(crate) fn take(&mut self) -> Self {
        let spent = Self::new(None, self.began, self.status_of, Arc::clone(&self.now));
        std::mem::replace(self, spent)
    }

    pub(crate) fn asked(&mut self, model: &str) {
        let model = cut(model, MAX_MODEL);
        self.receipt.asked = Some(model.into());
        self.progress(Step::Asked(model));
    }

    /// The request has this place within the limits of its key.
    pub(crate) fn entered(&mut self, pass: Box<dyn Pass>) {
        self.pass = Some(pass);
    }

    /// An attempt begins. A model that is not `listed` may be any word of the client's, and the upstream may know it all
    /// the same: until it answers, it is none that is counted for.
    pub(crate) fn attempt(&mut self, account: &Account, model: &str, listed: bool) {
        self.receipt.attempts += 1;
        let (number, name) = (account.number(), account.name());
        self.receipt.account = Some(Served { number, name: name.into() });
        self.unlisted = (!listed).then(|| model.into());
        self.receipt.served = listed.then(|| model.into());
        self.progress(Step::Attempt { number: self.receipt.attempts, account: number, name, model });
    }

    pub(crate) fn attempts(&self) -> u32 {
        self.receipt.attempts
    }

    /// The answer has begun, from the account of this lease.
    pub(crate) fn answering(&mut self, lease: Lease, input_tokens: u64) {
        let after = self.began.elapsed();
        self.receipt.first_event = Some(after);
        if let Some(model) = self.unlisted.take() {
            self.receipt.served = Some(model);
        }
        self.receipt.usage.input = input_tokens;
        self.lease = Some(lease);
        self.progress(Step::Begun(after));
    }

    /// The answer goes out while it arrives, its status first.
    pub(crate) fn head_sent(&mut self) {
        self.head_sent = true;
    }

    /// The request has ended well.
    pub fn finished(&mut self, usage: Usage) {
        self.receipt.usage = usage;
        self.release(&pool::Outcome::Answered { tokens: usage.input + usage.output });
        self.close(Outcome::Finished, Some(200));
    }

    /// The request has ended with this. Nothing happens if it had ended before.
    pub fn failed(&mut self, fault: &Fault) {
        self.release(&blame::of_broken_answer(fault));
        let status = if self.head_sent { 200 } else { (self.status_of)(fault) };
        self.close(Outcome::of(fault), Some(status));
    }

    /// Gives the account back to the pool. Without this, when the client has left, the lease does so by itself.
    fn release(&mut self, outcome: &pool::Outcome) {
        if let Some(lease) = self.lease.take() {
            blame::log(lease.settle(outcome, (self.now)()));
        }
    }

    /// The upstream has produced so much by now.
    pub(crate) fn produced(&mut self, produced: Meter) {
        self.produced = produced;
    }

    fn progress(&mut self, step: Step<'_>) {
        if let Some(entry) = &mut self.entry {
            entry.progress(step);
        }
    }

    fn close(&mut self, outcome: Outcome, status: Option<u16>) {
        let Some(entry) = self.entry.take() else { return };
        let mut receipt = std::mem::replace(&mut self.receipt, blank());
        if outcome != Outcome::Finished {
            receipt.usage.output = self.produced.tokens();
        }
        receipt.outcome = outcome;
        receipt.status = status;
        receipt.total = self.began.elapsed();
        receipt.ended_ms = (self.now)();
        if let Some(pass) = self.pass.take() {
            if is_unbilled(&receipt) {
                pass.settle_unbilled(receipt.tokens(), receipt.ended_ms);
            } else {
                pass.settle(receipt.tokens(), receipt.credits_micro(), receipt.ended_ms);
            }
        }
        entry.close(receipt);
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let status = self.head_sent.then_some(200);
        self.close(Outcome::ClientGone, status);
    }
}

/// Whether an answer was ended by the client, by a fault or by us before the upstream had said what it costs. Of one that
/// we end, all figures are our own.
fn is_unbilled(receipt: &Receipt) -> bool {
    let cut = receipt.outcome != Outcome::Finished || receipt.usage.basis == Basis::Estimated;
    receipt.first_event.is_some() && receipt.usage.credits.is_none() && cut
}

/// A receipt of a request of which nothing is known yet.
fn blank() -> Receipt {
    Receipt {
        asked: None,
        served: None,
        account: None,
        outcome: Outcome::ClientGone,
        status: None,
        usage: Usage::default(),
        attempts: 0,
        first_event: None,
        total: Duration::ZERO,
        ended_ms: 0,
    }
}

/// The beginning of a text, at most so many bytes.
fn cut(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or_default()
}

/// Passes everything on and keeps what the receipt needs.
pub(crate) struct Metered<S> {
    pub(crate) inner: S,
    pub(crate) draft: Draft,
    /// Whether an answer may be broken off in the middle of a frame, of which [`Draft::produced`] has not been told.
    pub(crate) breakable: bool,
}

impl<S: Sink> Sink for Metered<S> {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Delta(text) if self.breakable => self.draft.produced.add(text),
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
