//! AWS SSO OIDC (spec/upstream.md §5.1): camelCase JSON, errors with `error` and `error_description`.

use serde_json::{Value, json};

use super::Auth;
use super::device::{BUILDER_ID_START, DeviceOrigin, Progress};
use super::tokens::Tokens;
use crate::account::LoginKind;
use crate::http::Answer;
use crate::knobs::{Knobs, RefreshFault};
use crate::route::Operation;

/// A call of the OIDC service.
pub(super) struct Call<'a> {
    pub(super) body: &'a Value,
    pub(super) knobs: &'a Knobs,
    /// The region whose service was asked, where that is known.
    pub(super) region: Option<&'a str>,
    /// Seconds since 1970.
    pub(super) now_s: u64,
}

/// Answers it.
pub(super) fn answer(auth: &mut Auth, operation: Operation, call: &Call<'_>) -> Answer {
    match operation {
        Operation::RegisterClient => register(auth, call),
        Operation::StartDeviceAuthorization => start_device(auth, call),
        _ => match call.body["grantType"].as_str() {
            Some("refresh_token") => refresh(auth, call),
            Some("urn:ietf:params:oauth:grant-type:device_code") => poll(auth, call),
            Some("authorization_code") => by_code(auth, call),
            _ => invalid("Unsupported grant type"),
        },
    }
}

fn register(auth: &mut Auth, call: &Call<'_>) -> Answer {
    let body = call.body;
    if body["clientName"].as_str().is_none_or(str::is_empty) || body["clientType"] != "public" {
        let exception = "InvalidClientMetadataException";
        return refusal(400, "invalid_client_metadata", exception, "clientName and clientType");
    }
    let scopes = body["scopes"].as_array().map_or(&[][..], Vec::as_slice);
    if scopes.iter().any(|scope| scope.as_str().is_none_or(str::is_empty)) {
        return refusal(400, "invalid_scope", "InvalidScopeException", "Invalid scope");
    }
    let life_s = call.knobs.registration_expires_in_s;
    let (id, secret) = auth.register(life_s);
    Answer::json(
        200,
        &json!({ "clientId": id, "clientSecret": secret, "clientIdIssuedAt": call.now_s,
            "clientSecretExpiresAt": call.now_s + life_s }),
    )
}

fn start_device(auth: &mut Auth, call: &Call<'_>) -> Answer {
    let Some((client_id, _)) = client(auth, call.body) else { return bad_client() };
    let Some(start_url) = call.body["startUrl"].as_str().filter(|url| is_start_url(url)) else {
        return invalid("Invalid start url provided");
    };
    let start_url = start_url.trim_end_matches(['#', '/']);
    if call.region.is_some_and(|region| !serves(auth, region, start_url)) {
        return invalid("The start url is not known in this region");
    }
    let origin = DeviceOrigin::Oidc(start_url.to_owned());
    let (code, user_code) = auth.start_device(origin, client_id, call.knobs);
    let uri = format!("https://device.sso.{}.amazonaws.com/", call.region.unwrap_or("us-east-1"));
    Answer::json(
        200,
        &json!({ "deviceCode": code, "userCode": user_code, "expiresIn": call.knobs.device_expires_in_s,
            "interval": call.knobs.device_interval_s, "verificationUri": uri,
            "verificationUriComplete": format!("{uri}?user_code={user_code}") }),
    )
}

/// A directory's access portal, or the identity centre's own address of it.
fn is_start_url(url: &str) -> bool {
    let Some((host, path)) = url.strip_prefix("https://").and_then(|rest| rest.split_once('/')) else {
        return false;
    };
    let portal = host.ends_with(".awsapps.com") && !path.trim_end_matches(['#', '/']).is_empty();
    portal || (host.ends_with("identitycenter.amazonaws.com") && path.starts_with("ssoins-"))
}

/// Whether the directory is in this region: Builder ID's is in one only, an account may say where its own is.
fn serves(auth: &Auth, region: &str, start_url: &str) -> bool {
    if start_url == BUILDER_ID_START {
        return region == "us-east-1";
    }
    let mut regions = auth
        .holders
        .iter()
        .map(|holder| &holder.account)
        .filter(|account| {
            account.start_url.as_deref().map(|url| url.trim_end_matches('/')) == Some(start_url)
        })
        .filter_map(|account| account.sso_region.as_deref())
        .peekable();
    regions.peek().is_none() || regions.any(|own| own == region)
}

fn refresh(auth: &mut Auth, call: &Call<'_>) -> Answer {
    let client_id = match client(auth, call.body) {
        Some((client_id, _)) => client_id,
        None if call.knobs.any_refresh => "",
        None => return bad_client(),
    };
    let token = call.body["refreshToken"].as_str().unwrap_or_default();
    if let Some(holder) = auth.ticket(token).and_then(|ticket| auth.holder(ticket.account)) {
        let own = holder.account.sso_region.as_deref();
        if call.region.is_some_and(|region| own.is_some_and(|own| own != region)) {
            return invalid("Invalid token provided");
        }
        if !holder.account.login.is_oidc() {
            return bad_grant();
        }
    }
    match auth.redeem(token, Some(client_id), call.knobs) {
        Some(account) => told(&auth.renew(account, token, call.knobs)),
        None => bad_grant(),
    }
}

/// What a refresh answers when a fault is due; `None` for those that end without an answer.
pub(super) fn faulty(fault: RefreshFault) -> Option<Answer> {
    Some(match fault {
        RefreshFault::InvalidGrant => bad_grant(),
        RefreshFault::InvalidClient => bad_client(),
        RefreshFault::InvalidRequest => invalid("Invalid token provided"),
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
        RefreshFault::Stall | RefreshFault::Cut | RefreshFault::LostAnswer => return None,
    })
}

fn poll(auth: &mut Auth, call: &Call<'_>) -> Answer {
    let Some((client_id, secret)) = client(auth, call.body) else { return bad_client() };
    let code = call.body["deviceCode"].as_str().unwrap_or_default();
    match auth.poll(code, client_id, call.knobs) {
        Progress::Unknown => {
            refusal(400, "invalid_grant", "InvalidGrantException", "Invalid device code provided")
        }
        Progress::SlowDown => {
            refusal(400, "slow_down", "SlowDownException", "Slow down to avoid getting throttled")
        }
        Progress::Pending => {
            let (error, exception) = ("authorization_pending", "AuthorizationPendingException");
            refusal(400, error, exception, "Authorization is pending")
        }
        Progress::Expired => refusal(400, "expired_token", "ExpiredTokenException", "Device code expired"),
        Progress::Denied => refusal(400, "access_denied", "AccessDeniedException", "The user refused"),
        Progress::Granted(account) => told(&auth.log_in(account, Some((client_id, secret)), call.knobs)),
    }
}

/// A login by browser: the tokens of the first account that OIDC knows, now bound to this client.
fn by_code(auth: &mut Auth, call: &Call<'_>) -> Answer {
    let Some(client) = client(auth, call.body) else { return bad_client() };
    if !["code", "codeVerifier", "redirectUri"].iter().all(|name| call.body[*name].is_string()) {
        return bad_grant();
    }
    let known = |login: LoginKind| login.is_oidc();
    match auth.holders.iter().position(|holder| known(holder.account.login)) {
        Some(account) => told(&auth.log_in(account, Some(client), call.knobs)),
        None => refusal(400, "access_denied", "AccessDeniedException", "There is no account"),
    }
}

fn told(tokens: &Tokens) -> Answer {
    let mut body =
        json!({ "accessToken": tokens.access, "expiresIn": tokens.expires_in_s, "tokenType": "Bearer" });
    if let Some(refresh) = &tokens.refresh {
        body["refreshToken"] = json!(refresh);
    }
    Answer::json(200, &body)
}

/// The client and its secret, if they are registered.
fn client<'a>(auth: &Auth, body: &'a Value) -> Option<(&'a str, &'a str)> {
    let (id, secret) = (body["clientId"].as_str()?, body["clientSecret"].as_str()?);
    auth.knows_client(id, secret).then_some((id, secret))
}

fn bad_client() -> Answer {
    refusal(401, "invalid_client", "InvalidClientException", "Invalid client provided")
}

fn bad_grant() -> Answer {
    refusal(400, "invalid_grant", "InvalidGrantException", "Invalid refresh token provided")
}

fn invalid(description: &str) -> Answer {
    refusal(400, "invalid_request", "InvalidRequestException", description)
}

fn refusal(status: u16, error: &str, exception: &str, description: &str) -> Answer {
    Answer::json(status, &json!({ "error": error, "error_description": description, "__type": exception }))
        .with("x-amzn-errortype", exception)
}
