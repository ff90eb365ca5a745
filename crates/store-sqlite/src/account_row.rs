//! One row of `accounts`, both ways.

use qm_seal::Sealed;
use qm_store::{AccountRecord, Counts, Learned, NewAccount, Origin, Proxy, Secret, StoreError, Wishes};
use sqlx::Sqlite;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};

use crate::fault::{Columns, int, int_or_none};

/// Statements with their arguments.
pub(crate) type Statement<'q> = Query<'q, Sqlite, SqliteArguments>;

/// Makes a row. Its arguments are those of [`with_account`], then those of [`with_wishes`].
pub(crate) const INSERT: &str = "INSERT INTO accounts (
        revision, created_ms, updated_ms, id, origin, slot, env_fingerprint,
        kind, sealed, generation, fingerprint, expires_ms, last_refresh_status, face,
        label, owner, tags, notes, other, enabled, weight, priority, rpm, rate_per_hour, concurrency,
        policy, proxy, proxy_sealed, surface_pin, arn_pin, region
    ) VALUES (
        ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?,
        ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?
    ) RETURNING *";

/// Writes all wishes of a row. Its arguments are those of [`with_wishes`], then revision, time and id.
pub(crate) const SET_WISHES: &str = "UPDATE accounts SET
        label = ?, owner = ?, tags = ?, notes = ?, other = ?, enabled = ?, weight = ?, priority = ?, rpm = ?,
        rate_per_hour = ?, concurrency = ?, policy = ?, proxy = ?, proxy_sealed = ?, surface_pin = ?, arn_pin = ?,
        region = ?, revision = ?, updated_ms = ?
    WHERE id = ? RETURNING *";

/// The arguments of a new row up to its wishes.
pub(crate) fn with_account<'q>(
    statement: Statement<'q>,
    account: &'q NewAccount,
    revision: i64,
    now_ms: u64,
) -> Statement<'q> {
    let secret = &account.secret;
    let env_fingerprint = account.env_fingerprint.as_ref().or(secret.env_fingerprint.as_ref());
    statement
        .bind(revision)
        .bind(int(now_ms))
        .bind(int(now_ms))
        .bind(&account.id)
        .bind(account.origin.word())
        .bind(&account.slot)
        .bind(env_fingerprint)
        .bind(&secret.kind)
        .bind(secret.sealed.as_str())
        .bind(&secret.fingerprint)
        .bind(int_or_none(secret.expires_ms))
        .bind(&secret.status)
        .bind(&account.face)
}

/// The arguments that are wishes.
pub(crate) fn with_wishes<'q>(statement: Statement<'q>, wishes: &'q Wishes) -> Statement<'q> {
    let (proxy, sealed) = match &wishes.proxy {
        Proxy::House => ("house", None),
        Proxy::Direct => ("direct", None),
        Proxy::Through(sealed) => ("through", Some(sealed.as_str())),
    };
    statement
        .bind(&wishes.label)
        .bind(&wishes.owner)
        .bind(serde_json::Value::from(wishes.tags.clone()).to_string())
        .bind(&wishes.notes)
        .bind(&wishes.other)
        .bind(wishes.enabled)
        .bind(wishes.weight)
        .bind(wishes.priority)
        .bind(wishes.rpm)
        .bind(wishes.rate_per_hour)
        .bind(wishes.concurrency)
        .bind(&wishes.policy)
        .bind(proxy)
        .bind(sealed)
        .bind(&wishes.surface_pin)
        .bind(&wishes.arn_pin)
        .bind(&wishes.region)
}

/// The record of a row with all its columns.
pub(crate) fn record(row: &SqliteRow) -> Result<AccountRecord, StoreError> {
    let columns = Columns { table: "accounts", row };
    Ok(AccountRecord {
        number: columns.value("number")?,
        id: columns.value("id")?,
        revision: columns.value("revision")?,
        origin: columns.word("origin", Origin::of)?,
        slot: columns.value("slot")?,
        env_fingerprint: columns.value("env_fingerprint")?,
        secret: secret(&columns)?,
        wishes: wishes(&columns)?,
        learned: learned(&columns)?,
        counts: counts(&columns)?,
        created_ms: columns.count("created_ms")?,
        updated_ms: columns.count("updated_ms")?,
    })
}

fn secret(columns: &Columns<'_>) -> Result<Secret, StoreError> {
    Ok(Secret {
        kind: columns.value("kind")?,
        sealed: columns.word("sealed", |text| Sealed::parse(text).ok())?,
        generation: columns.value("generation")?,
        fingerprint: columns.value("fingerprint")?,
        expires_ms: columns.time("expires_ms")?,
        last_refresh_ms: columns.time("last_refresh_ms")?,
        last_refresh_status: columns.value("last_refresh_status")?,
    })
}

fn wishes(columns: &Columns<'_>) -> Result<Wishes, StoreError> {
    let sealed = |text: &str| Sealed::parse(text).ok();
    let proxy = match columns.value("proxy")? {
        "house" => Proxy::House,
        "direct" => Proxy::Direct,
        "through" => Proxy::Through(columns.word("proxy_sealed", sealed)?),
        _ => return Err(columns.corrupt("proxy")),
    };
    Ok(Wishes {
        label: columns.value("label")?,
        owner: columns.value("owner")?,
        tags: columns.word("tags", |text| serde_json::from_str(text).ok())?,
        notes: columns.value("notes")?,
        other: columns.value("other")?,
        enabled: columns.value("enabled")?,
        weight: columns.value("weight")?,
        priority: columns.value("priority")?,
        rpm: columns.value("rpm")?,
        rate_per_hour: columns.value("rate_per_hour")?,
        concurrency: columns.value("concurrency")?,
        policy: columns.value("policy")?,
        proxy,
        surface_pin: columns.value("surface_pin")?,
        arn_pin: columns.value("arn_pin")?,
        region: columns.value("region")?,
    })
}

fn learned(columns: &Columns<'_>) -> Result<Learned, StoreError> {
    Ok(Learned {
        face: columns.value("face")?,
        health: columns.value("health")?,
        health_state: columns.value("health_state")?,
        usage: columns.value("usage")?,
        usage_ms: columns.time("usage_ms")?,
    })
}

fn counts(columns: &Columns<'_>) -> Result<Counts, StoreError> {
    Ok(Counts {
        success_count: columns.count("success_count")?,
        error_count: columns.count("error_count")?,
        error_total: columns.count("error_total")?,
        total_requests: columns.count("total_requests")?,
        total_tokens: columns.count("total_tokens")?,
        last_used_ms: columns.time("last_used_ms")?,
    })
}
