//! `/api/v1/keys`: listed by pages, made, shown, changed, removed.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use qm_access::{KeyEdit, KeyView, KeyWish};
use qm_keys::{Limits, Scopes};
use qm_store::{Change, KeyFilter, KeyOrigin, KeyPlace};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::key_shape::Key;
use super::words;
use crate::door::Who;
use crate::exchange::{self, At};
use crate::refused::Refused;
use crate::{Desk, patch};

#[derive(Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Listed {
    /// Rows of a page; 50 if unsaid. Keys from the configuration stand on the first page, beyond this number.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[param(pattern = "^[0-9]{1,18}$")]
    cursor: Option<String>,
    #[param(schema_with = words::orders)]
    order: Option<String>,
    enabled: Option<bool>,
    revoked: Option<bool>,
    /// `false`: only those that have not expired.
    #[param(schema_with = words::no)]
    expired: Option<bool>,
    owner: Option<String>,
    team: Option<String>,
    tag: Option<String>,
    #[param(schema_with = words::scopes)]
    scope: Option<String>,
    #[param(schema_with = words::key_origins)]
    origin: Option<String>,
    /// Only with these letters in name, description, owner, team, hint or id.
    search: Option<String>,
}

/// A page of keys.
#[derive(Serialize, ToSchema)]
struct KeyPage {
    keys: Vec<Key>,
    /// Where the next page begins; `null` after the last.
    next_cursor: Option<String>,
    /// How many the filter lets through, on all pages.
    total: u64,
}

/// A key to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewKey)]
struct Made {
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    description: Option<String>,
    owner: Option<String>,
    team: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
    /// `["inference"]` if unsaid.
    #[schema(schema_with = words::scopes_wished)]
    scopes: Option<Vec<String>>,
    #[schema(maximum = 253_402_300_799_999_i64)]
    expires_ms: Option<u64>,
    #[serde(default)]
    #[schema(schema_with = words::limits)]
    limits: Limits,
}

/// What is to change: what is absent stays, `null` clears.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = KeyChange)]
struct Changed {
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    #[serde(default, deserialize_with = "patch::given")]
    #[schema(value_type = Option<String>)]
    description: Change<String>,
    #[serde(default, deserialize_with = "patch::given")]
    #[schema(value_type = Option<String>)]
    owner: Change<String>,
    #[serde(default, deserialize_with = "patch::given")]
    #[schema(value_type = Option<String>)]
    team: Change<String>,
    tags: Option<Vec<String>>,
    #[schema(schema_with = words::scopes_wished)]
    scopes: Option<Vec<String>>,
    enabled: Option<bool>,
    #[serde(default, deserialize_with = "patch::given")]
    #[schema(value_type = Option<u64>, maximum = 253_402_300_799_999_i64)]
    expires_ms: Change<u64>,
    /// All of them: a limit that is not here is none any more.
    #[schema(schema_with = words::limits_wished)]
    limits: Option<Limits>,
}

/// A page of keys, by number.
#[utoipa::path(
    get, path = "/api/v1/keys", tag = "keys",
    params(Listed),
    responses((status = 200, body = KeyPage), (status = 400)),
)]
pub(crate) async fn list(State(desk): State<Arc<Desk>>, uri: Uri) -> Result<Response, Refused> {
    let listed: Listed = exchange::query(&uri)?;
    let limit = exchange::rows(listed.limit)?;
    let place = listed.place()?;
    let listing = desk.access.list(&listed.filter((desk.now)())?, place, limit).await?;
    exchange::ok(&KeyPage {
        keys: listing.keys.into_iter().map(Key::of).collect(),
        next_cursor: listing.next.map(|number| number.to_string()),
        total: listing.total,
    })
}

/// Makes a key. It is in this answer and nowhere else: what is kept is a hash.
#[utoipa::path(
    post, path = "/api/v1/keys", tag = "keys",
    request_body = Made,
    responses(
        (status = 201, body = Key, headers(("ETag" = String), ("Location" = String))), (status = 400),
        (status = 413), (status = 415),
    ),
)]
pub(crate) async fn create(
    State(desk): State<Arc<Desk>>,
    Who(who): Who,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let made: Made = exchange::told(&headers, body).await?;
    let scopes = made.scopes.map_or(Ok(Scopes::INFERENCE), of_words)?;
    let wish = KeyWish {
        name: made.name,
        description: made.description,
        owner: made.owner,
        team: made.team,
        tags: made.tags,
        scopes,
        expires_ms: made.expires_ms,
        limits: made.limits,
    };
    let (view, key) = desk.access.create(wish, &who.actor()).await?;
    let place = HeaderValue::try_from(format!("/api/v1/keys/{}", view.id)).ok();
    let mut response = with_secret(StatusCode::CREATED, view, &key)?;
    response.headers_mut().extend(place.map(|place| (LOCATION, place)));
    Ok(response)
}

/// Shows a key, without the key.
#[utoipa::path(
    get, path = "/api/v1/keys/{id}", tag = "keys",
    responses((status = 200, body = Key, headers(("ETag" = String))), (status = 400), (status = 404)),
)]
pub(crate) async fn show(State(desk): State<Arc<Desk>>, At(id): At) -> Result<Response, Refused> {
    shown(desk.access.show(&id).await?)
}

/// Changes what is named.
///
/// With `If-Match` only what nobody else has changed meanwhile.
#[utoipa::path(
    patch, path = "/api/v1/keys/{id}", tag = "keys",
    params(("If-Match" = Option<String>, Header, description = "An `ETag` that the key had, or `*`")),
    request_body = Changed,
    responses(
        (status = 200, body = Key, headers(("ETag" = String))), (status = 400), (status = 404),
        (status = 409), (status = 412), (status = 413), (status = 415),
    ),
)]
pub(crate) async fn change(
    State(desk): State<Arc<Desk>>,
    At(id): At,
    Who(who): Who,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let revision = exchange::matched(&headers)?;
    let Changed { name, description, owner, team, tags, scopes, enabled, expires_ms, limits } =
        exchange::told(&headers, body).await?;
    let scopes = scopes.map(of_words).transpose()?;
    let edit = KeyEdit { name, description, owner, team, tags, scopes, enabled, expires_ms, limits };
    shown(desk.access.change(&id, edit, revision, &who.actor()).await?)
}

/// Forgets a key. Its receipts stay.
#[utoipa::path(
    delete, path = "/api/v1/keys/{id}", tag = "keys",
    params(("If-Match" = Option<String>, Header, description = "An `ETag` that the key had, or `*`")),
    responses((status = 204), (status = 400), (status = 404), (status = 409), (status = 412)),
)]
pub(crate) async fn remove(
    State(desk): State<Arc<Desk>>,
    At(id): At,
    Who(who): Who,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    desk.access.remove(&id, exchange::matched(&headers)?, &who.actor()).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// A key with its revision.
pub(super) fn shown(view: KeyView) -> Result<Response, Refused> {
    answered(StatusCode::OK, &Key::of(view))
}

/// A key with its revision, and the key itself, this once.
pub(super) fn with_secret(
    status: StatusCode,
    view: KeyView,
    key: &SecretString,
) -> Result<Response, Refused> {
    answered(status, &Key::of(view).with_secret(key.expose_secret()))
}

fn answered(status: StatusCode, key: &Key) -> Result<Response, Refused> {
    Ok(exchange::tagged(exchange::answer(status, key)?, key.revision))
}

fn of_words(words: Vec<String>) -> Result<Scopes, Refused> {
    Scopes::of_words(words).map_err(|error| Refused::invalid(format!("scopes: {error}.")))
}

impl Listed {
    fn place(&self) -> Result<KeyPlace, Refused> {
        let after = self.cursor.as_deref().map(str::parse).transpose();
        let after = after.map_err(|_| Refused::invalid("cursor must be one that a listing gave out."))?;
        let descending = match self.order.as_deref() {
            None | Some("asc") => false,
            Some("desc") => true,
            Some(_) => return Err(Refused::invalid("order must be asc or desc.")),
        };
        Ok(KeyPlace { after, descending })
    }

    fn filter(self, now_ms: u64) -> Result<KeyFilter, Refused> {
        let Self { enabled, revoked, expired, owner, team, tag, scope, origin, search, .. } = self;
        if expired == Some(true) {
            return Err(Refused::invalid("expired can only be false: those that have not expired."));
        }
        if scope.as_ref().is_some_and(|scope| Scopes::of_words([scope]).is_err()) {
            return Err(Refused::invalid("scope must be inference, read or admin."));
        }
        let origin = origin.map(|word| {
            KeyOrigin::of(&word).ok_or_else(|| Refused::invalid("origin must be api, setup or cli."))
        });
        let alive_at_ms = expired.map(|_| now_ms);
        Ok(KeyFilter {
            enabled,
            revoked,
            alive_at_ms,
            owner,
            team,
            tag,
            scope,
            origin: origin.transpose()?,
            search,
        })
    }
}
