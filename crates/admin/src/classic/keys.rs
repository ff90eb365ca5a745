//! `/admin/api-keys`: amq2api's API keys (spec/mission.md A2.4). The key is in the answer that made it and in no other
//! (A12, 18): later `key` shows its two ends.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use qm_access::{KeyEdit, KeyView, KeyWish};
use qm_keys::{Limits, Scopes};
use qm_store::{Change, KeyFilter, KeyPlace};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use crate::door::Who;
use crate::exchange::{self, At};
use crate::refused::Refused;
use crate::{Desk, moment, patch};

/// What that dialect's keys may do in a minute and in a day if nobody says.
const USUAL: (u64, u64) = (60, 10_000);

const DAY_MS: u64 = 86_400_000;

/// The longest that a key of this dialect lasts, in days.
const MOST_DAYS: u64 = 36_500;

/// Rows of one read of the store.
const ROWS: u32 = 1_000;

#[derive(Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct Listed {
    active_only: bool,
}

/// A key to be.
#[derive(Deserialize, ToSchema)]
#[schema(as = ClassicNewKey)]
struct Made {
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    description: Option<String>,
    /// 60 if unsaid; `null` for as many as come.
    #[serde(default, deserialize_with = "patch::given")]
    #[schema(value_type = Option<u64>, minimum = 1, maximum = 10_000_000)]
    requests_per_minute: Change<u64>,
    /// 10,000 if unsaid; `null` for as many as come.
    #[serde(default, deserialize_with = "patch::given")]
    #[schema(value_type = Option<u64>, minimum = 1, maximum = 1_000_000_000_000_i64)]
    requests_per_day: Change<u64>,
    #[schema(minimum = 1, maximum = 36500)]
    expires_days: Option<u64>,
    #[serde(default)]
    is_admin: bool,
}

/// What is to change: what is absent stays.
#[derive(Deserialize, ToSchema)]
#[schema(as = ClassicKeyChange)]
struct Changed {
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    #[serde(default, deserialize_with = "patch::given")]
    #[schema(value_type = Option<String>)]
    description: Change<String>,
    is_active: Option<bool>,
    is_admin: Option<bool>,
    #[serde(default, deserialize_with = "patch::given")]
    #[schema(value_type = Option<u64>, minimum = 1, maximum = 10_000_000)]
    requests_per_minute: Change<u64>,
    #[serde(default, deserialize_with = "patch::given")]
    #[schema(value_type = Option<u64>, minimum = 1, maximum = 1_000_000_000_000_i64)]
    requests_per_day: Change<u64>,
}

/// What that dialect calls `ApiKeyResponse`.
#[derive(Serialize, ToSchema)]
#[schema(as = ClassicKey)]
pub(crate) struct ApiKey {
    /// `null` for a key from the configuration.
    id: Option<i64>,
    uuid: String,
    /// The key itself in the answer that made it, else its two ends.
    key: String,
    name: String,
    description: Option<String>,
    is_active: bool,
    is_admin: bool,
    total_requests: u64,
    last_used: Option<String>,
    requests_per_minute: Option<u64>,
    requests_per_day: Option<u64>,
    current_rpm: u64,
    current_rpd: u64,
    created_at: Option<String>,
    updated_at: Option<String>,
    expires_at: Option<String>,
}

/// All keys, as an array, in the order they were made.
#[utoipa::path(
    get, path = "/admin/api-keys", tag = "admin",
    params(Listed),
    responses((status = 200, body = Vec<ApiKey>), (status = 400)),
)]
pub(crate) async fn list(State(desk): State<Arc<Desk>>, uri: Uri) -> Result<Response, Refused> {
    let Listed { active_only } = exchange::query(&uri)?;
    let filter = if active_only { in_force((desk.now)()) } else { KeyFilter::default() };
    let (mut keys, mut after) = (Vec::new(), None);
    loop {
        let page = desk.access.list(&filter, KeyPlace { after, descending: false }, ROWS).await?;
        for view in page.keys {
            keys.push(ApiKey::of(&desk, view).await);
        }
        after = page.next;
        if after.is_none() {
            return exchange::ok(&keys);
        }
    }
}

/// Makes a key. It is in this answer and nowhere else.
#[utoipa::path(
    post, path = "/admin/api-keys", tag = "admin",
    request_body = Made,
    responses((status = 200, body = ApiKey), (status = 400), (status = 413)),
)]
pub(crate) async fn create(
    State(desk): State<Arc<Desk>>,
    Who(who): Who,
    body: Body,
) -> Result<Response, Refused> {
    let made: Made = exchange::asked(body).await?;
    let usual = |said: Change<u64>, usual| match said {
        Change::Keep => Some(usual),
        Change::Clear => None,
        Change::Set(limit) => Some(limit),
    };
    let limits = Limits {
        rpm: usual(made.requests_per_minute, USUAL.0),
        rpd: usual(made.requests_per_day, USUAL.1),
        ..Limits::default()
    };
    if made.expires_days.is_some_and(|days| !(1..=MOST_DAYS).contains(&days)) {
        return Err(Refused::invalid(format!("expires_days must be from 1 to {MOST_DAYS}.")));
    }
    let expires_ms = made.expires_days.map(|days| (desk.now)().saturating_add(days.saturating_mul(DAY_MS)));
    let description = made.description.filter(|text| !text.trim().is_empty());
    let wish =
        KeyWish { description, expires_ms, limits, ..KeyWish::named(made.name, scopes(made.is_admin)) };
    let (view, key) = desk.access.create(wish, &who.actor()).await?;
    exchange::ok(&ApiKey { key: key.expose_secret().to_owned(), ..ApiKey::of(&desk, view).await })
}

/// Shows a key, by number or id.
#[utoipa::path(
    get, path = "/admin/api-keys/{id}", tag = "admin",
    responses((status = 200, body = ApiKey), (status = 400), (status = 404)),
)]
pub(crate) async fn show(State(desk): State<Arc<Desk>>, At(id): At) -> Result<Response, Refused> {
    exchange::ok(&ApiKey::of(&desk, desk.access.show(&id).await?).await)
}

/// Changes what is named.
#[utoipa::path(
    method(put, patch), path = "/admin/api-keys/{id}", tag = "admin",
    request_body = Option<Changed>,
    responses(
        (status = 200, body = ApiKey), (status = 400), (status = 404), (status = 409), (status = 412),
        (status = 413),
    ),
)]
pub(crate) async fn change(
    State(desk): State<Arc<Desk>>,
    At(id): At,
    Who(who): Who,
    body: Body,
) -> Result<Response, Refused> {
    let changed: Changed = exchange::asked(body).await?;
    let view = desk.access.show(&id).await?;
    // That dialect has one word for what we call revoked and disabled.
    let restores = changed.is_active == Some(true) && view.revoked_ms.is_some();
    let edit = changed.edit(&view.limits);
    let mut view = desk.access.change(&id, edit, None, &who.actor()).await?;
    // Last: a key must not be good again by a request that is refused.
    if restores {
        view = desk.access.restore(&id, &who.actor()).await?;
    }
    exchange::ok(&ApiKey::of(&desk, view).await)
}

/// Forgets a key.
#[utoipa::path(
    delete, path = "/admin/api-keys/{id}", tag = "admin",
    responses((status = 200, body = Object), (status = 400), (status = 404), (status = 409)),
)]
pub(crate) async fn remove(
    State(desk): State<Arc<Desk>>,
    At(id): At,
    Who(who): Who,
) -> Result<Response, Refused> {
    desk.access.remove(&id, None, &who.actor()).await?;
    exchange::ok(&json!({ "message": "API key deleted successfully" }))
}

/// Revokes a key: it opens nothing any more.
#[utoipa::path(
    post, path = "/admin/api-keys/{id}/revoke", tag = "admin",
    responses((status = 200, body = Object), (status = 400), (status = 404), (status = 409)),
)]
pub(crate) async fn revoke(
    State(desk): State<Arc<Desk>>,
    At(id): At,
    Who(who): Who,
) -> Result<Response, Refused> {
    desk.access.revoke(&id, &who.actor()).await?;
    exchange::ok(&json!({ "message": "API key revoked successfully" }))
}

/// Those that could be used now.
pub(super) fn in_force(now_ms: u64) -> KeyFilter {
    KeyFilter { enabled: Some(true), revoked: Some(false), alive_at_ms: Some(now_ms), ..KeyFilter::default() }
}

fn scopes(is_admin: bool) -> Scopes {
    if is_admin { Scopes::ADMIN } else { Scopes::INFERENCE }
}

impl Changed {
    /// `now` are the limits that the key has: the dialect knows two of them, and the others stay.
    fn edit(self, now: &Limits) -> KeyEdit {
        let Self { name, description, is_active, is_admin, requests_per_minute, requests_per_day } = self;
        let mut limits = now.clone();
        requests_per_minute.to(&mut limits.rpm);
        requests_per_day.to(&mut limits.rpd);
        let description = match description {
            Change::Set(text) if text.trim().is_empty() => Change::Clear,
            other => other,
        };
        let limits = Some(limits).filter(|limits| limits != now);
        KeyEdit {
            name,
            description,
            enabled: is_active,
            scopes: is_admin.map(scopes),
            limits,
            ..KeyEdit::default()
        }
    }
}

impl ApiKey {
    async fn of(desk: &Desk, view: KeyView) -> Self {
        let standing = desk.access.standing(&view.id).await.unwrap_or_default();
        let used =
            |name| standing.limits.iter().find(|limit| limit.name == name).map_or(0, |limit| limit.used);
        let is_admin = Scopes::of_words(&view.scopes).is_ok_and(Scopes::are_admin);
        let moment = |ms: u64| (ms > 0).then(|| moment::text(ms));
        Self {
            id: view.number,
            uuid: view.id,
            key: view.hint,
            name: view.name,
            description: view.description,
            is_active: view.enabled && view.revoked_ms.is_none(),
            is_admin,
            total_requests: view.counts.total_requests,
            last_used: view.counts.last_used_ms.map(moment::text),
            requests_per_minute: view.limits.rpm,
            requests_per_day: view.limits.rpd,
            current_rpm: used("rpm"),
            current_rpd: used("rpd"),
            created_at: moment(view.created_ms),
            updated_at: moment(view.updated_ms),
            expires_at: view.expires_ms.map(moment::text),
        }
    }
}
