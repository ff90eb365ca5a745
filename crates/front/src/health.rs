//! Whether the gateway lives and serves; and the answer to what it does not have.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use axum::response::Response;
use qm_canon::{Fault, Kind, Origin};
use qm_openai::fault::UNKNOWN_URL;
use qm_relay::Census;

use crate::Front;
use crate::asked::Asked;
use crate::respond::{self, Refused};

const OK: &str = r#"{"status":"ok"}"#;

/// Says what this is, to whoever looks.
pub(crate) async fn root() -> Response {
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

/// The numbers that scripts of the earlier systems read (spec/mission.md A2.2).
pub(crate) async fn report(State(front): State<Arc<Front>>) -> Response {
    let Census { total, enabled, active, healthy, with_token } = front.relay.accounts.census();
    let (status, reason) = match (active, enabled) {
        (1.., _) => ("healthy", ""),
        (0, 0) => ("unhealthy", r#","reason":"no_enabled_accounts""#),
        (0, _) => ("unhealthy", r#","reason":"no_healthy_accounts""#),
    };
    let (has_token, keys) = (with_token > 0, front.relay.admission.census());
    let token_expired = total > 0 && !has_token;
    respond::json(format!(
        r#"{{"status":"{status}"{reason},"active_accounts":{active},"enabled_accounts":{enabled},"total_accounts":{total},"healthy_accounts":{healthy},"has_token":{has_token},"token_expired":{token_expired},"active_api_keys":{keys},"version":"{}"}}"#,
        env!("CARGO_PKG_VERSION"),
    ))
}

pub(crate) async fn no_such_route(asked: Asked, method: Method, uri: Uri) -> Refused {
    let message =
        format!("There is no {method} {} here. See the README for what this version serves.", uri.path());
    Refused { fault: not_here(message), asked }
}

pub(crate) async fn no_such_method(asked: Asked, method: Method, uri: Uri) -> Response {
    use axum::response::IntoResponse as _;
    let fault = not_here(format!("{} does not take {method}.", uri.path()));
    let mut response = Refused { fault, asked }.into_response();
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    response
}

fn not_here(message: String) -> Fault {
    Fault::new(Kind::NotFound, Origin::Client, message).code(UNKNOWN_URL)
}
