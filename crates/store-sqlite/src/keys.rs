//! Keys: reading here, writing in the file below.

mod made;

use async_trait::async_trait;
use qm_store::{
    KeyChanges, KeyFilter, KeyMark, KeyPage, KeyPatch, KeyPlace, KeyRecord, KeyTotals, Keys, Ms, NewKey,
    StoreError,
};
use sqlx::Connection as _;
use sqlx::sqlite::SqliteRow;

use crate::SqliteStore;
use crate::account_row::Statement;
use crate::fault::{Columns, failed, int_or_none};
use crate::key_row::record;

/// What a filter means. Arguments 1 to 9.
macro_rules! filtered {
    () => {
        " FROM keys WHERE (?1 IS NULL OR enabled = ?1)
            AND (?2 IS NULL OR (revoked_ms IS NOT NULL) = ?2)
            AND (?3 IS NULL OR expires_ms IS NULL OR expires_ms > ?3)
            AND (?4 IS NULL OR owner = ?4)
            AND (?5 IS NULL OR team = ?5)
            AND (?6 IS NULL OR EXISTS (SELECT 1 FROM json_each(iif(json_valid(tags), tags, '[]')) WHERE json_each.value = ?6))
            AND (?7 IS NULL OR EXISTS (SELECT 1 FROM json_each(iif(json_valid(scopes), scopes, '[]')) WHERE json_each.value = ?7))
            AND (?8 IS NULL OR origin = ?8)
            AND (?9 IS NULL OR instr(lower(name || char(10) || coalesce(description, '') || char(10) || coalesce(owner, '')
                || char(10) || coalesce(team, '') || char(10) || hint_prefix || char(10) || hint_last4 || char(10) || id), ?9))"
    };
}

const TOTAL: &str = concat!("SELECT count(*)", filtered!());
const UP: &str =
    concat!("SELECT *", filtered!(), " AND (?10 IS NULL OR number > ?10) ORDER BY number LIMIT ?11");
const DOWN: &str =
    concat!("SELECT *", filtered!(), " AND (?10 IS NULL OR number < ?10) ORDER BY number DESC LIMIT ?11");

#[async_trait]
impl Keys for SqliteStore {
    async fn insert(&self, key: NewKey, now_ms: Ms) -> Result<KeyRecord, StoreError> {
        let mut writing = self.writing().await?;
        let record = made::insert(&mut writing, &key, now_ms).await?;
        writing.commit().await.map_err(failed)?;
        Ok(record)
    }

    async fn insert_first(
        &self,
        key: NewKey,
        scope: &str,
        now_ms: Ms,
    ) -> Result<Option<KeyRecord>, StoreError> {
        let mut writing = self.writing().await?;
        let there =
            "SELECT EXISTS (SELECT 1 FROM keys, json_each(iif(json_valid(keys.scopes), keys.scopes, '[]'))
            WHERE json_each.value = ?)";
        let there = sqlx::query_scalar::<_, bool>(there).bind(scope).fetch_one(&mut *writing);
        if there.await.map_err(failed)? {
            return Ok(None);
        }
        let record = made::insert(&mut writing, &key, now_ms).await?;
        writing.commit().await.map_err(failed)?;
        Ok(Some(record))
    }

    async fn by_id(&self, id: &str) -> Result<Option<KeyRecord>, StoreError> {
        self.one_key(sqlx::query("SELECT * FROM keys WHERE id = ?").bind(id)).await
    }

    async fn by_number(&self, number: i64) -> Result<Option<KeyRecord>, StoreError> {
        self.one_key(sqlx::query("SELECT * FROM keys WHERE number = ?").bind(number)).await
    }

    async fn list(&self, filter: &KeyFilter, place: KeyPlace, limit: u32) -> Result<KeyPage, StoreError> {
        let mut connection = self.readers.acquire().await.map_err(failed)?;
        // Both statements within one, so that the total is that of the rows.
        let mut reading = connection.begin().await.map_err(failed)?;
        let search = filter.search.as_ref().map(|text| text.to_ascii_lowercase());
        let rows = sqlx::query(if place.descending { DOWN } else { UP });
        let rows = with_filter(rows, filter, search.as_deref()).bind(place.after).bind(i64::from(limit) + 1);
        let rows = rows.fetch_all(&mut *reading).await.map_err(failed)?;
        let total = with_filter(sqlx::query(TOTAL), filter, search.as_deref());
        let total = total.fetch_one(&mut *reading).await.map_err(failed)?;
        let total: i64 = sqlx::Row::try_get(&total, 0).map_err(failed)?;
        let page = rows.get(..limit as usize).unwrap_or(&rows);
        let last = page.last().filter(|_| page.len() < rows.len());
        let next = last.map(|row| Columns { table: "keys", row }.value("number")).transpose()?;
        let (keys, _) = readable(page);
        Ok(KeyPage { keys, next, total: total.unsigned_abs() })
    }

    async fn all(&self) -> Result<KeyChanges, StoreError> {
        // Every key has a revision above zero. What was removed is of no interest to somebody who knows nothing yet.
        let all = Keys::changed_since(self, 0).await?;
        Ok(KeyChanges { removed: Vec::new(), ..all })
    }

    async fn changed_since(&self, revision: i64) -> Result<KeyChanges, StoreError> {
        let mut connection = self.readers.acquire().await.map_err(failed)?;
        // One view of the file for all three.
        let mut reading = connection.begin().await.map_err(failed)?;
        let now = sqlx::query_scalar("SELECT value FROM revision").fetch_one(&mut *reading);
        let now = now.await.map_err(failed)?;
        let changed = sqlx::query("SELECT * FROM keys WHERE revision > ? ORDER BY number").bind(revision);
        let changed = changed.fetch_all(&mut *reading).await.map_err(failed)?;
        let removed = "SELECT id FROM removed_keys WHERE revision > ? ORDER BY number";
        let removed = sqlx::query_scalar(removed).bind(revision).fetch_all(&mut *reading);
        let removed = removed.await.map_err(failed)?;
        let (changed, unreadable) = readable(&changed);
        Ok(KeyChanges { revision: now, changed, removed, unreadable })
    }

    async fn update(
        &self,
        id: &str,
        patch: KeyPatch,
        if_revision: Option<i64>,
        now_ms: Ms,
    ) -> Result<Option<KeyRecord>, StoreError> {
        made::update(self, id, patch, if_revision, now_ms).await
    }

    async fn revoke(&self, id: &str, now_ms: Ms) -> Result<Option<KeyRecord>, StoreError> {
        made::revoke(self, id, now_ms).await
    }

    async fn restore(&self, id: &str, now_ms: Ms) -> Result<Option<KeyRecord>, StoreError> {
        made::restore(self, id, now_ms).await
    }

    async fn rotate(
        &self,
        id: &str,
        mark: KeyMark,
        old_until_ms: Option<Ms>,
        if_revision: Option<i64>,
        now_ms: Ms,
    ) -> Result<Option<KeyRecord>, StoreError> {
        made::rotate(self, id, &mark, old_until_ms, if_revision, now_ms).await
    }

    async fn remove(&self, id: &str, if_revision: Option<i64>, now_ms: Ms) -> Result<bool, StoreError> {
        made::remove(self, id, if_revision, now_ms).await
    }

    async fn totals(&self) -> Result<KeyTotals, StoreError> {
        let sums = "SELECT count(*) AS keys, coalesce(sum(total_requests), 0) AS requests,
                coalesce(sum(total_tokens), 0) AS tokens
            FROM keys";
        let row = sqlx::query(sums).fetch_one(&self.readers).await.map_err(failed)?;
        let columns = Columns { table: "keys", row: &row };
        Ok(KeyTotals {
            keys: columns.count("keys")?,
            requests: columns.count("requests")?,
            tokens: columns.count("tokens")?,
        })
    }
}

impl SqliteStore {
    async fn one_key(&self, statement: Statement<'_>) -> Result<Option<KeyRecord>, StoreError> {
        let row = statement.fetch_optional(&self.readers).await.map_err(failed)?;
        row.as_ref().map(record).transpose()
    }
}

/// The keys of these rows, and the ids of those that cannot be read: one of them must not take the others along.
fn readable(rows: &[SqliteRow]) -> (Vec<KeyRecord>, Vec<String>) {
    let (mut keys, mut unreadable) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in rows {
        match record(row) {
            Ok(key) => keys.push(key),
            Err(_) => unreadable.push(Columns { table: "keys", row }.value("id").unwrap_or_default()),
        }
    }
    (keys, unreadable)
}

fn with_filter<'q>(
    statement: Statement<'q>,
    filter: &'q KeyFilter,
    search: Option<&'q str>,
) -> Statement<'q> {
    statement
        .bind(filter.enabled)
        .bind(filter.revoked)
        .bind(int_or_none(filter.alive_at_ms))
        .bind(&filter.owner)
        .bind(&filter.team)
        .bind(&filter.tag)
        .bind(&filter.scope)
        .bind(filter.origin.map(qm_store::KeyOrigin::word))
        .bind(search)
}
