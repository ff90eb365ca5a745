//! What is asked for: a URL, read once. Check, connection, certificate and `Host` all go by the same reading, so that no
//! two of them can understand it differently.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hyper::Uri;
use hyper::http::uri::Authority;

/// Longest URL, in bytes. Signed ones of object stores have some two thousand.
const LONGEST_BYTES: usize = 8192;

/// A URL that may be asked, if its host is at a public address.
pub(super) struct Target {
    uri: Uri,
    secure: bool,
}

/// Where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    /// At this address.
    Address(IpAddr),
    /// Where this name leads.
    Name(String),
}

// === impl Target ===

impl Target {
    /// Reads a URL. `None` if it is none, is not `https` (or `http`, where `plain`), or holds a user name.
    pub(super) fn parse(url: &str, plain: bool) -> Option<Self> {
        // A backslash is a slash to some readers and not to others.
        let odd = |byte: u8| byte <= b' ' || matches!(byte, b'\\' | 0x7f);
        if url.len() > LONGEST_BYTES || url.bytes().any(odd) {
            return None;
        }
        let uri: Uri = url.split('#').next()?.parse().ok()?;
        let secure = match uri.scheme_str()? {
            scheme if scheme.eq_ignore_ascii_case("https") => true,
            scheme if scheme.eq_ignore_ascii_case("http") && plain => false,
            _ => return None,
        };
        let authority = uri.authority()?;
        let host = Host::of(authority.host())?;
        let port = port(authority, secure)?;
        // Put together anew, so that nothing is left of how it was written.
        let scheme = if secure { "https" } else { "http" };
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let slash = if path.starts_with('/') { "" } else { "/" };
        let uri = format!("{scheme}://{}:{port}{slash}{path}", host.written()).parse().ok()?;
        Some(Self { uri, secure })
    }

    /// Where a redirect leads; `None` if that is nothing to be asked, or if it leads from `https` to `http`.
    pub(super) fn follow(&self, location: &str, plain: bool) -> Option<Self> {
        let (scheme, authority) = (self.uri.scheme_str()?, self.uri.authority()?);
        let path = self.uri.path();
        let next = if has_scheme(location) {
            location.to_owned()
        } else if location.starts_with("//") {
            format!("{scheme}:{location}")
        } else if location.starts_with('/') {
            format!("{scheme}://{authority}{location}")
        } else if location.starts_with('?') {
            format!("{scheme}://{authority}{path}{location}")
        } else {
            let folder = path.rfind('/').and_then(|at| path.get(..=at)).unwrap_or("/");
            format!("{scheme}://{authority}{folder}{location}")
        };
        Self::parse(&next, plain && !self.secure)
    }

    /// The whole, with its port always written.
    pub(super) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// What stands in the request line.
    pub(super) fn path(&self) -> &str {
        self.uri.path_and_query().map_or("/", |path| path.as_str())
    }

    /// What stands in the header `Host`: the port only where it is not the scheme's own, for some servers know no other
    /// form.
    pub(super) fn host_header(&self) -> &str {
        let authority = self.uri.authority().map_or("", Authority::as_str);
        let standard = if self.secure { ":443" } else { ":80" };
        authority.strip_suffix(standard).unwrap_or(authority)
    }
}

// === impl Host ===

impl Host {
    /// Reads a host as it stands in a URL. `None` for what readers disagree about, such as addresses of IPv4 in octal or
    /// as a single number, and for names of one word, which only a local network knows.
    pub(super) fn of(host: &str) -> Option<Self> {
        if let Some(bracketed) = host.strip_prefix('[') {
            let address: Ipv6Addr = bracketed.strip_suffix(']')?.parse().ok()?;
            return Some(Self::Address(IpAddr::V6(address).to_canonical()));
        }
        if let Ok(address) = host.parse::<Ipv4Addr>() {
            return Some(Self::Address(address.into()));
        }
        let name = host.strip_suffix('.').unwrap_or(host);
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(plain);
        let (_, last) = name.rsplit_once('.')?;
        // What ends in a number is an address to some readers, and no top-level name begins with a digit.
        let numeric = last.bytes().next().is_none_or(|byte| byte.is_ascii_digit());
        let sound = name.len() <= 253 && name.split('.').all(label) && !numeric;
        sound.then(|| Self::Name(name.to_ascii_lowercase()))
    }

    fn written(&self) -> String {
        match self {
            Self::Address(IpAddr::V6(address)) => format!("[{address}]"),
            Self::Address(IpAddr::V4(address)) => address.to_string(),
            Self::Name(name) => name.clone(),
        }
    }
}

/// The port; `None` if there stands anything but a host and a port.
fn port(authority: &Authority, secure: bool) -> Option<u16> {
    match authority.as_str().strip_prefix(authority.host())? {
        "" => Some(if secure { 443 } else { 80 }),
        port => port.strip_prefix(':')?.parse().ok(),
    }
}

/// Whether a reference begins with a scheme, and so is a URL of its own.
fn has_scheme(reference: &str) -> bool {
    let scheme = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    reference.split_once(':').is_some_and(|(before, _)| !before.is_empty() && before.bytes().all(scheme))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(url: &str) -> Option<String> {
        Target::parse(url, true).map(|target| target.uri.to_string())
    }

    #[test]
    fn a_url_is_read_in_one_way_only() {
        let cases = [
            ("https://example.com", "https://example.com:443/", "example.com"),
            ("HTTPS://Example.COM./a.png?b=c#d", "https://example.com:443/a.png?b=c", "example.com"),
            ("http://example.com:8080/a", "http://example.com:8080/a", "example.com:8080"),
            ("http://example.com:80/a", "http://example.com:80/a", "example.com"),
            ("https://example.com?x=1", "https://example.com:443/?x=1", "example.com"),
            ("https://8.8.8.8/a", "https://8.8.8.8:443/a", "8.8.8.8"),
            ("https://[2606:4700:0::1111]/a", "https://[2606:4700::1111]:443/a", "[2606:4700::1111]"),
            ("https://[::ffff:8.8.8.8]/a", "https://8.8.8.8:443/a", "8.8.8.8"),
            (
                "https://a_b.xn--bcher-kva.example/",
                "https://a_b.xn--bcher-kva.example:443/",
                "a_b.xn--bcher-kva.example",
            ),
        ];
        for (url, uri, host) in cases {
            let target = Target::parse(url, true).unwrap_or_else(|| panic!("not read: {url}"));
            assert_eq!((target.uri.to_string().as_str(), target.host_header()), (uri, host), "{url}");
        }
        assert!(Target::parse("http://example.com/", false).is_none(), "plain http only where it is allowed");
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_not_read_at_all() {
        let urls = [
            // Not of the web, or no URL.
            "",
            "a.png",
            "/a.png",
            "//example.com/a",
            "file:///etc/passwd",
            "ftp://example.com/a",
            "gopher://example.com/",
            "data:image/png;base64,AAAA",
            "https:example.com",
            "https:///a",
            "https://",
            "javascript:alert(1)",
            // User names, and what looks like a host and is none.
            "https://me@example.com/",
            "https://me:secret@example.com/",
            "https://example.com@127.0.0.1/",
            "https://127.0.0.1\\@example.com/",
            "https://example.com\\.evil.example/",
            "https://@example.com/",
            // Addresses that are no dotted four.
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0x7f.1/",
            "https://127.1/",
            "https://0177.0.0.1/",
            "https://127.0.0.0x1/",
            "https://127.0.0.1./",
            "https://0/",
            "https://1.2.3.4.5/",
            "https://256.1.1.1/",
            "https://[::1/",
            "https://[fe80::1%25eth0]/",
            "https://[::1].example.com/",
            "https://[127.0.0.1]/",
            "https://\u{ff11}27.0.0.1/",
            "https://127.0.0.1%2f.example.com/",
            // Names that only a local network knows, or nobody.
            "https://localhost/",
            "https://metadata/",
            "https://.example.com/",
            "https://a..com/",
            "https://ex ample.com/",
            "https://ex\tample.com/",
            "https://example.com\r\nx: y/",
            "https://b\u{fc}cher.example/",
            "https://exa%6dple.com/",
            // Ports that are none.
            "https://example.com:/",
            "https://example.com:0x50/",
            "https://example.com:99999/",
            "https://example.com:80:80/",
        ];
        for url in urls {
            assert_eq!(read(url), None, "{url}");
        }
        assert_eq!(read(&format!("https://example.com/{}", "a".repeat(LONGEST_BYTES))), None);
    }

    #[test]
    fn a_redirect_is_read_from_where_it_stands_and_never_leads_out_of_tls() {
        let from = Target::parse("https://example.com/a/b?c=d", true).expect("is one");
        let cases = [
            ("https://other.example/x", Some("https://other.example:443/x")),
            ("//other.example/x", Some("https://other.example:443/x")),
            ("/x?y", Some("https://example.com:443/x?y")),
            ("x.png", Some("https://example.com:443/a/x.png")),
            ("?y", Some("https://example.com:443/a/b?y")),
            ("http://example.com/x", None),
            ("http://other.example/x", None),
            ("//me@other.example/x", None),
            ("//127.1/x", None),
            ("file:///etc/passwd", None),
            ("https:x", None),
        ];
        for (location, expected) in cases {
            let next = from.follow(location, true).map(|target| target.uri.to_string());
            assert_eq!(next.as_deref(), expected, "{location}");
        }
        let plain = Target::parse("http://example.com/a", true).expect("is one");
        assert!(plain.follow("http://example.com/b", true).is_some_and(|next| !next.secure));
        assert!(plain.follow("https://example.com/b", true).is_some_and(|next| next.secure));
    }

    proptest! {
        /// Whatever is read is read the same again, and its host is an address or a name of plain letters.
        #[test]
        fn anything_is_read_in_one_way_or_not_at_all(
            scheme in "https?://|HTTP://|",
            host in r"[a-z0-9.\-_:@\[\]\\%x]{0,30}|\PC{0,20}|[0-9a-fx.]{1,20}",
            rest in r"(:[0-9]{0,6})?[/?#]?\PC{0,20}",
        ) {
            let Some(target) = Target::parse(&format!("{scheme}{host}{rest}"), true) else { return Ok(()) };
            let again = Target::parse(&target.uri.to_string(), true).map(|again| again.uri.to_string());
            prop_assert_eq!(again, Some(target.uri.to_string()));
            let host = Host::of(target.uri.host().unwrap_or_default());
            match host {
                Some(Host::Name(name)) => prop_assert!(name.contains('.') && name.parse::<IpAddr>().is_err()),
                Some(Host::Address(_)) => {}
                None => prop_assert!(false, "{} has no host", target.uri),
            }
        }

        #[test]
        fn any_redirect_stays_within_tls(location in r"\PC{0,40}|(http|//|/)[a-z:/.@?#]{0,30}") {
            let from = Target::parse("https://example.com/a", true).expect("is one");
            prop_assert!(from.follow(&location, true).is_none_or(|next| next.secure));
        }
    }
}
