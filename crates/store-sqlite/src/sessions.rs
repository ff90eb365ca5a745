//! Sessions.

use async_trait::async_trait;
use qm_store::{Ms, SessionRecord, Sessions, StoreError};
use sqlx::sqlite::SqliteRow;

use crate::SqliteStore;
use crate::fault::{Columns, failed, failed_or_duplicate, int};
use crate::key_row::words;

#[async_trait]
impl Sessions for SqliteStore {
    async fn insert(&self, session: SessionRecord) -> Result<(), StoreError> {
        let insert = "INSERT INTO sessions (id, key_id, csrf, scopes, created_ms, last_seen_ms, expires_ms, source, agent)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
        let insert = sqlx::query(insert)
            .bind(&session.id)
            .bind(&session.key_id)
            .bind(&session.csrf)
            .bind(words(&session.scopes))
            .bind(int(session.created_ms))
            .bind(int(session.last_seen_ms))
            .bind(int(session.expires_ms))
            .bind(&session.source)
            .bind(&session.agent);
        insert.execute(&self.writer).await.map_err(failed_or_duplicate("id")).map(|_| ())
    }

    async fn by_id(&self, id: &str) -> Result<Option<SessionRecord>, StoreError> {
        let row = sqlx::query("SELECT * FROM sessions WHERE id = ?").bind(id).fetch_optional(&self.readers);
        row.await.map_err(failed)?.as_ref().map(record).transpose()
    }

    async fn list(&self, key_id: Option<&str>) -> Result<Vec<SessionRecord>, StoreError> {
        let rows = "SELECT * FROM sessions WHERE ?1 IS NULL OR key_id = ?1 ORDER BY created_ms DESC, id";
        let rows = sqlx::query(rows).bind(key_id).fetch_all(&self.readers).await.map_err(failed)?;
        rows.iter().map(record).collect()
    }

    async fn touch(&self, id: &str, now_ms: Ms) -> Result<bool, StoreError> {
        let touch = "UPDATE sessions SET last_seen_ms = max(last_seen_ms, ?) WHERE id = ?";
        let touch = sqlx::query(touch).bind(int(now_ms)).bind(id).execute(&self.writer);
        Ok(touch.await.map_err(failed)?.rows_affected() == 1)
    }

    async fn remove(&self, id: &str) -> Result<bool, StoreError> {
        let remove = sqlx::query("DELETE FROM sessions WHERE id = ?").bind(id).execute(&self.writer);
        Ok(remove.await.map_err(failed)?.rows_affected() == 1)
    }

    async fn remove_of(&self, key_id: &str) -> Result<u64, StoreError> {
        let remove = sqlx::query("DELETE FROM sessions WHERE key_id = ?").bind(key_id).execute(&self.writer);
        Ok(remove.await.map_err(failed)?.rows_affected())
    }

    async fn prune(&self, idle_before_ms: Ms, now_ms: Ms) -> Result<u64, StoreError> {
        let prune = sqlx::query("DELETE FROM sessions WHERE expires_ms <= ? OR last_seen_ms < ?");
        let prune = prune.bind(int(now_ms)).bind(int(idle_before_ms)).execute(&self.writer);
        Ok(prune.await.map_err(failed)?.rows_affected())
    }
}

fn record(row: &SqliteRow) -> Result<SessionRecord, StoreError> {
    let columns = Columns { table: "sessions", row };
    Ok(SessionRecord {
        id: columns.value("id")?,
        key_id: columns.value("key_id")?,
        csrf: columns.value("csrf")?,
        scopes: columns.word("scopes", |text| serde_json::from_str(text).ok())?,
        created_ms: columns.count("created_ms")?,
        last_seen_ms: columns.count("last_seen_ms")?,
        expires_ms: columns.count("expires_ms")?,
        source: columns.value("source")?,
        agent: columns.value("agent")?,
    })
}
