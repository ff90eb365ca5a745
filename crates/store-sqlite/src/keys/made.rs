//! Keys made, changed, revoked, rotated, removed.

use qm_store::{KeyMark, KeyPatch, KeyRecord, Ms, NewKey, StoreError};
use sqlx::{Sqlite, SqliteConnection, Transaction};

use crate::SqliteStore;
use crate::accounts::next_revision;
use crate::fault::{failed, failed_or_duplicate, int, int_or_none};
use crate::key_row::{INSERT, SET_WISHES, record, with_key, with_wishes};

/// Makes a key within a transaction of the caller's.
pub(super) async fn insert(
    writing: &mut SqliteConnection,
    key: &NewKey,
    now_ms: Ms,
) -> Result<KeyRecord, StoreError> {
    unknown(writing, &key.mark.digest).await?;
    let revision = next_revision(writing).await?;
    let row = with_wishes(with_key(sqlx::query(INSERT), key, revision, now_ms), &key.wishes);
    let row = row.fetch_one(writing).await.map_err(failed_or_duplicate("id or digest"))?;
    record(&row)
}

pub(super) async fn update(
    store: &SqliteStore,
    id: &str,
    patch: KeyPatch,
    if_revision: Option<i64>,
    now_ms: Ms,
) -> Result<Option<KeyRecord>, StoreError> {
    let Some((mut writing, before)) = held(store, id, if_revision).await? else { return Ok(None) };
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

pub(super) async fn revoke(
    store: &SqliteStore,
    id: &str,
    now_ms: Ms,
) -> Result<Option<KeyRecord>, StoreError> {
    let Some((mut writing, before)) = held(store, id, None).await? else { return Ok(None) };
    if before.revoked_ms.is_some() {
        return Ok(Some(before));
    }
    let revision = next_revision(&mut writing).await?;
    let revoke = "UPDATE keys SET revoked_ms = ?1, old_digest = NULL, old_until_ms = NULL, revision = ?2, updated_ms = ?1
        WHERE id = ?3 RETURNING *";
    let revoke = sqlx::query(revoke).bind(int(now_ms)).bind(revision).bind(id);
    let after = record(&revoke.fetch_one(&mut *writing).await.map_err(failed)?)?;
    end_sessions(&mut writing, id).await?;
    writing.commit().await.map_err(failed)?;
    Ok(Some(after))
}

pub(super) async fn restore(
    store: &SqliteStore,
    id: &str,
    now_ms: Ms,
) -> Result<Option<KeyRecord>, StoreError> {
    let Some((mut writing, before)) = held(store, id, None).await? else { return Ok(None) };
    if before.revoked_ms.is_none() {
        return Ok(Some(before));
    }
    let revision = next_revision(&mut writing).await?;
    let restore = "UPDATE keys SET revoked_ms = NULL, revision = ?, updated_ms = ? WHERE id = ? RETURNING *";
    let restore = sqlx::query(restore).bind(revision).bind(int(now_ms)).bind(id);
    let after = record(&restore.fetch_one(&mut *writing).await.map_err(failed)?)?;
    writing.commit().await.map_err(failed)?;
    Ok(Some(after))
}

pub(super) async fn rotate(
    store: &SqliteStore,
    id: &str,
    mark: &KeyMark,
    old_until_ms: Option<Ms>,
    if_revision: Option<i64>,
    now_ms: Ms,
) -> Result<Option<KeyRecord>, StoreError> {
    let Some((mut writing, _)) = held(store, id, if_revision).await? else { return Ok(None) };
    unknown(&mut writing, &mark.digest).await?;
    let revision = next_revision(&mut writing).await?;
    // On the right of an UPDATE a column is what it was: the digest that is replaced becomes the old one.
    let rotate =
        "UPDATE keys SET old_digest = CASE WHEN ?4 IS NULL THEN NULL ELSE digest END, old_until_ms = ?4,
            digest = ?1, hint_prefix = ?2, hint_last4 = ?3, revision = ?5, updated_ms = ?6
        WHERE id = ?7 RETURNING *";
    let rotate = sqlx::query(rotate)
        .bind(&mark.digest)
        .bind(&mark.hint_prefix)
        .bind(&mark.hint_last4)
        .bind(int_or_none(old_until_ms))
        .bind(revision)
        .bind(int(now_ms))
        .bind(id);
    let after = record(&rotate.fetch_one(&mut *writing).await.map_err(failed)?)?;
    if old_until_ms.is_none() {
        end_sessions(&mut writing, id).await?;
    }
    writing.commit().await.map_err(failed)?;
    Ok(Some(after))
}

pub(super) async fn remove(
    store: &SqliteStore,
    id: &str,
    if_revision: Option<i64>,
    now_ms: Ms,
) -> Result<bool, StoreError> {
    let Some((mut writing, before)) = held(store, id, if_revision).await? else { return Ok(false) };
    let revision = next_revision(&mut writing).await?;
    sqlx::query("DELETE FROM keys WHERE id = ?").bind(id).execute(&mut *writing).await.map_err(failed)?;
    let note = "INSERT INTO removed_keys (id, number, revision, removed_ms) VALUES (?, ?, ?, ?)";
    let note = sqlx::query(note).bind(id).bind(before.number).bind(revision).bind(int(now_ms));
    note.execute(&mut *writing).await.map_err(failed)?;
    end_sessions(&mut writing, id).await?;
    writing.commit().await.map_err(failed)?;
    Ok(true)
}

/// A key as it is, in a transaction in which it stays so; nothing if there is none.
async fn held(
    store: &SqliteStore,
    id: &str,
    if_revision: Option<i64>,
) -> Result<Option<(Transaction<'static, Sqlite>, KeyRecord)>, StoreError> {
    let mut writing = store.writing().await?;
    let row = sqlx::query("SELECT * FROM keys WHERE id = ?").bind(id).fetch_optional(&mut *writing);
    let Some(row) = row.await.map_err(failed)? else { return Ok(None) };
    let before = record(&row)?;
    match if_revision {
        Some(expected) if expected != before.revision => {
            Err(StoreError::Changed { revision: before.revision })
        }
        _ => Ok(Some((writing, before))),
    }
}

/// Refuses a digest that is or was another key's. That of a key that is being replaced would make its old form everlasting.
async fn unknown(writing: &mut SqliteConnection, digest: &str) -> Result<(), StoreError> {
    let known = "SELECT EXISTS (SELECT 1 FROM keys WHERE digest = ?1 OR old_digest = ?1)";
    let known = sqlx::query_scalar::<_, bool>(known).bind(digest).fetch_one(writing);
    if known.await.map_err(failed)? { Err(StoreError::Duplicate("id or digest")) } else { Ok(()) }
}

async fn end_sessions(writing: &mut SqliteConnection, key_id: &str) -> Result<(), StoreError> {
    let end = sqlx::query("DELETE FROM sessions WHERE key_id = ?").bind(key_id).execute(writing);
    end.await.map_err(failed).map(|_| ())
}
