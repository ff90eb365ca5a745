//! Device logins.

use async_trait::async_trait;
use qm_seal::Sealed;
use qm_store::{
    AccountRecord, Completion, LoginEnd, LoginRecord, LoginStatus, Logins, Ms, NewLogin, StoreError,
};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::SqliteStore;
use crate::accounts::{made, secret};
use crate::fault::{Columns, failed, failed_or_duplicate, int};

const INSERT: &str = "INSERT INTO logins (
        id, kind, start_url, region, draft, renews, user_code, verification_uri, verification_uri_complete,
        created_ms, expires_ms, sealed, interval_ms, poll_after_ms, status
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending') RETURNING *";

/// Ends a pending login. Its secrets go with it.
const END: &str = "UPDATE logins SET status = ?1, error = ?2, account_id = ?3, ended_ms = ?4, sealed = NULL,
        lease_holder = NULL, lease_until_ms = 0
    WHERE id = ?5 AND status = 'pending'";

#[async_trait]
impl Logins for SqliteStore {
    async fn insert(
        &self,
        id: &str,
        login: NewLogin,
        sealed: Sealed,
        interval_ms: Ms,
    ) -> Result<LoginRecord, StoreError> {
        let row = sqlx::query(INSERT)
            .bind(id)
            .bind(&login.kind)
            .bind(&login.start_url)
            .bind(&login.region)
            .bind(&login.draft)
            .bind(&login.renews)
            .bind(&login.user_code)
            .bind(&login.verification_uri)
            .bind(&login.verification_uri_complete)
            .bind(int(login.created_ms))
            .bind(int(login.expires_ms))
            .bind(sealed.as_str())
            .bind(int(interval_ms))
            .bind(int(login.created_ms.saturating_add(interval_ms)))
            .fetch_one(&self.writer)
            .await;
        record(&row.map_err(failed_or_duplicate("id"))?)
    }

    async fn by_id(&self, id: &str) -> Result<Option<LoginRecord>, StoreError> {
        let row = sqlx::query("SELECT * FROM logins WHERE id = ?").bind(id);
        let row = row.fetch_optional(&self.readers).await.map_err(failed)?;
        row.as_ref().map(record).transpose()
    }

    async fn pending(&self) -> Result<Vec<LoginRecord>, StoreError> {
        let rows = sqlx::query("SELECT * FROM logins WHERE status = 'pending' ORDER BY created_ms, id");
        let rows = rows.fetch_all(&self.readers).await.map_err(failed)?;
        rows.iter().map(record).collect()
    }

    async fn lease(&self, id: &str, holder: &str, until_ms: Ms, now_ms: Ms) -> Result<bool, StoreError> {
        let lease = "UPDATE logins SET lease_holder = ?2,
                lease_until_ms = CASE WHEN lease_holder = ?2 THEN max(lease_until_ms, ?3) ELSE ?3 END
            WHERE id = ?1 AND status = 'pending'
                AND (lease_holder IS NULL OR lease_holder = ?2 OR lease_until_ms <= ?4)";
        let lease = sqlx::query(lease).bind(id).bind(holder).bind(int(until_ms)).bind(int(now_ms));
        let taken = lease.execute(&self.writer).await.map_err(failed)?;
        Ok(taken.rows_affected() == 1)
    }

    async fn release(&self, id: &str, holder: &str) -> Result<(), StoreError> {
        let release =
            "UPDATE logins SET lease_holder = NULL, lease_until_ms = 0 WHERE id = ? AND lease_holder = ?";
        let release = sqlx::query(release).bind(id).bind(holder).execute(&self.writer);
        release.await.map_err(failed).map(|_| ())
    }

    async fn note_poll(&self, id: &str, interval_ms: Ms, poll_after_ms: Ms) -> Result<(), StoreError> {
        let note = "UPDATE logins SET interval_ms = ?, poll_after_ms = ? WHERE id = ? AND status = 'pending'";
        let note = sqlx::query(note).bind(int(interval_ms)).bind(int(poll_after_ms)).bind(id);
        note.execute(&self.writer).await.map_err(failed).map(|_| ())
    }

    async fn complete(
        &self,
        id: &str,
        completion: Completion,
        now_ms: Ms,
    ) -> Result<Option<AccountRecord>, StoreError> {
        let mut writing = self.writing().await?;
        let account = match completion {
            Completion::New(account) => Some(made::insert(&mut writing, &account, now_ms).await?),
            Completion::Renew { id, secret } => {
                secret::replace(&mut writing, &id, None, &secret, now_ms).await?
            }
        };
        let Some(account) = account else { return Ok(None) };
        let ended = end(&mut writing, id, LoginStatus::Completed, None, Some(&account.id), now_ms).await?;
        if !ended {
            // Dropping the transaction takes the account back: the login was finished elsewhere.
            return Ok(None);
        }
        writing.commit().await.map_err(failed)?;
        Ok(Some(account))
    }

    async fn end(&self, id: &str, how: LoginEnd, now_ms: Ms) -> Result<bool, StoreError> {
        if matches!(how.status, LoginStatus::Pending | LoginStatus::Completed) {
            return Ok(false);
        }
        let mut writing = self.writing().await?;
        let ended = end(&mut writing, id, how.status, how.error.as_deref(), None, now_ms).await?;
        writing.commit().await.map_err(failed)?;
        Ok(ended)
    }

    async fn sweep(&self, forget_before_ms: Ms, now_ms: Ms) -> Result<u64, StoreError> {
        let mut writing = self.writing().await?;
        let expire = "UPDATE logins SET status = 'expired', ended_ms = ?1, sealed = NULL,
                lease_holder = NULL, lease_until_ms = 0
            WHERE status = 'pending' AND expires_ms <= ?1";
        sqlx::query(expire).bind(int(now_ms)).execute(&mut *writing).await.map_err(failed)?;
        let forget = sqlx::query("DELETE FROM logins WHERE ended_ms < ?").bind(int(forget_before_ms));
        let forgotten = forget.execute(&mut *writing).await.map_err(failed)?;
        writing.commit().await.map_err(failed)?;
        Ok(forgotten.rows_affected())
    }
}

async fn end(
    writing: &mut SqliteConnection,
    id: &str,
    status: LoginStatus,
    error: Option<&str>,
    account: Option<&str>,
    now_ms: Ms,
) -> Result<bool, StoreError> {
    let end = sqlx::query(END).bind(status.word()).bind(error).bind(account).bind(int(now_ms)).bind(id);
    let ended = end.execute(writing).await.map_err(failed)?;
    Ok(ended.rows_affected() == 1)
}

fn record(row: &SqliteRow) -> Result<LoginRecord, StoreError> {
    let columns = Columns { table: "logins", row };
    let sealed = columns.value::<Option<&str>>("sealed")?.map(Sealed::parse).transpose();
    Ok(LoginRecord {
        id: columns.value("id")?,
        asked: NewLogin {
            kind: columns.value("kind")?,
            start_url: columns.value("start_url")?,
            region: columns.value("region")?,
            draft: columns.value("draft")?,
            renews: columns.value("renews")?,
            user_code: columns.value("user_code")?,
            verification_uri: columns.value("verification_uri")?,
            verification_uri_complete: columns.value("verification_uri_complete")?,
            created_ms: columns.count("created_ms")?,
            expires_ms: columns.count("expires_ms")?,
        },
        sealed: sealed.map_err(|_| columns.corrupt("sealed"))?,
        interval_ms: columns.count("interval_ms")?,
        poll_after_ms: columns.count("poll_after_ms")?,
        status: columns.word("status", LoginStatus::of)?,
        error: columns.value("error")?,
        account_id: columns.value("account_id")?,
        ended_ms: columns.time("ended_ms")?,
    })
}
