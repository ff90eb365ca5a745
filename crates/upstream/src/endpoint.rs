//! Where the operations of an account are: the surface's hosts in the profile's region, unless the operator says
//! otherwise (spec/upstream.md §0.2, §1.3).

use http::Uri;
use http::uri::{Authority, PathAndQuery, Scheme};
use qm_amazonq::surface::{REGIONS, Surface, region_of};

/// The base addresses of one account. A base has no path; operations bring theirs.
#[derive(Clone, Debug)]
pub struct Endpoints {
    chat: Uri,
    control: Uri,
    token: Uri,
}

/// An address that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a usable address")]
pub struct EndpointError(String);

impl Endpoints {
    /// The endpoints of an account on `surface`. The region in the profile ARN decides, then `region`, then the
    /// first that serves. `api` replaces every service host; `token` is the address of the OIDC token operation, as
    /// a base or in full.
    ///
    /// # Errors
    /// When an address does not parse as an absolute URI.
    pub fn new(
        surface: &Surface,
        arn: Option<&str>,
        region: Option<&str>,
        api: Option<&str>,
        token: Option<&str>,
    ) -> Result<Self, EndpointError> {
        let region = arn.and_then(region_of).or(region).unwrap_or(REGIONS[0]);
        let of_host = |template: &str| base(&format!("https://{}", template.replace("{region}", region)));
        let (chat, control) = match api {
            Some(api) => (base(api)?, base(api)?),
            None => (of_host(surface.chat_host)?, of_host(surface.control_host)?),
        };
        let token = token.unwrap_or("https://oidc.us-east-1.amazonaws.com/token");
        Ok(Self { chat, control, token: token_address(token)? })
    }

    /// The full address of the chat operation.
    #[must_use]
    pub fn chat(&self, path: &str) -> Uri {
        at(&self.chat, path)
    }

    /// The full address of a control operation; `path` may have a query.
    #[must_use]
    pub fn control(&self, path: &str) -> Uri {
        at(&self.control, path)
    }

    /// The full address of the OIDC token operation.
    #[must_use]
    pub fn token(&self) -> &Uri {
        &self.token
    }
}

fn parse(address: &str) -> Result<Uri, EndpointError> {
    let refuse = || EndpointError(address.to_owned());
    let uri: Uri = address.parse().map_err(|_| refuse())?;
    if uri.scheme().is_none() || uri.host().is_none() {
        return Err(refuse());
    }
    Ok(uri)
}

fn base(address: &str) -> Result<Uri, EndpointError> {
    parse(address)
}

fn token_address(address: &str) -> Result<Uri, EndpointError> {
    let uri = parse(address)?;
    Ok(if matches!(uri.path(), "" | "/") { at(&uri, "/token") } else { uri })
}

/// `path` under `base`, keeping a prefix that the base has.
fn at(base: &Uri, path: &str) -> Uri {
    let joined = format!("{}{path}", base.path().trim_end_matches('/'));
    let mut parts = base.clone().into_parts();
    parts.scheme = parts.scheme.or(Some(Scheme::HTTPS));
    parts.authority = parts.authority.or_else(|| Some(Authority::from_static("localhost")));
    parts.path_and_query = joined.parse::<PathAndQuery>().ok().or(parts.path_and_query);
    Uri::from_parts(parts).unwrap_or_else(|_| base.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoints(arn: Option<&str>, api: Option<&str>, token: Option<&str>) -> Endpoints {
        let surface = Surface::named("runtime").expect("is in the table");
        Endpoints::new(surface, arn, None, api, token).expect("addresses parse")
    }

    #[test]
    fn the_region_of_the_profile_decides() {
        let endpoints =
            endpoints(Some("arn:aws:codewhisperer:eu-central-1:111122223333:profile/ABC"), None, None);
        assert_eq!(endpoints.chat("/").to_string(), "https://runtime.eu-central-1.kiro.dev/");
        assert_eq!(endpoints.control("/x?a=1").to_string(), "https://management.eu-central-1.kiro.dev/x?a=1");
    }

    #[test]
    fn one_api_endpoint_serves_everything_and_keeps_its_prefix() {
        let endpoints = endpoints(None, Some("http://127.0.0.1:9/up/"), Some("http://127.0.0.1:9"));
        assert_eq!(endpoints.chat("/").to_string(), "http://127.0.0.1:9/up/");
        assert_eq!(
            endpoints.control("/ListAvailableModels").to_string(),
            "http://127.0.0.1:9/up/ListAvailableModels"
        );
        assert_eq!(endpoints.token().to_string(), "http://127.0.0.1:9/token");
    }

    #[test]
    fn a_token_address_in_full_is_kept() {
        let endpoints = endpoints(None, None, Some("https://oidc.eu-west-1.amazonaws.com/token"));
        assert_eq!(endpoints.token().to_string(), "https://oidc.eu-west-1.amazonaws.com/token");
    }

    #[test]
    fn nonsense_is_refused() {
        let surface = Surface::named("q").expect("is in the table");
        assert!(Endpoints::new(surface, None, None, Some("no scheme"), None).is_err());
        assert!(Endpoints::new(surface, None, None, Some("/relative"), None).is_err());
    }
}
