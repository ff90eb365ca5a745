//! Accounts: reading here, writing in the files below.

pub(crate) mod made;
mod noted;
pub(crate) mod secret;

use async_trait::async_trait;
use qm_store::{
    AccountPatch, AccountRecord, Accounts, Changes, CountsDelta, Cursor, Filter, HealthSave, Ms, NewAccount,
    NewSecret, Page, Sort, StoreError,
};
use sqlx::{Connection as _, Sqlite, SqliteConnection, Transaction};

use crate::account_row::{Statement, record};
use crate::fault::failed;
use crate::{SqliteStore, listing};

impl SqliteStore {
    /// A transaction that writes: it takes SQLite's one right to write at once, so that what it reads cannot change before it writes.
    pub(crate) async fn writing(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed)
    }

    async fn one_account(&self, statement: Statement<'_>) -> Result<Option<AccountRecord>, StoreError> {
        let row = statement.fetch_optional(&self.readers).await.map_err(failed)?;
        row.as_ref().map(record).transpose()
    }
}

/// The revision that what is written now will have.
pub(crate) async fn next_revision(writing: &mut SqliteConnection) -> Result<i64, StoreError> {
    let next = sqlx::query_scalar("UPDATE revision SET value = value + 1 RETURNING value");
    next.fetch_one(writing).await.map_err(failed)
}

#[async_trait]
impl Accounts for SqliteStore {
    async fn insert(&self, account: NewAccount, now_ms: Ms) -> Result<AccountRecord, StoreError> {
        let mut writing = self.writing().await?;
        let record = made::insert(&mut writing, &account, now_ms).await?;
        writing.commit().await.map_err(failed)?;
        Ok(record)
    }

    async fn by_id(&self, id: &str) -> Result<Option<AccountRecord>, StoreError> {
        self.one_account(sqlx::query("SELECT * FROM accounts WHERE id = ?").bind(id)).await
    }

    async fn by_number(&self, number: i64) -> Result<Option<AccountRecord>, StoreError> {
        self.one_account(sqlx::query("SELECT * FROM accounts WHERE number = ?").bind(number)).await
    }

    async fn by_slot(&self, slot: &str) -> Result<Option<AccountRecord>, StoreError> {
        self.one_account(sqlx::query("SELECT * FROM accounts WHERE slot = ?").bind(slot)).await
    }

    async fn by_fingerprint(&self, fingerprint: &str) -> Result<Option<AccountRecord>, StoreError> {
        let known = "SELECT accounts.* FROM accounts
            JOIN fingerprints ON fingerprints.account = accounts.number WHERE fingerprints.fingerprint = ?";
        self.one_account(sqlx::query(known).bind(fingerprint)).await
    }

    async fn list(
        &self,
        filter: &Filter,
        sort: Sort,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page, StoreError> {
        listing::page(&self.readers, filter, sort, after, limit).await
    }

    async fn all(&self) -> Result<Changes, StoreError> {
        // Every account has a revision above zero. What was removed is of no interest to somebody who knows nothing yet.
        let all = Accounts::changed_since(self, 0).await?;
        Ok(Changes { removed: Vec::new(), ..all })
    }

    async fn changed_since(&self, revision: i64) -> Result<Changes, StoreError> {
        let mut connection = self.readers.acquire().await.map_err(failed)?;
        // One view of the file for all three.
        let mut reading = connection.begin().await.map_err(failed)?;
        let now = sqlx::query_scalar("SELECT value FROM revision").fetch_one(&mut *reading);
        let now = now.await.map_err(failed)?;
        let changed = sqlx::query("SELECT * FROM accounts WHERE revision > ? ORDER BY number").bind(revision);
        let changed = changed.fetch_all(&mut *reading).await.map_err(failed)?;
        let removed = "SELECT number FROM removed_accounts WHERE revision > ? ORDER BY number";
        let removed = sqlx::query_scalar(removed).bind(revision).fetch_all(&mut *reading);
        let removed = removed.await.map_err(failed)?;
        let changed = changed.iter().map(record).collect::<Result<_, _>>()?;
        Ok(Changes { revision: now, changed, removed })
    }

    async fn revision(&self) -> Result<i64, StoreError> {
        let now = sqlx::query_scalar("SELECT value FROM revision").fetch_one(&self.readers);
        now.await.map_err(failed)
    }

    async fn update(
        &self,
        id: &str,
        patch: AccountPatch,
        if_revision: Option<i64>,
        now_ms: Ms,
    ) -> Result<Option<AccountRecord>, StoreError> {
        made::update(self, id, patch, if_revision, now_ms).await
    }

    async fn remove(&self, id: &str, now_ms: Ms) -> Result<bool, StoreError> {
        made::remove(self, id, now_ms).await
    }

    async fn replace_secret(
        &self,
        id: &str,
        expected_generation: i64,
        secret: NewSecret,
        now_ms: Ms,
    ) -> Result<bool, StoreError> {
        let mut writing = self.writing().await?;
        let replaced = secret::replace(&mut writing, id, Some(expected_generation), &secret, now_ms).await?;
        writing.commit().await.map_err(failed)?;
        Ok(replaced.is_some())
    }

    async fn note_refresh(&self, id: &str, status: &str, now_ms: Ms) -> Result<(), StoreError> {
        noted::refresh(self, id, status, now_ms).await
    }

    async fn lease(&self, id: &str, holder: &str, until_ms: Ms, now_ms: Ms) -> Result<bool, StoreError> {
        secret::lease(self, id, holder, until_ms, now_ms).await
    }

    async fn release(&self, id: &str, holder: &str) -> Result<(), StoreError> {
        secret::release(self, id, holder).await
    }

    async fn save_health(&self, batch: &[HealthSave], now_ms: Ms) -> Result<(), StoreError> {
        noted::health(self, batch, now_ms).await
    }

    async fn add_counts(&self, batch: &[CountsDelta]) -> Result<(), StoreError> {
        noted::counts(self, batch).await
    }

    async fn save_usage(&self, id: &str, usage: &str, now_ms: Ms) -> Result<(), StoreError> {
        noted::usage(self, id, usage, now_ms).await
    }

    async fn save_face(&self, id: &str, face: &str, now_ms: Ms) -> Result<(), StoreError> {
        noted::face(self, id, face, now_ms).await
    }
}
