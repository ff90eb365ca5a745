//! Device logins with Google or GitHub, by way of Kiro (spec/upstream.md §5.3).

use std::time::Duration;

use qm_credential::{Credential, Kind};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use super::{Device, LoginError, Logins, Poll, Provider, read, refused, shown};
use crate::oauth::{Granted, Refusal};
use crate::renewal::renewed;

/// The only client that the service knows for this flow.
const CLIENT_ID: &str = "kiro-cli";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StartDevice {
    client_id: &'static str,
    login_provider: &'static str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Started {
    device_code: String,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: String,
    interval_in_milliseconds: Option<u64>,
    expires_in_milliseconds: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PollDevice<'a> {
    client_id: &'static str,
    device_code: &'a str,
}

/// An answer with status 200, which need not mean that the person is done.
#[derive(Deserialize, Default)]
struct Polled {
    status: Option<String>,
}

impl Logins {
    pub(super) async fn start_social(&self, provider: Provider) -> Result<Device, LoginError> {
        let body = StartDevice { client_id: CLIENT_ID, login_provider: provider.word() };
        let started: Started =
            read(&self.post(self.endpoints.social("/oauth/device/authorization"), &body).await?)?;
        Ok(Device {
            kind: Kind::Social { provider: Some(provider.word().to_owned()) },
            region: None,
            client: None,
            code: started.device_code.into(),
            user_code: started.user_code,
            verification_uri: shown(started.verification_uri)?,
            verification_uri_complete: shown(started.verification_uri_complete)?,
            expires_ms: self.expiry(Duration::from_millis(started.expires_in_milliseconds)),
            interval: Duration::from_millis(started.interval_in_milliseconds.unwrap_or(5000)),
        })
    }

    pub(super) async fn poll_social(&self, device: &Device) -> Result<Poll, LoginError> {
        let body = PollDevice { client_id: CLIENT_ID, device_code: device.code.expose_secret() };
        let reply = self.post(self.endpoints.social("/oauth/device/poll"), &body).await?;
        if reply.status == 200
            && let Ok(granted) = Granted::read(&reply)
        {
            if granted.refresh_token.is_none() {
                return Err(LoginError::Senseless("no-refresh-token".to_owned()));
            }
            let login = Credential::new(device.kind.clone());
            return Ok(Poll::Done(Box::new(renewed(&login, granted, (self.clock)()))));
        }
        let polled: Polled = serde_json::from_slice(&reply.body).unwrap_or_default();
        let refusal: Refusal = serde_json::from_slice(&reply.body).unwrap_or_default();
        let word = polled.status.or(refusal.error).unwrap_or_default().to_ascii_lowercase();
        match word.as_str() {
            "authorization_pending" => Ok(Poll::Pending),
            "slow_down" => Ok(Poll::SlowDown),
            word if word.contains("expired") || word == "invalid_grant" => Ok(Poll::Expired),
            word if word.contains("denied") => Ok(Poll::Denied),
            _ => Err(refused(&reply)),
        }
    }
}
