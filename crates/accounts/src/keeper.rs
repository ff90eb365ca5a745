//! Keeps renewed logins: the store behind the upstream's seam, one process at a time.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use qm_amazonq::Remedy;
use qm_amazonq::fault::{Ailment, Failure};
use qm_canon::{Fault, Kind, Origin};
use qm_credential::Credential;
use qm_store::AccountRecord;
use qm_upstream::{Keeper, Kept, Learned, Turn};
use tokio::task::AbortHandle;

use crate::house::House;
use crate::records::credential_of;

/// How long the right to renew lasts if this process dies with it: so long the account may have to wait.
const LEASE: Duration = Duration::from_secs(15);

/// How often it is extended while a renewal goes on, which may take longer than that.
const BEAT: Duration = Duration::from_secs(4);

/// How often at most: more than any renewal takes.
const MOST_BEATS: u32 = 60;

/// How long to wait for another process to finish.
const PATIENCE: Duration = Duration::from_secs(40);

/// How often to look whether it has.
const LOOK: Duration = Duration::from_millis(100);

/// The login of one account in the store.
pub(crate) struct StoreKeeper {
    /// Weak: the house holds the account that holds this.
    house: Weak<House>,
    id: String,
    number: i64,
    /// In leases. Its own, so that an account that is made anew waits for a renewal of the one before.
    holder: String,
    /// The generation of the login that the account has.
    generation: Mutex<i64>,
    /// Extends the right to renew while that goes on.
    heart: Mutex<Option<AbortHandle>>,
}

impl StoreKeeper {
    pub(crate) fn new(house: &Arc<House>, record: &AccountRecord) -> Self {
        let generation = Mutex::new(record.secret.generation);
        let (id, holder) = (record.id.clone(), format!("{}/{}", house.holder, house.new_id()));
        Self {
            house: Arc::downgrade(house),
            id,
            number: record.number,
            holder,
            generation,
            heart: Mutex::default(),
        }
    }

    fn house(&self) -> Result<Arc<House>, Failure> {
        self.house.upgrade().ok_or_else(|| busy("refresh/stopping"))
    }

    fn generation(&self) -> i64 {
        *self.generation.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The account is about to have the login of this generation. Whether that is news.
    pub(crate) fn take_notice(&self, generation: i64) -> bool {
        let mut known = self.generation.lock().unwrap_or_else(PoisonError::into_inner);
        let news = *known < generation;
        *known = generation.max(*known);
        news
    }

    fn now_of(&self, generation: i64) {
        *self.generation.lock().unwrap_or_else(PoisonError::into_inner) = generation;
    }

    /// The login in the store, if it is newer than the account's.
    async fn newer(&self, house: &House) -> Result<Option<Box<Credential>>, Failure> {
        let record = house.store.accounts().by_id(&self.id).await.map_err(|_| busy("refresh/store"))?;
        let record = record.ok_or_else(|| gone("refresh/account-removed"))?;
        if record.secret.generation == self.generation() {
            return Ok(None);
        }
        let credential = credential_of(&house.keyring, &record).map_err(|_| busy("refresh/sealed"))?;
        self.now_of(record.secret.generation);
        Ok(Some(Box::new(credential)))
    }
}

#[async_trait]
impl Keeper for StoreKeeper {
    async fn begin(&self) -> Result<Turn, Failure> {
        let house = self.house()?;
        let accounts = house.store.accounts();
        let began = house.now_ms();
        loop {
            let now_ms = house.now_ms();
            let until_ms = now_ms + LEASE.as_millis() as u64;
            let mine = accounts.lease(&self.id, &self.holder, until_ms, now_ms).await;
            if mine.map_err(|_| busy("refresh/store"))? {
                break;
            }
            // Another process renews. What it brings is taken with the right in hand: it may not do.
            let record = accounts.by_id(&self.id).await.map_err(|_| busy("refresh/store"))?;
            if record.is_none() {
                return Err(gone("refresh/account-removed"));
            }
            if now_ms.saturating_sub(began) > PATIENCE.as_millis() as u64 {
                return Err(busy("refresh/lease"));
            }
            tokio::time::sleep(LOOK).await;
        }
        match self.newer(&house).await {
            Ok(Some(newer)) => {
                // It may have to be renewed all the same.
                self.extend_lease();
                Ok(Turn::Newer(newer))
            }
            Ok(None) => {
                self.extend_lease();
                Ok(Turn::Renew)
            }
            Err(failure) => {
                self.release(&house).await;
                Err(failure)
            }
        }
    }

    async fn keep(&self, renewed: &Credential) -> Result<Kept, Failure> {
        let house = self.house()?;
        let secret = house.new_secret(&self.id, renewed, "success").map_err(|_| busy("refresh/seal"))?;
        let (expected, now_ms) = (self.generation(), house.now_ms());
        let saved = house.store.accounts().replace_secret(&self.id, expected, secret, now_ms).await;
        if saved.map_err(|_| busy("refresh/store"))? {
            self.now_of(expected + 1);
            return Ok(Kept::Saved);
        }
        match self.newer(&house).await? {
            Some(newer) => Ok(Kept::Superseded(newer)),
            None => Err(busy("refresh/stale")),
        }
    }

    async fn end(&self, outcome: Result<(), &Failure>) {
        let Ok(house) = self.house() else { return };
        if let Err(failure) = outcome {
            let status = status_of(failure);
            let noted = house.store.accounts().note_refresh(&self.id, &status, house.now_ms()).await;
            if let Err(error) = noted {
                tracing::warn!(account = self.id, %error, "how a refresh went cannot be noted");
            }
        }
        self.release(&house).await;
    }

    fn learned(&self, learned: &Learned) {
        if let Ok(house) = self.house() {
            house.pending.learned(self.number, self.id.clone(), learned.clone());
        }
    }
}

impl StoreKeeper {
    /// Until it is given back.
    fn extend_lease(&self) {
        let (house, id, holder) = (Weak::clone(&self.house), self.id.clone(), self.holder.clone());
        let beating = async move {
            for _ in 0..MOST_BEATS {
                tokio::time::sleep(BEAT).await;
                let Some(house) = house.upgrade() else { return };
                let now_ms = house.now_ms();
                let until_ms = now_ms + LEASE.as_millis() as u64;
                if let Err(error) = house.store.accounts().lease(&id, &holder, until_ms, now_ms).await {
                    tracing::warn!(account = id, %error, "the right to renew cannot be extended");
                }
            }
        };
        #[expect(clippy::disallowed_methods, reason = "one per renewal, and it ends with it")]
        let beating = tokio::spawn(beating);
        let before =
            self.heart.lock().unwrap_or_else(PoisonError::into_inner).replace(beating.abort_handle());
        if let Some(before) = before {
            before.abort();
        }
    }

    async fn release(&self, house: &House) {
        if let Some(heart) = self.heart.lock().unwrap_or_else(PoisonError::into_inner).take() {
            heart.abort();
        }
        if let Err(error) = house.store.accounts().release(&self.id, &self.holder).await {
            // It runs out by itself.
            tracing::warn!(account = self.id, %error, "the right to renew cannot be given back");
        }
    }
}

/// The words of a failed refresh in records (spec/mission.md A5.19).
fn status_of(failure: &Failure) -> String {
    let code = failure.fault.code.strip_prefix("refresh/").unwrap_or(&failure.fault.code);
    match code {
        "missing-token" | "missing-client" => "failed_missing_credentials".to_owned(),
        "network" => "failed_network".to_owned(),
        code => format!("failed_{}", code.replace('-', "_")),
    }
}

fn busy(code: &'static str) -> Failure {
    let fault = Fault::new(
        Kind::Unavailable,
        Origin::Gateway,
        "Token refresh failed: the gateway could not keep the renewed login safe. Try again shortly.",
    );
    Failure { fault: fault.code(code), remedy: Remedy::Elsewhere(Ailment::LoginBusy) }
}

fn gone(code: &'static str) -> Failure {
    let fault = Fault::new(Kind::Unavailable, Origin::Gateway, "The account has been removed. Try again.");
    Failure { fault: fault.code(code), remedy: Remedy::Elsewhere(Ailment::LoginBusy) }
}
