//! The relay's side: which account serves a request.

use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use qm_amazonq::model::Catalogue;
use qm_canon::Fault;
use qm_pool::AccountId;
use qm_relay::{Accounts, Census, Picked, Probed, Want, refusal};

use crate::Fleet;
use crate::house::House;
use crate::roster::pool_id;

/// No account has this number.
const NOBODY: AccountId = AccountId(u64::MAX);

#[async_trait]
impl Accounts for Fleet {
    fn pick(&self, want: &Want<'_>) -> Result<Picked, Fault> {
        let house = &self.inner;
        let now_ms = house.now_ms();
        let pinned = want.pinned.map(|id| match house.find(id) {
            Ok(entry) => pool_id(entry.record.number),
            Err(_) => NOBODY,
        });
        let wanted = qm_pool::Want {
            model: want.model,
            affinity: want.affinity,
            owner: want.caller.owner.as_deref(),
            pinned,
            tried: want.tried,
        };
        let random = (house.random)() as u64;
        let lease = house
            .pool
            .pick(&wanted, now_ms, random)
            .map_err(|refused| refusal::fault(&refused, pinned.is_some(), now_ms))?;
        let number = i64::try_from(lease.account().0).unwrap_or(i64::MAX);
        let roster = house.roster.read().unwrap_or_else(PoisonError::into_inner);
        let made = roster.by_number(number).and_then(|entry| entry.made.as_ref().ok());
        // Removed between two steps: rare, and the next try finds another.
        let made = made.ok_or_else(|| Fault::internal("pool/account-gone"))?;
        Ok(Picked { account: Arc::clone(&made.account), lease })
    }

    fn catalogue(&self) -> Arc<Catalogue> {
        let roster = self.inner.roster.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&roster.catalogue)
    }

    fn census(&self) -> Census {
        let now_ms = self.inner.now_ms();
        let census = Census::of(&self.inner.pool.snapshot(now_ms));
        let roster = self.inner.roster.read().unwrap_or_else(PoisonError::into_inner);
        let made = roster.entries().filter_map(|entry| entry.made.as_ref().ok());
        let with_token = made
            .filter(|made| made.account.tokens().expires_ms().is_some_and(|expires_ms| expires_ms > now_ms));
        Census { with_token: with_token.count(), ..census }
    }

    async fn probe(&self) -> Option<Probed> {
        Some(self.inner.probe().await)
    }

    fn last_probe(&self) -> Option<Probed> {
        self.inner.probing.last()
    }
}

impl House {
    /// Puts the models of all accounts together, and tells the pool which account has which. Not for requests to wait
    /// for: it looks at every account.
    pub(crate) fn gather_models(&self) {
        let now_ms = self.now_ms();
        let mut known: Vec<Arc<Catalogue>> = Vec::new();
        let mut news: Vec<(AccountId, Vec<Box<str>>)> = Vec::new();
        self.write_roster(|roster| {
            for entry in roster.entries_mut() {
                let Ok(made) = &mut entry.made else { continue };
                let catalogue = made.account.known_models();
                if catalogue.live && made.told.as_ref().is_none_or(|told| !Arc::ptr_eq(told, &catalogue)) {
                    let ids = catalogue.models.iter().map(|model| model.id.as_str().into()).collect();
                    news.push((pool_id(entry.record.number), ids));
                    made.told = Some(Arc::clone(&catalogue));
                }
                // One that is switched off is not asked: it must not keep the whole list from being known.
                if catalogue.live || entry.record.wishes.enabled {
                    known.push(catalogue);
                }
            }
        });
        for (id, ids) in news {
            self.pool.set_models(id, Some(ids), now_ms);
        }
        // Told lists first: what the built-in one says of a model is older.
        known.sort_by_key(|catalogue| !catalogue.live);
        if !known.is_empty() {
            let union = Arc::new(Catalogue::union(&known));
            self.write_roster(|roster| roster.catalogue = union);
        }
    }
}
