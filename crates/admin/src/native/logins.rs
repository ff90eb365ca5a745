//! `/api/v1/logins`: device logins.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use qm_access::Principal;
use qm_accounts::LoginState;
use qm_accounts::login::{LONGEST_CLAIM, LoginView};
use qm_keys::Scope;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::Desk;
use crate::begin::Begin;
use crate::door::{By, Who};
use crate::exchange::{self, At};
use crate::refused::Refused;

/// A login.
#[derive(Serialize, ToSchema)]
struct Login<'a> {
    id: &'a str,
    kind: &'a str,
    /// `pending`, `completed`, `expired`, `denied`, `cancelled` or `failed`.
    status: &'static str,
    remaining_ms: Option<u64>,
    account_id: Option<&'a str>,
    error: Option<&'a str>,
    /// What the person is asked for, and where; for admins, for whoever has it could finish the login as himself.
    user_code: Option<&'a str>,
    verification_uri: Option<&'a str>,
    verification_uri_complete: Option<&'a str>,
    created_ms: u64,
    expires_ms: u64,
    interval_ms: u64,
}

/// Logins that wait.
#[derive(Serialize, ToSchema)]
struct Logins<'a> {
    logins: Vec<Login<'a>>,
}

#[derive(Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Claimed {
    /// How long to wait, in seconds; 300 if unsaid, and at most.
    #[param(minimum = 0, maximum = 86_400)]
    wait_s: Option<u64>,
}

/// Starts a device login.
#[utoipa::path(
    post, path = "/api/v1/logins", tag = "logins",
    request_body = Option<Begin>,
    responses(
        (status = 201, body = Login), (status = 400), (status = 404), (status = 409), (status = 413),
        (status = 415),
    ),
)]
pub(crate) async fn start(
    State(desk): State<Arc<Desk>>,
    By(actor): By,
    Who(who): Who,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let wish = exchange::told_or_nothing::<Begin>(&headers, body).await?.wish()?;
    let login = desk.fleet.login_start(wish, &actor).await?;
    exchange::answer(StatusCode::CREATED, &Login::of(&login, &who))
}

/// Logins that wait, oldest first.
#[utoipa::path(get, path = "/api/v1/logins", tag = "logins", responses((status = 200, body = Logins)))]
pub(crate) async fn list(State(desk): State<Arc<Desk>>, Who(who): Who) -> Result<Response, Refused> {
    let logins = desk.fleet.logins_pending().await?;
    exchange::ok(&Logins { logins: logins.iter().map(|login| Login::of(login, &who)).collect() })
}

/// How a login stands.
#[utoipa::path(
    get, path = "/api/v1/logins/{id}", tag = "logins",
    responses((status = 200, body = Login), (status = 400), (status = 404)),
)]
pub(crate) async fn show(
    State(desk): State<Arc<Desk>>,
    At(id): At,
    Who(who): Who,
) -> Result<Response, Refused> {
    exchange::ok(&Login::of(&desk.fleet.login_status(&id).await?, &who))
}

/// Waits until a login is over, for `wait_s` seconds at most, and says how it stands then.
#[utoipa::path(
    post, path = "/api/v1/logins/{id}/claim", tag = "logins",
    params(Claimed),
    responses((status = 200, body = Login), (status = 400), (status = 404)),
)]
pub(crate) async fn claim(
    State(desk): State<Arc<Desk>>,
    At(id): At,
    Who(who): Who,
    uri: Uri,
) -> Result<Response, Refused> {
    let Claimed { wait_s } = exchange::query(&uri)?;
    let patience = wait_s.map_or(LONGEST_CLAIM, Duration::from_secs).min(LONGEST_CLAIM);
    exchange::ok(&Login::of(&Box::pin(desk.fleet.login_claim(&id, patience)).await?, &who))
}

/// Calls a login off.
#[utoipa::path(
    delete, path = "/api/v1/logins/{id}", tag = "logins",
    responses((status = 200, body = Login), (status = 400), (status = 404), (status = 409)),
)]
pub(crate) async fn cancel(
    State(desk): State<Arc<Desk>>,
    At(id): At,
    By(actor): By,
    Who(who): Who,
) -> Result<Response, Refused> {
    exchange::ok(&Login::of(&desk.fleet.login_cancel(&id, &actor).await?, &who))
}

impl<'a> Login<'a> {
    fn of(login: &'a LoginView, who: &Principal) -> Self {
        let for_admins = |told: &'a str| who.may(Scope::Admin).then_some(told);
        let (status, remaining_ms, account_id, error) = match &login.state {
            LoginState::Pending { remaining_ms } => ("pending", Some(*remaining_ms), None, None),
            LoginState::Completed { account } => ("completed", None, Some(account.as_str()), None),
            LoginState::Expired => ("expired", None, None, None),
            LoginState::Denied => ("denied", None, None, None),
            LoginState::Cancelled => ("cancelled", None, None, None),
            LoginState::Failed { words } => ("failed", None, None, Some(words.as_str())),
        };
        Self {
            id: &login.id,
            kind: &login.kind,
            status,
            remaining_ms,
            account_id,
            error,
            user_code: for_admins(&login.user_code),
            verification_uri: for_admins(&login.verification_uri),
            verification_uri_complete: login.verification_uri_complete.as_deref().and_then(for_admins),
            created_ms: login.created_ms,
            expires_ms: login.expires_ms,
            interval_ms: login.interval_ms,
        }
    }
}
