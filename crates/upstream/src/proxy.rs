//! Outbound proxies: which calls go through which, as the operator has it. Names are resolved by the proxy.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::IpAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::uri::{Authority, Scheme};
use http::{HeaderValue, Uri};
use secrecy::{ExposeSecret, SecretString};

/// A proxy. Its password is shown nowhere.
#[derive(Clone)]
pub struct Proxy(Arc<Parts>);

struct Parts {
    speaks: Speaks,
    /// `http://host:port` or, if the way to the proxy is encrypted, `https://host:port`.
    address: Uri,
    login: Option<(String, SecretString)>,
}

/// What a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Speaks {
    /// HTTP `CONNECT`.
    Http,
    /// SOCKS5.
    Socks5,
}

/// The text is not a proxy's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a proxy looks like http://host:3128, https://user:password@host:3128 or socks5h://host:1080")]
pub struct BadProxy;

/// How calls go out.
#[derive(Clone, Default)]
pub enum Way {
    /// Straight.
    #[default]
    Direct,
    /// All of them through this proxy.
    Through(Proxy),
    /// As the machine's own settings say.
    Usual(Arc<Proxies>),
}

/// The machine's proxies, as `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` say. Calls to this machine never go through one.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    /// For `http://` addresses, and for all where `https` is not set.
    pub http: Option<Proxy>,
    /// For `https://` addresses.
    pub https: Option<Proxy>,
    /// Who is reached straight: hosts, `.domains`, networks such as `10.0.0.0/8`, or `*`.
    pub except: Vec<String>,
}

// === impl Proxy ===

impl Proxy {
    /// Reads an address: `http`, `https`, `socks5` or `socks5h`, with user and password if the proxy wants them.
    ///
    /// # Errors
    /// When it is none. The text is not repeated: it may hold a password.
    pub fn parse(text: &str) -> Result<Self, BadProxy> {
        let (scheme, rest) = text.trim().split_once("://").ok_or(BadProxy)?;
        let (speaks, way, port) = match scheme.to_ascii_lowercase().as_str() {
            "http" => (Speaks::Http, Scheme::HTTP, 80),
            "https" => (Speaks::Http, Scheme::HTTPS, 443),
            "socks5" | "socks5h" => (Speaks::Socks5, Scheme::HTTP, 1080),
            _ => return Err(BadProxy),
        };
        let rest = rest.trim_end_matches('/');
        let (login, host) = rest.rsplit_once('@').map_or((None, rest), |(login, host)| (Some(login), host));
        let authority: Authority = host.parse().map_err(|_| BadProxy)?;
        // What is no port is no host either.
        let named = authority.port_u16();
        if authority.host().is_empty() || named.is_none() && authority.as_str() != authority.host() {
            return Err(BadProxy);
        }
        let address = format!("{}:{}", authority.host(), named.unwrap_or(port));
        let address = Uri::builder().scheme(way).authority(address).path_and_query("/").build();
        let login = login.map(|login| {
            let (user, password) = login.split_once(':').unwrap_or((login, ""));
            Some((decoded(user)?, SecretString::from(decoded(password)?)))
        });
        let login = match login {
            Some(None) => return Err(BadProxy),
            Some(login) => login,
            None => None,
        };
        Ok(Self(Arc::new(Parts { speaks, address: address.map_err(|_| BadProxy)?, login })))
    }

    pub(crate) fn speaks(&self) -> Speaks {
        self.0.speaks
    }

    pub(crate) fn address(&self) -> Uri {
        self.0.address.clone()
    }

    /// User and password.
    pub(crate) fn login(&self) -> Option<(&str, &str)> {
        self.0.login.as_ref().map(|(user, password)| (user.as_str(), password.expose_secret()))
    }

    /// The value of `proxy-authorization`.
    pub(crate) fn basic(&self) -> Option<HeaderValue> {
        let (user, password) = self.login()?;
        let mut value =
            HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
                .ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

/// For logs: without user and password.
impl fmt::Display for Proxy {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let authority = self.0.address.authority().map(Authority::as_str).unwrap_or_default();
        match (self.0.speaks, self.0.address.scheme_str()) {
            (Speaks::Socks5, _) => write!(to, "socks5h://{authority}"),
            (Speaks::Http, scheme) => write!(to, "{}://{authority}", scheme.unwrap_or("http")),
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "Proxy({self})")
    }
}

impl PartialEq for Proxy {
    fn eq(&self, other: &Self) -> bool {
        let all = |proxy: &Self| (proxy.0.speaks, proxy.0.address.clone());
        Arc::ptr_eq(&self.0, &other.0) || all(self) == all(other) && self.login() == other.login()
    }
}

impl Eq for Proxy {}

impl Hash for Proxy {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.0.speaks, &self.0.address).hash(state);
    }
}

// === impl Way ===

impl Way {
    /// The proxy for calls to this place, if there is one.
    pub(crate) fn to(&self, scheme: &Scheme, host: &str) -> Option<&Proxy> {
        match self {
            Self::Direct => None,
            Self::Through(proxy) => Some(proxy),
            Self::Usual(proxies) => proxies.to(scheme, host),
        }
    }
}

// === impl Proxies ===

impl Proxies {
    fn to(&self, scheme: &Scheme, host: &str) -> Option<&Proxy> {
        let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        let address: Option<IpAddr> = host.parse().ok();
        let here = host == "localhost" || address.is_some_and(|address| address.is_loopback());
        let excepted = || self.except.iter().any(|rule| excepts(rule.trim(), &host, address));
        if here || excepted() {
            return None;
        }
        let https = (*scheme == Scheme::HTTPS).then_some(self.https.as_ref()).flatten();
        https.or(self.http.as_ref())
    }
}

/// Whether a rule of `NO_PROXY` names this host.
fn excepts(rule: &str, host: &str, address: Option<IpAddr>) -> bool {
    if rule == "*" {
        return true;
    }
    if let Some((network, bits)) = rule.split_once('/')
        && let (Some(address), Ok(network), Ok(bits)) = (address, network.parse(), bits.parse())
    {
        return is_within(address, network, bits);
    }
    let name = rule.trim_start_matches("*.").trim_start_matches('.').to_ascii_lowercase();
    let below = || host.strip_suffix(&name).is_some_and(|rest| rest.ends_with('.'));
    !name.is_empty() && (host == name || address.is_none() && below())
}

fn is_within(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    let (address, network, width) = match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            (u128::from(address.to_bits()), u128::from(network.to_bits()), 32)
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => (address.to_bits(), network.to_bits(), 128),
        _ => return false,
    };
    // A shift by the whole width is none.
    let cut = |number: u128| number.checked_shr(width - bits.min(width)).unwrap_or_default();
    bits <= width && cut(address) == cut(network)
}

/// Percent-decoded; `None` if it is not text then.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let [high, low, after @ ..] = rest else { return None };
        let digit = |byte: u8| char::from(byte).to_digit(16);
        bytes.push((digit(*high)? * 16 + digit(*low)?) as u8);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_passwords_shown_nowhere() {
        for (text, shown, login) in [
            ("http://proxy.example:3128", "http://proxy.example:3128", None),
            ("HTTPS://proxy.example", "https://proxy.example:443", None),
            ("http://user:p%40ss@proxy.example:3128/", "http://proxy.example:3128", Some(("user", "p@ss"))),
            ("socks5://user@10.0.0.1", "socks5h://10.0.0.1:1080", Some(("user", ""))),
            ("socks5h://a:b:c@[::1]:9", "socks5h://[::1]:9", Some(("a", "b:c"))),
        ] {
            let proxy = Proxy::parse(text).expect(text);
            assert_eq!((proxy.to_string().as_str(), proxy.login()), (shown, login), "{text}");
            assert!(!format!("{proxy:?}").contains("p@ss"));
        }
        for text in [
            "",
            "proxy.example:3128",
            "ftp://proxy.example",
            "http://",
            "http://u:p@",
            "http://%zz:x@proxy.example",
            "http://proxy.example:99999",
        ] {
            assert_eq!(Proxy::parse(text).err(), Some(BadProxy), "{text}");
        }
        assert_ne!(
            Proxy::parse("http://a:b@c").ok(),
            Proxy::parse("http://a:x@c").ok(),
            "never share a connection"
        );
    }

    #[test]
    fn the_machines_settings_mean_what_they_mean_elsewhere() {
        let (http, https) = (Proxy::parse("http://plain:1").ok(), Proxy::parse("http://secure:2").ok());
        let except = [".example.com", "10.0.0.0/8", "fd00::/8", "*.internal", "exact.host", "192.168.1.1"];
        let proxies = Proxies { http: http.clone(), https, except: except.map(str::to_owned).to_vec() };
        let to = |proxies: &Proxies, scheme: &str, host: &str| {
            let scheme: Scheme = scheme.parse().expect("a scheme");
            proxies.to(&scheme, host).map_or_else(|| "direct".to_owned(), ToString::to_string)
        };
        for (scheme, host, expected) in [
            ("https", "q.us-east-1.amazonaws.com", "http://secure:2"),
            ("http", "q.us-east-1.amazonaws.com", "http://plain:1"),
            ("https", "localhost", "direct"),
            ("https", "127.0.0.9", "direct"),
            ("https", "[::1]", "direct"),
            ("https", "example.com", "direct"),
            ("https", "A.Example.com", "direct"),
            ("https", "notexample.com", "http://secure:2"),
            ("https", "x.internal", "direct"),
            ("https", "exact.host", "direct"),
            ("https", "10.9.8.7", "direct"),
            ("https", "11.9.8.7", "http://secure:2"),
            ("https", "[fd00::7]", "direct"),
            ("https", "192.168.1.1", "direct"),
            ("https", "192.168.1.12", "http://secure:2"),
        ] {
            assert_eq!(to(&proxies, scheme, host), expected, "{scheme} {host}");
        }
        let one = Proxies { http, ..Proxies::default() };
        assert_eq!(to(&one, "https", "q.us-east-1.amazonaws.com"), "http://plain:1", "one for everything");
        let none = Proxies { except: vec!["*".to_owned()], ..one };
        assert_eq!(to(&none, "https", "q.us-east-1.amazonaws.com"), "direct");
    }
}
