//! `/api/v1/audit`: what people did.

use std::sync::Arc;

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use qm_store::audit::verify;
use qm_store::{AuditFilter, AuditRecord};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use crate::refused::Refused;
use crate::{Desk, exchange};

/// Entries that are read at once to follow the chain.
const LINKS: u32 = 1_000;

#[derive(Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Listed {
    /// Rows of a page; 50 if unsaid.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[param(pattern = "^[0-9]{1,18}$")]
    cursor: Option<String>,
    /// Only by this one: `key` and its id, `cli`, `house`, `environment`.
    actor: Option<String>,
    /// Only this action, or those below it: `account` finds `account.export`.
    action: Option<String>,
    /// Only to this subject.
    subject: Option<String>,
}

/// A page of the audit, newest first.
#[derive(Serialize, ToSchema)]
struct AuditPage<'a> {
    entries: Vec<Entry<'a>>,
    /// Where the next page begins; `null` after the last.
    next_cursor: Option<String>,
}

/// Something somebody did.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntry)]
struct Entry<'a> {
    number: i64,
    at_ms: u64,
    actor: &'a str,
    /// The address it came from, or empty.
    source: &'a str,
    action: &'a str,
    subject: &'a str,
    #[schema(value_type = Option<Object>)]
    detail: Option<Box<RawValue>>,
    /// Hash of this entry and the hash before it.
    hash: &'a str,
}

/// How the chain of hashes is.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditChain)]
struct Chain {
    /// Whether every entry follows from the one before.
    whole: bool,
    /// Entries that do.
    entries: i64,
    /// Hash of the last of them: noted elsewhere, it shows that nothing before it was written anew.
    last_hash: String,
    /// The first that does not follow.
    broken_at: Option<i64>,
}

/// A page of the audit.
#[utoipa::path(
    get, path = "/api/v1/audit", tag = "audit",
    params(Listed),
    responses((status = 200, body = AuditPage), (status = 400)),
)]
pub(crate) async fn list(State(desk): State<Arc<Desk>>, uri: Uri) -> Result<Response, Refused> {
    let Listed { limit, cursor, actor, action, subject } = exchange::query(&uri)?;
    let before = cursor.as_deref().map(str::parse).transpose();
    let before = before.map_err(|_| Refused::invalid("cursor must be one that a listing gave out."))?;
    let limit = exchange::rows(limit)?;
    let records = desk.store.audit().list(&AuditFilter { actor, action, subject, before }, limit).await?;
    let full = records.len() == limit as usize;
    let last = records.last().filter(|last| full && last.number > 1);
    exchange::ok(&AuditPage {
        next_cursor: last.map(|last| last.number.to_string()),
        entries: records.iter().map(Entry::of).collect(),
    })
}

/// Follows the chain of hashes from the first entry to the last.
#[utoipa::path(get, path = "/api/v1/audit/verify", tag = "audit", responses((status = 200, body = Chain)))]
pub(crate) async fn chain(State(desk): State<Arc<Desk>>) -> Result<Response, Refused> {
    let (mut number, mut hash) = (0, String::new());
    loop {
        let links = desk.store.audit().chain(number, LINKS).await?;
        let broken = match verify(number, &hash, &links) {
            Ok(last) => {
                (number, hash) = last;
                None
            }
            Err(broken) => Some(broken.number),
        };
        if broken.is_some() || links.len() < LINKS as usize {
            let entries = broken.map_or(number, |broken| broken - 1);
            let last_hash = if broken.is_some() { String::new() } else { hash };
            return exchange::ok(&Chain { whole: broken.is_none(), entries, last_hash, broken_at: broken });
        }
    }
}

impl<'a> Entry<'a> {
    fn of(record: &'a AuditRecord) -> Self {
        let entry = &record.entry;
        Self {
            number: record.number,
            at_ms: entry.at_ms,
            actor: &entry.actor,
            source: &entry.source,
            action: &entry.action,
            subject: &entry.subject,
            detail: RawValue::from_string(entry.detail.clone()).ok(),
            hash: &record.hash,
        }
    }
}
