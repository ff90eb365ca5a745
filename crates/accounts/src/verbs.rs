//! What people do to accounts, one at a time.

use std::sync::Arc;

use qm_credential::{Credential, Draft};
use qm_pool::Moved;
use qm_store::{AccountPatch, AccountRecord, Cursor, Filter, Origin, Sort, StoreError};

use crate::edit::Edit;
use crate::house::House;
use crate::roster::pool_id;
use crate::{AccountError, Actor, ErrorKind, Fleet, View};

/// How often a login is tried to be replaced while another process renews it.
const TRIES: u32 = 5;

/// One page of a listing.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The accounts.
    pub accounts: Vec<View>,
    /// Where the next page begins; nothing after the last.
    pub next: Option<Cursor>,
    /// How many there are on all pages.
    pub total: u64,
}

// === impl Fleet ===

impl Fleet {
    /// A page of accounts, `limit` at most.
    ///
    /// # Errors
    /// For a cursor of another order.
    pub async fn list(
        &self,
        filter: &Filter,
        sort: Sort,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Listing, AccountError> {
        let page = self.inner.store.accounts().list(filter, sort, after, limit).await;
        let page = page.map_err(|error| match error {
            StoreError::Cursor => {
                AccountError::invalid("The cursor belongs to another order of the listing.")
            }
            other => other.into(),
        })?;
        let accounts = page.accounts.into_iter().map(|record| self.inner.view(record)).collect();
        Ok(Listing { accounts, next: page.next, total: page.total })
    }

    /// The account of this UUID or number.
    ///
    /// # Errors
    /// When there is none.
    pub async fn get(&self, id: &str) -> Result<View, AccountError> {
        Ok(self.inner.view(self.record(id).await?))
    }

    /// Adds an account.
    ///
    /// # Errors
    /// Without the terms; for a draft that cannot be an account; when another account has its login.
    pub async fn add(&self, draft: &Draft, actor: &Actor) -> Result<View, AccountError> {
        self.require_terms().await?;
        let record = self.insert(draft, Origin::Api).await?;
        self.audit(actor, "account.add", &record.id, String::new()).await?;
        Ok(self.inner.view(record))
    }

    /// Changes an account.
    ///
    /// # Errors
    /// When there is none; for wishes that cannot be granted; when it is not of the revision that was named; when its
    /// login is not to be changed here or is another account's.
    pub async fn change(&self, id: &str, edit: Edit, actor: &Actor) -> Result<View, AccountError> {
        let record = self.record(id).await?;
        let login = match edit.login {
            Some(_) if record.origin == Origin::Environment => return Err(read_only()),
            Some(edit) => Some(self.inner.edited(&record, edit)?),
            None => None,
        };
        let patch = self.inner.patch(&record, edit.wishes, edit.proxy)?;
        if let Some(login) = &login {
            self.nobody_else_has(login, &record).await?;
        }
        // First, for it is here that the revision is compared, in the same transaction.
        let mut record = self.inner.patched(&record.id, patch, edit.revision).await?;
        if let Some(login) = &login {
            record = self.replace_login(&record, login, "never").await?;
        }
        let detail = serde_json::json!({ "login": login.is_some() }).to_string();
        self.audit(actor, "account.change", &record.id, detail).await?;
        Ok(self.inner.view(record))
    }

    /// Removes an account, for good. Requests that it answers go on.
    ///
    /// # Errors
    /// When there is none; when it comes from the environment, which would bring it back.
    pub async fn remove(&self, id: &str, actor: &Actor) -> Result<(), AccountError> {
        let record = self.writable(id).await?;
        self.inner.store.accounts().remove(&record.id, self.now_ms()).await?;
        self.inner.leave(record.number);
        self.audit(actor, "account.remove", &record.id, String::new()).await
    }

    /// Switches an account on; with that, all that was held against it is forgotten.
    ///
    /// # Errors
    /// When there is none.
    pub async fn enable(&self, id: &str, actor: &Actor) -> Result<View, AccountError> {
        self.switch(id, true, actor).await
    }

    /// Switches an account off. Requests that it answers go on.
    ///
    /// # Errors
    /// When there is none.
    pub async fn disable(&self, id: &str, actor: &Actor) -> Result<View, AccountError> {
        self.switch(id, false, actor).await
    }

    /// Forgets all that is held against an account. Whether it is switched on stays.
    ///
    /// # Errors
    /// When there is none.
    pub async fn reset(&self, id: &str, actor: &Actor) -> Result<View, AccountError> {
        let record = self.record(id).await?;
        self.inner.forgive(record.number).await;
        self.audit(actor, "account.reset", &record.id, String::new()).await?;
        self.get(&record.id).await
    }

    async fn switch(&self, id: &str, enabled: bool, actor: &Actor) -> Result<View, AccountError> {
        let record = self.record(id).await?;
        let patch = AccountPatch { enabled: Some(enabled), ..AccountPatch::default() };
        let record = self.patched(&record.id, patch).await?;
        let action = if enabled { "account.enable" } else { "account.disable" };
        self.audit(actor, action, &record.id, String::new()).await?;
        self.get(&record.id).await
    }

    /// The record of this UUID or number.
    pub(crate) async fn record(&self, id: &str) -> Result<AccountRecord, AccountError> {
        let accounts = self.inner.store.accounts();
        if let Some(record) = accounts.by_id(id).await? {
            return Ok(record);
        }
        let Ok(number) = id.parse() else { return Err(AccountError::not_found()) };
        accounts.by_number(number).await?.ok_or_else(AccountError::not_found)
    }

    /// The record of an account whose login may be changed here.
    pub(crate) async fn writable(&self, id: &str) -> Result<AccountRecord, AccountError> {
        let record = self.record(id).await?;
        let absent = match &record.slot {
            Some(slot) => self.is_absent(slot).await?,
            None => false,
        };
        if record.origin == Origin::Environment && !absent { Err(read_only()) } else { Ok(record) }
    }

    /// Keeps a new account and takes it in.
    pub(crate) async fn insert(&self, draft: &Draft, origin: Origin) -> Result<AccountRecord, AccountError> {
        let new = self.inner.new_account(draft, origin)?;
        let record = self.inner.store.accounts().insert(new, self.now_ms()).await?;
        self.inner.enter(record.clone());
        Ok(record)
    }

    /// Applies a patch that has been checked, in the store and here.
    pub(crate) async fn patched(&self, id: &str, patch: AccountPatch) -> Result<AccountRecord, AccountError> {
        self.inner.patched(id, patch, None).await
    }

    /// Replaces an account's login whole, whatever it is by now, and forgets what was held against the old one.
    pub(crate) async fn replace_login(
        &self,
        record: &AccountRecord,
        login: &Credential,
        status: &str,
    ) -> Result<AccountRecord, AccountError> {
        self.nobody_else_has(login, record).await?;
        let house = &self.inner;
        let accounts = house.store.accounts();
        let mut generation = record.secret.generation;
        for _ in 0..TRIES {
            let secret = house.new_secret(&record.id, login, status)?;
            let replaced = accounts.replace_secret(&record.id, generation, secret, self.now_ms()).await?;
            let now = accounts.by_id(&record.id).await?.ok_or_else(AccountError::not_found)?;
            if replaced {
                house.enter(now.clone());
                house.forgive(now.number).await;
                return accounts.by_id(&record.id).await?.ok_or_else(AccountError::not_found);
            }
            generation = now.secret.generation;
        }
        Err(AccountError::new(ErrorKind::Conflict, "The account's login keeps changing: try again."))
    }

    async fn nobody_else_has(&self, login: &Credential, record: &AccountRecord) -> Result<(), AccountError> {
        let known = self.inner.store.accounts().by_fingerprint(&login.fingerprint().hex()).await?;
        match known.filter(|known| known.id != record.id) {
            Some(known) => Err(StoreError::DuplicateLogin { account: known.id }.into()),
            None => Ok(()),
        }
    }
}

// === impl House ===

impl House {
    /// Applies a patch that has been checked, in the store and here.
    pub(crate) async fn patched(
        self: &Arc<Self>,
        id: &str,
        patch: AccountPatch,
        if_revision: Option<i64>,
    ) -> Result<AccountRecord, AccountError> {
        let (enabled, now_ms) = (patch.enabled, self.now_ms());
        let accounts = self.store.accounts();
        let record = if patch == AccountPatch::default() && if_revision.is_none() {
            accounts.by_id(id).await?
        } else {
            accounts.update(id, patch, if_revision, now_ms).await?
        };
        let record = record.ok_or_else(AccountError::not_found)?;
        self.enter(record.clone());
        let pool = pool_id(record.number);
        log(match enabled {
            Some(true) => self.pool.enable(pool, now_ms),
            Some(false) => self.pool.disable(pool, now_ms),
            None => None,
        });
        self.write_pending().await;
        // What has been written with it has raised its revision, which is for the next `If-Match`.
        accounts.by_id(id).await?.ok_or_else(AccountError::not_found)
    }

    /// Forgets all that is held against an account, and writes that down.
    pub(crate) async fn forgive(&self, number: i64) {
        log(self.pool.reset(pool_id(number), self.now_ms()));
        self.write_pending().await;
    }
}

pub(crate) fn log(moved: Option<Moved>) {
    if let Some(Moved { id, from, to }) = moved {
        tracing::info!(
            account.number = id.0,
            from = from.word(),
            to = to.word(),
            "account has changed its state"
        );
    }
}

fn read_only() -> AccountError {
    let words = "The account comes from the environment: change it there and restart.";
    AccountError::new(ErrorKind::ReadOnly, words)
}
