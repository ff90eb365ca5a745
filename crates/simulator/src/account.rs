//! One account of the simulated service: who it is, how it behaves, what it has used, what was asked of it.

mod behaviour;
mod counts;
mod usage;

use serde::{Deserialize, Serialize};

pub use behaviour::{AccountState, Beat, Behaviour, Flapping};
pub use counts::Counts;
pub use usage::{Allowance, Overage, SimUsage};

/// One account. In JSON each field may be left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SimAccount {
    /// Which kind of login it has.
    pub login: LoginKind,
    /// What a refresh must present.
    pub refresh_token: String,
    /// The client registration bound to it.
    pub client_id: String,
    /// Its secret; an external identity provider asks for none.
    pub client_secret: String,
    /// The start URL of its directory; absent takes any.
    pub start_url: Option<String>,
    /// The region of its login service; absent takes any.
    pub sso_region: Option<String>,
    /// The account's profile; where it is given, calls must name it.
    pub profile_arn: Option<String>,
    /// Further profiles that are listed and taken.
    pub other_profiles: Vec<String>,
    /// A `ksk_…` key of this account.
    pub api_key: Option<String>,
    /// The address shown with its usage.
    pub email: String,
    /// How it behaves; can be changed while the simulator runs.
    pub behaviour: Behaviour,
    /// What it may use and has used.
    pub usage: SimUsage,
}

/// The kinds of login (spec/upstream-2026.md §8.1). What a kind cannot do is refused as the service refuses it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoginKind {
    /// All login services know the account, and no rule of a kind holds for it.
    #[default]
    Any,
    /// OIDC with the common start URL; has no profile of its own.
    BuilderId,
    /// OIDC with a directory's start URL; every call names the profile.
    IdentityCenter,
    /// Google or GitHub, by the login service of Kiro.
    Social,
    /// A company's identity provider; every call says `tokentype: EXTERNAL_IDP`.
    ExternalIdp,
    /// An API key and nothing else.
    ApiKey,
}

impl SimAccount {
    /// One of many accounts: its tokens end in `-n`, its address begins with `user-n`.
    #[must_use]
    pub fn numbered(n: usize) -> Self {
        Self {
            refresh_token: format!("sim-refresh-token-{n}"),
            client_id: format!("sim-client-id-{n}"),
            client_secret: format!("sim-client-secret-{n}"),
            email: format!("user-{n}@example.com"),
            ..Self::default()
        }
    }

    /// The same account with this behaviour.
    #[must_use]
    pub fn behaving(self, behaviour: Behaviour) -> Self {
        Self { behaviour, ..self }
    }

    /// All profiles, the account's own first.
    pub(crate) fn profiles(&self) -> impl Iterator<Item = &str> {
        self.profile_arn.iter().chain(&self.other_profiles).map(String::as_str)
    }
}

impl LoginKind {
    /// Whether the OIDC service knows it.
    pub(crate) fn is_oidc(self) -> bool {
        matches!(self, Self::Any | Self::BuilderId | Self::IdentityCenter)
    }

    /// Whether every call must name the profile.
    pub(crate) fn names_profile(self) -> bool {
        matches!(self, Self::IdentityCenter | Self::ExternalIdp)
    }
}

impl Default for SimAccount {
    fn default() -> Self {
        Self {
            login: LoginKind::Any,
            refresh_token: "sim-refresh-token".to_owned(),
            client_id: "sim-client-id".to_owned(),
            client_secret: "sim-client-secret".to_owned(),
            start_url: None,
            sso_region: None,
            profile_arn: None,
            other_profiles: Vec::new(),
            api_key: None,
            email: "user@example.com".to_owned(),
            behaviour: Behaviour::default(),
            usage: SimUsage::default(),
        }
    }
}
