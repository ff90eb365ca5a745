//! The OIDC refresh grant (spec/upstream.md §5.1).
//!
//! A small client of our own rather than `aws-sdk-ssooidc`: it is one JSON call, the SDK can be pointed at an
//! endpoint but brings a hundred crates and its own connector, retries and clock with it.

use std::time::Duration;

use http::Uri;
use qm_amazonq::Remedy;
use qm_amazonq::fault::Failure;
use qm_canon::{Fault, Kind, Origin};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::client::{Client, Reply};

/// What a refresh needs. The three belong together: a new refresh token with an old client never works.
#[derive(Clone)]
pub struct Grant {
    /// The client's id, from its registration.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: SecretString,
    /// The refresh token.
    pub refresh_token: SecretString,
}

/// What a refresh gives.
pub struct Granted {
    /// The new access token.
    pub access_token: SecretString,
    /// A new refresh token, if the old one has been replaced.
    pub refresh_token: Option<SecretString>,
    /// How long the access token lives.
    pub expires_in: Duration,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    client_id: &'a str,
    client_secret: &'a str,
    grant_type: &'static str,
    refresh_token: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    access_token: String,
    refresh_token: Option<String>,
    expires_in: Option<u64>,
}

#[derive(Deserialize)]
struct Refusal {
    error: Option<String>,
}

/// Lifetime assumed when the answer has none (spec/upstream.md §11).
const DEFAULT_LIFETIME: Duration = Duration::from_secs(3600);

/// Trades the refresh token for an access token.
///
/// # Errors
/// [`Remedy::None`] when the login is dead and a person must act, [`Remedy::Again`] when it may work later.
pub async fn refresh(client: &Client, address: &Uri, grant: &Grant) -> Result<Granted, Failure> {
    let request = Request {
        client_id: &grant.client_id,
        client_secret: grant.client_secret.expose_secret(),
        grant_type: "refresh_token",
        refresh_token: grant.refresh_token.expose_secret(),
    };
    let body = serde_json::to_vec(&request).map_err(|_| transient("refresh/encode"))?;
    let reply = client.json(address, body).await.map_err(|_| transient("refresh/network"))?;
    if reply.status != 200 {
        return Err(refused(&reply));
    }
    let response: Response =
        serde_json::from_slice(&reply.body).map_err(|_| transient("refresh/not-json"))?;
    Ok(Granted {
        access_token: response.access_token.into(),
        refresh_token: response.refresh_token.filter(|token| !token.is_empty()).map(Into::into),
        expires_in: response.expires_in.map_or(DEFAULT_LIFETIME, Duration::from_secs),
    })
}

fn refused(reply: &Reply) -> Failure {
    let error = serde_json::from_slice::<Refusal>(&reply.body).ok().and_then(|refusal| refusal.error);
    match error.as_deref() {
        Some(error @ ("invalid_grant" | "invalid_client" | "unauthorized_client" | "access_denied")) => Failure {
            fault: Fault::new(
                Kind::Unavailable,
                Origin::Gateway,
                "Token refresh failed: the gateway's login at the upstream is no longer valid. Its operator must log the account in again.",
            )
            .never_retry()
            .code(format!("refresh/{error}")),
            remedy: Remedy::None,
        },
        _ => transient(&format!("refresh/{}", reply.status)),
    }
}

fn transient(code: &str) -> Failure {
    Failure {
        fault: Fault::new(
            Kind::Unavailable,
            Origin::Upstream,
            "Token refresh failed: the upstream's login service did not answer as it should. Try again shortly.",
        )
        .retry_after(Duration::from_secs(5))
        .code(code.to_owned()),
        remedy: Remedy::Again { after: Duration::from_millis(200) },
    }
}
