//! The accounts as this process has them: each record with what was made of it.

use std::collections::HashMap;
use std::sync::Arc;

use qm_amazonq::model::Catalogue;
use qm_pool::{AccountId, LicencePolicy, Stored, Traits};
use qm_store::AccountRecord;
use qm_upstream::Account;

use crate::keeper::StoreKeeper;

/// One account.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) record: Arc<AccountRecord>,
    /// What serves, or why nothing does: in words without secrets.
    pub(crate) made: Result<Made, Arc<str>>,
}

/// What was made of a record.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) account: Arc<Account>,
    pub(crate) keeper: Arc<StoreKeeper>,
    /// The catalogue of the account that the pool has been told.
    pub(crate) told: Option<Arc<Catalogue>>,
}

/// All accounts of this process.
pub(crate) struct Roster {
    by_number: HashMap<i64, Entry>,
    numbers: HashMap<String, i64>,
    /// The models of all accounts together.
    pub(crate) catalogue: Arc<Catalogue>,
}

impl Default for Roster {
    fn default() -> Self {
        Self { by_number: HashMap::new(), numbers: HashMap::new(), catalogue: Arc::new(Catalogue::builtin()) }
    }
}

impl Roster {
    pub(crate) fn put(&mut self, entry: Entry) {
        self.numbers.insert(entry.record.id.clone(), entry.record.number);
        self.by_number.insert(entry.record.number, entry);
    }

    pub(crate) fn remove(&mut self, number: i64) -> Option<Entry> {
        let entry = self.by_number.remove(&number)?;
        self.numbers.remove(&entry.record.id);
        Some(entry)
    }

    pub(crate) fn by_number(&self, number: i64) -> Option<&Entry> {
        self.by_number.get(&number)
    }

    pub(crate) fn by_number_mut(&mut self, number: i64) -> Option<&mut Entry> {
        self.by_number.get_mut(&number)
    }

    /// By UUID, or by number written out: the dialects have one each.
    pub(crate) fn find(&self, id: &str) -> Option<&Entry> {
        let number = self.numbers.get(id).copied().or_else(|| id.parse().ok())?;
        self.by_number.get(&number)
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.by_number.values()
    }

    pub(crate) fn entries_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.by_number.values_mut()
    }
}

/// The pool's name for an account.
pub(crate) fn pool_id(number: i64) -> AccountId {
    AccountId(u64::try_from(number).unwrap_or(0))
}

/// What the pool must know of people's wishes.
pub(crate) fn traits(record: &AccountRecord) -> Traits {
    let wishes = &record.wishes;
    let policy = wishes.policy.as_deref().and_then(LicencePolicy::of_word);
    Traits {
        enabled: wishes.enabled,
        owner: wishes.owner.as_deref().map(Into::into),
        weight: wishes.weight,
        priority: wishes.priority,
        rpm: wishes.rpm,
        per_hour: wishes.rate_per_hour,
        concurrency: wishes.concurrency,
        policy: policy.unwrap_or_default(),
    }
}

/// The health that was stored. What cannot be read is as good as nothing: the account shows soon enough how it is.
pub(crate) fn stored(record: &AccountRecord) -> Stored {
    let health = &record.learned.health;
    if health.is_empty() { Stored::default() } else { serde_json::from_str(health).unwrap_or_default() }
}
