//! Who asks what right now: one row for each open entry, in a table that is never searched on the way of an answer.

use std::sync::{Mutex, MutexGuard, PoisonError};

use qm_relay::{Opening, Step};

/// Rows that are copied at once for somebody who looks, while answers wait for the table.
const GLANCE: usize = 512;

/// A request under way.
#[derive(Clone, Debug)]
pub struct Live {
    /// What is known since its key was admitted.
    pub opening: Opening,
    /// The model that the client asked for, once its body is read.
    pub asked: Option<Box<str>>,
    /// The model of the last attempt.
    pub model: Option<Box<str>>,
    /// Number and name of the account of the last attempt.
    pub account: Option<(u64, Box<str>)>,
    /// Attempts so far.
    pub attempts: u32,
    /// From the request to the first event of its answer, in milliseconds; nothing while there is none.
    pub first_event_ms: Option<u64>,
}

/// All of them.
#[derive(Default)]
pub(crate) struct Table {
    rows: Mutex<Rows>,
}

#[derive(Default)]
struct Rows {
    rows: Vec<Option<Live>>,
    free: Vec<usize>,
}

impl Table {
    /// Adds a row and gives its place, which is its own until it is taken.
    pub(crate) fn add(&self, opening: Opening) -> usize {
        let live =
            Live { opening, asked: None, model: None, account: None, attempts: 0, first_event_ms: None };
        let mut rows = self.lock();
        let free = rows.free.pop();
        if let Some((at, place)) = free.and_then(|at| Some((at, rows.rows.get_mut(at)?))) {
            *place = Some(live);
            return at;
        }
        rows.rows.push(Some(live));
        rows.rows.len() - 1
    }

    /// Notes a step of the request in this place.
    pub(crate) fn step(&self, at: usize, step: Step<'_>) {
        let mut rows = self.lock();
        let Some(Some(row)) = rows.rows.get_mut(at) else { return };
        match step {
            Step::Asked(model) => row.asked = Some(model.into()),
            Step::Attempt { number, account, name, model } => {
                row.attempts = number;
                row.account = Some((account, name.into()));
                row.model = Some(model.into());
            }
            Step::Begun(after) => row.first_event_ms = Some(crate::entry::millis(after)),
        }
    }

    /// Takes the row out; its place is free for another.
    pub(crate) fn take(&self, at: usize) -> Option<Live> {
        let mut rows = self.lock();
        let row = rows.rows.get_mut(at)?.take()?;
        rows.free.push(at);
        Some(row)
    }

    /// A copy of each, the oldest first. What comes or goes meanwhile may be in it or not.
    pub(crate) fn all(&self) -> Vec<Live> {
        let mut all = Vec::new();
        for from in (0..).step_by(GLANCE) {
            let rows = self.lock();
            let Some(rows) = rows.rows.get(from..) else { break };
            all.extend(rows.iter().take(GLANCE).flatten().cloned());
            if rows.len() <= GLANCE {
                break;
            }
        }
        all.sort_by_key(|live| live.opening.began_ms);
        all
    }

    /// How many.
    pub(crate) fn count(&self) -> usize {
        let rows = self.lock();
        rows.rows.len() - rows.free.len()
    }

    fn lock(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
