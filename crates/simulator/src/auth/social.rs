//! Kiro's own login service (spec/upstream.md §5.3).

use serde_json::{Value, json};

use super::Auth;
use super::device::{DeviceOrigin, Progress};
use super::tokens::Tokens;
use crate::account::LoginKind;
use crate::http::Answer;
use crate::knobs::Knobs;
use crate::route::Operation;

/// The profile of social logins.
const SOCIAL_ARN: &str = "arn:aws:codewhisperer:us-east-1:699475941385:profile/EHGA3GRVQMUK";
/// The one client of the device flow.
const CLIENT: &str = "kiro-cli";

/// Answers a call of the social login service.
pub(super) fn answer(auth: &mut Auth, operation: Operation, body: &Value, knobs: &Knobs) -> Answer {
    match operation {
        Operation::SocialRefresh => refresh(auth, body, knobs),
        Operation::SocialToken => {
            let complete =
                ["code", "code_verifier", "redirect_uri"].iter().all(|name| body[*name].is_string());
            let known = |login| matches!(login, LoginKind::Any | LoginKind::Social);
            match auth.holders.iter().position(|holder| known(holder.account.login)) {
                Some(account) if complete => told(&auth.log_in(account, None, knobs), "Google"),
                Some(_) => refused("invalid_request"),
                None => refused("access_denied"),
            }
        }
        Operation::SocialDevice => start_device(auth, body, knobs),
        _ => poll(auth, body, knobs),
    }
}

fn refresh(auth: &mut Auth, body: &Value, knobs: &Knobs) -> Answer {
    let token = body["refreshToken"].as_str().unwrap_or_default();
    let holder = auth.ticket(token).and_then(|ticket| auth.holder(ticket.account));
    if holder.is_some_and(|holder| !matches!(holder.account.login, LoginKind::Any | LoginKind::Social)) {
        return refused("invalid_grant");
    }
    match auth.redeem(token, None, knobs) {
        Some(account) => told(&auth.renew(account, token, knobs), "Google"),
        None => refused("invalid_grant"),
    }
}

fn start_device(auth: &mut Auth, body: &Value, knobs: &Knobs) -> Answer {
    let provider = body["loginProvider"].as_str().filter(|name| matches!(*name, "Google" | "Github"));
    let Some(provider) = provider.filter(|_| body["clientId"] == CLIENT) else {
        return refused("invalid_request");
    };
    let origin = DeviceOrigin::Social(provider.to_owned());
    let (code, user_code) = auth.start_device(origin, CLIENT, knobs);
    let uri = "https://app.kiro.dev/device";
    Answer::json(
        200,
        &json!({ "deviceCode": code, "userCode": user_code, "verificationUri": uri,
            "verificationUriComplete": format!("{uri}?user_code={user_code}"),
            "intervalInMilliseconds": knobs.device_interval_s * 1000,
            "expiresInMilliseconds": knobs.device_expires_in_s * 1000 }),
    )
}

/// The service answers 200 for as long as nothing is wrong with the question itself.
fn poll(auth: &mut Auth, body: &Value, knobs: &Knobs) -> Answer {
    let (code, client) = (body["deviceCode"].as_str(), body["clientId"].as_str());
    let code = code.unwrap_or_default();
    let provider = auth.devices.get(code).map(|device| device.origin.clone());
    let waits = |status: &str| Answer::json(200, &json!({ "status": status }));
    match auth.poll(code, client.unwrap_or_default(), knobs) {
        Progress::Unknown => refused("invalid_grant"),
        Progress::SlowDown | Progress::Pending => waits("authorization_pending"),
        Progress::Expired => waits("expired_token"),
        Progress::Denied => waits("access_denied"),
        Progress::Granted(account) => {
            let provider = match &provider {
                Some(DeviceOrigin::Social(name)) => name,
                _ => "Google",
            };
            told(&auth.log_in(account, None, knobs), provider)
        }
    }
}

fn told(tokens: &Tokens, provider: &str) -> Answer {
    let arn = tokens.profile_arn.as_deref().unwrap_or(SOCIAL_ARN);
    let mut body = json!({ "accessToken": tokens.access, "expiresIn": tokens.expires_in_s, "profileArn": arn,
        "identityProvider": provider });
    if let Some(refresh) = &tokens.refresh {
        body["refreshToken"] = json!(refresh);
    }
    Answer::json(200, &body)
}

fn refused(error: &str) -> Answer {
    Answer::json(400, &json!({ "error": error, "message": format!("{error}: the request was refused") }))
}
