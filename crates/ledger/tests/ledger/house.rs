//! What the tests share: openings and receipts, a clock that stands, a store that can be told to refuse.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use qm_canon::Usage as Used;
use qm_canon::usage::Basis;
use qm_ledger::{Books, Habits};
use qm_relay::receipt::Served;
use qm_relay::{KeyId, Opening, Outcome, Receipt};
use qm_store::{
    Accounts, Audit, Cursor, Keys, Logins, Ms, PruneBefore, ReceiptEntry, ReceiptFilter, ReceiptPage,
    Receipts, Secrets, Sessions, Settings, Store, StoreError, Usage, UsageQuestion, UsageRow,
};
use qm_store_sqlite::SqliteStore;

/// 2026-11-21, 17:37:05 UTC.
pub(crate) const NOW: u64 = 1_795_282_625_000;

/// A store in memory that refuses receipts while it is told to.
pub(crate) struct Moody {
    store: SqliteStore,
    /// Receipts, where the database cannot have them: it works on the clock on the wall.
    paper: Option<Mutex<Vec<ReceiptEntry>>>,
    refuses: AtomicBool,
    asked: AtomicUsize,
}

impl Moody {
    pub(crate) async fn new() -> Arc<Self> {
        let store = SqliteStore::in_memory().await.unwrap();
        Arc::new(Self { store, paper: None, refuses: AtomicBool::new(false), asked: AtomicUsize::new(0) })
    }

    /// One that writes receipts on paper, while the clock stands until all wait for it.
    pub(crate) async fn on_paper() -> Arc<Self> {
        let store = Self::new().await;
        tokio::time::pause();
        let Some(store) = Arc::into_inner(store) else { panic!("it is new") };
        Arc::new(Self { paper: Some(Mutex::default()), ..store })
    }

    pub(crate) fn refuse(&self, refuses: bool) {
        self.refuses.store(refuses, Ordering::SeqCst);
    }

    /// How often receipts were brought.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Receipts for Moody {
    async fn append(&self, batch: &[ReceiptEntry]) -> Result<(), StoreError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.refuses.load(Ordering::SeqCst) {
            return Err(StoreError::Busy);
        }
        match &self.paper {
            Some(paper) => {
                paper.lock().unwrap().extend_from_slice(batch);
                Ok(())
            }
            None => self.store.receipts().append(batch).await,
        }
    }

    async fn list(
        &self,
        filter: &ReceiptFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<ReceiptPage, StoreError> {
        self.store.receipts().list(filter, after, limit).await
    }

    async fn usage(&self, question: &UsageQuestion) -> Result<Vec<UsageRow>, StoreError> {
        self.store.receipts().usage(question).await
    }

    async fn spent(&self, since_ms: Ms) -> Result<Vec<(String, Usage)>, StoreError> {
        self.store.receipts().spent(since_ms).await
    }

    async fn prune(&self, before: PruneBefore, limit: u32) -> Result<u64, StoreError> {
        let Some(paper) = &self.paper else { return self.store.receipts().prune(before, limit).await };
        let mut paper = paper.lock().unwrap();
        let before_that = paper.len();
        paper.retain(|receipt| receipt.at_ms >= before.receipts_ms);
        Ok((before_that - paper.len()) as u64)
    }
}

impl Store for Moody {
    fn accounts(&self) -> &dyn Accounts {
        self.store.accounts()
    }

    fn logins(&self) -> &dyn Logins {
        self.store.logins()
    }

    fn settings(&self) -> &dyn Settings {
        self.store.settings()
    }

    fn audit(&self) -> &dyn Audit {
        self.store.audit()
    }

    fn keys(&self) -> &dyn Keys {
        self.store.keys()
    }

    fn sessions(&self) -> &dyn Sessions {
        self.store.sessions()
    }

    fn receipts(&self) -> &dyn Receipts {
        self
    }

    fn secrets(&self) -> &dyn Secrets {
        self.store.secrets()
    }
}

pub(crate) fn books(store: &Arc<Moody>, habits: Habits) -> Books {
    Books::new(Arc::clone(store) as _, habits, Arc::new(|| NOW))
}

/// Runs a ledger until it is told to end.
pub(crate) struct Running {
    end: tokio::sync::oneshot::Sender<()>,
    task: tokio::task::JoinHandle<qm_ledger::Left>,
}

pub(crate) fn run(books: &Books) -> Running {
    let (end, ended) = tokio::sync::oneshot::channel();
    let books = books.clone();
    let task = tokio::spawn(async move { books.run(async { ended.await.unwrap() }).await });
    Running { end, task }
}

impl Running {
    pub(crate) async fn end(self) -> qm_ledger::Left {
        self.end.send(()).unwrap();
        self.task.await.unwrap()
    }
}

pub(crate) fn opening(id: &str, key: &str) -> Opening {
    Opening {
        request_id: id.into(),
        key: KeyId::from(key),
        owner: Some("me".into()),
        team: None,
        protocol: "messages",
        source: Some([192, 0, 2, 1].into()),
        agent: Some("an agent".into()),
        began_ms: NOW - 2_000,
    }
}

pub(crate) fn receipt() -> Receipt {
    Receipt {
        asked: Some("asked".into()),
        served: Some("served".into()),
        account: Some(Served { number: 7, name: "7 (label)".into() }),
        outcome: Outcome::Finished,
        status: Some(200),
        usage: Used {
            input: 10,
            output: 20,
            cache_read: Some(3),
            cache_write: None,
            credits: Some(0.012_345),
            basis: Basis::Window,
        },
        attempts: 2,
        first_event: Some(Duration::from_millis(300)),
        total: Duration::from_millis(2_000),
        ended_ms: NOW,
    }
}

/// All that is kept, the oldest first.
pub(crate) async fn kept(store: &Arc<Moody>) -> Vec<ReceiptEntry> {
    if let Some(paper) = &store.paper {
        return paper.lock().unwrap().clone();
    }
    let page = store.receipts().list(&ReceiptFilter::default(), None, 100_000).await.unwrap();
    page.receipts.into_iter().rev().map(|record| record.entry).collect()
}
