//! `/admin/accounts`: listed, added, shown, changed, removed.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use qm_accounts::{Edit, Fleet, LoginParts};
use qm_credential::Draft;
use qm_store::{AccountPatch, Change, Filter, Sort};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use super::shape::Account;
use crate::door::By;
use crate::exchange::{self, At, SMALL};
use crate::native::words::AnyAccount;
use crate::refused::Refused;
use crate::{Desk, listing, one, patch};

/// What that dialect's accounts may do in a minute if nobody says.
const USUAL_RPM: u32 = 10;

#[derive(Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct Listed {
    active_only: bool,
}

/// What is to change: what is absent stays.
#[derive(Deserialize, ToSchema)]
#[schema(as = ClassicAccountChange)]
struct Changed {
    name: Option<String>,
    #[schema(value_type = Option<String>, write_only)]
    refresh_token: Option<SecretString>,
    client_id: Option<String>,
    #[schema(value_type = Option<String>, write_only)]
    client_secret: Option<SecretString>,
    #[serde(default, deserialize_with = "patch::given")]
    #[schema(value_type = Option<String>)]
    profile_arn: Change<String>,
    is_active: Option<bool>,
    #[serde(default, deserialize_with = "patch::given")]
    #[schema(value_type = Option<u32>)]
    requests_per_minute: Change<u32>,
    #[serde(default, deserialize_with = "patch::given")]
    #[schema(value_type = Option<String>)]
    notes: Change<String>,
}

/// All accounts, as an array, in the order they were made.
#[utoipa::path(
    get, path = "/admin/accounts", tag = "admin",
    params(Listed),
    responses((status = 200, body = Vec<Account>), (status = 400)),
)]
pub(crate) async fn list(State(desk): State<Arc<Desk>>, uri: Uri) -> Result<Response, Refused> {
    let Listed { active_only } = exchange::query(&uri)?;
    let filter = Filter { enabled: active_only.then_some(true), ..Filter::default() };
    let views = listing::all(&desk.fleet, &filter, Sort::default()).await?;
    exchange::ok(&views.iter().map(Account::of).collect::<Vec<_>>())
}

/// Adds one.
#[utoipa::path(
    post, path = "/admin/accounts", tag = "admin",
    request_body = AnyAccount,
    responses((status = 200, body = Account), (status = 400), (status = 409), (status = 413)),
)]
pub(crate) async fn create(
    State(desk): State<Arc<Desk>>,
    By(actor): By,
    body: Body,
) -> Result<Response, Refused> {
    let draft = usual(one::draft(&exchange::bytes(body, SMALL).await?)?);
    if let Some(name) = &draft.label {
        free(&desk.fleet, name, None).await?;
    }
    let view = desk.fleet.add(&draft, &actor).await?;
    exchange::ok(&Account::of(&view))
}

/// Shows one, by number or UUID.
#[utoipa::path(
    get, path = "/admin/accounts/{id}", tag = "admin",
    responses((status = 200, body = Account), (status = 400), (status = 404)),
)]
pub(crate) async fn show(State(desk): State<Arc<Desk>>, At(id): At) -> Result<Response, Refused> {
    exchange::ok(&Account::of(&desk.fleet.get(&id).await?))
}

/// Changes what is named.
#[utoipa::path(
    method(put, patch), path = "/admin/accounts/{id}", tag = "admin",
    request_body = Option<Changed>,
    responses((status = 200, body = Account), (status = 400), (status = 404), (status = 409), (status = 413)),
)]
pub(crate) async fn change(
    State(desk): State<Arc<Desk>>,
    At(id): At,
    By(actor): By,
    body: Body,
) -> Result<Response, Refused> {
    let changed: Changed = exchange::asked(body).await?;
    if let Some(name) = &changed.name {
        let number = desk.fleet.get(&id).await?.number;
        free(&desk.fleet, name, Some(number)).await?;
    }
    exchange::ok(&Account::of(&desk.fleet.change(&id, changed.edit(), &actor).await?))
}

/// Removes one.
#[utoipa::path(
    delete, path = "/admin/accounts/{id}", tag = "admin",
    responses((status = 200, body = Object), (status = 400), (status = 404), (status = 409)),
)]
pub(crate) async fn remove(
    State(desk): State<Arc<Desk>>,
    At(id): At,
    By(actor): By,
) -> Result<Response, Refused> {
    desk.fleet.remove(&id, &actor).await?;
    exchange::ok(&json!({ "message": "Account deleted successfully" }))
}

/// With the limit that this dialect has if nobody says another.
pub(super) fn usual(mut draft: Draft) -> Draft {
    draft.rpm = draft.rpm.or(Some(USUAL_RPM));
    draft
}

/// Names are unique in this dialect, and only in it.
///
/// # Errors
/// When another account has the name.
pub(super) async fn free(fleet: &Fleet, name: &str, except: Option<i64>) -> Result<(), Refused> {
    let filter = Filter { label: Some(name.to_owned()), ..Filter::default() };
    let page = fleet.list(&filter, Sort::default(), None, 2).await?;
    if page.accounts.iter().any(|other| Some(other.number) != except) {
        return Err(Refused::invalid("An account of this name exists. Choose another name."));
    }
    Ok(())
}

impl Changed {
    fn edit(self) -> Edit {
        let Self { name, refresh_token, client_id, client_secret, profile_arn, is_active, .. } = self;
        let parts = LoginParts { client_id, client_secret, refresh_token, ..LoginParts::default() };
        let arn_pin = match profile_arn {
            Change::Set(arn) if arn.trim().is_empty() => Change::Clear,
            other => other,
        };
        let wishes = AccountPatch {
            label: name,
            enabled: is_active,
            arn_pin,
            rpm: self.requests_per_minute,
            notes: self.notes,
            ..AccountPatch::default()
        };
        Edit { wishes, login: patch::login(parts), ..Edit::default() }
    }
}
