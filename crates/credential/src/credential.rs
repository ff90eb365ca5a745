//! One login at the upstream.

use std::fmt;

use secrecy::SecretString;

use crate::Arn;

/// One login at the upstream: the whole secret part of an account. What belongs together is replaced together: a new
/// refresh token with an old client is as good as none (spec/upstream.md §5.1, `invalid_grant`).
#[derive(Clone)]
pub struct Credential {
    /// How it was obtained, which says how it is renewed.
    pub kind: Kind,
    /// The OAuth client it was issued to. Social logins and API keys have none.
    pub client: Option<Client>,
    /// Renews the access token.
    pub refresh_token: Option<SecretString>,
    /// The last access token, perhaps expired.
    pub access: Option<Access>,
    /// An API key, which is sent as it is.
    pub api_key: Option<SecretString>,
    /// The profile it acts under.
    pub arn: Option<Arn>,
    /// Where it logs in and is renewed, such as `us-east-1`. It says nothing about where it is used.
    pub sso_region: Option<String>,
    /// Where it is used, if that is neither the default nor the profile's region.
    pub api_region: Option<String>,
}

/// Ways to log in (spec/upstream.md §5, spec/upstream-2026.md §8.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A person's AWS Builder ID.
    BuilderId,
    /// A company's IAM Identity Center.
    IdentityCenter {
        /// Its portal, such as `https://d-1234567890.awsapps.com/start`. Only logging in again needs it.
        start_url: Option<String>,
    },
    /// Google or GitHub, through Kiro.
    Social {
        /// `Google` or `Github`, if known.
        provider: Option<String>,
    },
    /// A company's own identity provider, such as Entra ID.
    ExternalIdp {
        /// Where it is renewed; https, and the refresh token goes there.
        token_endpoint: String,
        /// The issuer's URL.
        issuer: Option<String>,
        /// Separated by spaces, as sent when it is renewed.
        scopes: Option<String>,
    },
    /// A key that needs no renewal (`ksk_…`).
    ApiKey,
}

/// An OAuth client that was registered for a login.
#[derive(Clone)]
pub struct Client {
    /// Its name at the authorisation server.
    pub id: String,
    /// Public clients of external identity providers have none.
    pub secret: Option<SecretString>,
    /// When the registration ends, in milliseconds since 1970.
    pub expires_ms: Option<u64>,
}

/// An access token.
#[derive(Clone)]
pub struct Access {
    /// The bearer token.
    pub token: SecretString,
    /// When it expires, in milliseconds since 1970; 0 if nobody said.
    pub expires_ms: u64,
}

impl Kind {
    /// The word for it in records, listings and files.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::BuilderId => "builder-id",
            Self::IdentityCenter { .. } => "identity-center",
            Self::Social { .. } => "social",
            Self::ExternalIdp { .. } => "external-idp",
            Self::ApiKey => "api-key",
        }
    }
}

impl Credential {
    /// One with nothing but its kind.
    #[must_use]
    pub const fn new(kind: Kind) -> Self {
        Self {
            kind,
            client: None,
            refresh_token: None,
            access: None,
            api_key: None,
            arn: None,
            sso_region: None,
            api_region: None,
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Credential")
            .field("kind", &self.kind.word())
            .field("client", &self.client.is_some())
            .field("refresh_token", &self.refresh_token.is_some())
            .field("access", &self.access.is_some())
            .field("api_key", &self.api_key.is_some())
            .field("arn", &self.arn.is_some())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Client").field("expires_ms", &self.expires_ms).finish_non_exhaustive()
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Access").field("expires_ms", &self.expires_ms).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printing_one_shows_no_part_of_it() {
        let credential = Credential {
            client: Some(Client {
                id: "the-client".into(),
                secret: Some("the-secret".into()),
                expires_ms: None,
            }),
            refresh_token: Some("aor-refresh".into()),
            access: Some(Access { token: "aoa-access".into(), expires_ms: 1 }),
            api_key: Some("ksk_key".into()),
            ..Credential::new(Kind::BuilderId)
        };
        let shown = format!("{credential:?} {:?} {:?}", credential.client, credential.access);
        for part in ["the-client", "the-secret", "aor-refresh", "aoa-access", "ksk_key"] {
            assert!(!shown.contains(part), "{shown}");
        }
        assert!(shown.contains("builder-id"), "{shown}");
    }
}
