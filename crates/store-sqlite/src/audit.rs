//! The audit.

use async_trait::async_trait;
use qm_store::audit::link;
use qm_store::{Audit, AuditEntry, AuditFilter, AuditRecord, StoreError};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::SqliteStore;
use crate::fault::{Columns, failed, int};

#[async_trait]
impl Audit for SqliteStore {
    async fn append(&self, entry: AuditEntry) -> Result<AuditRecord, StoreError> {
        let mut writing = self.writing().await?;
        let last = sqlx::query("SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1");
        let last = last.fetch_optional(&mut *writing).await.map_err(failed)?;
        let (number, before) = match last {
            Some(row) => (row.try_get::<i64, _>(0).map_err(failed)?, row.try_get(1).map_err(failed)?),
            None => (0, String::new()),
        };
        let number = number.saturating_add(1);
        let hash = link(&before, number, &entry);
        let append = "INSERT INTO audit (number, at_ms, actor, source, action, subject, detail, hash)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
        sqlx::query(append)
            .bind(number)
            .bind(int(entry.at_ms))
            .bind(&entry.actor)
            .bind(&entry.source)
            .bind(&entry.action)
            .bind(&entry.subject)
            .bind(&entry.detail)
            .bind(&hash)
            .execute(&mut *writing)
            .await
            .map_err(failed)?;
        writing.commit().await.map_err(failed)?;
        Ok(AuditRecord { number, entry, hash })
    }

    async fn list(&self, filter: &AuditFilter, limit: u32) -> Result<Vec<AuditRecord>, StoreError> {
        let rows = "SELECT * FROM audit WHERE (?1 IS NULL OR actor = ?1)
                AND (?2 IS NULL OR action = ?2 OR substr(action, 1, length(?2) + 1) = ?2 || '.')
                AND (?3 IS NULL OR subject = ?3)
                AND (?4 IS NULL OR number < ?4)
            ORDER BY number DESC LIMIT ?5";
        let rows = sqlx::query(rows)
            .bind(&filter.actor)
            .bind(&filter.action)
            .bind(&filter.subject)
            .bind(filter.before)
            .bind(limit)
            .fetch_all(&self.readers)
            .await
            .map_err(failed)?;
        rows.iter().map(record).collect()
    }

    async fn chain(&self, after: i64, limit: u32) -> Result<Vec<AuditRecord>, StoreError> {
        let rows = sqlx::query("SELECT * FROM audit WHERE number > ? ORDER BY number LIMIT ?");
        let rows = rows.bind(after).bind(limit).fetch_all(&self.readers).await.map_err(failed)?;
        rows.iter().map(record).collect()
    }
}

fn record(row: &SqliteRow) -> Result<AuditRecord, StoreError> {
    let columns = Columns { table: "audit", row };
    Ok(AuditRecord {
        number: columns.value("number")?,
        entry: AuditEntry {
            at_ms: columns.count("at_ms")?,
            actor: columns.value("actor")?,
            source: columns.value("source")?,
            action: columns.value("action")?,
            subject: columns.value("subject")?,
            detail: columns.value("detail")?,
        },
        hash: columns.value("hash")?,
    })
}
