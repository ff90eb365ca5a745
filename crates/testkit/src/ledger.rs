//! Receipts that a test can wait for.

use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use qm_canon::Fault;
use qm_relay::{Entry, Ledger, Opening, Receipt, Step};
use tokio::sync::Notify;

/// Keeps receipts.
#[derive(Clone, Default)]
pub struct Receipts {
    kept: Arc<Kept>,
}

/// A receipt with what was known of its request from the beginning.
#[derive(Clone, Debug)]
pub struct Written {
    /// What was known from the beginning.
    pub opening: Opening,
    /// What became of it.
    pub receipt: Receipt,
}

#[derive(Default)]
struct Kept {
    all: Mutex<Vec<Written>>,
    changed: Notify,
}

struct Open {
    kept: Arc<Kept>,
    opening: Opening,
}

impl Receipts {
    /// The receipts so far.
    #[must_use]
    pub fn all(&self) -> Vec<Written> {
        self.kept.all.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until there are `count` of them.
    pub async fn wait_for(&self, count: usize) -> Vec<Written> {
        loop {
            let changed = self.kept.changed.notified();
            let all = self.all();
            if all.len() >= count {
                return all;
            }
            changed.await;
        }
    }
}

impl Deref for Written {
    type Target = Receipt;

    fn deref(&self) -> &Receipt {
        &self.receipt
    }
}

#[async_trait]
impl Ledger for Receipts {
    async fn open(&self, opening: Opening) -> Result<Box<dyn Entry>, Fault> {
        Ok(Box::new(Open { kept: Arc::clone(&self.kept), opening }))
    }
}

impl Entry for Open {
    fn progress(&mut self, _: Step<'_>) {}

    fn close(self: Box<Self>, receipt: Receipt) {
        let Self { kept, opening } = *self;
        kept.all.lock().unwrap_or_else(PoisonError::into_inner).push(Written { opening, receipt });
        kept.changed.notify_waiters();
    }
}
