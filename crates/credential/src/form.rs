//! The form in which a login is sealed and stored: JSON with a version, ours alone.

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Access, Arn, ArnOrigin, Client, Credential, Kind};

/// The version that is written. A reader refuses a newer one rather than lose what it does not know.
const VERSION: u32 = 1;

/// Room for all that is no secret, so that the buffer does not grow and leave copies behind.
const BESIDE_SECRETS_BYTES: usize = 4096;

/// Why stored bytes are no login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FormError {
    /// They are not the JSON that was written.
    #[error("the stored login cannot be read: its form is broken")]
    Broken,
    /// A newer release wrote them.
    #[error(
        "the stored login has form {0}, and this release reads up to {VERSION}: start the newer release again"
    )]
    Newer(u32),
    /// The kind, or the origin of the profile, is none that there is.
    #[error("the stored login holds a word that this release does not know")]
    UnknownWord,
}

/// The form. `T` is a text, `S` one that is secret.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored<T, S> {
    v: u32,
    kind: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_url: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_endpoint: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<S>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_expires_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<S>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<S>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_expires_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key: Option<S>,
    #[serde(skip_serializing_if = "Option::is_none")]
    arn: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    arn_origin: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sso_region: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_region: Option<T>,
}

/// Only the version, which is looked at before anything else.
#[derive(Deserialize)]
struct Version {
    v: u32,
}

impl Credential {
    /// The form that is sealed. It is wiped when dropped.
    #[must_use]
    pub fn to_json(&self) -> Zeroizing<Vec<u8>> {
        let stored = Stored::of(self);
        let secrets = [stored.client_secret, stored.refresh_token, stored.access_token, stored.api_key];
        let length: usize = secrets.into_iter().flatten().map(str::len).sum();
        let mut json = Zeroizing::new(Vec::with_capacity(length + BESIDE_SECRETS_BYTES));
        // Writing strings and numbers into memory cannot fail.
        let _ = serde_json::to_writer(&mut *json, &stored);
        json
    }

    /// The login in such a form.
    ///
    /// # Errors
    /// If the bytes are not that form, or that of a newer release. The error shows none of them.
    pub fn from_json(json: &[u8]) -> Result<Self, FormError> {
        let Version { v } = serde_json::from_slice(json).map_err(|_| FormError::Broken)?;
        if v > VERSION {
            return Err(FormError::Newer(v));
        }
        let stored: Stored<String, SecretString> =
            serde_json::from_slice(json).map_err(|_| FormError::Broken)?;
        stored.credential()
    }
}

impl<'a> Stored<&'a str, &'a str> {
    fn of(credential: &'a Credential) -> Self {
        let Credential { kind, client, refresh_token, access, api_key, arn, sso_region, api_region } =
            credential;
        let (start_url, provider) = match kind {
            Kind::IdentityCenter { start_url } => (start_url.as_deref(), None),
            Kind::Social { provider } => (None, provider.as_deref()),
            Kind::BuilderId | Kind::ExternalIdp { .. } | Kind::ApiKey => (None, None),
        };
        let (token_endpoint, issuer, scopes) = match kind {
            Kind::ExternalIdp { token_endpoint, issuer, scopes } => {
                (Some(token_endpoint.as_str()), issuer.as_deref(), scopes.as_deref())
            }
            _ => (None, None, None),
        };
        let client = client.as_ref();
        Self {
            v: VERSION,
            kind: kind.word(),
            start_url,
            provider,
            token_endpoint,
            issuer,
            scopes,
            client_id: client.map(|client| client.id.as_str()),
            client_secret: client.and_then(|client| shown(client.secret.as_ref())),
            client_expires_ms: client.and_then(|client| client.expires_ms),
            refresh_token: shown(refresh_token.as_ref()),
            access_token: shown(access.as_ref().map(|access| &access.token)),
            access_expires_ms: access.as_ref().map(|access| access.expires_ms),
            api_key: shown(api_key.as_ref()),
            arn: arn.as_ref().map(|arn| arn.value.as_str()),
            arn_origin: arn.as_ref().map(|arn| arn.origin.word()),
            sso_region: sso_region.as_deref(),
            api_region: api_region.as_deref(),
        }
    }
}

impl Stored<String, SecretString> {
    fn credential(self) -> Result<Credential, FormError> {
        let kind = match self.kind.as_str() {
            "builder-id" => Kind::BuilderId,
            "identity-center" => Kind::IdentityCenter { start_url: self.start_url },
            "social" => Kind::Social { provider: self.provider },
            "external-idp" => Kind::ExternalIdp {
                token_endpoint: self.token_endpoint.ok_or(FormError::Broken)?,
                issuer: self.issuer,
                scopes: self.scopes,
            },
            "api-key" => Kind::ApiKey,
            _ => return Err(FormError::UnknownWord),
        };
        let arn = match (self.arn, self.arn_origin) {
            (Some(value), Some(word)) => {
                let origin = ArnOrigin::of_word(&word).ok_or(FormError::UnknownWord)?;
                Some(Arn { value, origin })
            }
            (None, None) => None,
            _ => return Err(FormError::Broken),
        };
        let (secret, expires_ms) = (self.client_secret, self.client_expires_ms);
        let expires = self.access_expires_ms.unwrap_or(0);
        Ok(Credential {
            kind,
            client: self.client_id.map(|id| Client { id, secret, expires_ms }),
            refresh_token: self.refresh_token,
            access: self.access_token.map(|token| Access { token, expires_ms: expires }),
            api_key: self.api_key,
            arn,
            sso_region: self.sso_region,
            api_region: self.api_region,
        })
    }
}

fn shown(secret: Option<&SecretString>) -> Option<&str> {
    secret.map(ExposeSecret::expose_secret)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SERVICE_SOCIAL;

    fn full(kind: Kind) -> Credential {
        Credential {
            client: Some(Client {
                id: "client".into(),
                secret: Some("sec\"ret".into()),
                expires_ms: Some(7),
            }),
            refresh_token: Some("aor\u{e9}".into()),
            access: Some(Access { token: "aoa".into(), expires_ms: 1_800_000_000_000 }),
            api_key: Some("ksk_1".into()),
            arn: Some(Arn { value: SERVICE_SOCIAL.into(), origin: ArnOrigin::Service }),
            sso_region: Some("eu-west-1".into()),
            api_region: Some("eu-central-1".into()),
            ..Credential::new(kind)
        }
    }

    fn kinds() -> [Kind; 5] {
        let external = Kind::ExternalIdp {
            token_endpoint: "https://login.microsoftonline.com/t/oauth2/v2.0/token".into(),
            issuer: Some("https://login.microsoftonline.com/t/v2.0".into()),
            scopes: Some("a offline_access".into()),
        };
        let portal = Some("https://d-1234567890.awsapps.com/start".into());
        [
            Kind::BuilderId,
            Kind::IdentityCenter { start_url: portal },
            Kind::Social { provider: Some("Github".into()) },
            external,
            Kind::ApiKey,
        ]
    }

    #[test]
    fn what_is_stored_comes_back_whole() {
        for kind in kinds() {
            for credential in [Credential::new(kind.clone()), full(kind)] {
                let json = credential.to_json();
                let back = Credential::from_json(&json).unwrap();
                assert_eq!(back.to_json(), json, "{credential:?}");
                assert_eq!(back.kind, credential.kind);
                assert_eq!(back.fingerprint(), credential.fingerprint());
                assert_eq!(
                    back.access.map(|access| access.expires_ms),
                    credential.access.map(|a| a.expires_ms)
                );
                assert_eq!(back.arn, credential.arn);
            }
        }
    }

    #[test]
    fn the_form_of_this_release_is_read_by_all_later_ones() {
        let json = br#"{"v":1,"kind":"social","provider":"Google","refreshToken":"aor","accessToken":"aoa",
            "accessExpiresMs":5,"arn":"arn:aws:codewhisperer:us-east-1:699475941385:profile/EHGA3GRVQMUK",
            "arnOrigin":"service","of a later release":[1]}"#;
        let read = Credential::from_json(json).unwrap();
        assert_eq!(read.kind, Kind::Social { provider: Some("Google".into()) });
        assert_eq!(read.refresh_token.unwrap().expose_secret(), "aor");
        assert_eq!(read.access.map(|access| access.expires_ms), Some(5));
    }

    #[test]
    fn what_is_not_the_form_is_refused_without_showing_it() {
        for (json, error) in [
            ("", FormError::Broken),
            ("{\"v\":1", FormError::Broken),
            ("{\"kind\":\"social\"}", FormError::Broken),
            ("{\"v\":2,\"secretThing\":1}", FormError::Newer(2)),
            ("{\"v\":1,\"kind\":\"pigeon\"}", FormError::UnknownWord),
            ("{\"v\":1,\"kind\":\"external-idp\"}", FormError::Broken),
            ("{\"v\":1,\"kind\":\"social\",\"arn\":\"x\"}", FormError::Broken),
        ] {
            assert_eq!(Credential::from_json(json.as_bytes()).unwrap_err(), error, "{json}");
        }
    }
}
