//! `/api/v1/accounts/export`: accounts for another machine, sealed with a passphrase; never in the clear.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use qm_accounts::export::{ExportForm, Selection};
use secrecy::SecretString;
use serde::Deserialize;

use crate::Desk;
use crate::door::By;
use crate::exchange;
use crate::refused::Refused;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    passphrase: Option<SecretString>,
    /// UUIDs or numbers; all if unsaid.
    ids: Option<Vec<String>>,
    /// `json` or `lines`.
    form: Option<String>,
}

/// A file that `age` opens, and an import.
pub(crate) async fn export(
    State(desk): State<Arc<Desk>>,
    By(actor): By,
    body: Body,
) -> Result<Response, Refused> {
    let Asked { passphrase, ids, form } = exchange::asked(body).await?;
    let passphrase = passphrase.ok_or_else(|| {
        Refused::invalid(
            "An export needs a `passphrase`: without one it would be a file of secrets in the clear.",
        )
    })?;
    let form = match form.as_deref() {
        None | Some("json") => ExportForm::Json,
        Some("lines") => ExportForm::Lines,
        Some(_) => return Err(Refused::invalid("form must be json or lines.")),
    };
    let selection = ids.map_or(Selection::All, Selection::These);
    let export = desk.fleet.export_sealed(&selection, form, passphrase, &actor).await?;
    let mut response = export.bytes.to_vec().into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"accounts.age\""));
    headers.insert("x-accounts", HeaderValue::from(export.accounts));
    headers.insert("x-left-out", HeaderValue::from(export.left_out));
    Ok(response)
}
