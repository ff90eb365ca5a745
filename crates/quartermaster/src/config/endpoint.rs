//! Addresses that tokens and conversations may be sent to.

use std::fmt;
use std::net::IpAddr;

use http::Uri;

/// A base address: encrypted and of a known host, or on this machine. Never ends in a slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint(String);

/// Whose hosts get tokens and conversations. A wrong address here would hand them to a stranger.
const KNOWN_DOMAINS: [&str; 2] = [".amazonaws.com", ".kiro.dev"];

const ALLOWED: &str = "expected https:// and a host of amazonaws.com or kiro.dev, or http:// and a loopback address \
                       such as http://127.0.0.1:8090, without user, query or fragment";

impl Endpoint {
    /// Understands an address, or says what is allowed.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        Self::accept(text).ok_or_else(|| ALLOWED.to_owned())
    }

    /// The address as text: scheme, host, port if given, path if there is one.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The same base without this last part of the path, if it ends so.
    pub(crate) fn without(&self, ending: &str) -> Self {
        Self(self.0.strip_suffix(ending).unwrap_or(&self.0).to_owned())
    }

    fn accept(text: &str) -> Option<Self> {
        // The parser drops fragments; an address with one is not what it seems.
        let uri: Uri = (!text.contains('#')).then(|| text.parse().ok())??;
        let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
        let host = authority.host().to_ascii_lowercase();
        let port_is_sound =
            authority.port_u16().is_some_and(|port| port > 0) || authority.as_str().len() == host.len();
        let allowed = match scheme {
            "https" => KNOWN_DOMAINS.iter().any(|domain| host.len() > domain.len() && host.ends_with(domain)),
            "http" => is_loopback(&host),
            _ => false,
        };
        let plain = uri.query().is_none() && !authority.as_str().contains('@') && !uri.path().contains("..");
        (allowed && plain && port_is_sound).then(|| {
            let port = authority.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
            Self(format!("{scheme}://{host}{port}{}", uri.path().trim_end_matches('/')))
        })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_hosts_get_tokens_and_only_this_machine_unencrypted() {
        let accepted = [
            ("https://oidc.us-east-1.amazonaws.com/token", "https://oidc.us-east-1.amazonaws.com/token"),
            ("https://RUNTIME.us-east-1.kiro.dev/", "https://runtime.us-east-1.kiro.dev"),
            ("https://q.eu-central-1.amazonaws.com:443", "https://q.eu-central-1.amazonaws.com:443"),
            ("http://127.0.0.1:8090", "http://127.0.0.1:8090"),
            ("http://127.8.8.8/base/", "http://127.8.8.8/base"),
            ("http://localhost:1/token", "http://localhost:1/token"),
            ("http://[::1]:8090/", "http://[::1]:8090"),
        ];
        for (text, expected) in accepted {
            assert_eq!(Endpoint::parse(text).as_ref().map(Endpoint::as_str), Ok(expected), "{text}");
        }
        let refused = [
            "",
            "q.us-east-1.amazonaws.com",
            "http://q.us-east-1.amazonaws.com",
            "https://amazonaws.com",
            "https://.kiro.dev",
            "https://evil-kiro.dev",
            "https://kiro.dev.example.com",
            "https://amazonaws.com.example.com/amazonaws.com",
            "https://user:secret@q.us-east-1.amazonaws.com",
            "https://q.us-east-1.amazonaws.com@example.com",
            "https://example.com/#.kiro.dev",
            "https://q.us-east-1.amazonaws.com#x",
            "https://q.us-east-1.amazonaws.com/?x=1",
            "https://q.us-east-1.amazonaws.com/../x",
            "https://127.0.0.1:8090",
            "http://127.0.0.1:0",
            "http://127.0.0.1:99999",
            "http://0.0.0.0:8090",
            "http://10.0.0.1",
            "http://localhost.example.com",
            "ftp://127.0.0.1",
            "unix:/socket",
        ];
        for text in refused {
            assert!(Endpoint::parse(text).is_err(), "{text}");
        }
    }
}
