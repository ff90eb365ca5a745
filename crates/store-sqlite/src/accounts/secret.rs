//! Logins replaced, and the right to replace them.

use qm_store::{AccountRecord, Ms, NewSecret, StoreError};
use sqlx::SqliteConnection;

use super::next_revision;
use crate::SqliteStore;
use crate::account_row::record;
use crate::fault::{failed, int, int_or_none};

/// How many of an account's latest logins are known again, beside its first. Each is the name of a token that somebody may still have in
/// a file; where tokens rotate hourly the table must not grow for ever.
const REMEMBERED: i64 = 8;

/// Replaces a login within a transaction of the caller's; whatever its generation, if none is expected.
pub(crate) async fn replace(
    writing: &mut SqliteConnection,
    id: &str,
    expected_generation: Option<i64>,
    secret: &NewSecret,
    now_ms: Ms,
) -> Result<Option<AccountRecord>, StoreError> {
    let revision = next_revision(writing).await?;
    let replaced = "UPDATE accounts SET kind = ?1, sealed = ?2, fingerprint = ?3, expires_ms = ?4,
            last_refresh_ms = ?5, last_refresh_status = ?6, env_fingerprint = coalesce(?7, env_fingerprint),
            generation = generation + 1, revision = ?8, updated_ms = ?5
        WHERE id = ?9 AND (?10 IS NULL OR generation = ?10) RETURNING *";
    let replaced = sqlx::query(replaced)
        .bind(&secret.kind)
        .bind(secret.sealed.as_str())
        .bind(&secret.fingerprint)
        .bind(int_or_none(secret.expires_ms))
        .bind(int(now_ms))
        .bind(&secret.status)
        .bind(&secret.env_fingerprint)
        .bind(revision)
        .bind(id)
        .bind(expected_generation)
        .fetch_optional(&mut *writing)
        .await
        .map_err(failed)?;
    let Some(row) = replaced else { return Ok(None) };
    let record = record(&row)?;
    remember(writing, record.number, &secret.fingerprint, record.secret.generation).await?;
    Ok(Some(record))
}

/// Notes that an account has this login. One that another account has stays that account's.
pub(super) async fn remember(
    writing: &mut SqliteConnection,
    account: i64,
    fingerprint: &str,
    generation: i64,
) -> Result<(), StoreError> {
    let note = "INSERT INTO fingerprints (fingerprint, account, generation) VALUES (?1, ?2, ?3)
        ON CONFLICT (fingerprint) DO UPDATE SET generation = ?3 WHERE account = ?2 AND generation > 1";
    let note = sqlx::query(note).bind(fingerprint).bind(account).bind(generation);
    note.execute(&mut *writing).await.map_err(failed)?;
    let forget = "DELETE FROM fingerprints WHERE account = ?1 AND generation > 1 AND generation NOT IN (
        SELECT generation FROM fingerprints WHERE account = ?1 ORDER BY generation DESC LIMIT ?2)";
    let forget = sqlx::query(forget).bind(account).bind(REMEMBERED).execute(writing);
    forget.await.map_err(failed).map(|_| ())
}

pub(super) async fn lease(
    store: &SqliteStore,
    id: &str,
    holder: &str,
    until_ms: Ms,
    now_ms: Ms,
) -> Result<bool, StoreError> {
    let lease = "UPDATE accounts SET lease_holder = ?2,
            lease_until_ms = CASE WHEN lease_holder = ?2 THEN max(lease_until_ms, ?3) ELSE ?3 END
        WHERE id = ?1 AND (lease_holder IS NULL OR lease_holder = ?2 OR lease_until_ms <= ?4)";
    let lease = sqlx::query(lease).bind(id).bind(holder).bind(int(until_ms)).bind(int(now_ms));
    let taken = lease.execute(&store.writer).await.map_err(failed)?;
    Ok(taken.rows_affected() == 1)
}

pub(super) async fn release(store: &SqliteStore, id: &str, holder: &str) -> Result<(), StoreError> {
    let release =
        "UPDATE accounts SET lease_holder = NULL, lease_until_ms = 0 WHERE id = ? AND lease_holder = ?";
    let release = sqlx::query(release).bind(id).bind(holder).execute(&store.writer);
    release.await.map_err(failed).map(|_| ())
}
