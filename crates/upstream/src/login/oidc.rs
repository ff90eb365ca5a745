//! Device logins at AWS SSO OIDC: register a client, start, poll (spec/upstream.md §5.1).
//!
//! A small client of our own rather than `aws-sdk-ssooidc`: it is three JSON calls, and the SDK brings a hundred crates
//! and its own connector, retries and clock with it.

use std::time::Duration;

use qm_credential::{Client as Registration, Credential, Kind};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::{Device, LoginError, Logins, Poll, Portal, read, refused, shown};
use crate::oauth::{Granted, Refusal};
use crate::renewal::renewed;

/// What a login may do: the three that the chat needs.
const SCOPES: [&str; 3] =
    ["codewhisperer:completions", "codewhisperer:analysis", "codewhisperer:conversations"];

const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Register {
    client_name: &'static str,
    client_type: &'static str,
    scopes: [&'static str; 3],
}

#[derive(Deserialize)]
struct Registered {
    #[serde(rename = "clientId")]
    id: String,
    #[serde(rename = "clientSecret")]
    secret: String,
    /// Seconds since 1970.
    #[serde(rename = "clientSecretExpiresAt")]
    expires_at: Option<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StartDevice<'a> {
    client_id: &'a str,
    client_secret: &'a str,
    start_url: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Started {
    device_code: String,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: String,
    expires_in: u64,
    interval: Option<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CreateToken<'a> {
    client_id: &'a str,
    client_secret: &'a str,
    grant_type: &'static str,
    device_code: &'a str,
}

impl Logins {
    pub(super) async fn start_oidc(&self, portal: &Portal) -> Result<Device, LoginError> {
        let client = self.register(portal).await?;
        let body = StartDevice {
            client_id: &client.id,
            client_secret: secret(&client),
            start_url: portal.start_url(),
        };
        let address = self.endpoints.oidc(Some(portal.region()), "/device_authorization");
        let started: Started = read(&self.post(address, &body).await?)?;
        let kind = if portal.is_builder_id() {
            Kind::BuilderId
        } else {
            Kind::IdentityCenter { start_url: Some(portal.start_url().to_owned()) }
        };
        Ok(Device {
            kind,
            region: Some(portal.region().to_owned()),
            client: Some(client),
            code: started.device_code.into(),
            user_code: started.user_code,
            verification_uri: shown(started.verification_uri)?,
            verification_uri_complete: shown(started.verification_uri_complete)?,
            expires_ms: self.expiry(Duration::from_secs(started.expires_in)),
            interval: Duration::from_secs(started.interval.unwrap_or(5)),
        })
    }

    pub(super) async fn poll_oidc(&self, device: &Device) -> Result<Poll, LoginError> {
        let client =
            device.client.as_ref().ok_or_else(|| LoginError::Refused("invalid_client".to_owned()))?;
        let body = CreateToken {
            client_id: &client.id,
            client_secret: secret(client),
            grant_type: DEVICE_GRANT,
            device_code: device.code.expose_secret(),
        };
        let reply = self.post(self.endpoints.oidc(device.region.as_deref(), "/token"), &body).await?;
        if reply.status == 200 {
            let granted = Granted::read(&reply).map_err(|ungranted| LoginError::Senseless(ungranted.code))?;
            // Without one the login would be over within the hour.
            if granted.refresh_token.is_none() {
                return Err(LoginError::Senseless("no-refresh-token".to_owned()));
            }
            let mut login = Credential::new(device.kind.clone());
            login.client.clone_from(&device.client);
            login.sso_region.clone_from(&device.region);
            return Ok(Poll::Done(Box::new(renewed(&login, granted, (self.clock)()))));
        }
        let refusal: Refusal = serde_json::from_slice(&reply.body).unwrap_or_default();
        Ok(match refusal.error.as_deref() {
            Some("authorization_pending") => Poll::Pending,
            Some("slow_down") => Poll::SlowDown,
            // A code that is not known any more has been used, or has expired.
            Some("expired_token" | "invalid_grant") => Poll::Expired,
            Some("access_denied") => Poll::Denied,
            _ => return Err(refused(&reply)),
        })
    }

    /// Registers the gateway as a client, under its own name. Anew for each login: a registration expires, and logins
    /// that share one end together.
    async fn register(&self, portal: &Portal) -> Result<Registration, LoginError> {
        let body = Register { client_name: "Quartermaster", client_type: "public", scopes: SCOPES };
        let address = self.endpoints.oidc(Some(portal.region()), "/client/register");
        let registered: Registered = read(&self.post(address, &body).await?)?;
        Ok(Registration {
            id: registered.id,
            secret: Some(registered.secret.into()),
            expires_ms: registered.expires_at.map(|seconds| seconds.saturating_mul(1000)),
        })
    }
}

fn secret(client: &Registration) -> &str {
    client.secret.as_ref().map(SecretString::expose_secret).unwrap_or_default()
}
