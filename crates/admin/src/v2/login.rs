//! `/api/login`: q2api's check of the console's password, which is here a key of an admin.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{SET_COOKIE, USER_AGENT};
use axum::response::Response;
use qm_access::Why;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Desk;
use crate::door::{From, LONGEST};
use crate::exchange;
use crate::native::session::cookie;
use crate::refused::Refused;

/// What is shown.
#[derive(Deserialize, ToSchema)]
#[schema(as = V2Login)]
struct Shown {
    #[schema(value_type = String, write_only)]
    password: SecretString,
}

/// Whether it opens.
#[derive(Serialize, ToSchema)]
#[schema(as = V2LoggedIn)]
struct LoggedIn {
    success: bool,
    message: String,
}

/// Whether a key opens management; if so, a session is opened too. Always 200, as scripts of that system wait for.
#[utoipa::path(
    post, path = "/api/login", tag = "v2",
    request_body = Shown,
    responses(
        (status = 200, body = LoggedIn, headers(("Set-Cookie" = String))), (status = 400), (status = 413),
        (status = 415),
    ),
)]
pub(crate) async fn login(
    State(desk): State<Arc<Desk>>,
    From(from): From,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let Shown { password } = exchange::told(&headers, body).await?;
    let key = password.expose_secret().trim();
    let agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let key = if key.len() > LONGEST { "" } else { key };
    match desk.access.login(key, from, agent).await {
        Ok(opened) => {
            let message = "Signed in: the key itself is the bearer token.".to_owned();
            let mut response = exchange::ok(&LoggedIn { success: true, message })?;
            response.headers_mut().insert(SET_COOKIE, cookie(&opened, &headers)?);
            Ok(response)
        }
        Err(denied) if denied.why == Why::Failed => Err(denied.into()),
        Err(denied) => exchange::ok(&LoggedIn { success: false, message: denied.words.into_owned() }),
    }
}
