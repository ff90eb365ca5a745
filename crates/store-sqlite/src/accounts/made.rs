//! Accounts made, changed by people, removed.

use qm_store::{AccountPatch, AccountRecord, Ms, NewAccount, StoreError};
use sqlx::SqliteConnection;

use super::next_revision;
use crate::SqliteStore;
use crate::account_row::{INSERT, SET_WISHES, record, with_account, with_wishes};
use crate::fault::{failed, failed_or_duplicate, int};

/// Makes an account within a transaction of the caller's.
pub(crate) async fn insert(
    writing: &mut SqliteConnection,
    account: &NewAccount,
    now_ms: Ms,
) -> Result<AccountRecord, StoreError> {
    let fingerprint = &account.secret.fingerprint;
    let known = "SELECT accounts.id FROM accounts
        JOIN fingerprints ON fingerprints.account = accounts.number WHERE fingerprints.fingerprint = ?";
    let known = sqlx::query_scalar(known).bind(fingerprint).fetch_optional(&mut *writing);
    if let Some(account) = known.await.map_err(failed)? {
        return Err(StoreError::DuplicateLogin { account });
    }
    let revision = next_revision(writing).await?;
    let row = with_account(sqlx::query(INSERT), account, revision, now_ms);
    let row = with_wishes(row, &account.wishes).fetch_one(&mut *writing);
    let record = record(&row.await.map_err(failed_or_duplicate("id or slot"))?)?;
    super::secret::remember(writing, record.number, fingerprint, record.secret.generation).await?;
    Ok(record)
}

pub(super) async fn update(
    store: &SqliteStore,
    id: &str,
    patch: AccountPatch,
    if_revision: Option<i64>,
    now_ms: Ms,
) -> Result<Option<AccountRecord>, StoreError> {
    let mut writing = store.writing().await?;
    let row = sqlx::query("SELECT * FROM accounts WHERE id = ?").bind(id).fetch_optional(&mut *writing);
    let Some(row) = row.await.map_err(failed)? else { return Ok(None) };
    let before = record(&row)?;
    if if_revision.is_some_and(|expected| expected != before.revision) {
        return Err(StoreError::Changed { revision: before.revision });
    }
    let mut wishes = before.wishes.clone();
    patch.apply(&mut wishes);
    if wishes == before.wishes {
        // An empty patch changes nothing, not even the time; dropping the transaction rolls it back.
        return Ok(Some(before));
    }
    let revision = next_revision(&mut writing).await?;
    let row = with_wishes(sqlx::query(SET_WISHES), &wishes).bind(revision).bind(int(now_ms)).bind(id);
    let after = record(&row.fetch_one(&mut *writing).await.map_err(failed)?)?;
    writing.commit().await.map_err(failed)?;
    Ok(Some(after))
}

pub(super) async fn remove(store: &SqliteStore, id: &str, now_ms: Ms) -> Result<bool, StoreError> {
    let mut writing = store.writing().await?;
    let gone = sqlx::query_scalar::<_, i64>("DELETE FROM accounts WHERE id = ? RETURNING number").bind(id);
    let Some(number) = gone.fetch_optional(&mut *writing).await.map_err(failed)? else { return Ok(false) };
    let revision = next_revision(&mut writing).await?;
    let note = "INSERT INTO removed_accounts (number, id, revision, removed_ms) VALUES (?, ?, ?, ?)";
    let note = sqlx::query(note).bind(number).bind(id).bind(revision).bind(int(now_ms));
    note.execute(&mut *writing).await.map_err(failed)?;
    writing.commit().await.map_err(failed)?;
    Ok(true)
}
