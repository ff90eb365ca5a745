//! What all connections share.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::account::SimAccount;
use crate::auth::Auth;
use crate::bench::Prebuilt;
use crate::knobs::{Bench, Knobs};
use crate::options::Options;
use crate::record::Log;
use crate::script::Script;
use crate::served::Served;

/// The most scripts that wait in the queue.
const QUEUED_SCRIPTS: usize = 10_000;

/// What all connections share.
pub(crate) struct World {
    knobs: Mutex<Knobs>,
    first_knobs: Knobs,
    queue: Mutex<VecDeque<Script>>,
    auth: Mutex<Auth>,
    prebuilt: Mutex<Option<Arc<Prebuilt>>>,
    served: Mutex<Served>,
    pub(crate) log: Log,
    accounts: Vec<SimAccount>,
    serial: AtomicU64,
    connections: AtomicU64,
}

impl World {
    pub(crate) fn new(options: Options) -> Self {
        let mut knobs = options.knobs;
        if let Some(pace) = options.pace {
            knobs.pace_ms = pace.as_millis() as u64;
        }
        if options.bench.is_some() {
            knobs.bench = options.bench;
        }
        Self {
            knobs: Mutex::new(knobs.clone()),
            first_knobs: knobs,
            queue: Mutex::default(),
            auth: Mutex::new(Auth::new(options.accounts.clone())),
            prebuilt: Mutex::default(),
            served: Mutex::default(),
            log: Log::default(),
            accounts: options.accounts,
            serial: AtomicU64::new(0),
            connections: AtomicU64::new(0),
        }
    }

    pub(crate) fn knobs(&self) -> MutexGuard<'_, Knobs> {
        locked(&self.knobs)
    }

    pub(crate) fn auth(&self) -> MutexGuard<'_, Auth> {
        locked(&self.auth)
    }

    pub(crate) fn served(&self) -> MutexGuard<'_, Served> {
        locked(&self.served)
    }

    /// Queues a reply; false when the queue is full.
    pub(crate) fn push(&self, script: Script) -> bool {
        let mut queue = locked(&self.queue);
        let room = queue.len() < QUEUED_SCRIPTS;
        if room {
            queue.push_back(script);
        }
        room
    }

    pub(crate) fn next_script(&self) -> Option<Script> {
        locked(&self.queue).pop_front()
    }

    /// Back to the state at the start: queue, record, sums, knobs, accounts and tokens.
    pub(crate) fn reset(&self) {
        locked(&self.queue).clear();
        self.log.clear();
        *self.served() = Served::default();
        *self.knobs() = self.first_knobs.clone();
        *self.auth() = Auth::new(self.accounts.clone());
    }

    pub(crate) fn next_serial(&self) -> u64 {
        self.serial.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn next_connection(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The prebuilt answer for these settings, built once.
    pub(crate) fn prebuilt(&self, bench: &Bench) -> Arc<Prebuilt> {
        let mut slot = locked(&self.prebuilt);
        match &*slot {
            Some(built) if built.bench == *bench => Arc::clone(built),
            _ => {
                let built = Arc::new(Prebuilt::new(*bench));
                *slot = Some(Arc::clone(&built));
                built
            }
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
