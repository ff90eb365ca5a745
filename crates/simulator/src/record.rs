//! What was asked of the simulator, for tests to look at. Bounded in count and in bytes.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde_json::Value;
use tokio::sync::watch;

/// How many calls are kept.
const KEPT_CALLS: usize = 10_000;
/// How many bytes of request bodies are kept over all calls; older bodies become `null`.
const KEPT_BODY_BYTES: usize = 128 * 1024 * 1024;

/// One call, as it came in and as it went.
#[derive(Clone, Debug, Serialize)]
pub struct Recorded {
    /// Counts calls from 1.
    pub id: u64,
    /// Counts connections from 1: calls with the same number shared one.
    pub connection: u64,
    /// The operation's name (`GenerateAssistantResponse`, `CreateToken` …), or `Unknown`.
    pub operation: String,
    /// HTTP method.
    pub method: String,
    /// Path without the query.
    pub path: String,
    /// Query string without the question mark.
    pub query: String,
    /// Names in lower case; `authorization` shows its last four characters only.
    pub headers: BTreeMap<String, String>,
    /// The body as JSON; `null` when there was none, a string when it was no JSON. Secrets of token calls are masked.
    pub body: Value,
    /// Size of the body as sent, in bytes.
    pub body_bytes: usize,
    /// HTTP status answered; 0 until one is.
    pub status: u16,
    /// The `reason` (or error code) of a refusal.
    pub reason: Option<String>,
    /// How the call went.
    pub outcome: Outcome,
    /// Body bytes sent in answer.
    pub bytes: u64,
}

/// How a call went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Still being answered.
    Open,
    /// The answer was written to its end, as the script wanted it.
    Finished,
    /// The client left before the end.
    ClientGone,
    /// The simulator broke the connection off, as the script wanted.
    Cut,
}

/// The book of calls.
#[derive(Debug)]
pub(crate) struct Log {
    book: Mutex<Book>,
    changed: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Book {
    calls: VecDeque<Recorded>,
    last_id: u64,
    body_bytes: usize,
}

impl Default for Log {
    fn default() -> Self {
        Self { book: Mutex::default(), changed: watch::Sender::new(0) }
    }
}

impl Log {
    /// Enters a call and gives it its number.
    pub(crate) fn enter(&self, mut call: Recorded) -> u64 {
        let mut book = self.book();
        book.last_id += 1;
        call.id = book.last_id;
        if !call.body.is_null() {
            book.body_bytes += call.body_bytes;
        }
        book.calls.push_back(call);
        while book.calls.len() > KEPT_CALLS {
            let size =
                book.calls.pop_front().map_or(0, |old| if old.body.is_null() { 0 } else { old.body_bytes });
            book.body_bytes = book.body_bytes.saturating_sub(size);
        }
        book.forget_old_bodies();
        let id = book.last_id;
        drop(book);
        self.touch();
        id
    }

    /// Changes the entry of a call, if it is still kept.
    pub(crate) fn update(&self, id: u64, change: impl FnOnce(&mut Recorded)) {
        let mut book = self.book();
        if let Some(call) = book.calls.iter_mut().rev().find(|call| call.id == id) {
            change(call);
        }
        drop(book);
        self.touch();
    }

    /// Wakes those who wait: something that they look at beside the calls has changed.
    pub(crate) fn touch(&self) {
        self.changed.send_modify(|version| *version += 1);
    }

    pub(crate) fn all(&self) -> Vec<Recorded> {
        self.book().calls.iter().cloned().collect()
    }

    pub(crate) fn clear(&self) {
        let mut book = self.book();
        book.calls.clear();
        book.body_bytes = 0;
        drop(book);
        self.touch();
    }

    /// Resolves as soon as the predicate holds over the calls.
    pub(crate) async fn wait_for(&self, mut holds: impl FnMut(&[Recorded]) -> bool) {
        let mut changes = self.changed.subscribe();
        while !holds(&self.all()) {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    fn forget_old_bodies(&mut self) {
        let mut calls = self.calls.iter_mut();
        while self.body_bytes > KEPT_BODY_BYTES {
            let Some(call) = calls.next() else { return };
            if !call.body.is_null() {
                call.body = Value::Null;
                self.body_bytes = self.body_bytes.saturating_sub(call.body_bytes);
            }
        }
    }
}
