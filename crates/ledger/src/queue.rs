//! Receipts that wait to be written: pushed by answers on their way, taken in batches by the one writer.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};

use qm_store::ReceiptEntry;
use tokio::sync::Notify;

/// Bounded by the permits of those who push, not here.
pub(crate) struct Queue {
    waiting: Mutex<Vec<ReceiptEntry>>,
    /// Wakes the writer: for the first receipt, for a full batch, and when the pace changes.
    wake: Notify,
    batch: usize,
    pace: AtomicU8,
}

/// How the writer goes about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub(crate) enum Pace {
    /// Receipts wait for others for a while.
    Gathering = 0,
    /// None waits: the house is about to close.
    Hurried = 1,
    /// None waits, and when there is none the writer ends.
    Ending = 2,
}

impl Queue {
    pub(crate) fn new(batch: usize) -> Self {
        let waiting = Mutex::new(Vec::new());
        Self { waiting, wake: Notify::new(), batch: batch.max(1), pace: AtomicU8::new(0) }
    }

    /// Never waits for the writer.
    pub(crate) fn push(&self, receipt: ReceiptEntry) {
        let count = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.push(receipt);
            waiting.len()
        };
        if count == 1 || count == self.batch {
            self.wake.notify_one();
        }
    }

    /// All that wait, the oldest first; nothing if the writer shall end.
    ///
    /// Only one may call this, and may be dropped while it waits: what waits stays.
    pub(crate) async fn take(&self, gather: std::time::Duration) -> Option<Vec<ReceiptEntry>> {
        while self.count() == 0 {
            if self.pace() == Pace::Ending {
                return None;
            }
            self.wake.notified().await;
        }
        let full = async {
            while self.count() < self.batch && self.pace() == Pace::Gathering {
                self.wake.notified().await;
            }
        };
        // Late is as good as full.
        let _ = tokio::time::timeout(gather, full).await;
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        Some(std::mem::take(&mut *waiting))
    }

    /// From now on.
    pub(crate) fn set_pace(&self, pace: Pace) {
        self.pace.store(pace as u8, Ordering::Release);
        self.wake.notify_one();
    }

    pub(crate) fn pace(&self) -> Pace {
        match self.pace.load(Ordering::Acquire) {
            0 => Pace::Gathering,
            1 => Pace::Hurried,
            _ => Pace::Ending,
        }
    }

    fn count(&self) -> usize {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}
