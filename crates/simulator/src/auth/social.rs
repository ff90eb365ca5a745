//! Kiro's own login service (spec/upstream.md §5.3).

use serde_json::{Value, json};

use super::{Auth, Tokens, oidc};
use crate::http::Answer;
use crate::knobs::{DeviceEnd, Knobs};
use crate::route::Operation;

/// The profile of social logins.
const SOCIAL_ARN: &str = "arn:aws:codewhisperer:us-east-1:699475941385:profile/EHGA3GRVQMUK";

/// Answers a call of the social login service. `None` means: never answer.
pub(crate) fn answer(auth: &mut Auth, operation: Operation, body: &Value, knobs: &Knobs) -> Option<Answer> {
    Some(match operation {
        Operation::SocialRefresh => return refresh(auth, body, knobs),
        Operation::SocialToken => {
            let complete =
                ["code", "code_verifier", "redirect_uri"].iter().all(|name| body[*name].is_string());
            if complete { login(auth, knobs) } else { refused("invalid_request") }
        }
        Operation::SocialDevice => {
            let code = auth.new_device();
            Answer::json(
                200,
                &json!({ "deviceCode": code, "userCode": "SIMU-LATE", "verificationUri": "https://app.kiro.dev/device",
                    "verificationUriComplete": "https://app.kiro.dev/device?user_code=SIMU-LATE",
                    "intervalInMilliseconds": 1000, "expiresInMilliseconds": 300_000 }),
            )
        }
        _ => poll(auth, body, knobs),
    })
}

fn refresh(auth: &mut Auth, body: &Value, knobs: &Knobs) -> Option<Answer> {
    if let Some(fault) = knobs.refresh_fault {
        return oidc::faulty(fault);
    }
    let holder =
        auth.accounts.iter().position(|account| body["refreshToken"] == account.refresh_token.as_str());
    Some(match holder {
        Some(account) => told(&auth.grant(account, knobs.rotate_refresh_token, knobs)),
        None => refused("invalid_grant"),
    })
}

fn poll(auth: &mut Auth, body: &Value, knobs: &Knobs) -> Answer {
    let Some(poll) = auth.poll(body["deviceCode"].as_str().unwrap_or_default()) else {
        return refused("invalid_grant");
    };
    if poll <= knobs.pending_polls + knobs.slow_down_polls {
        return Answer::json(200, &json!({ "status": "authorization_pending" }));
    }
    match knobs.device {
        DeviceEnd::Granted => login(auth, knobs),
        DeviceEnd::Expired => Answer::json(200, &json!({ "status": "expired_token" })),
        DeviceEnd::Denied => Answer::json(200, &json!({ "status": "access_denied" })),
    }
}

fn login(auth: &mut Auth, knobs: &Knobs) -> Answer {
    if auth.accounts.is_empty() { refused("access_denied") } else { told(&auth.grant(0, true, knobs)) }
}

fn told(tokens: &Tokens) -> Answer {
    let arn = tokens.profile_arn.as_deref().unwrap_or(SOCIAL_ARN);
    let mut body = json!({ "accessToken": tokens.access, "expiresIn": tokens.expires_in_s, "profileArn": arn,
        "identityProvider": "Google" });
    if let Some(refresh) = &tokens.refresh {
        body["refreshToken"] = json!(refresh);
    }
    Answer::json(200, &body)
}

fn refused(error: &str) -> Answer {
    Answer::json(400, &json!({ "error": error, "message": format!("{error}: the request was refused") }))
}
