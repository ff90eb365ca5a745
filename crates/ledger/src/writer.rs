//! The one who writes: gathers receipts, writes them in one transaction, and keeps at it until the store has them.

use std::time::Duration;

use qm_store::{ReceiptEntry, StoreError};
use tokio::time::Instant;

use crate::queue::Pace;
use crate::{Books, Inner, retention};

/// Between two tries to write a batch, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LAST_PAUSE: Duration = Duration::from_secs(5);

/// Between two lines in the log about a store that does not take receipts.
const COMPLAINT: Duration = Duration::from_secs(30);

/// What was not done when [`Books::run`] ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Entries that were not closed: requests still under way.
    pub open: usize,
    /// Receipts that were not written: the store did not take them in time.
    pub unwritten: usize,
}

impl Books {
    /// Writes receipts and forgets old ones, until `until`. Then no request should be let in any more, and this returns as soon as all
    /// that were are closed and their receipts are durable; or when [`crate::Habits::drain`] is over, once for each of the two.
    ///
    /// To be run once.
    pub async fn run(&self, until: impl Future<Output = ()>) -> Left {
        let inner = &*self.inner;
        let drain = inner.habits.drain;
        let close = async {
            tokio::select! {
                () = until => {}
                // Never ends by itself.
                () = retention::keep(inner) => {}
            }
            inner.queue.set_pace(Pace::Hurried);
            // Every permit is back when every entry was closed and every receipt is durable.
            let _ = tokio::time::timeout(drain, inner.room.acquire_many(inner.habits.entries)).await;
            inner.queue.set_pace(Pace::Ending);
            tokio::time::sleep(drain).await;
        };
        // The writer ends once it is told to and nothing waits. It is not dropped before, for what it has taken would be lost with it.
        tokio::select! {
            () = inner.write() => {}
            () = close => {}
        }
        let left = inner.left();
        if left != Left::default() {
            tracing::error!(
                open = left.open,
                unwritten = left.unwritten,
                "the ledger was closed with receipts missing"
            );
        }
        left
    }
}

impl Inner {
    /// Writes until the pace is [`Pace::Ending`] and nothing waits.
    async fn write(&self) {
        while let Some(receipts) = self.queue.take(self.habits.gather).await {
            for batch in receipts.chunks(self.habits.batch.max(1)) {
                self.append(batch).await;
                self.room.add_permits(batch.len());
            }
        }
    }

    /// Tries until it is done: a batch that is given up would be lost, while those who wait for room can be told so.
    async fn append(&self, batch: &[ReceiptEntry]) {
        let mut pause = FIRST_PAUSE;
        let mut complained: Option<Instant> = None;
        while let Err(error) = self.store.receipts().append(batch).await {
            // The store has waited for its lock by itself before it calls itself busy.
            let patient = error == StoreError::Busy && complained.is_none();
            if complained.is_none_or(|last| last.elapsed() >= COMPLAINT) {
                complained = Some(Instant::now());
                if patient {
                    tracing::warn!(receipts = batch.len(), "the store is busy; receipts wait");
                } else {
                    tracing::error!(%error, receipts = batch.len(), "receipts cannot be written and wait");
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LAST_PAUSE);
        }
    }

    fn left(&self) -> Left {
        let open = self.live.count();
        let taken = (self.habits.entries as usize).saturating_sub(self.room.available_permits());
        Left { open, unwritten: taken.saturating_sub(open) }
    }
}
