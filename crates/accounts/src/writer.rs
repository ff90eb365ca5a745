//! What happens to accounts, written down behind their backs: states, counts, what was learned.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use qm_pool::Change;
use qm_store::{CountsDelta, HealthSave};
use qm_upstream::Learned;
use tokio::sync::Notify;

use crate::house::House;

/// What is waiting to be written, and the bell that says so. At most one of each kind per account.
#[derive(Default)]
pub(crate) struct Pending {
    learned: Mutex<HashMap<i64, (String, Learned)>>,
    /// Locked while writing, so that no older state is written over a newer one.
    pub(crate) unsaved: tokio::sync::Mutex<Unsaved>,
    bell: Notify,
}

/// What the pool has told and the store does not have yet.
#[derive(Default)]
pub(crate) struct Unsaved {
    health: HashMap<i64, HealthSave>,
    counts: HashMap<i64, CountsDelta>,
}

// === impl Pending ===

impl Pending {
    pub(crate) fn learned(&self, number: i64, id: String, learned: Learned) {
        self.learned.lock().unwrap_or_else(PoisonError::into_inner).insert(number, (id, learned));
        self.ring();
    }

    /// There is something to write.
    pub(crate) fn ring(&self) {
        self.bell.notify_one();
    }

    pub(crate) async fn rung(&self) {
        self.bell.notified().await;
    }

    fn take_learned(&self) -> HashMap<i64, (String, Learned)> {
        std::mem::take(&mut self.learned.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What could not be written waits again, unless there is something newer.
    fn put_back(&self, number: i64, learned: (String, Learned)) {
        self.learned.lock().unwrap_or_else(PoisonError::into_inner).entry(number).or_insert(learned);
    }
}

// === impl House ===

impl House {
    /// Writes down all that waits. What cannot be written now is written with what comes next.
    pub(crate) async fn write_pending(&self) {
        let mut unsaved = self.pending.unsaved.lock().await;
        self.write(&mut unsaved).await;
    }

    pub(crate) async fn write(&self, unsaved: &mut Unsaved) {
        for change in self.pool.take_changes() {
            let Ok(number) = i64::try_from(change.id.0) else { continue };
            // Of an account that cannot be opened here, whoever can knows better.
            let usable = self.entry(number).is_some_and(|entry| entry.made.is_ok());
            unsaved.add(number, &change, usable);
        }
        self.write_health(unsaved).await;
        self.write_counts(unsaved).await;
        for (number, (id, learned)) in self.pending.take_learned() {
            let face = serde_json::to_string(&learned).unwrap_or_default();
            if let Err(error) = self.store.accounts().save_face(&id, &face, self.now_ms()).await {
                tracing::warn!(%error, account = id, "what was learned of an account cannot be written");
                self.pending.put_back(number, (id, learned));
            }
        }
    }

    async fn write_health(&self, unsaved: &mut Unsaved) {
        if unsaved.health.is_empty() {
            return;
        }
        let batch: Vec<HealthSave> = unsaved.health.values().cloned().collect();
        match self.store.accounts().save_health(&batch, self.now_ms()).await {
            Ok(()) => {
                unsaved.health.clear();
                // So that it is not taken for another process's news.
                self.write_roster(|roster| {
                    for save in batch {
                        if let Some(entry) = roster.by_number_mut(save.number) {
                            let learned = &mut Arc::make_mut(&mut entry.record).learned;
                            (learned.health, learned.health_state) = (save.health, save.state);
                        }
                    }
                });
            }
            Err(error) => {
                tracing::error!(%error, accounts = batch.len(), "states of accounts cannot be written");
            }
        }
    }

    async fn write_counts(&self, unsaved: &mut Unsaved) {
        if unsaved.counts.is_empty() {
            return;
        }
        let batch: Vec<CountsDelta> = unsaved.counts.values().copied().collect();
        match self.store.accounts().add_counts(&batch).await {
            Ok(()) => unsaved.counts.clear(),
            Err(error) => {
                tracing::error!(%error, accounts = batch.len(), "counts of accounts cannot be written");
            }
        }
    }
}

// === impl Unsaved ===

impl Unsaved {
    fn add(&mut self, number: i64, change: &Change, with_health: bool) {
        if let Some(stored) = change.stored.as_ref().filter(|_| with_health)
            && let Ok(health) = serde_json::to_string(stored)
        {
            let state = stored.health.word().to_owned();
            self.health.insert(number, HealthSave { number, health, state });
        }
        let Some(new) = counted(number, change) else { return };
        let counts = self.counts.entry(number).or_insert(CountsDelta { number, ..CountsDelta::default() });
        let before = counts.errors_since_success;
        counts.requests += new.requests;
        counts.successes += new.successes;
        counts.errors += new.errors;
        counts.errors_since_success =
            if new.successes > 0 { new.errors_since_success } else { before + new.errors_since_success };
        counts.tokens += new.tokens;
        counts.last_used_ms = counts.last_used_ms.max(new.last_used_ms);
    }
}

fn counted(number: i64, change: &Change) -> Option<CountsDelta> {
    let counts = &change.counts;
    (counts.requests > 0 || counts.answered > 0 || counts.failed > 0 || counts.tokens > 0).then(|| {
        CountsDelta {
            number,
            requests: counts.requests,
            successes: counts.answered,
            errors: counts.failed,
            errors_since_success: if counts.answered > 0 { u64::from(counts.errors) } else { counts.failed },
            tokens: counts.tokens,
            last_used_ms: (counts.last_used_ms > 0).then_some(counts.last_used_ms),
        }
    })
}

#[cfg(test)]
mod tests {
    use qm_pool::{AccountId, Counts};

    use super::*;

    #[test]
    fn counts_that_waited_add_up_and_failures_count_since_the_last_answer() {
        let change = |answered, failed, errors| Change {
            id: AccountId(1),
            stored: None,
            counts: Counts {
                requests: answered + failed,
                answered,
                failed,
                tokens: 10,
                errors,
                last_used_ms: 5,
            },
        };
        let mut unsaved = Unsaved::default();
        for change in [change(0, 2, 2), change(1, 3, 1), change(0, 1, 2)] {
            unsaved.add(1, &change, true);
        }
        let counts = unsaved.counts[&1];
        assert_eq!((counts.requests, counts.successes, counts.errors, counts.tokens), (7, 1, 6, 30));
        assert_eq!(counts.errors_since_success, 2, "one before the answer was counted, two after");
        assert!(unsaved.health.is_empty());
    }
}
