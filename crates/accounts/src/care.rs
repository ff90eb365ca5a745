//! What is done to keep accounts well: renewing, asking for models and credits; by people and by the house.

use std::sync::Arc;

use qm_amazonq::Remedy;
use qm_amazonq::fault::{Ailment as Trouble, Failure};
use qm_amazonq::usage::Usage;
use qm_pool::{Ailment, Evidence, Health, Outcome, Quota};
use qm_store::AccountRecord;
use qm_upstream::Account;
use tokio::task::JoinSet;

use crate::house::House;
use crate::roster::{Entry, pool_id, stored};
use crate::verbs::log;
use crate::{AccountError, Actor, ErrorKind, Fleet, View};

/// How a refresh of one account among many went.
#[derive(Clone, Debug)]
pub struct Refreshed {
    /// The account's number.
    pub number: i64,
    /// Its UUID.
    pub id: String,
    /// What people call it.
    pub label: String,
    /// How it went.
    pub result: Result<(), AccountError>,
    /// How the account is now.
    pub state: Health,
}

/// What was found out about an account by asking the upstream, without a chat: that would cost credits.
#[derive(Clone, Debug)]
pub struct Checkup {
    /// Whether there is a token, and if not why.
    pub token: Result<(), AccountError>,
    /// Its credits. Some accounts are never told; they may chat all the same.
    pub usage: Result<Usage, AccountError>,
    /// Models it has; nothing if the upstream does not say.
    pub models: Option<Vec<String>>,
    /// The account after that.
    pub view: View,
}

// === impl Fleet ===

impl Fleet {
    /// Renews an account's token now, even if its login was found dead.
    ///
    /// # Errors
    /// When there is no such account, or no token can be had.
    pub async fn refresh(&self, id: &str, actor: &Actor) -> Result<View, AccountError> {
        let record = self.record(id).await?;
        let entry = self.inner.known(&record)?;
        let refreshed = self.inner.refresh(&entry).await;
        self.inner.write_pending().await;
        self.audit(actor, "account.refresh", &record.id, String::new()).await?;
        refreshed?;
        self.get(&record.id).await
    }

    /// Renews the tokens of all accounts, some at a time. `progress` is told how many are done, of how many.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn refresh_all(
        &self,
        actor: &Actor,
        progress: impl Fn(usize, usize) + Send,
    ) -> Result<Vec<Refreshed>, AccountError> {
        let mut waiting = self.inner.entries();
        waiting.sort_by_key(|entry| std::cmp::Reverse(entry.record.number));
        let (total, mut under_way, mut done) = (waiting.len(), JoinSet::new(), Vec::new());
        loop {
            while under_way.len() < self.inner.habits.at_once.max(1)
                && let Some(entry) = waiting.pop()
            {
                let house = Arc::clone(&self.inner);
                under_way.spawn(async move { house.refreshed(&entry).await });
            }
            let Some(next) = under_way.join_next().await else { break };
            done.extend(next.ok());
            progress(done.len(), total);
        }
        done.sort_by_key(|refreshed| refreshed.number);
        self.inner.write_pending().await;
        self.audit(actor, "account.refresh-all", "", String::new()).await?;
        Ok(done)
    }

    /// Asks the upstream how an account is, and notes it.
    ///
    /// # Errors
    /// When there is no such account, or it cannot be opened.
    pub async fn test(&self, id: &str) -> Result<Checkup, AccountError> {
        let record = self.record(id).await?;
        let made = self.inner.known(&record)?.made.map_err(|trouble| unusable(&trouble))?;
        let token = made.account.tokens().fresh().await;
        if let Err(failure) = &token {
            self.inner.ails(record.number, failure);
        }
        let usage = self.inner.ask_usage(record.number, &record.id, &made.account).await;
        made.account.refresh_catalogue().await;
        self.inner.gather_models();
        let catalogue = made.account.known_models();
        let models = catalogue.models.iter().map(|model| model.id.clone());
        self.inner.write_pending().await;
        Ok(Checkup {
            token: token.map(drop).map_err(|failure| refused(&failure)),
            usage: usage.map_err(|failure| refused(&failure)),
            models: catalogue.live.then(|| models.collect()),
            view: self.get(&record.id).await?,
        })
    }

    /// An account's credits, asked of the upstream now.
    ///
    /// # Errors
    /// When there is no such account, or the upstream does not tell; that says nothing of whether it can chat.
    pub async fn quota(&self, id: &str) -> Result<Usage, AccountError> {
        let record = self.record(id).await?;
        let made = self.inner.known(&record)?.made.map_err(|trouble| unusable(&trouble))?;
        let usage = self.inner.ask_usage(record.number, &record.id, &made.account).await;
        self.inner.write_pending().await;
        usage.map_err(|failure| refused(&failure))
    }
}

// === impl House ===

impl House {
    /// The account of this record, taken in first if another process has just made it.
    pub(crate) fn known(self: &Arc<Self>, record: &AccountRecord) -> Result<Entry, AccountError> {
        if self.entry(record.number).is_none() {
            self.enter(record.clone());
        }
        self.entry(record.number).ok_or_else(AccountError::not_found)
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        let roster = self.roster.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        roster.entries().cloned().collect()
    }

    async fn refreshed(&self, entry: &Entry) -> Refreshed {
        let result = self.refresh(entry).await;
        let (record, now_ms) = (&entry.record, self.now_ms());
        let state = self.pool.one(pool_id(record.number), now_ms).map(|view| view.health);
        Refreshed {
            number: record.number,
            id: record.id.clone(),
            label: record.wishes.label.clone(),
            result,
            state: state.unwrap_or_default(),
        }
    }

    async fn refresh(&self, entry: &Entry) -> Result<(), AccountError> {
        let made = entry.made.as_ref().map_err(|trouble| unusable(trouble))?;
        let number = entry.record.number;
        match made.account.tokens().force().await {
            Ok(_) => {
                let id = pool_id(number);
                let broken =
                    self.pool.one(id, self.now_ms()).is_some_and(|view| view.health == Health::Broken);
                if broken {
                    // Its login lives, whatever was thought of it.
                    log(self.pool.reset(id, self.now_ms()));
                }
                Ok(())
            }
            Err(failure) => {
                self.ails(number, &failure);
                Err(refused(&failure))
            }
        }
    }

    /// Renews a token that is due, ahead of requests.
    pub(crate) async fn renew_ahead(&self, number: i64) {
        let Some(Ok(made)) = self.entry(number).map(|entry| entry.made) else { return };
        if let Err(failure) = made.account.tokens().ahead().await {
            self.ails(number, &failure);
        }
    }

    /// Asks for an account's models, if it is time to.
    pub(crate) async fn ask_models(&self, number: i64) {
        let Some(Ok(made)) = self.entry(number).map(|entry| entry.made) else { return };
        made.account.refresh_catalogue().await;
    }

    /// Asks for an account's credits.
    pub(crate) async fn poll_quota(&self, number: i64) {
        let Some(Entry { record, made: Ok(made) }) = self.entry(number) else { return };
        if let Err(failure) = self.ask_usage(number, &record.id, &made.account).await {
            tracing::debug!(account = made.account.name(), code = %failure.fault.code, "credits are not told");
        }
    }

    async fn ask_usage(&self, number: i64, id: &str, account: &Account) -> Result<Usage, Failure> {
        let usage = account.usage().await.inspect_err(|failure| self.ails(number, failure))?;
        log(self.pool.set_quota(pool_id(number), Some(quota(&usage)), self.now_ms()));
        let json = serde_json::to_string(&usage).unwrap_or_default();
        if let Err(error) = self.store.accounts().save_usage(id, &json, self.now_ms()).await {
            tracing::warn!(%error, account = id, "credits of an account cannot be written");
        }
        Ok(usage)
    }

    /// What the credits were when they were last read, for an account that has just been loaded. One that rests keeps
    /// resting: what was read may be older than that.
    pub(crate) fn recall_quota(&self, record: &AccountRecord) {
        let usage = record.learned.usage.as_ref().and_then(|usage| serde_json::from_str::<Usage>(usage).ok());
        let now_ms = self.now_ms();
        let renewed = |usage: &Usage| usage.resets_ms.is_some_and(|resets_ms| resets_ms <= now_ms);
        if let Some(usage) = usage.filter(|usage| !renewed(usage) && stored(record).health == Health::Ready) {
            log(self.pool.set_quota(pool_id(record.number), Some(quota(&usage)), now_ms));
        }
    }

    /// What a failure beside requests says of the account. A refusal of such a question says nothing of whether it may
    /// chat: only a dead login and a suspension count.
    pub(crate) fn ails(&self, number: i64, failure: &Failure) {
        let ailment = match failure.remedy {
            Remedy::Elsewhere(Trouble::LoginDead) => Ailment::LoginDead,
            Remedy::Elsewhere(Trouble::Suspended) => Ailment::Suspended,
            _ => return,
        };
        let fault = &failure.fault;
        let evidence = Evidence {
            code: fault.code.as_ref().into(),
            words: fault.message.as_ref().into(),
            upstream_request_id: fault.upstream_id.clone(),
        };
        log(self.pool.report(pool_id(number), &Outcome::Ailing(ailment, evidence), self.now_ms()));
    }
}

fn quota(usage: &Usage) -> Quota {
    let Usage { used, limit, resets_ms, .. } = *usage;
    Quota { used, limit, resets_ms, overage: usage.overage.enabled }
}

/// What an operator is told of a failure of the upstream.
pub(crate) fn refused(failure: &Failure) -> AccountError {
    let fault = &failure.fault;
    let kind = match failure.remedy {
        _ if matches!(&*fault.code, "refresh/missing-token" | "refresh/missing-client") => ErrorKind::Invalid,
        Remedy::Elsewhere(Trouble::LoginDead | Trouble::Suspended) => ErrorKind::Refused,
        _ => ErrorKind::Unavailable,
    };
    AccountError::new(kind, format!("{} ({})", fault.message, fault.code))
}

fn unusable(trouble: &str) -> AccountError {
    AccountError::new(ErrorKind::Internal, format!("The account cannot be used: {trouble}"))
}
