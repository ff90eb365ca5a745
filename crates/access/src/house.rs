//! What everything here shares.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use qm_keys::{Digest, Limits, Period, Scopes, Throttle, Unit};
use qm_relay::{Clock, Random};
use qm_store::{Group, KeyRecord, Order, Step, Store, Usage, UsageFilter, UsageQuestion};
use secrecy::ExposeSecret;

use crate::entry::{Counting, Entry};
use crate::grant::KeyGrant;
use crate::measure::Measure;
use crate::roster::Roster;
use crate::sessions::Session;
use crate::{AccessError, Actor, Parts};

pub(crate) struct House {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) counting: Counting,
    pub(crate) now: Clock,
    pub(crate) random: Random,
    /// What whoever shows no good key may take, where the house is open.
    pub(crate) anybody: Option<Arc<KeyGrant>>,
    roster: RwLock<Roster>,
    sessions: Mutex<HashMap<Digest, Session>>,
    /// Held while the store and what is in memory are changed together, so that what was read before a change is never
    /// put in its place after it.
    pub(crate) changing: tokio::sync::Mutex<()>,
    /// Wrong keys at the routes of models, and at those of management. Two, so that a client with a wrong key behind
    /// the same proxy does not keep the admin out.
    pub(crate) clients: Throttle,
    pub(crate) admins: Throttle,
    /// The store's revision that the roster shows.
    pub(crate) revision: AtomicI64,
}

/// Under which name the requests of those without a key are written down.
pub(crate) const ANYBODY: &str = "open";

/// What a key used of its day and its month before this process counted.
#[derive(Clone, Copy, Default)]
pub(crate) struct Spent {
    day: Usage,
    month: Usage,
}

impl House {
    pub(crate) async fn open(parts: Parts) -> Result<Self, AccessError> {
        let Parts { store, coord, clients, client_limits, admins, open, now, random } = parts;
        let counting = Counting { coord, means: Arc::default() };
        let mut roster = Roster::default();
        let of_admins = (&admins, Scopes::ADMIN, Limits::default());
        for (keys, scopes, limits) in [(&clients, Scopes::INFERENCE, client_limits), of_admins] {
            for key in keys.iter().map(ExposeSecret::expose_secret).filter(|key| !key.is_empty()) {
                roster.put(Arc::new(Entry::configured(key, scopes, limits.clone(), &counting)));
            }
        }
        let house = Self {
            anybody: open.then(|| Arc::new(KeyGrant::new(ANYBODY.into(), Limits::default(), &counting))),
            store,
            counting,
            now,
            random,
            roster: RwLock::new(roster),
            sessions: Mutex::default(),
            changing: tokio::sync::Mutex::default(),
            clients: Throttle::default(),
            admins: Throttle::default(),
            revision: AtomicI64::new(0),
        };
        house.load().await?;
        Ok(house)
    }

    /// All keys and sessions. What keys spent is asked for once, for all of them.
    async fn load(&self) -> Result<(), AccessError> {
        let keys = self.store.keys().all().await?;
        let configured = self.roster().configured();
        let mut spent: HashMap<String, Spent> = HashMap::new();
        let is_limited = |entry: &Arc<Entry>| !entry.grant.measures().is_empty();
        if configured.iter().any(is_limited)
            || keys.changed.iter().any(|record| !record.wishes.limits.is_empty())
        {
            let now_ms = self.now_ms();
            for period in [Period::Day, Period::Month] {
                for (id, usage) in self.store.receipts().spent(period.at(now_ms).start_ms).await? {
                    spent.entry(id).or_default().set(period, usage);
                }
            }
            for (id, unasked) in self.unasked(None).await? {
                spent.entry(id).or_default().take_off(&unasked);
            }
        }
        for entry in configured {
            self.seed(&entry, &spent.get(&*entry.id).copied().unwrap_or_default()).await;
        }
        for record in keys.changed {
            let spent = spent.get(&record.id).copied().unwrap_or_default();
            if let Some(entry) = Entry::of(record, &self.counting) {
                self.seed(&entry, &spent).await;
                self.roster_mut().put(Arc::new(entry));
            }
        }
        keys.unreadable.iter().for_each(|id| unreadable(id));
        self.revision.store(keys.revision, Ordering::Release);
        self.refresh_sessions().await?;
        Ok(())
    }

    /// Takes a record in, in the place of what it was. Its counters go on from what its receipts say, where they have
    /// not begun yet.
    pub(crate) async fn enter(&self, record: KeyRecord) -> Result<(), AccessError> {
        let known = self.entry(&record.id);
        let is_older =
            |known: &Arc<Entry>| known.record.as_ref().is_some_and(|known| known.revision > record.revision);
        if known.as_ref().is_some_and(is_older) {
            return Ok(());
        }
        let id = record.id.clone();
        let Some(entry) = Entry::of(record, &self.counting) else {
            self.roster_mut().remove(&id);
            return Ok(());
        };
        let runs_over_a_period = entry.grant.measures().iter().any(|measure| measure.period().is_some());
        let is_new = |known: &Arc<Entry>| known.grant.measures() != entry.grant.measures();
        if runs_over_a_period && known.as_ref().is_none_or(is_new) {
            let spent = self.spent(&entry.id).await?;
            self.seed(&entry, &spent).await;
        }
        self.roster_mut().put(Arc::new(entry));
        Ok(())
    }

    /// Forgets a key, its counters and its sessions.
    pub(crate) fn leave(&self, id: &str) {
        self.roster_mut().remove(id);
        self.counting.coord.forget(id);
        self.sessions().retain(|_, session| session.record.key_id != id);
    }

    /// What one key used of this day and month.
    async fn spent(&self, id: &str) -> Result<Spent, AccessError> {
        let (now_ms, mut spent) = (self.now_ms(), Spent::default());
        for period in [Period::Day, Period::Month] {
            let span = period.at(now_ms);
            let question = UsageQuestion {
                step: Step::Day,
                from_ms: span.start_ms,
                to_ms: span.end_ms,
                of: UsageFilter { key_id: Some(id.to_owned()), ..UsageFilter::default() },
                by_period: false,
                group: Group::None,
                order: Order::Requests,
                limit: 1,
            };
            let rows = self.store.receipts().usage(&question).await?;
            spent.set(period, rows.into_iter().next().map(|row| row.usage).unwrap_or_default());
        }
        for (_, unasked) in self.unasked(Some(id)).await? {
            spent.take_off(&unasked);
        }
        Ok(spent)
    }

    /// The requests of this day that asked no model, of each key or of one: those that only count tokens, and those that
    /// came to nothing before. They have receipts and took no place.
    async fn unasked(&self, id: Option<&str>) -> Result<Vec<(String, Usage)>, AccessError> {
        let span = Period::Day.at(self.now_ms());
        let of = UsageFilter {
            key_id: id.map(str::to_owned),
            model: Some(String::new()),
            ..UsageFilter::default()
        };
        let question = UsageQuestion {
            step: Step::Day,
            from_ms: span.start_ms,
            to_ms: span.end_ms,
            of,
            by_period: false,
            group: Group::Key,
            order: Order::Requests,
            limit: u32::MAX,
        };
        let rows = self.store.receipts().usage(&question).await?;
        Ok(rows.into_iter().map(|row| (row.name, row.usage)).collect())
    }

    async fn seed(&self, entry: &Entry, spent: &Spent) {
        let now_ms = self.now_ms();
        for measure in entry.grant.measures() {
            if let Some(period) = measure.period() {
                let used = spent.of(*measure, period);
                let meter = measure.meter(now_ms);
                self.counting.coord.seed(&entry.id, measure.slot(), meter, used).await;
            }
        }
    }

    pub(crate) fn now_ms(&self) -> u64 {
        (self.now)()
    }

    pub(crate) fn uuid(&self) -> String {
        uuid::Builder::from_random_bytes((self.random)().to_be_bytes()).into_uuid().to_string()
    }

    /// As many random bytes as asked for.
    pub(crate) fn random_bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        for part in bytes.chunks_mut(16) {
            let drawn = (self.random)().to_be_bytes();
            part.iter_mut().zip(drawn).for_each(|(byte, drawn)| *byte = drawn);
        }
        bytes
    }

    /// The key of this id as it is in memory.
    pub(crate) fn entry(&self, id: &str) -> Option<Arc<Entry>> {
        self.roster().by_id(id).map(Arc::clone)
    }

    pub(crate) fn roster(&self) -> RwLockReadGuard<'_, Roster> {
        self.roster.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn roster_mut(&self) -> RwLockWriteGuard<'_, Roster> {
        self.roster.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn sessions(&self) -> MutexGuard<'_, HashMap<Digest, Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes down who did what. `detail` is JSON without secrets, or empty.
    pub(crate) async fn audit(
        &self,
        actor: &Actor,
        action: &str,
        subject: &str,
        detail: String,
    ) -> Result<(), AccessError> {
        let entry = actor.did(action, subject, detail, self.now_ms());
        self.store.audit().append(entry).await?;
        Ok(())
    }
}

/// Says that a kept key is broken.
pub(crate) fn unreadable(id: &str) {
    tracing::error!(key = id, "the record of a key cannot be read: it opens nothing until that is mended");
}

impl Spent {
    fn set(&mut self, period: Period, usage: Usage) {
        match period {
            Period::Day => self.day = usage,
            Period::Month => self.month = usage,
        }
    }

    /// Without the requests of this day that took no place. They took nothing else either.
    fn take_off(&mut self, unasked: &Usage) {
        self.day.requests = self.day.requests.saturating_sub(unasked.requests);
        self.day.refused = self.day.refused.saturating_sub(unasked.refused);
    }

    /// As this limit counts it.
    fn of(&self, measure: Measure, period: Period) -> u64 {
        let usage = match period {
            Period::Day => &self.day,
            Period::Month => &self.month,
        };
        match measure {
            Measure::Spending(budget) => match budget.unit {
                Unit::Credits => usage.credits_micro,
                Unit::Tokens => usage.tokens(),
            },
            // Those that were refused never took a place.
            _ => usage.requests.saturating_sub(usage.refused),
        }
    }
}
