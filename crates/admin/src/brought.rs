//! Imports: what is asked of one, and the report of each row.

use axum::body::Body;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use qm_accounts::Actor;
use qm_accounts::import::{Fate, ImportInput, ImportOptions, RowReport};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::Desk;
use crate::exchange::{self, LARGE};
use crate::refused::Refused;

/// What is asked of an import.
#[derive(Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// Only say what would happen.
    #[serde(alias = "dryRun")]
    dry_run: bool,
    /// Where an account has the same login, take the row's client.
    replace: bool,
    /// Whether those that are added may serve.
    enabled: Option<bool>,
    /// Whose they are.
    owner: Option<String>,
    /// A tag for each.
    tag: Option<String>,
}

/// What an import did.
#[derive(Serialize, ToSchema)]
pub(crate) struct Imported<'a> {
    dry_run: bool,
    /// Of which system the file is.
    format: &'a str,
    total: usize,
    added: usize,
    updated: usize,
    duplicates: usize,
    refused: usize,
    rows: Vec<Row<'a>>,
}

/// What became of a row.
#[derive(Serialize, ToSchema)]
#[schema(as = ImportRow)]
pub(crate) struct Row<'a> {
    /// Where it is in the file.
    place: &'a str,
    label: Option<&'a str>,
    /// `added`, `updated`, `duplicate`, `refused`; `would_add` and `would_update` if nothing was to be done.
    status: &'static str,
    /// The account.
    id: Option<&'a str>,
    reason: Option<String>,
    notices: Vec<String>,
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
    exchange::ok(&Imported {
        dry_run,
        format: report.format.word(),
        total: report.rows.len(),
        added: report.added(),
        updated: report.updated(),
        duplicates: report.duplicates(),
        refused: report.refused(),
        rows: report.rows.iter().map(Row::of).collect(),
    })
}

fn passphrase(headers: &HeaderMap) -> Result<Option<SecretString>, Refused> {
    let Some(said) = headers.get(PASSPHRASE) else { return Ok(None) };
    let text = std::str::from_utf8(said.as_bytes());
    text.map(|text| Some(text.into())).map_err(|_| Refused::invalid("X-Passphrase must be UTF-8."))
}

impl<'a> Row<'a> {
    pub(crate) fn of(row: &'a RowReport) -> Self {
        let (status, id, reason) = match &row.fate {
            Fate::Added { id } => ("added", Some(id), None),
            Fate::WouldAdd => ("would_add", None, None),
            Fate::Duplicate { of } => ("duplicate", Some(of), None),
            Fate::Updated { id } => ("updated", Some(id), None),
            Fate::WouldUpdate { id } => ("would_update", Some(id), None),
            Fate::Refused { why } => ("refused", None, Some(why)),
        };
        Self {
            place: &row.place,
            label: row.label.as_deref(),
            status,
            id: id.map(String::as_str),
            reason: reason.map(ToString::to_string),
            notices: row.notices.iter().map(ToString::to_string).collect(),
        }
    }
}
