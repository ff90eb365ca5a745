//! Looking over all accounts: how many are how, what they did, and which of them a request would get.

use std::collections::BTreeMap;

use qm_pool::{Says, Want};
use qm_store::Counts;

use crate::roster::pool_id;
use crate::{AccountError, Fleet};

/// A request that nobody makes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Question<'a> {
    /// Owner of the key.
    pub owner: Option<&'a str>,
    /// Upstream's name of the model.
    pub model: Option<&'a str>,
    /// Hash of the conversation.
    pub affinity: Option<u64>,
    /// UUID or number of the only account that will do.
    pub pinned: Option<&'a str>,
}

/// What an account would say to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// Its number.
    pub number: i64,
    /// Its UUID.
    pub id: String,
    /// What people call it.
    pub label: String,
    /// Whether it could serve, or why not.
    pub says: Says,
    /// Whether it is the one that would be chosen.
    pub chosen: bool,
}

/// All accounts in numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// How many there are.
    pub total: usize,
    /// Of these, not switched off.
    pub enabled: usize,
    /// How many are in which state, by its word.
    pub states: BTreeMap<&'static str, usize>,
    /// Requests under way.
    pub in_flight: u64,
    /// Requests begun within the last minute.
    pub current_rpm: u64,
    /// What they did, together; `last_used_ms` is the latest.
    pub counts: Counts,
    /// Credits used, of those accounts that are told.
    pub credits_used: f64,
    /// Credits there are, of the same.
    pub credits_limit: f64,
}

impl Fleet {
    /// Which account would serve a request, and why the others would not; the first are those that could.
    ///
    /// # Errors
    /// When the account it is pinned to does not exist.
    pub fn explain(&self, question: &Question<'_>) -> Result<Vec<Explained>, AccountError> {
        let house = &self.inner;
        let pinned = match question.pinned {
            Some(id) => Some(pool_id(house.find(id)?.record.number)),
            None => None,
        };
        let Question { owner, model, affinity, .. } = *question;
        let want = Want { model, affinity, owner, pinned, tried: &[] };
        let random = (house.random)() as u64;
        let verdicts = house.pool.explain(&want, self.now_ms(), random);
        let explained = verdicts.into_iter().filter_map(|verdict| {
            let entry = house.entry(i64::try_from(verdict.id.0).ok()?)?;
            Some(Explained {
                number: entry.record.number,
                id: entry.record.id.clone(),
                label: entry.record.wishes.label.clone(),
                says: verdict.says,
                chosen: verdict.chosen,
            })
        });
        Ok(explained.collect())
    }

    /// All accounts in numbers.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn summary(&self) -> Result<Summary, AccountError> {
        let mut summary = Summary::default();
        for record in self.inner.store.accounts().all().await?.changed {
            let Counts {
                success_count,
                error_count,
                error_total,
                total_requests,
                total_tokens,
                last_used_ms,
            } = record.counts;
            let all = &mut summary.counts;
            all.success_count += success_count;
            all.error_count += error_count;
            all.error_total += error_total;
            all.total_requests += total_requests;
            all.total_tokens += total_tokens;
            all.last_used_ms = all.last_used_ms.max(last_used_ms);
        }
        for view in self.inner.pool.snapshot(self.now_ms()) {
            summary.total += 1;
            summary.enabled += usize::from(view.traits.enabled);
            *summary.states.entry(view.health.word()).or_default() += 1;
            summary.in_flight += u64::from(view.in_flight);
            summary.current_rpm += u64::from(view.current_rpm);
            let quota = view.quota.map(|quota| (quota.used, quota.limit));
            let (used, limit) = quota.unwrap_or_default();
            summary.credits_used += used;
            summary.credits_limit += limit;
        }
        Ok(summary)
    }
}
