//! One row of `keys`, both ways.

use qm_store::{KeyCounts, KeyMark, KeyOrigin, KeyRecord, KeyWishes, NewKey, OldMark, StoreError};
use sqlx::sqlite::SqliteRow;

use crate::account_row::Statement;
use crate::fault::{Columns, int, int_or_none};

/// Makes a row. Its arguments are those of [`with_key`], then those of [`with_wishes`].
pub(crate) const INSERT: &str = "INSERT INTO keys (
        revision, created_ms, updated_ms, id, digest, hint_prefix, hint_last4, origin, created_by,
        name, description, owner, team, tags, scopes, enabled, expires_ms, limits
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING *";

/// Writes all wishes of a row. Its arguments are those of [`with_wishes`], then revision, time and id.
pub(crate) const SET_WISHES: &str = "UPDATE keys SET
        name = ?, description = ?, owner = ?, team = ?, tags = ?, scopes = ?, enabled = ?, expires_ms = ?, limits = ?,
        revision = ?, updated_ms = ?
    WHERE id = ? RETURNING *";

/// The arguments of a new row up to its wishes.
pub(crate) fn with_key<'q>(
    statement: Statement<'q>,
    key: &'q NewKey,
    revision: i64,
    now_ms: u64,
) -> Statement<'q> {
    statement
        .bind(revision)
        .bind(int(now_ms))
        .bind(int(now_ms))
        .bind(&key.id)
        .bind(&key.mark.digest)
        .bind(&key.mark.hint_prefix)
        .bind(&key.mark.hint_last4)
        .bind(key.origin.word())
        .bind(&key.created_by)
}

/// The arguments that are wishes.
pub(crate) fn with_wishes<'q>(statement: Statement<'q>, wishes: &'q KeyWishes) -> Statement<'q> {
    statement
        .bind(&wishes.name)
        .bind(&wishes.description)
        .bind(&wishes.owner)
        .bind(&wishes.team)
        .bind(words(&wishes.tags))
        .bind(words(&wishes.scopes))
        .bind(wishes.enabled)
        .bind(int_or_none(wishes.expires_ms))
        .bind(&wishes.limits)
}

/// Words as a JSON array, as they stand in a column.
pub(crate) fn words(words: &[String]) -> String {
    serde_json::Value::from(words.to_vec()).to_string()
}

/// The record of a row with all its columns.
pub(crate) fn record(row: &SqliteRow) -> Result<KeyRecord, StoreError> {
    let columns = Columns { table: "keys", row };
    Ok(KeyRecord {
        number: columns.value("number")?,
        id: columns.value("id")?,
        revision: columns.value("revision")?,
        mark: KeyMark {
            digest: columns.value("digest")?,
            hint_prefix: columns.value("hint_prefix")?,
            hint_last4: columns.value("hint_last4")?,
        },
        before: before(&columns)?,
        wishes: wishes(&columns)?,
        origin: columns.word("origin", KeyOrigin::of)?,
        created_by: columns.value("created_by")?,
        revoked_ms: columns.time("revoked_ms")?,
        counts: KeyCounts {
            total_requests: columns.count("total_requests")?,
            total_tokens: columns.count("total_tokens")?,
            last_used_ms: columns.time("last_used_ms")?,
        },
        created_ms: columns.count("created_ms")?,
        updated_ms: columns.count("updated_ms")?,
    })
}

fn before(columns: &Columns<'_>) -> Result<Option<OldMark>, StoreError> {
    let (digest, until_ms) = (columns.value("old_digest")?, columns.time("old_until_ms")?);
    Ok(Option::zip(digest, until_ms).map(|(digest, until_ms)| OldMark { digest, until_ms }))
}

fn wishes(columns: &Columns<'_>) -> Result<KeyWishes, StoreError> {
    Ok(KeyWishes {
        name: columns.value("name")?,
        description: columns.value("description")?,
        owner: columns.value("owner")?,
        team: columns.value("team")?,
        tags: columns.word("tags", |text| serde_json::from_str(text).ok())?,
        scopes: columns.word("scopes", |text| serde_json::from_str(text).ok())?,
        enabled: columns.value("enabled")?,
        expires_ms: columns.time("expires_ms")?,
        limits: columns.value("limits")?,
    })
}
