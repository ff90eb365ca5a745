//! What was used: receipts on their way into the store, who asks what right now, and the questions people have about both.
//!
//! Knows: how a receipt gets from the request's path into the store without keeping it waiting and without being lost, how long it is
//! kept, which roll-up answers which question.
//! Must not know: HTTP routes, SQL, clients' formats, what a request said.

mod books;
mod entry;
mod export;
mod live;
mod queue;
mod retention;
mod writer;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use qm_relay::Clock;
use qm_store::{ReceiptEntry, Store};
use tokio::sync::Semaphore;

pub use books::{Series, Span};
pub use export::{Export, Form};
pub use live::Live;
pub use writer::Left;

/// How the ledger goes about its work.
#[derive(Clone, Copy, Debug)]
pub struct Habits {
    /// Whether receipts are written; else what was closed is forgotten at once.
    pub keeps: bool,
    /// Most entries that are open or not durable yet. Each is some 500 bytes.
    pub entries: u32,
    /// How long a request waits for room among them before it is refused.
    pub patience: Duration,
    /// How long a receipt waits for others before all are written: what a loss of power costs at most, and the time of one write.
    pub gather: Duration,
    /// How many receipts are written at once.
    pub batch: usize,
    /// How long, at the end, open entries may take to be closed; and what was closed, to be written.
    pub drain: Duration,
    /// How long what is kept.
    pub retention: Retention,
}

/// How many days what is kept; zero is for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Receipts.
    pub receipts_days: u32,
    /// Sums by the hour.
    pub hours_days: u32,
    /// Sums by the day.
    pub days_days: u32,
}

/// The ledger of a house. Cheap to clone; all clones are one ledger.
///
/// It is the relay's [`qm_relay::Ledger`], and nothing that is closed there becomes durable unless [`Books::run`] runs.
#[derive(Clone)]
pub struct Books {
    inner: Arc<Inner>,
}

/// What all clones and all open entries share.
struct Inner {
    store: Arc<dyn Store>,
    habits: Habits,
    /// Whether receipts are written and for how long they are kept: of the habits those that people change meanwhile.
    keeps: AtomicBool,
    retention: RwLock<Retention>,
    now: Clock,
    /// One permit for each entry that may be opened. Its way back is the writer's: a permit returns when the receipt is durable, or
    /// at once where none is kept.
    room: Semaphore,
    live: live::Table,
    queue: queue::Queue,
}

impl Books {
    /// A ledger that writes to this store. `now` is the time in milliseconds since 1970.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, habits: Habits, now: Clock) -> Self {
        let room = Semaphore::new(habits.entries as usize);
        let (live, queue) = (live::Table::default(), queue::Queue::new(habits.batch));
        let retention = RwLock::new(habits.retention);
        let keeps = AtomicBool::new(habits.keeps);
        Self { inner: Arc::new(Inner { store, habits, keeps, retention, now, room, live, queue }) }
    }

    /// Whether what is closed from now on is written down. What was closed before is written all the same.
    pub fn set_keeps(&self, keeps: bool) {
        self.inner.keeps.store(keeps, Ordering::Relaxed);
    }

    /// From the next round of forgetting on, what is older than this is forgotten.
    pub fn set_retention(&self, retention: Retention) {
        *self.inner.retention.write().unwrap_or_else(PoisonError::into_inner) = retention;
    }

    /// Requests under way, the oldest first.
    #[must_use]
    pub fn live(&self) -> Vec<Live> {
        self.inner.live.all()
    }
}

impl Inner {
    /// What becomes of a receipt once its entry is closed.
    fn receive(&self, receipt: ReceiptEntry) {
        if self.keeps.load(Ordering::Relaxed) {
            self.queue.push(receipt);
        } else {
            self.room.add_permits(1);
        }
    }

    /// For how long what is kept now.
    fn retention(&self) -> Retention {
        *self.retention.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            keeps: true,
            entries: 65_536,
            patience: Duration::from_secs(5),
            gather: Duration::from_millis(250),
            batch: 4096,
            drain: Duration::from_secs(10),
            retention: Retention::default(),
        }
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self { receipts_days: 90, hours_days: 400, days_days: 0 }
    }
}
