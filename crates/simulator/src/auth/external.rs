//! A company's identity provider (spec/upstream.md §5.4): plain OAuth 2 with form fields, a public client.

use serde_json::{Value, json};

use super::Auth;
use crate::account::LoginKind;
use crate::http::Answer;
use crate::knobs::Knobs;

/// Answers a token call; `body` holds the form's fields.
pub(super) fn answer(auth: &mut Auth, is_form: bool, body: &Value, knobs: &Knobs) -> Answer {
    let field = |name: &str| body[name].as_str().unwrap_or_default();
    if !is_form {
        return refused("invalid_request", "The body must be a form.");
    }
    if field("grant_type") != "refresh_token" {
        return refused("unsupported_grant_type", "Only refresh_token is supported.");
    }
    let token = field("refresh_token");
    let holder = auth.ticket(token).and_then(|ticket| auth.holder(ticket.account));
    if holder.is_some_and(|holder| !matches!(holder.account.login, LoginKind::Any | LoginKind::ExternalIdp)) {
        return refused("invalid_grant", "The token is not known here.");
    }
    let Some(account) = auth.redeem(token, Some(field("client_id")), knobs) else {
        return refused("invalid_grant", "The refresh token has expired or was revoked.");
    };
    let tokens = auth.renew(account, token, knobs);
    let scope = field("scope");
    let mut told = json!({ "token_type": "Bearer", "scope": scope, "expires_in": tokens.expires_in_s,
        "access_token": tokens.access });
    // Without this scope a provider gives no refresh token; the old one goes on living only if it is not rotated.
    if scope.split(' ').any(|one| one == "offline_access") {
        told["refresh_token"] = json!(tokens.refresh.unwrap_or_else(|| token.to_owned()));
    }
    Answer::json(200, &told)
}

fn refused(error: &str, description: &str) -> Answer {
    Answer::json(400, &json!({ "error": error, "error_description": description }))
}
