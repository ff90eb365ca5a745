//! Where organisations' people log in: a start URL and a region. Both become addresses, so both are checked.

use http::Uri;
use qm_credential::region::{self, is_region};

/// The start URL of Builder ID.
const BUILDER_ID: &str = "https://view.awsapps.com/start";

/// Whose hosts are portals.
const DOMAINS: [&str; 4] = [".awsapps.com", ".awsapps.cn", ".app.aws", ".amazonaws.com"];

/// A portal for logins by AWS: Builder ID's, or that of an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Portal {
    start_url: String,
    region: String,
}

/// Why a start URL or a region cannot be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPortal {
    /// Not a start URL.
    #[error("a start URL looks like https://d-1234567890.awsapps.com/start")]
    StartUrl,
    /// Not a region.
    #[error("a region looks like eu-central-1")]
    Region,
}

impl Portal {
    /// That of Builder ID.
    #[must_use]
    pub fn builder_id() -> Self {
        Self { start_url: BUILDER_ID.to_owned(), region: region::DEFAULT.to_owned() }
    }

    /// That of an organisation. Without a start URL, Builder ID's; without a region, the usual one.
    ///
    /// # Errors
    /// Says which of them cannot be one.
    pub fn new(start_url: Option<&str>, region: Option<&str>) -> Result<Self, BadPortal> {
        let region = region.unwrap_or(region::DEFAULT);
        if !is_region(region) {
            return Err(BadPortal::Region);
        }
        let Some(start_url) = start_url else {
            return Ok(Self { region: region.to_owned(), ..Self::builder_id() });
        };
        // Browsers add `#/` and a slash.
        let bare = start_url.trim().split('#').next().unwrap_or_default().trim_end_matches('/');
        let uri: Uri = bare.parse().map_err(|_| BadPortal::StartUrl)?;
        let host = uri.host().unwrap_or_default();
        let label = DOMAINS.iter().find_map(|domain| host.strip_suffix(domain)).unwrap_or_default();
        let sound = uri.scheme_str() == Some("https")
            && uri.authority().is_some_and(|authority| authority.as_str() == host)
            && uri.query().is_none()
            && !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
        if sound {
            Ok(Self { start_url: bare.to_owned(), region: region.to_owned() })
        } else {
            Err(BadPortal::StartUrl)
        }
    }

    /// The address people log in at.
    #[must_use]
    pub fn start_url(&self) -> &str {
        &self.start_url
    }

    /// The AWS region of the portal.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Whether this is Builder ID's.
    #[must_use]
    pub fn is_builder_id(&self) -> bool {
        self.start_url == BUILDER_ID
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_portals_are_portals() {
        for (url, bare) in [
            ("https://view.awsapps.com/start", "https://view.awsapps.com/start"),
            ("https://d-1234567890.awsapps.com/start/#/", "https://d-1234567890.awsapps.com/start"),
            (" https://company.awsapps.com/start ", "https://company.awsapps.com/start"),
            ("https://ssoins-1234.portal.eu-west-1.app.aws", "https://ssoins-1234.portal.eu-west-1.app.aws"),
            (
                "https://identitycenter.amazonaws.com/ssoins-1234",
                "https://identitycenter.amazonaws.com/ssoins-1234",
            ),
        ] {
            let portal = Portal::new(Some(url), Some("eu-west-1")).expect(url);
            assert_eq!((portal.start_url(), portal.region()), (bare, "eu-west-1"));
        }
        for url in [
            "",
            "http://d-1.awsapps.com/start",
            "https://awsapps.com/start",
            "https://.awsapps.com/start",
            "https://evil.example/start",
            "https://evilawsapps.com/start",
            "https://d-1.awsapps.com.evil.example/start",
            "https://d-1.awsapps.com@evil.example/start",
            "https://d-1.awsapps.com:8443/start",
            "https://user@d-1.awsapps.com/start",
            "https://d-1.awsapps.com/start?x=1",
            "javascript:alert(1)",
        ] {
            assert_eq!(Portal::new(Some(url), None), Err(BadPortal::StartUrl), "{url}");
        }
        assert_eq!(Portal::new(None, Some("evil.example/")), Err(BadPortal::Region));
        assert!(Portal::new(None, None).expect("Builder ID").is_builder_id());
    }
}
