//! Receipts that a test can wait for.

use std::sync::{Mutex, PoisonError};

use qm_relay::{Ledger, Receipt};
use tokio::sync::Notify;

/// Keeps receipts.
#[derive(Default)]
pub struct Receipts {
    all: Mutex<Vec<Receipt>>,
    changed: Notify,
}

impl Receipts {
    /// The receipts so far.
    #[must_use]
    pub fn all(&self) -> Vec<Receipt> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until there are `count` of them.
    pub async fn wait_for(&self, count: usize) -> Vec<Receipt> {
        loop {
            let changed = self.changed.notified();
            let all = self.all();
            if all.len() >= count {
                return all;
            }
            changed.await;
        }
    }
}

impl Ledger for Receipts {
    fn record(&self, receipt: Receipt) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).push(receipt);
        self.changed.notify_waiters();
    }
}
