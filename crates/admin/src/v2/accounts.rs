//! `/v2/accounts`: listed, added, shown, changed, removed.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use qm_accounts::{Edit, LoginParts};
use qm_store::{AccountPatch, Change, Filter, Sort, SortKey};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use utoipa::openapi::schema::Schema;
use utoipa::{IntoParams, ToSchema};

use super::shape::Account;
use crate::door::By;
use crate::exchange::{self, At, SMALL};
use crate::native::words::{self, AnyAccount};
use crate::refused::Refused;
use crate::{Desk, listing, one, patch};

#[derive(Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct Listed {
    enabled: Option<bool>,
    #[param(schema_with = sorts)]
    sort_by: Option<String>,
    #[param(schema_with = words::orders)]
    sort_order: Option<String>,
    format: Option<String>,
}

/// What is to change: what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = V2AccountChange)]
struct Changed {
    label: Option<String>,
    client_id: Option<String>,
    #[schema(value_type = Option<String>, write_only)]
    client_secret: Option<SecretString>,
    #[schema(value_type = Option<String>, write_only)]
    refresh_token: Option<SecretString>,
    #[schema(value_type = Option<String>, write_only)]
    access_token: Option<SecretString>,
    #[serde(default, deserialize_with = "patch::given")]
    #[schema(value_type = Option<Object>)]
    other: Change<Box<RawValue>>,
    enabled: Option<bool>,
}

/// A listing: an object, or with `?format=array` an array.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the schema of either shape")]
#[schema(as = V2Accounts)]
#[serde(untagged)]
enum Accounts<'a> {
    Object { accounts: Vec<Account<'a>>, count: usize },
    Array(Vec<Account<'a>>),
}

/// The id of what is gone.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the schema alone")]
#[schema(as = V2Deleted)]
struct Deleted {
    deleted: String,
}

/// All accounts: an object with their number, or with `?format=array` or `Accept: …;shape=array` an array.
#[utoipa::path(
    get, path = "/v2/accounts", tag = "v2",
    params(Listed),
    responses((status = 200, body = Accounts), (status = 400)),
)]
pub(crate) async fn list(
    State(desk): State<Arc<Desk>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let listed: Listed = exchange::query(&uri)?;
    let filter = Filter { enabled: listed.enabled, ..Filter::default() };
    let views = listing::all(&desk.fleet, &filter, listed.sort()?).await?;
    let accounts: Vec<Account<'_>> = views.iter().map(Account::of).collect();
    let shaped = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    let shaped = shaped.is_some_and(|accept| accept.replace(' ', "").contains(";shape=array"));
    match listed.format.as_deref() {
        Some("array") => exchange::ok(&accounts),
        None if shaped => exchange::ok(&accounts),
        _ => exchange::ok(&json!({ "accounts": accounts, "count": accounts.len() })),
    }
}

/// Adds one. It serves from the next request on.
#[utoipa::path(
    post, path = "/v2/accounts", tag = "v2",
    request_body = AnyAccount,
    responses((status = 200, body = Account), (status = 400), (status = 409), (status = 413)),
)]
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
#[utoipa::path(
    get, path = "/v2/accounts/{id}", tag = "v2",
    responses((status = 200, body = Account), (status = 400), (status = 404)),
)]
pub(crate) async fn show(State(desk): State<Arc<Desk>>, At(id): At) -> Result<Response, Refused> {
    exchange::ok(&Account::of(&desk.fleet.get(&id).await?))
}

/// Changes what is named.
#[utoipa::path(
    method(patch, put), path = "/v2/accounts/{id}", tag = "v2",
    request_body = Option<Changed>,
    responses((status = 200, body = Account), (status = 400), (status = 404), (status = 409), (status = 413)),
)]
pub(crate) async fn change(
    State(desk): State<Arc<Desk>>,
    At(id): At,
    By(actor): By,
    body: Body,
) -> Result<Response, Refused> {
    let edit = exchange::asked::<Changed>(body).await?.edit()?;
    exchange::ok(&Account::of(&desk.fleet.change(&id, edit, &actor).await?))
}

/// Removes one.
#[utoipa::path(
    delete, path = "/v2/accounts/{id}", tag = "v2",
    responses((status = 200, body = Deleted), (status = 400), (status = 404), (status = 409)),
)]
pub(crate) async fn remove(
    State(desk): State<Arc<Desk>>,
    At(id): At,
    By(actor): By,
) -> Result<Response, Refused> {
    desk.fleet.remove(&id, &actor).await?;
    exchange::ok(&json!({ "deleted": id }))
}

fn sorts() -> Schema {
    words::one_of(["created_at", "success_count"])
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
