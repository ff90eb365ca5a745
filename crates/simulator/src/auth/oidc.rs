//! AWS SSO OIDC (spec/upstream.md §5.1): camelCase JSON, errors with `error` and `error_description`.

use serde_json::{Value, json};

use super::{Auth, Tokens};
use crate::http::Answer;
use crate::knobs::{DeviceEnd, Knobs, RefreshFault};
use crate::route::Operation;

/// Answers an OIDC call. `now_s` is the time in seconds since 1970. `None` means: never answer.
pub(crate) fn answer(
    auth: &mut Auth,
    operation: Operation,
    body: &Value,
    knobs: &Knobs,
    now_s: u64,
) -> Option<Answer> {
    Some(match operation {
        Operation::RegisterClient => register(auth, body, knobs, now_s),
        Operation::StartDeviceAuthorization => start_device(auth, body),
        Operation::CreateToken => match body["grantType"].as_str() {
            Some("refresh_token") => return refresh(auth, body, knobs),
            Some("urn:ietf:params:oauth:grant-type:device_code") => poll(auth, body, knobs),
            Some("authorization_code") => by_code(auth, body, knobs),
            _ => refusal(400, "invalid_request", "InvalidRequestException", "Unsupported grant type"),
        },
        _ => refusal(400, "invalid_request", "InvalidRequestException", "Unsupported operation"),
    })
}

fn register(auth: &mut Auth, body: &Value, knobs: &Knobs, now_s: u64) -> Answer {
    if body["clientName"].as_str().is_none_or(str::is_empty) || body["clientType"] != "public" {
        return refusal(
            400,
            "invalid_client_metadata",
            "InvalidClientMetadataException",
            "clientName and clientType",
        );
    }
    auth.issued += 1;
    let (id, secret) = (format!("client-{:08}", auth.issued), format!("secret-{:08}", auth.issued));
    if auth.clients.len() >= super::KEPT {
        auth.clients.clear();
    }
    auth.clients.insert(id.clone(), secret.clone());
    Answer::json(
        200,
        &json!({ "clientId": id, "clientSecret": secret, "clientIdIssuedAt": now_s,
            "clientSecretExpiresAt": now_s + knobs.registration_expires_in_s }),
    )
}

fn start_device(auth: &mut Auth, body: &Value) -> Answer {
    if !knows_client(auth, body) {
        return bad_client();
    }
    let code = auth.new_device();
    Answer::json(
        200,
        &json!({ "deviceCode": code, "userCode": "SIMU-LATE", "expiresIn": 600, "interval": 1,
            "verificationUri": "https://device.sso.us-east-1.amazonaws.com/",
            "verificationUriComplete": "https://device.sso.us-east-1.amazonaws.com/?user_code=SIMU-LATE" }),
    )
}

fn refresh(auth: &mut Auth, body: &Value, knobs: &Knobs) -> Option<Answer> {
    if let Some(fault) = knobs.refresh_fault {
        return faulty(fault);
    }
    if !knows_client(auth, body) {
        return Some(bad_client());
    }
    let holder = auth.accounts.iter().position(|account| {
        body["refreshToken"] == account.refresh_token.as_str()
            && body["clientId"] == account.client_id.as_str()
            && body["clientSecret"] == account.client_secret.as_str()
    });
    Some(match holder {
        Some(account) => told(&auth.grant(account, knobs.rotate_refresh_token, knobs)),
        None => bad_grant(),
    })
}

/// What a refresh answers when a fault is due; `None` for the one that never answers.
pub(super) fn faulty(fault: RefreshFault) -> Option<Answer> {
    Some(match fault {
        RefreshFault::InvalidGrant => bad_grant(),
        RefreshFault::InvalidClient => bad_client(),
        RefreshFault::SlowDown => refusal(400, "slow_down", "SlowDownException", "Slow down"),
        RefreshFault::TooManyRequests => {
            refusal(429, "slow_down", "TooManyRequestsException", "Rate exceeded")
        }
        RefreshFault::ServerError => {
            refusal(500, "server_error", "InternalServerException", "Internal error")
        }
        RefreshFault::Html => Answer {
            status: 502,
            headers: vec![("content-type".into(), "text/html".into())],
            body: b"<html><body>Bad gateway</body></html>".to_vec(),
        },
        RefreshFault::Stall => return None,
    })
}

fn poll(auth: &mut Auth, body: &Value, knobs: &Knobs) -> Answer {
    if !knows_client(auth, body) {
        return bad_client();
    }
    let Some(poll) = auth.poll(body["deviceCode"].as_str().unwrap_or_default()) else {
        return refusal(400, "invalid_grant", "InvalidGrantException", "Invalid device code provided");
    };
    if poll <= knobs.slow_down_polls {
        return refusal(400, "slow_down", "SlowDownException", "Slow down to avoid getting throttled");
    }
    if poll <= knobs.slow_down_polls + knobs.pending_polls {
        return refusal(
            400,
            "authorization_pending",
            "AuthorizationPendingException",
            "Authorization is pending",
        );
    }
    match knobs.device {
        DeviceEnd::Expired => refusal(400, "expired_token", "ExpiredTokenException", "Device code expired"),
        DeviceEnd::Denied => refusal(400, "access_denied", "AccessDeniedException", "The user refused"),
        DeviceEnd::Granted => granted(auth, body, knobs),
    }
}

fn by_code(auth: &mut Auth, body: &Value, knobs: &Knobs) -> Answer {
    if !knows_client(auth, body) {
        return bad_client();
    }
    let complete = ["code", "codeVerifier", "redirectUri"].iter().all(|name| body[*name].is_string());
    if complete { granted(auth, body, knobs) } else { bad_grant() }
}

/// A first login: the tokens of the first account, now bound to this client.
fn granted(auth: &mut Auth, body: &Value, knobs: &Knobs) -> Answer {
    let (Some(id), Some(secret)) = (body["clientId"].as_str(), body["clientSecret"].as_str()) else {
        return bad_client();
    };
    if auth.accounts.is_empty() {
        return refusal(400, "access_denied", "AccessDeniedException", "There is no account");
    }
    let holder = &mut auth.accounts[0];
    id.clone_into(&mut holder.client_id);
    secret.clone_into(&mut holder.client_secret);
    told(&auth.grant(0, true, knobs))
}

fn told(tokens: &Tokens) -> Answer {
    let mut body =
        json!({ "accessToken": tokens.access, "expiresIn": tokens.expires_in_s, "tokenType": "Bearer" });
    if let Some(refresh) = &tokens.refresh {
        body["refreshToken"] = json!(refresh);
    }
    Answer::json(200, &body)
}

fn knows_client(auth: &Auth, body: &Value) -> bool {
    let (Some(id), Some(secret)) = (body["clientId"].as_str(), body["clientSecret"].as_str()) else {
        return false;
    };
    auth.clients.get(id).is_some_and(|known| known == secret)
        || auth.accounts.iter().any(|account| account.client_id == id && account.client_secret == secret)
}

fn bad_client() -> Answer {
    refusal(401, "invalid_client", "InvalidClientException", "Invalid client provided")
}

fn bad_grant() -> Answer {
    refusal(400, "invalid_grant", "InvalidGrantException", "Invalid refresh token provided")
}

fn refusal(status: u16, error: &str, exception: &str, description: &str) -> Answer {
    Answer::json(status, &json!({ "error": error, "error_description": description, "__type": exception }))
        .with("x-amzn-errortype", exception)
}
