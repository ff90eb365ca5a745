//! `/api/v1/accounts/export`: accounts for another machine, sealed with a passphrase; never in the clear.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use qm_accounts::export::{ExportForm, Selection};
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::Desk;
use crate::door::By;
use crate::exchange;
use crate::refused::Refused;

/// Which accounts, and the passphrase that seals them.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ExportWish)]
struct Asked {
    #[schema(value_type = String, min_length = 12, write_only)]
    passphrase: Option<SecretString>,
    /// UUIDs or numbers; all if unsaid.
    ids: Option<Vec<String>>,
    /// `json` or `lines`.
    #[schema(schema_with = super::words::account_forms)]
    form: Option<String>,
}

/// A file that `age` opens, and an import.
#[utoipa::path(
    post, path = "/api/v1/accounts/export", tag = "accounts",
    request_body = Asked,
    responses(
        (status = 200, content_type = "application/octet-stream", body = Vec<u8>), (status = 400),
        (status = 404), (status = 413), (status = 415),
    ),
)]
pub(crate) async fn export(
    State(desk): State<Arc<Desk>>,
    By(actor): By,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let Asked { passphrase, ids, form } = exchange::told(&headers, body).await?;
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
