//! What all login services have in common: what they give, and how they refuse (spec/upstream.md §5).

use std::time::Duration;

use http::header::RETRY_AFTER;
use qm_amazonq::Remedy;
use qm_amazonq::fault::{Ailment, Failure};
use qm_canon::{Fault, Kind, Origin};
use secrecy::SecretString;
use serde::Deserialize;

use crate::client::Reply;

/// What a login service gives.
pub(crate) struct Granted {
    /// The new access token.
    pub(crate) access_token: SecretString,
    /// A new refresh token, if the old one has been replaced.
    pub(crate) refresh_token: Option<SecretString>,
    /// How long the access token lives.
    pub(crate) expires_in: Duration,
    /// The profile that comes with the login, from services that tell it.
    pub(crate) profile_arn: Option<String>,
}

/// Why a login service gave nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ungranted {
    /// For the log and the account's record: `refresh/…`.
    pub(crate) code: String,
    pub(crate) kind: Ungiven,
}

/// What follows from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ungiven {
    /// The login is no longer valid; a person must log in again.
    Dead,
    /// The service does not answer as it should.
    Busy {
        /// When it wants to be asked again, if it said so.
        after: Option<Duration>,
    },
    /// It could not be reached.
    Unreached,
}

/// Tokens as services write them: camelCase at AWS and Kiro, `snake_case` elsewhere.
#[derive(Deserialize)]
struct Tokens {
    #[serde(alias = "accessToken")]
    access_token: String,
    #[serde(alias = "refreshToken")]
    refresh_token: Option<String>,
    #[serde(alias = "expiresIn")]
    expires_in: Option<u64>,
    #[serde(alias = "profileArn")]
    profile_arn: Option<String>,
}

/// A refusal as services write it.
#[derive(Deserialize, Default)]
pub(crate) struct Refusal {
    pub(crate) error: Option<String>,
    #[serde(alias = "message")]
    error_description: Option<String>,
}

/// Lifetime assumed when the answer has none (spec/upstream.md §11).
const DEFAULT_LIFETIME: Duration = Duration::from_secs(3600);

/// Errors after which only a new login helps.
const FINAL: &[&str] = &[
    "invalid_grant",
    "invalid_client",
    "unauthorized_client",
    "access_denied",
    "expired_token",
    "interaction_required",
    "consent_required",
];

/// What services without error codes say of a refresh token that is no longer one.
const FINAL_TEXTS: &[&str] = &[
    "invalid_grant",
    "invalid grant",
    "invalid refresh token",
    "refresh token expired",
    "refresh token is expired",
];

// === impl Granted ===

impl Granted {
    /// Reads a whole answer.
    pub(crate) fn read(reply: &Reply) -> Result<Self, Ungranted> {
        if reply.status != 200 {
            return Err(Ungranted::read(reply));
        }
        let tokens: Tokens =
            serde_json::from_slice(&reply.body).map_err(|_| Ungranted::busy("refresh/not-json"))?;
        if tokens.access_token.is_empty() {
            return Err(Ungranted::busy("refresh/no-token"));
        }
        let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
        Ok(Self {
            access_token: tokens.access_token.into(),
            refresh_token: filled(tokens.refresh_token).map(Into::into),
            expires_in: tokens.expires_in.map_or(DEFAULT_LIFETIME, Duration::from_secs),
            profile_arn: filled(tokens.profile_arn),
        })
    }
}

// === impl Ungranted ===

impl Ungranted {
    pub(crate) fn dead(code: &str) -> Self {
        Self { code: code.to_owned(), kind: Ungiven::Dead }
    }

    pub(crate) fn busy(code: &str) -> Self {
        Self { code: code.to_owned(), kind: Ungiven::Busy { after: None } }
    }

    /// The call itself failed.
    pub(crate) fn unreached(failure: &Failure) -> Self {
        let cause = failure.fault.code.rsplit('/').next().unwrap_or_default();
        Self { code: format!("refresh/network-{cause}"), kind: Ungiven::Unreached }
    }

    fn read(reply: &Reply) -> Self {
        let refusal: Refusal = serde_json::from_slice(&reply.body).unwrap_or_default();
        let error = refusal.error.as_deref().unwrap_or_default();
        let said = refusal.error_description.unwrap_or_default().to_lowercase();
        // Only a refusal of the request speaks of the login; a service in trouble says anything.
        if matches!(reply.status, 400 | 401) {
            if let Some(error) = FINAL.iter().find(|known| **known == error) {
                return Self::dead(&format!("refresh/{error}"));
            }
            if error == "invalid_request" && said.contains("invalid token provided") {
                return Self::dead("refresh/wrong-region");
            }
            if FINAL_TEXTS.iter().any(|text| said.contains(text)) {
                return Self::dead("refresh/invalid_grant");
            }
        }
        let after = reply.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let kind = Ungiven::Busy { after: after.map(Duration::from_secs) };
        Self { code: format!("refresh/{}", reply.status), kind }
    }

    /// The same for the relay and the client; `wait`: until when there is no sense in asking.
    pub(crate) fn failure(&self, wait: Duration) -> Failure {
        let fault = |origin, message: &'static str| {
            Fault::new(Kind::Unavailable, origin, message).code(self.code.clone())
        };
        match self.kind {
            Ungiven::Dead => Failure {
                fault: fault(
                    Origin::Gateway,
                    "Token refresh failed: the gateway's login at the upstream is no longer valid. Its operator must log the account in again.",
                )
                .never_retry(),
                remedy: Remedy::Elsewhere(Ailment::LoginDead),
            },
            Ungiven::Busy { .. } => Failure {
                fault: fault(
                    Origin::Upstream,
                    "Token refresh failed: the upstream's login service did not answer as it should. Try again shortly.",
                )
                .retry_after(wait),
                remedy: Remedy::Elsewhere(Ailment::LoginBusy),
            },
            Ungiven::Unreached => Failure {
                fault: fault(
                    Origin::Upstream,
                    "Token refresh failed: the upstream's login service cannot be reached from the gateway. Try again shortly; if it lasts, its operator should check network and proxy.",
                )
                .retry_after(wait),
                remedy: Remedy::Elsewhere(Ailment::Unreached),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderMap;

    use super::*;

    fn reply(status: u16, body: &'static str) -> Reply {
        Reply { status, headers: HeaderMap::new(), body: Bytes::from_static(body.as_bytes()) }
    }

    #[test]
    fn only_a_refusal_of_the_login_is_final() {
        for (status, body, code, dead) in [
            (
                400,
                r#"{"error":"invalid_grant","error_description":"Invalid refresh token provided"}"#,
                "refresh/invalid_grant",
                true,
            ),
            (401, r#"{"error":"invalid_client"}"#, "refresh/invalid_client", true),
            (
                400,
                r#"{"error":"invalid_request","error_description":"Invalid token provided"}"#,
                "refresh/wrong-region",
                true,
            ),
            (401, r#"{"message":"Invalid refresh token"}"#, "refresh/invalid_grant", true),
            (400, r#"{"error":"slow_down"}"#, "refresh/400", false),
            (400, r#"{"error":"invalid_request"}"#, "refresh/400", false),
            (403, r#"{"message":"Forbidden"}"#, "refresh/403", false),
            (429, r#"{"error":"invalid_grant"}"#, "refresh/429", false),
            (500, r#"{"error":"access_denied"}"#, "refresh/500", false),
            (502, "<html>invalid_grant</html>", "refresh/502", false),
            (401, "<html>", "refresh/401", false),
        ] {
            let refused = Granted::read(&reply(status, body)).err().expect("a refusal");
            assert_eq!(
                (refused.code.as_str(), refused.kind == Ungiven::Dead),
                (code, dead),
                "{status} {body}"
            );
        }
    }

    #[test]
    fn tokens_are_read_in_either_spelling() {
        for body in [
            r#"{"accessToken":"a","refreshToken":"r","expiresIn":60,"profileArn":"p"}"#,
            r#"{"access_token":"a","refresh_token":"r","expires_in":60,"profile_arn":"p","token_type":"Bearer"}"#,
        ] {
            let granted = Granted::read(&reply(200, body)).unwrap_or_else(|_| panic!("{body}"));
            assert!(granted.refresh_token.is_some());
            assert_eq!((granted.expires_in.as_secs(), granted.profile_arn.as_deref()), (60, Some("p")));
        }
        let bare = Granted::read(&reply(200, r#"{"accessToken":"a","refreshToken":""}"#));
        assert!(bare.is_ok_and(|bare| bare.refresh_token.is_none() && bare.expires_in == DEFAULT_LIFETIME));
        for body in [r#"{"accessToken":""}"#, "{}", "<html>"] {
            assert!(Granted::read(&reply(200, body)).is_err(), "{body}");
        }
    }
}
