//! Which program a file is of. Reading never depends on it; people like to see that they were understood.

use super::fields::plain;
use super::tree::Node;

/// Formats that are told apart (the letters and numbers of spec/mission.md A7 and spec/upstream.md §5.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Our own export.
    Quartermaster,
    /// q2api and amq2api v1.5: `clientId`, `clientSecret`, `refreshToken`, `label`, `other` (A7.1).
    Q2Api,
    /// amq2api v2.0: `name`, `refresh_token`, `client_id` (A7.2).
    Amq2Api,
    /// A file of the AWS SSO cache (A7.3, §5.6 B).
    AwsSsoCache,
    /// Kiro's pair of files there (A7.3, §5.6 A).
    KiroIde,
    /// Lines with `|` between the fields (A7.4).
    Lines,
    /// kiro.rs and its kin (A7.5, §5.6 D).
    KiroRs,
    /// kiro2api (A7.6, §5.6 E).
    Kiro2Api,
    /// Kiro Account Manager (A7.7, §5.6 F).
    KiroAccountManager,
    /// Environment variables (A7.8).
    Environment,
    /// The store of the Amazon Q and Kiro command lines (A7.10, §5.6 C).
    KiroCli,
    /// kiro-gateway's list of files and tokens (§5.6 H).
    KiroGateway,
    /// A list of API keys (§5.6 I).
    ApiKeys,
    /// An auth file of `CLIProxyAPI` (§5.6 J).
    CliProxyApi,
    /// Several files of several formats.
    Several,
}

impl Format {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Quartermaster => "quartermaster",
            Self::Q2Api => "q2api",
            Self::Amq2Api => "amq2api",
            Self::AwsSsoCache => "aws-sso-cache",
            Self::KiroIde => "kiro-ide",
            Self::Lines => "lines",
            Self::KiroRs => "kiro.rs",
            Self::Kiro2Api => "kiro2api",
            Self::KiroAccountManager => "kiro-account-manager",
            Self::Environment => "environment",
            Self::KiroCli => "kiro-cli",
            Self::KiroGateway => "kiro-gateway",
            Self::ApiKeys => "api-keys",
            Self::CliProxyApi => "cliproxyapi",
            Self::Several => "several",
        }
    }

    /// The format by one account: the first row of this table of which it has any field wins.
    pub(super) fn of_account(members: &[(impl AsRef<str>, Node)]) -> Self {
        let has = |name: &str| members.iter().any(|(key, _)| key.as_ref() == name);
        let kind = members.iter().find_map(|(key, node)| match node {
            Node::Text(text) if key.as_ref() == "type" => Some(plain(text)),
            _ => None,
        });
        match kind.as_deref() {
            Some("kiro") => return Self::CliProxyApi,
            Some("json" | "sqlite" | "refreshtoken") => return Self::KiroGateway,
            _ => {}
        }
        let marks: [(&[&str], Self); 8] = [
            (&["credentials", "userId", "nickname", "groupId"], Self::KiroAccountManager),
            (&["auth"], Self::Kiro2Api),
            (&["clientIdHash"], Self::KiroIde),
            (&["refresh_token", "client_id", "profile_arn"], Self::Amq2Api),
            (
                &["kiroApiKey", "authRegion", "apiRegion", "priority", "disabled", "proxyUrl", "endpoint"],
                Self::KiroRs,
            ),
            (&["label", "other", "enabled"], Self::Q2Api),
            (&["authMethod"], Self::KiroRs),
            (&["registrationExpiresAt", "startUrl", "region"], Self::AwsSsoCache),
        ];
        let found = marks.iter().find(|(names, _)| names.iter().any(|name| has(name)));
        found.map_or(Self::Q2Api, |(_, format)| *format)
    }
}
