//! Where each operation is: the face's host in the account's region, unless the operator says otherwise
//! (spec/upstream.md §0.2, §1.3, §5).

use std::net::IpAddr;

use http::Uri;
use http::uri::{Authority, PathAndQuery, Scheme};
use qm_amazonq::surface::Surface;
use qm_credential::region::{self, is_region};

/// Where social logins live; in one region for all.
const SOCIAL: &str = "https://prod.us-east-1.auth.desktop.kiro.dev";

/// Whose token endpoints get refresh tokens. The address comes with an imported account, so that anything else would
/// hand the token to whoever wrote the file, or reach into the operator's network (spec/upstream.md §5.4).
const IDENTITY_PROVIDERS: [&str; 6] = [
    "microsoftonline.com",
    "microsoftonline.us",
    "microsoftonline.cn",
    "okta.com",
    "oktapreview.com",
    "okta-emea.com",
];

/// The addresses that the operator has set, and with them the way to all others. The same for all accounts.
#[derive(Clone, Debug, Default)]
pub struct Endpoints {
    /// In place of every host of the service.
    api: Option<Uri>,
    /// In place of the hosts of AWS SSO OIDC.
    oidc: Option<Uri>,
    /// In place of the host of social logins.
    social: Option<Uri>,
    /// Hosts of identity providers beside the well-known ones.
    providers: Vec<String>,
    /// In front of every host: `https://host/path` is asked for at `this/host/path`.
    behind: Option<Uri>,
}

/// An address that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a usable address")]
pub struct EndpointError(String);

impl Endpoints {
    /// `api` replaces every host of the service; `token` those of AWS SSO OIDC, as a base or as the full address of
    /// its token operation. One that is not AWS's own serves social logins too.
    ///
    /// # Errors
    /// When an address does not parse as an absolute URI.
    pub fn new(api: Option<&str>, token: Option<&str>) -> Result<Self, EndpointError> {
        let base = |address: &str| parse(address.trim_end_matches('/'));
        let oidc =
            token.map(|token| base(token.trim_end_matches('/').trim_end_matches("/token"))).transpose()?;
        // A stand-in for AWS stands in for the other login service too.
        let social = oidc.clone().filter(|base| aws_oidc_region(base).is_none());
        Ok(Self { api: api.map(base).transpose()?, oidc, social, ..Self::default() })
    }

    /// The same with the host of one more identity provider that may get refresh tokens.
    #[must_use]
    pub fn with_provider(mut self, host: &str) -> Self {
        self.providers.push(host.to_ascii_lowercase());
        self
    }

    /// The usual hosts, each under a path of `base`: a reverse proxy, or a simulator of all of them.
    ///
    /// # Errors
    /// When it does not parse as an absolute URI.
    pub fn behind(base: &str) -> Result<Self, EndpointError> {
        Ok(Self { behind: Some(parse(base.trim_end_matches('/'))?), ..Self::default() })
    }

    /// The same with another base for AWS SSO OIDC and social logins.
    ///
    /// # Errors
    /// When it does not parse as an absolute URI.
    pub fn with_oidc(mut self, base: &str) -> Result<Self, EndpointError> {
        let base = parse(base.trim_end_matches('/'))?;
        (self.oidc, self.social) = (Some(base.clone()), Some(base));
        Ok(self)
    }

    /// Whether one address serves everything, whatever the face and region.
    #[must_use]
    pub fn is_fixed(&self) -> bool {
        self.api.is_some()
    }

    /// The address of the chat operation on this face.
    pub(crate) fn chat(&self, surface: &Surface, region: &str) -> Result<Uri, EndpointError> {
        self.of_service(surface.chat_host, region, surface.chat.path)
    }

    /// The address of a control operation on this face; `path` may have a query.
    pub(crate) fn control(&self, surface: &Surface, region: &str, path: &str) -> Result<Uri, EndpointError> {
        self.of_service(surface.control_host, region, path)
    }

    /// The address of an operation of AWS SSO OIDC. An account that logs in elsewhere is served there, even if the
    /// operator has named the OIDC host of one region.
    pub(crate) fn oidc(&self, region: Option<&str>, path: &str) -> Result<Uri, EndpointError> {
        let host = |region: &str| format!("https://oidc.{region}.amazonaws.com");
        let region = region.filter(|region| is_region(region));
        match (&self.oidc, region) {
            (Some(base), Some(region)) if aws_oidc_region(base).is_some_and(|named| named != region) => {
                self.usual(&host(region), path)
            }
            (Some(base), _) => at(base, path),
            (None, region) => self.usual(&host(region.unwrap_or(region::DEFAULT)), path),
        }
    }

    /// The address of an operation of the social login service.
    pub(crate) fn social(&self, path: &str) -> Result<Uri, EndpointError> {
        match &self.social {
            Some(base) => at(base, path),
            None => self.usual(SOCIAL, path),
        }
    }

    /// The token endpoint of an external identity provider, if it may get refresh tokens: https and a known host, or
    /// a loopback address that the operator has allowed.
    pub(crate) fn provider(&self, address: &str) -> Result<Uri, EndpointError> {
        let uri = parse(address)?;
        let host = uri.host().unwrap_or_default().to_ascii_lowercase();
        let of = |domain: &str| {
            host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        let named = self.providers.contains(&host);
        let sound = match uri.scheme_str() {
            Some("https") => named || IDENTITY_PROVIDERS.iter().any(|domain| of(domain)),
            Some("http") => named && host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
            _ => false,
        };
        let plain = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
        if sound && plain { Ok(uri) } else { Err(EndpointError(host)) }
    }

    fn of_service(&self, host: &str, region: &str, path: &str) -> Result<Uri, EndpointError> {
        match &self.api {
            Some(base) => at(base, path),
            None if is_region(region) => {
                self.usual(&format!("https://{}", host.replace("{region}", region)), path)
            }
            None => Err(EndpointError(region.to_owned())),
        }
    }

    /// An address of the service's own.
    fn usual(&self, base: &str, path: &str) -> Result<Uri, EndpointError> {
        match &self.behind {
            Some(front) => at(front, &format!("/{}{path}", base.trim_start_matches("https://"))),
            None => at(&parse(base)?, path),
        }
    }
}

/// The region of an OIDC host of AWS.
fn aws_oidc_region(base: &Uri) -> Option<&str> {
    base.host()?.strip_prefix("oidc.")?.strip_suffix(".amazonaws.com")
}

fn parse(address: &str) -> Result<Uri, EndpointError> {
    let refuse = || EndpointError(address.to_owned());
    let uri: Uri = address.parse().map_err(|_| refuse())?;
    if uri.scheme().is_none() || uri.host().is_none() {
        return Err(refuse());
    }
    Ok(uri)
}

/// `path` under `base`, keeping a prefix that the base has.
fn at(base: &Uri, path: &str) -> Result<Uri, EndpointError> {
    let joined = format!("{}{path}", base.path().trim_end_matches('/'));
    let refuse = || EndpointError(joined.clone());
    let mut parts = base.clone().into_parts();
    parts.scheme = parts.scheme.or(Some(Scheme::HTTPS));
    parts.authority = parts.authority.or_else(|| Some(Authority::from_static("localhost")));
    parts.path_and_query = Some(joined.parse::<PathAndQuery>().map_err(|_| refuse())?);
    Uri::from_parts(parts).map_err(|_| refuse())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn surface(name: &str) -> &'static Surface {
        Surface::named(name).expect("is in the table")
    }

    fn told(address: Result<Uri, EndpointError>) -> String {
        address.map_or_else(|error| format!("refused {error}"), |address| address.to_string())
    }

    #[test]
    fn each_face_has_its_hosts_in_each_region() {
        let endpoints = Endpoints::default();
        for (name, region, chat, control) in [
            (
                "runtime",
                "eu-central-1",
                "https://runtime.eu-central-1.kiro.dev/",
                "https://management.eu-central-1.kiro.dev/x?a=1",
            ),
            (
                "q",
                "us-east-1",
                "https://q.us-east-1.amazonaws.com/",
                "https://q.us-east-1.amazonaws.com/x?a=1",
            ),
            (
                "codewhisperer",
                "us-east-1",
                "https://codewhisperer.us-east-1.amazonaws.com/generateAssistantResponse",
                "https://codewhisperer.us-east-1.amazonaws.com/x?a=1",
            ),
        ] {
            assert_eq!(told(endpoints.chat(surface(name), region)), chat);
            assert_eq!(told(endpoints.control(surface(name), region, "/x?a=1")), control);
        }
        assert!(endpoints.chat(surface("q"), "evil.example/?").is_err());
    }

    #[test]
    fn one_api_endpoint_serves_everything_and_keeps_its_prefix() {
        let endpoints = Endpoints::new(Some("http://127.0.0.1:9/up/"), None).expect("an address");
        assert_eq!(told(endpoints.chat(surface("runtime"), "eu-central-1")), "http://127.0.0.1:9/up/");
        let models = endpoints.control(surface("q-rest"), "us-east-1", "/ListAvailableModels");
        assert_eq!(told(models), "http://127.0.0.1:9/up/ListAvailableModels");
    }

    #[test]
    fn tokens_come_from_the_region_of_the_login_unless_the_operator_says_otherwise() {
        let aws = "https://oidc.us-east-1.amazonaws.com/token";
        let europe = "https://oidc.eu-west-1.amazonaws.com/token";
        for (set, region, expected) in [
            (None, None, aws),
            (None, Some("eu-west-1"), europe),
            (None, Some("evil.example/"), aws),
            (Some(aws), None, aws),
            // Everybody's example file sets this one, also for those who log in elsewhere.
            (Some(aws), Some("eu-west-1"), europe),
            (Some("http://127.0.0.1:9"), Some("eu-west-1"), "http://127.0.0.1:9/token"),
            (Some("http://127.0.0.1:9/token/"), None, "http://127.0.0.1:9/token"),
        ] {
            let endpoints = Endpoints::new(None, set).expect("an address");
            assert_eq!(told(endpoints.oidc(region, "/token")), expected, "{set:?} {region:?}");
        }
    }

    #[test]
    fn behind_a_base_each_host_is_a_path() {
        let endpoints = Endpoints::behind("http://127.0.0.1:9/").expect("an address");
        let chat = endpoints.chat(surface("runtime"), "eu-central-1");
        assert_eq!(told(chat), "http://127.0.0.1:9/runtime.eu-central-1.kiro.dev/");
        let token = endpoints.oidc(Some("eu-west-1"), "/token");
        assert_eq!(told(token), "http://127.0.0.1:9/oidc.eu-west-1.amazonaws.com/token");
        assert!(!endpoints.is_fixed());
    }

    #[test]
    fn only_known_providers_get_refresh_tokens() {
        let endpoints = Endpoints::default().with_provider("127.0.0.1").with_provider("login.example.com");
        for (address, taken) in [
            ("https://login.microsoftonline.com/tenant/oauth2/v2.0/token", true),
            ("https://company.okta.com/oauth2/v1/token", true),
            ("https://login.example.com/token", true),
            ("http://127.0.0.1:9/token", true),
            ("http://login.microsoftonline.com/token", false),
            ("http://login.example.com/token", false),
            ("https://evilmicrosoftonline.com/token", false),
            ("https://login.microsoftonline.com.evil.example/token", false),
            ("https://login.microsoftonline.com@evil.example/token", false),
            ("https://169.254.169.254/latest", false),
            ("https://127.0.0.2/token", false),
            ("nonsense", false),
        ] {
            assert_eq!(endpoints.provider(address).is_ok(), taken, "{address}");
        }
        assert!(Endpoints::default().provider("http://127.0.0.1:9/token").is_err());
    }

    #[test]
    fn nonsense_is_refused() {
        for address in ["no scheme", "/relative", ""] {
            assert!(Endpoints::new(Some(address), None).is_err(), "{address}");
            assert!(Endpoints::new(None, Some(address)).is_err(), "{address}");
        }
    }
}
