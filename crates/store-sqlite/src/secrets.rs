//! All sealed texts, for a change of the master key.

use async_trait::async_trait;
use qm_seal::Sealed;
use qm_store::{Secrets, Shelf, StoreError};

use crate::SqliteStore;
use crate::fault::{Columns, failed};

#[async_trait]
impl Secrets for SqliteStore {
    async fn on(&self, from: Shelf, after_id: &str, limit: u32) -> Result<Vec<(String, Sealed)>, StoreError> {
        let (table, rows) = match from {
            Shelf::Account => {
                ("accounts", "SELECT id, sealed FROM accounts WHERE id > ? ORDER BY id LIMIT ?")
            }
            Shelf::Proxy => (
                "accounts",
                "SELECT id, proxy_sealed AS sealed FROM accounts
                    WHERE id > ? AND proxy_sealed IS NOT NULL ORDER BY id LIMIT ?",
            ),
            Shelf::Login => (
                "logins",
                "SELECT id, sealed FROM logins WHERE id > ? AND sealed IS NOT NULL ORDER BY id LIMIT ?",
            ),
        };
        let rows = sqlx::query(rows).bind(after_id).bind(limit).fetch_all(&self.readers);
        let rows = rows.await.map_err(failed)?;
        let read = |row| {
            let columns = Columns { table, row };
            Ok((columns.value("id")?, columns.word("sealed", |text| Sealed::parse(text).ok())?))
        };
        rows.iter().map(read).collect()
    }

    async fn replace(&self, from: Shelf, id: &str, old: &Sealed, new: &Sealed) -> Result<bool, StoreError> {
        let replace = match from {
            Shelf::Account => "UPDATE accounts SET sealed = ? WHERE id = ? AND sealed = ?",
            Shelf::Proxy => "UPDATE accounts SET proxy_sealed = ? WHERE id = ? AND proxy_sealed = ?",
            Shelf::Login => "UPDATE logins SET sealed = ? WHERE id = ? AND sealed = ?",
        };
        let replace = sqlx::query(replace).bind(new.as_str()).bind(id).bind(old.as_str());
        let replaced = replace.execute(&self.writer).await.map_err(failed)?;
        Ok(replaced.rows_affected() == 1)
    }

    async fn keys_in_use(&self) -> Result<Vec<(String, u64)>, StoreError> {
        // `v1.` and sixteen digits: qm-seal's form.
        let rows = "SELECT substr(sealed, 4, 16) AS key, count(*) AS sealed_with FROM (
                SELECT sealed FROM accounts
                UNION ALL SELECT proxy_sealed FROM accounts WHERE proxy_sealed IS NOT NULL
                UNION ALL SELECT sealed FROM logins WHERE sealed IS NOT NULL)
            GROUP BY key ORDER BY key";
        let rows = sqlx::query(rows).fetch_all(&self.readers).await.map_err(failed)?;
        let read = |row| {
            let columns = Columns { table: "accounts", row };
            Ok((columns.value("key")?, columns.count("sealed_with")?))
        };
        rows.iter().map(read).collect()
    }

    async fn scrub(&self) -> Result<(), StoreError> {
        sqlx::query("VACUUM").execute(&self.writer).await.map_err(failed)?;
        // The log still holds old pages until it is emptied into the file.
        let emptied = sqlx::query_scalar::<_, i64>("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&self.writer);
        if emptied.await.map_err(failed)? == 0 { Ok(()) } else { Err(StoreError::Busy) }
    }
}
