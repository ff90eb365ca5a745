//! Connections that nobody uses at the moment, kept for the next call to the same place.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

use crate::connection::Connection;
use crate::connector::Place;

/// How long an idle connection is kept. AWS closes them after about a minute; closing first avoids the race.
const LIFETIME: Duration = Duration::from_secs(50);

/// How often old ones are looked for when nobody calls.
const SWEEP: Duration = Duration::from_secs(10);

/// The idle connections of one client.
pub(crate) struct Idle {
    /// Most that are kept for one place.
    most: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The longest idle first.
    places: HashMap<Place, VecDeque<Resting>>,
    /// Whether a sweeper is at work.
    swept: bool,
}

struct Resting {
    connection: Box<Connection>,
    since: Instant,
}

// === impl Idle ===

impl Idle {
    /// Keeps at most so many for one place.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, state: Mutex::default() }
    }

    /// The one that was used last, if there is one that is still good.
    pub(crate) fn take(&self, place: &Place) -> Option<Box<Connection>> {
        loop {
            // The lock ends with the statement: closing what is of no use any more takes its time.
            let Resting { mut connection, since } = self.state().places.get_mut(place)?.pop_back()?;
            if since.elapsed() < LIFETIME && connection.is_quiet() {
                return Some(connection);
            }
        }
    }

    /// Keeps one whose exchange is over, if nothing unasked has come over it.
    pub(crate) fn keep(self: &Arc<Self>, place: Place, mut connection: Box<Connection>) {
        if !connection.is_quiet() {
            return;
        }
        let mut state = self.state();
        let resting = state.places.entry(place).or_default();
        let surplus = if resting.len() < self.most { None } else { resting.pop_front() };
        resting.push_back(Resting { connection, since: Instant::now() });
        let swept = std::mem::replace(&mut state.swept, true);
        drop(state);
        drop(surplus);
        if !swept {
            self.start_sweeper();
        }
    }

    fn start_sweeper(self: &Arc<Self>) {
        let idle = Arc::downgrade(self);
        match Handle::try_current() {
            // A task for all that are idle, not for each; it ends with the last of them.
            Ok(runtime) => drop(runtime.spawn(sweep(idle))),
            // A body may be read outside a runtime; then the next one that is kept starts it.
            Err(_) => self.state().swept = false,
        }
    }

    /// Closes those that are too old. True while there are others left.
    fn close_old(&self) -> bool {
        let mut old = Vec::new();
        let mut state = self.state();
        state.places.retain(|_, resting| {
            let young = resting.partition_point(|one| one.since.elapsed() >= LIFETIME);
            old.extend(resting.drain(..young));
            !resting.is_empty()
        });
        state.swept = !state.places.is_empty();
        state.swept
    }

    /// Short critical sections that leave the lists whole at every step, so poison is no news.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Works while there is something to look after, and ends with the client.
async fn sweep(idle: Weak<Idle>) {
    loop {
        sleep(SWEEP).await;
        let left = idle.upgrade().is_some_and(|idle| idle.close_old());
        if !left {
            return;
        }
    }
}
