//! Renewing a login of each kind: the old one in, a new one out, all its parts together (spec/upstream.md §5).

use http::Uri;
use qm_credential::{Access, Arn, ArnOrigin, Credential, Kind};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use crate::client::{Client, FORM, JSON, Reply};
use crate::endpoint::{EndpointError, Endpoints};
use crate::oauth::{Granted, Ungranted};

/// Longest life of an access token that is believed; whatever is said beyond it cannot be counted on.
const LONGEST_LIFE_MS: u64 = 24 * 3600 * 1000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OidcRefresh<'a> {
    client_id: &'a str,
    client_secret: &'a str,
    grant_type: &'static str,
    refresh_token: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SocialRefresh<'a> {
    refresh_token: &'a str,
}

/// Trades the refresh token for new tokens.
pub(crate) async fn renew(
    client: &Client,
    endpoints: &Endpoints,
    old: &Credential,
    now_ms: u64,
) -> Result<Credential, Ungranted> {
    let refresh_token = old.refresh_token.as_ref().ok_or_else(|| Ungranted::dead("refresh/missing-token"))?;
    let reply = match &old.kind {
        Kind::BuilderId | Kind::IdentityCenter { .. } => oidc(client, endpoints, old, refresh_token).await?,
        Kind::Social { .. } => {
            let body = SocialRefresh { refresh_token: refresh_token.expose_secret() };
            post(client, &address(endpoints.social("/refreshToken"))?, &body).await?
        }
        Kind::ExternalIdp { token_endpoint, scopes, .. } => {
            let address = endpoints.provider(token_endpoint);
            let address = address.map_err(|_| Ungranted::dead("refresh/provider-not-allowed"))?;
            external(client, &address, old, refresh_token, scopes.as_deref()).await?
        }
        Kind::ApiKey => return Err(Ungranted::dead("refresh/api-key")),
    };
    Ok(renewed(old, Granted::read(&reply)?, now_ms))
}

/// The login with what was granted in place of what it replaces.
pub(crate) fn renewed(old: &Credential, granted: Granted, now_ms: u64) -> Credential {
    let life_ms = u64::try_from(granted.expires_in.as_millis()).unwrap_or(u64::MAX).min(LONGEST_LIFE_MS);
    let mut new = old.clone();
    new.access = Some(Access { token: granted.access_token, expires_ms: now_ms + life_ms });
    if granted.refresh_token.is_some() {
        new.refresh_token = granted.refresh_token;
    }
    // What the operator has written down outranks what the service says (spec/upstream-2026.md §2).
    let settled = old.arn.as_ref().is_some_and(|arn| arn.origin == ArnOrigin::Operator);
    let told = granted.profile_arn.and_then(|text| Arn::parse(&text, ArnOrigin::Token, &old.kind).ok());
    if !settled && told.is_some() {
        new.arn = told;
    }
    new
}

async fn oidc(
    client: &Client,
    endpoints: &Endpoints,
    old: &Credential,
    refresh_token: &SecretString,
) -> Result<Reply, Ungranted> {
    let missing = || Ungranted::dead("refresh/missing-client");
    let registered = old.client.as_ref().ok_or_else(missing)?;
    let secret = registered.secret.as_ref().ok_or_else(missing)?;
    let body = OidcRefresh {
        client_id: &registered.id,
        client_secret: secret.expose_secret(),
        grant_type: "refresh_token",
        refresh_token: refresh_token.expose_secret(),
    };
    post(client, &address(endpoints.oidc(old.sso_region.as_deref(), "/token"))?, &body).await
}

async fn external(
    client: &Client,
    address: &Uri,
    old: &Credential,
    refresh_token: &SecretString,
    scopes: Option<&str>,
) -> Result<Reply, Ungranted> {
    let registered = old.client.as_ref().ok_or_else(|| Ungranted::dead("refresh/missing-client"))?;
    let mut fields = vec![
        ("grant_type", "refresh_token"),
        ("client_id", registered.id.as_str()),
        ("refresh_token", refresh_token.expose_secret()),
    ];
    fields.extend(registered.secret.as_ref().map(|secret| ("client_secret", secret.expose_secret())));
    fields.extend(scopes.map(|scopes| ("scope", scopes)));
    let body = crate::query::joined(&fields).into_bytes();
    client.post(address, FORM, body).await.map_err(|failure| Ungranted::unreached(&failure))
}

async fn post(client: &Client, address: &Uri, body: &impl Serialize) -> Result<Reply, Ungranted> {
    let body = serde_json::to_vec(body).map_err(|_| Ungranted::busy("refresh/encode"))?;
    client.post(address, JSON, body).await.map_err(|failure| Ungranted::unreached(&failure))
}

fn address(address: Result<Uri, EndpointError>) -> Result<Uri, Ungranted> {
    address.map_err(|_| Ungranted::busy("refresh/address"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const TOLD: &str = "arn:aws:codewhisperer:eu-central-1:111122223333:profile/ABCDEFGHJKLM";
    const WRITTEN: &str = "arn:aws:codewhisperer:us-east-1:111122223333:profile/MLKJHGFEDCBA";

    fn granted(arn: Option<&str>, rotated: Option<&str>) -> Granted {
        Granted {
            access_token: "aoa-new".into(),
            refresh_token: rotated.map(Into::into),
            expires_in: Duration::from_secs(u64::MAX),
            profile_arn: arn.map(Into::into),
        }
    }

    fn login(arn: Option<(&str, ArnOrigin)>) -> Credential {
        let mut login = Credential::new(Kind::Social { provider: None });
        login.refresh_token = Some("aor-old".into());
        login.arn = arn.map(|(text, origin)| Arn::parse(text, origin, &login.kind).expect("a profile"));
        login
    }

    #[test]
    fn what_is_granted_replaces_what_it_must_and_nothing_else() {
        let kept = renewed(&login(None), granted(None, None), 1000);
        assert_eq!(kept.refresh_token.expect("kept").expose_secret(), "aor-old");
        let rotated = renewed(&login(None), granted(None, Some("aor-new")), 1000);
        assert_eq!(rotated.refresh_token.expect("rotated").expose_secret(), "aor-new");
        assert_eq!(rotated.access.expect("access").expires_ms, 1000 + LONGEST_LIFE_MS);
    }

    #[test]
    fn a_profile_that_comes_with_the_token_yields_only_to_the_operators() {
        for (old, told, expected) in [
            (None, Some(TOLD), Some(TOLD)),
            (Some((WRITTEN, ArnOrigin::List)), Some(TOLD), Some(TOLD)),
            (Some((WRITTEN, ArnOrigin::Operator)), Some(TOLD), Some(WRITTEN)),
            (Some((WRITTEN, ArnOrigin::Token)), None, Some(WRITTEN)),
            (None, Some("arn:aws:codewhisperer:us-east-1:000000000000:profile/default"), None),
        ] {
            let arn = renewed(&login(old), granted(told, None), 0).arn;
            assert_eq!(arn.as_ref().map(|arn| arn.value.as_str()), expected, "{old:?} {told:?}");
        }
    }
}
