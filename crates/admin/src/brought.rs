//! Imports: what is asked of one, and the report of each row.

use axum::body::Body;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use qm_accounts::Actor;
use qm_accounts::import::{Fate, ImportInput, ImportOptions, RowReport};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Desk;
use crate::exchange::{self, LARGE};
use crate::refused::Refused;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    #[serde(alias = "dryRun")]
    dry_run: bool,
    /// Where an account has the same login, take the row's client.
    replace: bool,
    enabled: Option<bool>,
    owner: Option<String>,
    tag: Option<String>,
}

/// Opens a file that was sealed. A header, because the body is the file and a URL is no place for it.
const PASSPHRASE: &str = "x-passphrase";

/// Imports the body, and reports.
pub(crate) async fn import(
    desk: &Desk,
    uri: &Uri,
    headers: &HeaderMap,
    actor: &Actor,
    body: Body,
) -> Result<Response, Refused> {
    let Asked { dry_run, replace, enabled, owner, tag } = exchange::query(uri)?;
    let options =
        ImportOptions { dry_run, replace, enabled, owner, tags: tag.into_iter().collect(), progress: None };
    let file = exchange::bytes(body, LARGE).await?;
    let input = match passphrase(headers)? {
        Some(passphrase) => ImportInput::Sealed(&file, passphrase),
        None => ImportInput::File(&file),
    };
    let report = Box::pin(desk.fleet.import(input, &options, actor)).await?;
    exchange::ok(&json!({
        "dry_run": dry_run,
        "format": report.format.word(),
        "total": report.rows.len(),
        "added": report.added(),
        "updated": report.updated(),
        "duplicates": report.duplicates(),
        "refused": report.refused(),
        "rows": report.rows.iter().map(row).collect::<Vec<_>>(),
    }))
}

fn passphrase(headers: &HeaderMap) -> Result<Option<SecretString>, Refused> {
    let Some(said) = headers.get(PASSPHRASE) else { return Ok(None) };
    let text = std::str::from_utf8(said.as_bytes());
    text.map(|text| Some(text.into())).map_err(|_| Refused::invalid("X-Passphrase must be UTF-8."))
}

/// What became of a row.
pub(crate) fn row(row: &RowReport) -> Value {
    let (status, id, reason) = match &row.fate {
        Fate::Added { id } => ("added", Some(id), None),
        Fate::WouldAdd => ("would_add", None, None),
        Fate::Duplicate { of } => ("duplicate", Some(of), None),
        Fate::Updated { id } => ("updated", Some(id), None),
        Fate::WouldUpdate { id } => ("would_update", Some(id), None),
        Fate::Refused { why } => ("refused", None, Some(why)),
    };
    json!({
        "place": row.place, "label": row.label, "status": status, "id": id, "reason": reason, "notices": row.notices,
    })
}
