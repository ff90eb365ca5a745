//! Whether the gateway lives and serves; and the answer to what it does not have.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use qm_canon::{Fault, Kind, Origin};
use qm_openai::fault::UNKNOWN_URL;
use qm_relay::{Census, Probed};
use serde::Serialize;

use crate::asked::Asked;
use crate::caller::{self, Admitted};
use crate::respond::{self, Refused};
use crate::{Front, limits};

const OK: &str = r#"{"status":"ok"}"#;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Whether there is a console for people, and who is led there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Console {
    /// There is none, and nothing else of management.
    Off,
    /// There is one.
    #[default]
    Beside,
    /// There is one, and browsers that ask for `/` are led there.
    AtRoot,
}

/// What `/health` tells, and how.
#[derive(Clone, Copy, Debug, Default)]
pub struct Health {
    /// Numbers of accounts and keys are told to everybody, not to admins alone.
    pub counts_for_everybody: bool,
    /// The status is 200 when no account can serve, as scripts of earlier systems expect, and not 503.
    pub unhealthy_is_200: bool,
}

/// The fields that scripts of all the earlier systems read (spec/mission.md A2.2, A12).
#[derive(Serialize)]
struct Report<'a> {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(flatten)]
    counts: Option<Counts>,
    #[serde(flatten)]
    tested: Option<Tested<'a>>,
    version: &'static str,
}

#[derive(Serialize)]
struct Counts {
    active_accounts: usize,
    enabled_accounts: usize,
    total_accounts: usize,
    healthy_accounts: usize,
    has_token: bool,
    token_expired: bool,
    active_api_keys: usize,
}

#[derive(Serialize)]
struct Tested<'a> {
    #[serde(rename = "tested_account")]
    account: Option<&'a str>,
    #[serde(rename = "tested_at")]
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

/// Says what this is, to whoever looks; browsers may be led to the console instead (spec/mission.md A12, 14).
pub(crate) fn root(front: &Front, headers: &HeaderMap, prefix: &str) -> Response {
    let wants_page = |value: &HeaderValue| value.to_str().is_ok_and(|text| text.contains("text/html"));
    if front.console == Console::AtRoot && headers.get_all(ACCEPT).iter().any(wants_page) {
        return Redirect::to(&format!("{prefix}/admin")).into_response();
    }
    respond::json(concat!(r#"{"name":"Quartermaster","version":""#, env!("CARGO_PKG_VERSION"), r#""}"#))
}

/// The process runs.
pub(crate) async fn live() -> Response {
    respond::json(OK)
}

/// The process takes requests.
pub(crate) async fn ready(State(front): State<Arc<Front>>) -> Response {
    if front.draining.load(Ordering::Relaxed) {
        let mut response = respond::json(r#"{"status":"draining"}"#);
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        return response;
    }
    respond::json(OK)
}

/// Whether accounts can serve. With `deep=1`, for admins, one of them is asked.
pub(crate) async fn report(
    State(front): State<Arc<Front>>,
    asked: Asked,
    admitted: Result<Admitted, Refused>,
    uri: Uri,
) -> Result<Response, Refused> {
    let deep = uri.query().is_some_and(|query| query.split('&').any(|pair| pair == "deep=1"));
    let admin = matches!(&admitted, Ok(admitted) if admitted.caller.admin);
    if deep && !admin {
        return Err(admitted.err().unwrap_or(Refused { fault: caller::not_an_admin(), asked }));
    }
    let accounts = &front.relay.accounts;
    let probed = if deep { accounts.probe().await } else { accounts.last_probe() };
    let census = accounts.census();
    let failed = deep && probed.as_ref().is_some_and(|probed| probed.trouble.is_some());
    let trouble = trouble(&census).or(failed.then_some("account_does_not_answer"));
    let told = admin || front.health.counts_for_everybody;
    let report = Report {
        status: if trouble.is_none() { "healthy" } else { "unhealthy" },
        reason: trouble.filter(|_| told),
        counts: told.then(|| Counts::of(&census, front.relay.admission.census())),
        // Names of accounts, and why one does not answer, are for admins alone.
        tested: probed.as_ref().filter(|_| admin).map(Tested::of),
        version: VERSION,
    };
    let mut response = respond::json(serde_json::to_vec(&report).unwrap_or_default());
    if trouble.is_some() && !front.health.unhealthy_is_200 {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    Ok(response)
}

/// Why the house cannot serve, as far as counts show it.
fn trouble(census: &Census) -> Option<&'static str> {
    match (census.active, census.enabled) {
        (1.., _) => None,
        (0, 0) => Some("no_enabled_accounts"),
        (0, _) => Some("no_healthy_accounts"),
    }
}

impl Counts {
    fn of(census: &Census, active_api_keys: usize) -> Self {
        let Census { total, enabled, active, healthy, with_token } = *census;
        Self {
            active_accounts: active,
            enabled_accounts: enabled,
            total_accounts: total,
            healthy_accounts: healthy,
            has_token: with_token > 0,
            token_expired: total > 0 && with_token == 0,
            active_api_keys,
        }
    }
}

impl<'a> Tested<'a> {
    fn of(probed: &'a Probed) -> Self {
        let Probed { account, at_ms, trouble } = probed;
        Self { account: account.as_deref(), at: limits::moment(*at_ms), error: trouble.as_deref() }
    }
}

pub(crate) async fn no_such_route(asked: Asked, method: Method, uri: Uri) -> Refused {
    let message =
        format!("There is no {method} {} here. See the README for what this version serves.", uri.path());
    Refused { fault: not_here(message), asked }
}

pub(crate) async fn no_such_method(asked: Asked, method: Method, uri: Uri) -> Response {
    let fault = not_here(format!("{} does not take {method}.", uri.path()));
    let mut response = Refused { fault, asked }.into_response();
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    response
}

fn not_here(message: String) -> Fault {
    Fault::new(Kind::NotFound, Origin::Client, message).code(UNKNOWN_URL)
}
