//! `/api/v1/accounts`: listed by pages, added, shown, changed, removed.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use qm_accounts::{Edit, LoginParts, ProxyWish, View};
use qm_store::{AccountPatch, Change, Cursor, Filter, Origin, Sort, SortKey};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::shape::Account;
use super::words;
use crate::door::By;
use crate::exchange::{self, At, SMALL};
use crate::refused::Refused;
use crate::{Desk, one, patch};

#[derive(Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Listed {
    /// Rows of a page; 50 if unsaid.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[param(pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
    #[param(schema_with = words::account_sorts)]
    sort: Option<String>,
    #[param(schema_with = words::orders)]
    order: Option<String>,
    enabled: Option<bool>,
    /// Only of this owner.
    owner: Option<String>,
    /// Only with this tag.
    tag: Option<String>,
    /// Only of this kind of login.
    kind: Option<String>,
    /// Only in this state of health.
    state: Option<String>,
    #[param(schema_with = words::origins)]
    origin: Option<String>,
    /// Only with exactly this label.
    label: Option<String>,
    /// Only with these letters in label, owner, notes or id.
    search: Option<String>,
}

/// A page of accounts.
#[derive(Serialize, ToSchema)]
pub(super) struct AccountPage<'a> {
    accounts: Vec<Account<'a>>,
    /// Where the next page begins; `null` after the last.
    next_cursor: Option<String>,
    /// How many the filter lets through, on all pages.
    total: u64,
}

/// What is to change: what is absent stays, `null` clears.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AccountChange)]
pub(super) struct Changed {
    label: Option<String>,
    #[serde(default, deserialize_with = "patch::given")]
    #[schema(value_type = Option<String>)]
    owner: Change<String>,
    tags: Option<Vec<String>>,
    #[serde(default, deserialize_with = "patch::given")]
    #[schema(value_type = Option<String>)]
    notes: Change<String>,
    #[serde(default, deserialize_with = "patch::given")]
    #[schema(value_type = Option<Object>)]
    other: Change<Box<RawValue>>,
    enabled: Option<bool>,
    weight: Option<u32>,
    priority: Option<i32>,
    #[serde(default, deserialize_with = "patch::given")]
    #[schema(value_type = Option<u32>)]
    rpm: Change<u32>,
    #[serde(default, deserialize_with = "patch::given")]
    #[schema(value_type = Option<u32>)]
    rate_per_hour: Change<u32>,
    #[serde(default, deserialize_with = "patch::given")]
    #[schema(value_type = Option<u32>)]
    concurrency: Change<u32>,
    #[serde(default, deserialize_with = "patch::given")]
    #[schema(value_type = Option<String>)]
    policy: Change<String>,
    /// `null` or `house`, `direct`, or a URL.
    #[serde(default, deserialize_with = "patch::given")]
    #[schema(value_type = Option<String>)]
    proxy: Change<SecretString>,
    #[serde(default, deserialize_with = "patch::given")]
    #[schema(value_type = Option<String>)]
    surface: Change<String>,
    #[serde(default, deserialize_with = "patch::given")]
    #[schema(value_type = Option<String>)]
    arn: Change<String>,
    #[serde(default, deserialize_with = "patch::given")]
    #[schema(value_type = Option<String>)]
    region: Change<String>,
    client_id: Option<String>,
    #[schema(value_type = Option<String>, write_only)]
    client_secret: Option<SecretString>,
    #[schema(value_type = Option<String>, write_only)]
    refresh_token: Option<SecretString>,
    #[schema(value_type = Option<String>, write_only)]
    access_token: Option<SecretString>,
    #[schema(value_type = Option<String>, write_only)]
    api_key: Option<SecretString>,
}

/// A page of accounts.
#[utoipa::path(
    get, path = "/api/v1/accounts", tag = "accounts",
    params(Listed),
    responses((status = 200, body = AccountPage), (status = 400)),
)]
pub(crate) async fn list(State(desk): State<Arc<Desk>>, uri: Uri) -> Result<Response, Refused> {
    let listed: Listed = exchange::query(&uri)?;
    let sort = listed.sort()?;
    let cursor = listed.cursor.as_deref().map(Cursor::from_text).transpose();
    let cursor = cursor.map_err(|error| Refused::invalid(format!("{error}.")))?;
    let limit = exchange::rows(listed.limit)?;
    let page = desk.fleet.list(&listed.filter()?, sort, cursor.as_ref(), limit).await?;
    exchange::ok(&AccountPage {
        accounts: page.accounts.iter().map(Account::of).collect(),
        next_cursor: page.next.map(|next| next.to_text()),
        total: page.total,
    })
}

/// Adds one, in any spelling that an import takes.
#[utoipa::path(
    post, path = "/api/v1/accounts", tag = "accounts",
    request_body = super::words::AnyAccount,
    responses(
        (status = 201, body = Account, headers(("ETag" = String), ("Location" = String))), (status = 400),
        (status = 409), (status = 413),
    ),
)]
pub(crate) async fn create(
    State(desk): State<Arc<Desk>>,
    By(actor): By,
    body: Body,
) -> Result<Response, Refused> {
    let draft = one::draft(&exchange::bytes(body, SMALL).await?)?;
    let view = desk.fleet.add(&draft, &actor).await?;
    let mut response = shown(StatusCode::CREATED, &view)?;
    if let Ok(place) = HeaderValue::try_from(format!("/api/v1/accounts/{}", view.id)) {
        response.headers_mut().insert(LOCATION, place);
    }
    Ok(response)
}

/// Shows one.
#[utoipa::path(
    get, path = "/api/v1/accounts/{id}", tag = "accounts",
    responses((status = 200, body = Account, headers(("ETag" = String))), (status = 400), (status = 404)),
)]
pub(crate) async fn show(State(desk): State<Arc<Desk>>, At(id): At) -> Result<Response, Refused> {
    shown(StatusCode::OK, &desk.fleet.get(&id).await?)
}

/// Changes what is named.
///
/// With `If-Match` only what nobody else has changed meanwhile.
#[utoipa::path(
    patch, path = "/api/v1/accounts/{id}", tag = "accounts",
    params(("If-Match" = Option<String>, Header, description = "An `ETag` that the account had, or `*`")),
    request_body = Changed,
    responses(
        (status = 200, body = Account, headers(("ETag" = String))), (status = 400), (status = 404),
        (status = 409), (status = 412), (status = 413), (status = 415),
    ),
)]
pub(crate) async fn change(
    State(desk): State<Arc<Desk>>,
    At(id): At,
    By(actor): By,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let revision = exchange::matched(&headers)?;
    let edit = exchange::told::<Changed>(&headers, body).await?.edit()?;
    shown(StatusCode::OK, &desk.fleet.change(&id, Edit { revision, ..edit }, &actor).await?)
}

/// Removes one.
#[utoipa::path(
    delete, path = "/api/v1/accounts/{id}", tag = "accounts",
    responses((status = 204), (status = 400), (status = 404), (status = 409)),
)]
pub(crate) async fn remove(
    State(desk): State<Arc<Desk>>,
    At(id): At,
    By(actor): By,
) -> Result<Response, Refused> {
    desk.fleet.remove(&id, &actor).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// An account with its revision.
pub(super) fn shown(status: StatusCode, view: &View) -> Result<Response, Refused> {
    Ok(exchange::tagged(exchange::answer(status, &Account::of(view))?, view.revision))
}

impl Listed {
    fn sort(&self) -> Result<Sort, Refused> {
        let key = match self.sort.as_deref() {
            None | Some("number") => SortKey::Number,
            Some("created") => SortKey::Created,
            Some("updated") => SortKey::Updated,
            Some("label") => SortKey::Label,
            Some("state") => SortKey::State,
            Some("success") => SortKey::Success,
            Some("errors") => SortKey::Errors,
            Some("requests") => SortKey::Requests,
            Some("last_used") => SortKey::LastUsed,
            Some("priority") => SortKey::Priority,
            Some(_) => {
                return Err(Refused::invalid(
                    "sort must be number, created, updated, label, state, success, errors, requests, last_used or \
                     priority.",
                ));
            }
        };
        let descending = match self.order.as_deref() {
            None | Some("asc") => false,
            Some("desc") => true,
            Some(_) => return Err(Refused::invalid("order must be asc or desc.")),
        };
        Ok(Sort { key, descending })
    }

    fn filter(self) -> Result<Filter, Refused> {
        let Self { enabled, owner, tag, kind, state, label, search, .. } = self;
        let origin = self.origin.map(|word| {
            Origin::of(&word)
                .ok_or_else(|| Refused::invalid("origin must be api, login, import or environment."))
        });
        Ok(Filter { enabled, owner, tag, kind, state, origin: origin.transpose()?, label, search })
    }
}

impl Changed {
    fn edit(self) -> Result<Edit, Refused> {
        let Self { client_id, client_secret, refresh_token, access_token, api_key, .. } = self;
        let parts = LoginParts { client_id, client_secret, refresh_token, access_token, api_key };
        let wishes = AccountPatch {
            label: self.label,
            owner: self.owner,
            tags: self.tags,
            notes: self.notes,
            other: patch::other(self.other)?,
            enabled: self.enabled,
            weight: self.weight,
            priority: self.priority,
            rpm: self.rpm,
            rate_per_hour: self.rate_per_hour,
            concurrency: self.concurrency,
            policy: self.policy,
            proxy: None,
            surface_pin: self.surface,
            arn_pin: self.arn,
            region: self.region,
        };
        Ok(Edit { wishes, proxy: proxy(self.proxy), login: patch::login(parts), revision: None })
    }
}

fn proxy(given: Change<SecretString>) -> Option<ProxyWish> {
    match given {
        Change::Keep => None,
        Change::Clear => Some(ProxyWish::House),
        Change::Set(url) => Some(match url.expose_secret().trim() {
            "" | "house" => ProxyWish::House,
            "direct" => ProxyWish::Direct,
            _ => ProxyWish::Url(url),
        }),
    }
}
