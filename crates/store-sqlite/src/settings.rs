//! Settings.

use async_trait::async_trait;
use qm_store::{Ms, SettingRecord, Settings, StoreError};

use crate::SqliteStore;
use crate::accounts::next_revision;
use crate::fault::{Columns, failed, int};

#[async_trait]
impl Settings for SqliteStore {
    async fn value(&self, key: &str) -> Result<Option<String>, StoreError> {
        let value = sqlx::query_scalar("SELECT value FROM settings WHERE key = ?").bind(key);
        value.fetch_optional(&self.readers).await.map_err(failed)
    }

    async fn all(&self, prefix: &str) -> Result<Vec<SettingRecord>, StoreError> {
        let rows = "SELECT * FROM settings WHERE substr(key, 1, length(?1)) = ?1 ORDER BY key";
        let rows = sqlx::query(rows).bind(prefix).fetch_all(&self.readers).await.map_err(failed)?;
        let record = |row| {
            let columns = Columns { table: "settings", row };
            Ok(SettingRecord {
                key: columns.value("key")?,
                value: columns.value("value")?,
                updated_ms: columns.count("updated_ms")?,
            })
        };
        rows.iter().map(record).collect()
    }

    async fn set(&self, key: &str, value: &str, now_ms: Ms) -> Result<(), StoreError> {
        let mut writing = self.writing().await?;
        let set = "INSERT INTO settings (key, value, updated_ms) VALUES (?1, ?2, ?3)
            ON CONFLICT (key) DO UPDATE SET value = ?2, updated_ms = ?3 WHERE value <> ?2";
        let set = sqlx::query(set).bind(key).bind(value).bind(int(now_ms)).execute(&mut *writing);
        if set.await.map_err(failed)?.rows_affected() == 1 {
            next_revision(&mut writing).await?;
        }
        writing.commit().await.map_err(failed)
    }

    async fn set_once(&self, key: &str, value: &str, now_ms: Ms) -> Result<String, StoreError> {
        let mut writing = self.writing().await?;
        let set =
            "INSERT INTO settings (key, value, updated_ms) VALUES (?, ?, ?) ON CONFLICT (key) DO NOTHING";
        let set = sqlx::query(set).bind(key).bind(value).bind(int(now_ms)).execute(&mut *writing);
        if set.await.map_err(failed)?.rows_affected() == 1 {
            next_revision(&mut writing).await?;
        }
        let stands = sqlx::query_scalar("SELECT value FROM settings WHERE key = ?").bind(key);
        let stands = stands.fetch_one(&mut *writing).await.map_err(failed)?;
        writing.commit().await.map_err(failed)?;
        Ok(stands)
    }

    async fn clear(&self, key: &str) -> Result<bool, StoreError> {
        let mut writing = self.writing().await?;
        let clear = sqlx::query("DELETE FROM settings WHERE key = ?").bind(key).execute(&mut *writing);
        let cleared = clear.await.map_err(failed)?.rows_affected() == 1;
        if cleared {
            next_revision(&mut writing).await?;
        }
        writing.commit().await.map_err(failed)?;
        Ok(cleared)
    }
}
