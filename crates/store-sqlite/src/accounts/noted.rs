//! What is noted about accounts while they are used.

use qm_store::{CountsDelta, HealthSave, Ms, StoreError};

use super::next_revision;
use crate::SqliteStore;
use crate::fault::{failed, int, int_or_none};

pub(super) async fn refresh(
    store: &SqliteStore,
    id: &str,
    status: &str,
    now_ms: Ms,
) -> Result<(), StoreError> {
    let mut writing = store.writing().await?;
    let revision = next_revision(&mut writing).await?;
    let note =
        "UPDATE accounts SET last_refresh_ms = ?1, last_refresh_status = ?2, updated_ms = ?1, revision = ?3
        WHERE id = ?4";
    let note = sqlx::query(note).bind(int(now_ms)).bind(status).bind(revision).bind(id);
    note.execute(&mut *writing).await.map_err(failed)?;
    writing.commit().await.map_err(failed)
}

pub(super) async fn health(store: &SqliteStore, batch: &[HealthSave], now_ms: Ms) -> Result<(), StoreError> {
    if batch.is_empty() {
        return Ok(());
    }
    let mut writing = store.writing().await?;
    let revision = next_revision(&mut writing).await?;
    for HealthSave { number, health, state } in batch {
        let save = "UPDATE accounts SET health = ?1, health_state = ?2, revision = ?3, updated_ms = ?4 WHERE number = ?5";
        let save = sqlx::query(save).bind(health).bind(state).bind(revision).bind(int(now_ms)).bind(number);
        save.execute(&mut *writing).await.map_err(failed)?;
    }
    writing.commit().await.map_err(failed)
}

pub(super) async fn counts(store: &SqliteStore, batch: &[CountsDelta]) -> Result<(), StoreError> {
    if batch.is_empty() {
        return Ok(());
    }
    let mut writing = store.writing().await?;
    for delta in batch {
        let add =
            "UPDATE accounts SET total_requests = total_requests + ?1, success_count = success_count + ?2,
                error_total = error_total + ?3, total_tokens = total_tokens + ?5,
                error_count = CASE WHEN ?2 > 0 THEN ?4 ELSE error_count + ?4 END,
                last_used_ms = max(coalesce(?6, last_used_ms), coalesce(last_used_ms, ?6))
            WHERE number = ?7";
        let add = sqlx::query(add)
            .bind(int(delta.requests))
            .bind(int(delta.successes))
            .bind(int(delta.errors))
            .bind(int(delta.errors_since_success))
            .bind(int(delta.tokens))
            .bind(int_or_none(delta.last_used_ms))
            .bind(delta.number);
        add.execute(&mut *writing).await.map_err(failed)?;
    }
    writing.commit().await.map_err(failed)
}

pub(super) async fn usage(store: &SqliteStore, id: &str, usage: &str, now_ms: Ms) -> Result<(), StoreError> {
    let mut writing = store.writing().await?;
    let revision = next_revision(&mut writing).await?;
    let save = "UPDATE accounts SET usage = ?1, usage_ms = ?2, updated_ms = ?2, revision = ?3 WHERE id = ?4";
    let save = sqlx::query(save).bind(usage).bind(int(now_ms)).bind(revision).bind(id);
    save.execute(&mut *writing).await.map_err(failed)?;
    writing.commit().await.map_err(failed)
}

pub(super) async fn face(store: &SqliteStore, id: &str, face: &str, now_ms: Ms) -> Result<(), StoreError> {
    let mut writing = store.writing().await?;
    let revision = next_revision(&mut writing).await?;
    let save = "UPDATE accounts SET face = ?1, updated_ms = ?2, revision = ?3 WHERE id = ?4";
    let save = sqlx::query(save).bind(face).bind(int(now_ms)).bind(revision).bind(id);
    save.execute(&mut *writing).await.map_err(failed)?;
    writing.commit().await.map_err(failed)
}
