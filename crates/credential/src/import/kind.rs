//! Which kind of login a file holds. Programs say so in many words, and often in none.

use super::texts::{host, https, word};
use super::{Problem, client_secret};
use crate::{Arn, ArnOrigin, Kind, region};

/// The portal of every Builder ID.
const BUILDER_ID_PORTAL: &str = "view.awsapps.com";
/// Identity providers that may be sent a refresh token, by the end of their host's name (spec/upstream.md §5.4).
const PROVIDERS: [&str; 6] = [
    ".microsoftonline.com",
    ".microsoftonline.us",
    ".microsoftonline.cn",
    ".okta.com",
    ".oktapreview.com",
    ".okta-emea.com",
];
/// Where an issuer of Okta's has its token endpoint, if nobody wrote it down.
const OKTA_TOKEN_PATH: &str = "/v1/token";

/// What a file says that bears on the kind.
#[derive(Default)]
pub(super) struct Signs<'a> {
    /// The word for it, in the spelling of its program, without dashes, in small letters.
    pub(super) method: Option<&'a str>,
    /// `Google`, `Github`, `BuilderId`, `Enterprise` …
    pub(super) provider: Option<&'a str>,
    pub(super) start_url: Option<&'a str>,
    pub(super) token_endpoint: Option<&'a str>,
    pub(super) issuer: Option<&'a str>,
    pub(super) scopes: Option<&'a str>,
    pub(super) arn: Option<&'a str>,
    pub(super) sso_region: Option<&'a str>,
    pub(super) client_secret: Option<&'a str>,
    pub(super) has_client: bool,
    pub(super) has_api_key: bool,
    pub(super) has_refresh_token: bool,
}

/// The families of `authMethod`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Aws,
    Social,
    ExternalIdp,
    ApiKey,
}

/// The kind.
///
/// # Errors
/// If it is an external provider without a token endpoint that may be trusted.
pub(super) fn decide(signs: &Signs<'_>) -> Result<Kind, Problem> {
    match family(signs) {
        Family::ApiKey => Ok(Kind::ApiKey),
        Family::ExternalIdp => external(signs),
        Family::Social => Ok(Kind::Social { provider: signs.provider.and_then(social_provider) }),
        Family::Aws => aws(signs),
    }
}

fn family(signs: &Signs<'_>) -> Family {
    if signs.has_api_key && !signs.has_refresh_token {
        return Family::ApiKey;
    }
    let named = signs.method.and_then(|method| match method {
        "social" | "google" | "github" => Some(Family::Social),
        "idc" | "iam" | "sso" | "awssso" | "awsssooidc" | "builderid" | "awsbuilderid" | "identitycenter"
        | "enterprise" => Some(Family::Aws),
        "externalidp" | "external" | "azuread" | "azure" | "entra" | "entraid" | "okta" => {
            Some(Family::ExternalIdp)
        }
        "apikey" => Some(Family::ApiKey),
        _ => None,
    });
    let unnamed = || {
        if signs.token_endpoint.is_some() {
            Family::ExternalIdp
        } else if signs.has_client {
            Family::Aws
        } else if signs.start_url.is_some() || signs.provider.is_some_and(is_aws) {
            // Its client is missing, and it will be said so; it is no social login for that.
            Family::Aws
        } else {
            Family::Social
        }
    };
    named.unwrap_or_else(unnamed)
}

fn is_aws(provider: &str) -> bool {
    ["builderid", "enterprise", "internal", "awsbuilderid"]
        .iter()
        .any(|word| provider.eq_ignore_ascii_case(word))
}

fn social_provider(provider: &str) -> Option<String> {
    match provider.to_ascii_lowercase().as_str() {
        "google" => Some("Google".to_owned()),
        "github" => Some("Github".to_owned()),
        _ => None,
    }
}

/// Builder ID unless anything says that it is a company's.
fn aws(signs: &Signs<'_>) -> Result<Kind, Problem> {
    let url = signs.start_url.map(|url| https(url, "startUrl")).transpose()?;
    if let Some(url) = url {
        let builder = host(&url) == Some(BUILDER_ID_PORTAL);
        return Ok(if builder { Kind::BuilderId } else { Kind::IdentityCenter { start_url: Some(url) } });
    }
    let told = signs.provider.or(signs.method).unwrap_or_default().to_ascii_lowercase();
    if matches!(told.as_str(), "builderid" | "awsbuilderid") {
        return Ok(Kind::BuilderId);
    }
    // Without a scheme it would be no more than a hint, so it is kept only if it is a whole address.
    let portal =
        signs.client_secret.and_then(client_secret::portal).and_then(|url| https(&url, "startUrl").ok());
    if let Some(url) = portal {
        let builder = host(&url) == Some(BUILDER_ID_PORTAL);
        return Ok(if builder { Kind::BuilderId } else { Kind::IdentityCenter { start_url: Some(url) } });
    }
    let company = Kind::IdentityCenter { start_url: None };
    let own_profile = signs.arn.is_some_and(|arn| Arn::parse(arn, ArnOrigin::Token, &company).is_ok());
    let elsewhere = signs.sso_region.is_some_and(|name| name != region::DEFAULT);
    let enterprise = matches!(told.as_str(), "enterprise" | "internal" | "identitycenter");
    Ok(if own_profile || elsewhere || enterprise { company } else { Kind::BuilderId })
}

fn external(signs: &Signs<'_>) -> Result<Kind, Problem> {
    let issuer = signs.issuer.map(|url| https(url, "issuerUrl")).transpose()?;
    let of_okta = |issuer: &String| {
        let okta = host(issuer).is_some_and(|host| host.contains(".okta"));
        okta.then(|| format!("{}{OKTA_TOKEN_PATH}", issuer.trim_end_matches('/')))
    };
    let endpoint = signs.token_endpoint.map(str::to_owned).or_else(|| issuer.as_ref().and_then(of_okta));
    let endpoint = endpoint.ok_or(Problem::Missing("tokenEndpoint"))?;
    word(&endpoint, "tokenEndpoint")?;
    if !trusted(&endpoint) {
        return Err(Problem::UntrustedEndpoint);
    }
    let scopes = signs.scopes.map(super::texts::words).filter(|scopes| !scopes.is_empty());
    Ok(Kind::ExternalIdp { token_endpoint: endpoint, issuer, scopes })
}

/// Whether a refresh token may be sent there: https, no other port, a known provider.
fn trusted(url: &str) -> bool {
    let host = host(url).unwrap_or_default().to_ascii_lowercase();
    let port = url
        .strip_prefix("https://")
        .and_then(|rest| rest.split('/').next())
        .is_some_and(|at| at.contains(':'));
    !port && PROVIDERS.iter().any(|end| host.ends_with(end) && host.len() > end.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "arn:aws:codewhisperer:us-east-1:123456789012:profile/ABCDEFGHIJKL";

    fn company(url: Option<&str>) -> Kind {
        Kind::IdentityCenter { start_url: url.map(str::to_owned) }
    }

    #[test]
    fn the_kind_is_what_the_signs_say() {
        let pair = || Signs { has_client: true, has_refresh_token: true, ..Signs::default() };
        let alone = || Signs { has_refresh_token: true, ..Signs::default() };
        let google = || Kind::Social { provider: Some("Google".to_owned()) };
        let portal = "https://d-1234567890.awsapps.com/start";
        let cases = [
            (pair(), Kind::BuilderId),
            (Signs { method: Some("idc"), ..pair() }, Kind::BuilderId),
            (
                Signs { start_url: Some("https://view.awsapps.com/start"), method: Some("idc"), ..pair() },
                Kind::BuilderId,
            ),
            (Signs { start_url: Some(portal), ..pair() }, company(Some(portal))),
            (Signs { method: Some("idc"), provider: Some("Enterprise"), ..pair() }, company(None)),
            (
                Signs {
                    method: Some("idc"),
                    provider: Some("BuilderId"),
                    sso_region: Some("us-east-1"),
                    ..pair()
                },
                Kind::BuilderId,
            ),
            (Signs { arn: Some(OWN), ..pair() }, company(None)),
            (Signs { arn: Some(crate::SERVICE_BUILDER_ID), ..pair() }, Kind::BuilderId),
            (Signs { sso_region: Some("eu-west-1"), ..pair() }, company(None)),
            (alone(), Kind::Social { provider: None }),
            (Signs { provider: Some("google"), ..alone() }, google()),
            (Signs { method: Some("social"), provider: Some("Google"), ..pair() }, google()),
            (Signs { provider: Some("Google"), ..pair() }, Kind::BuilderId),
            (Signs { provider: Some("BuilderId"), ..alone() }, Kind::BuilderId),
            (Signs { has_api_key: true, ..Signs::default() }, Kind::ApiKey),
        ];
        for (at, (signs, kind)) in cases.into_iter().enumerate() {
            assert_eq!(decide(&signs), Ok(kind), "case {at}");
        }
    }

    #[test]
    fn a_refresh_token_goes_to_known_providers_only() {
        let of = |endpoint| {
            let signs = Signs { method: Some("externalidp"), token_endpoint: endpoint, ..Signs::default() };
            decide(&signs).map(|kind| kind.word())
        };
        assert_eq!(of(Some("https://login.microsoftonline.com/t/oauth2/v2.0/token")), Ok("external-idp"));
        assert_eq!(of(Some("https://acme.okta.com/oauth2/default/v1/token")), Ok("external-idp"));
        for endpoint in [
            "http://login.microsoftonline.com/t",
            "https://login.microsoftonline.com.evil.example/t",
            "https://microsoftonline.com@evil.example/",
            "https://evil.example/.microsoftonline.com",
            "https://evilmicrosoftonline.com/",
            "https://login.microsoftonline.com:8443/t",
            "https://169.254.169.254/",
            "https://.okta.com/",
            "https://evil.example\\.okta.com/",
        ] {
            assert_eq!(of(Some(endpoint)), Err(Problem::UntrustedEndpoint), "{endpoint}");
        }
        assert_eq!(of(None), Err(Problem::Missing("tokenEndpoint")));
    }

    #[test]
    fn okta_is_found_by_its_issuer() {
        let signs = Signs {
            method: Some("okta"),
            issuer: Some("https://acme.okta.com/oauth2/default/"),
            ..Signs::default()
        };
        let Ok(Kind::ExternalIdp { token_endpoint, .. }) = decide(&signs) else {
            panic!("an external provider")
        };
        assert_eq!(token_endpoint, "https://acme.okta.com/oauth2/default/v1/token");
    }
}
