//! `/v2/accounts`: listed, added, shown, changed, removed.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::Response;
use qm_accounts::{Edit, LoginParts};
use qm_store::{AccountPatch, Change, Filter, Sort, SortKey};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::shape::Account;
use crate::door::By;
use crate::exchange::{self, SMALL};
use crate::refused::Refused;
use crate::{Desk, listing, one, patch};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Listed {
    enabled: Option<bool>,
    sort_by: Option<String>,
    sort_order: Option<String>,
    format: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Changed {
    label: Option<String>,
    client_id: Option<String>,
    client_secret: Option<SecretString>,
    refresh_token: Option<SecretString>,
    access_token: Option<SecretString>,
    #[serde(default, deserialize_with = "patch::given")]
    other: Change<Box<RawValue>>,
    enabled: Option<bool>,
}

/// All accounts: an object with their number, or with `?format=array` an array (spec/mission.md A12, 9).
pub(crate) async fn list(State(desk): State<Arc<Desk>>, uri: Uri) -> Result<Response, Refused> {
    let listed: Listed = exchange::query(&uri)?;
    let filter = Filter { enabled: listed.enabled, ..Filter::default() };
    let views = listing::all(&desk.fleet, &filter, listed.sort()?).await?;
    let accounts: Vec<Account<'_>> = views.iter().map(Account::of).collect();
    match listed.format.as_deref() {
        Some("array") => exchange::ok(&accounts),
        _ => exchange::ok(&json!({ "accounts": accounts, "count": accounts.len() })),
    }
}

/// Adds one. It serves from the next request on.
pub(crate) async fn create(
    State(desk): State<Arc<Desk>>,
    By(actor): By,
    body: Body,
) -> Result<Response, Refused> {
    let draft = one::draft(&exchange::bytes(body, SMALL).await?)?;
    let view = desk.fleet.add(&draft, &actor).await?;
    exchange::ok(&Account::of(&view))
}

/// Shows one, by UUID or number.
pub(crate) async fn show(State(desk): State<Arc<Desk>>, Path(id): Path<String>) -> Result<Response, Refused> {
    exchange::ok(&Account::of(&desk.fleet.get(&id).await?))
}

/// Changes what is named.
pub(crate) async fn change(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
    By(actor): By,
    body: Body,
) -> Result<Response, Refused> {
    let edit = exchange::asked::<Changed>(body).await?.edit()?;
    exchange::ok(&Account::of(&desk.fleet.change(&id, edit, &actor).await?))
}

/// Removes one.
pub(crate) async fn remove(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
    By(actor): By,
) -> Result<Response, Refused> {
    desk.fleet.remove(&id, &actor).await?;
    exchange::ok(&json!({ "deleted": id }))
}

impl Listed {
    /// By default the newest first.
    fn sort(&self) -> Result<Sort, Refused> {
        let key = match self.sort_by.as_deref() {
            None | Some("created_at") => SortKey::Created,
            Some("success_count") => SortKey::Success,
            Some(_) => return Err(Refused::invalid("sort_by must be created_at or success_count.")),
        };
        let descending = match self.sort_order.as_deref() {
            None | Some("desc") => true,
            Some("asc") => false,
            Some(_) => return Err(Refused::invalid("sort_order must be asc or desc.")),
        };
        Ok(Sort { key, descending })
    }
}

impl Changed {
    fn edit(self) -> Result<Edit, Refused> {
        let Self { label, client_id, client_secret, refresh_token, access_token, other, enabled } = self;
        let parts =
            LoginParts { client_id, client_secret, refresh_token, access_token, ..LoginParts::default() };
        let wishes = AccountPatch { label, enabled, other: patch::other(other)?, ..AccountPatch::default() };
        Ok(Edit { wishes, login: patch::login(parts), ..Edit::default() })
    }
}
