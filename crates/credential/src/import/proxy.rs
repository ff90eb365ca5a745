//! The proxy of one account.

use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;

use super::Problem;
use crate::Proxy;

const FIELD: &str = "proxyUrl";
const SCHEMES: [&str; 4] = ["http", "https", "socks5", "socks5h"];
/// Longest one taken, in bytes.
const MAX_BYTES: usize = 2048;

/// A proxy as files write it: a URL, `host:port`, or `direct`; its user and password in the URL or beside it.
///
/// # Errors
/// If it is none. An account is never sent past its proxy because of a mistyped one.
pub(super) fn read(url: &str, user: Option<&str>, password: Option<&str>) -> Result<Proxy, Problem> {
    if url.eq_ignore_ascii_case("direct") {
        return Ok(Proxy::Direct);
    }
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let scheme = SCHEMES.into_iter().find(|known| scheme.eq_ignore_ascii_case(known));
    let scheme = scheme.ok_or(Problem::Malformed(FIELD))?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let (inside, host) =
        authority.rsplit_once('@').map_or((None, authority), |(inside, host)| (Some(inside), host));
    let fit = url.len() <= MAX_BYTES
        && url.bytes().all(|byte| byte.is_ascii_graphic())
        && matches!(path, "" | "/")
        && host_and_port(host);
    if !fit {
        return Err(Problem::Malformed(FIELD));
    }
    let mut whole = Zeroizing::new(format!("{scheme}://"));
    match (inside, user) {
        (Some(inside), _) => whole.push_str(inside),
        (None, Some(user)) => {
            whole.push_str(&percent(user));
            whole.push(':');
            whole.push_str(&percent(password.unwrap_or_default()));
        }
        (None, None) => {}
    }
    if inside.is_some() || user.is_some() {
        whole.push('@');
    }
    whole.push_str(host);
    Ok(Proxy::Url(SecretString::from(whole.as_str())))
}

fn host_and_port(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) if address.parse::<std::net::Ipv6Addr>().is_ok() => ("v6", port),
        Some(_) => return false,
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let port =
        port.strip_prefix(':').map_or(port.is_empty(), |port| port.parse::<u16>().is_ok_and(|port| port > 0));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    port && !host.is_empty() && host.bytes().all(plain)
}

/// All but the unreserved characters of RFC 3986 as `%XX`.
fn percent(text: &str) -> Zeroizing<String> {
    let mut written = Zeroizing::new(String::with_capacity(text.len() * 3));
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            written.push(char::from(byte));
        } else {
            written.push('%');
            written.extend(
                [byte >> 4, byte & 15].map(|nibble| {
                    char::from_digit(u32::from(nibble), 16).unwrap_or('0').to_ascii_uppercase()
                }),
            );
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn every_way_of_writing_a_proxy_is_read() {
        for (url, user, password, expected) in [
            ("http://10.0.0.1:3128", None, None, "http://10.0.0.1:3128"),
            ("SOCKS5://proxy.example:1080/", None, None, "socks5://proxy.example:1080"),
            ("proxy.example:8080", None, None, "http://proxy.example:8080"),
            ("http://u:p@h:1", Some("other"), Some("x"), "http://u:p@h:1"),
            ("http://h:1", Some("us er"), Some("p@ss:/"), "http://us%20er:p%40ss%3A%2F@h:1"),
            ("http://[::1]:8080", None, None, "http://[::1]:8080"),
        ] {
            let Ok(Proxy::Url(read)) = read(url, user, password) else { panic!("{url}") };
            assert_eq!(read.expose_secret(), expected);
        }
        assert!(matches!(read("Direct", None, None), Ok(Proxy::Direct)));
    }

    #[test]
    fn what_is_no_proxy_is_refused() {
        for url in [
            "ftp://h:1",
            "http://",
            "http://h:0",
            "http://h:99999",
            "http://h:1/path",
            "http://h:1?x",
            "http://a b:1",
            "http://h\r\n:1",
            "http://[::1:80",
            "http://[h]:1",
            "://",
            "http://u@",
        ] {
            assert!(read(url, None, None).is_err(), "{url}");
        }
    }
}
