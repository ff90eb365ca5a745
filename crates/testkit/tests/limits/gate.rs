//! Limits that do as a test wants, and remember what was asked of them.

use std::future::pending;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use qm_canon::Fault;
use qm_relay::{Entered, Grant, Pass, Refused, Standing, Wish};
use tokio::sync::Notify;

#[derive(Default)]
pub(super) struct Gate {
    refuses: Option<Fault>,
    standing: Standing,
    max_output: Option<u64>,
    silent: bool,
    wishes: Mutex<Vec<Wished>>,
    ends: Arc<Ends>,
}

#[derive(Default)]
struct Ends {
    all: Mutex<Vec<End>>,
    changed: Notify,
}

#[derive(Clone)]
pub(super) struct Wished {
    pub(super) asked: String,
    pub(super) model: String,
    pub(super) input_tokens: u64,
    pub(super) max_output: Option<u64>,
    pub(super) now_ms: u64,
}

/// What became of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Settled { tokens: u64, credits_micro: u64 },
    Unbilled { tokens: u64 },
    Dropped,
}

/// A place; takes note when it is given back.
struct Place {
    ends: Arc<Ends>,
    settled: bool,
}

impl Gate {
    pub(super) fn open() -> Arc<Self> {
        Arc::default()
    }

    pub(super) fn with(standing: Standing) -> Arc<Self> {
        Arc::new(Self { standing, ..Self::default() })
    }

    pub(super) fn refusing(fault: Fault, standing: Standing) -> Arc<Self> {
        Arc::new(Self { refuses: Some(fault), standing, ..Self::default() })
    }

    pub(super) fn bounded(max_output: u64) -> Arc<Self> {
        Arc::new(Self { max_output: Some(max_output), ..Self::default() })
    }

    /// Never says anything.
    pub(super) fn silent() -> Arc<Self> {
        Arc::new(Self { silent: true, ..Self::default() })
    }

    pub(super) fn wishes(&self) -> Vec<Wished> {
        self.wishes.lock().unwrap().clone()
    }

    /// What became of the first so many places.
    pub(super) async fn wait_for(&self, count: usize) -> Vec<End> {
        loop {
            let changed = self.ends.changed.notified();
            let all = self.ends.all.lock().unwrap().clone();
            if all.len() >= count {
                return all;
            }
            changed.await;
        }
    }
}

#[async_trait]
impl Grant for Gate {
    async fn enter(&self, wish: &Wish<'_>) -> Result<Entered, Refused> {
        self.wishes.lock().unwrap().push(Wished {
            asked: wish.asked.to_owned(),
            model: wish.model.to_owned(),
            input_tokens: (wish.input_tokens)(),
            max_output: wish.max_output,
            now_ms: wish.now_ms,
        });
        if self.silent {
            pending::<()>().await;
        }
        let standing = self.standing.clone();
        if let Some(fault) = self.refuses.clone() {
            return Err(Refused { fault, standing });
        }
        let place = Place { ends: Arc::clone(&self.ends), settled: false };
        Ok(Entered { pass: Box::new(place), standing })
    }

    fn max_output(&self) -> Option<u64> {
        self.max_output
    }
}

impl Pass for Place {
    fn settle(mut self: Box<Self>, tokens: u64, credits_micro: u64, _: u64) {
        self.settled = true;
        self.ends.end(End::Settled { tokens, credits_micro });
    }

    fn settle_unbilled(mut self: Box<Self>, tokens: u64, _: u64) {
        self.settled = true;
        self.ends.end(End::Unbilled { tokens });
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.settled {
            self.ends.end(End::Dropped);
        }
    }
}

impl Ends {
    fn end(&self, end: End) {
        self.all.lock().unwrap().push(end);
        self.changed.notify_waiters();
    }
}
