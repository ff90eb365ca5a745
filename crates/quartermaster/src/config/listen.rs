//! Where the gateway listens, how much it takes, and whom it believes about where a request comes from.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ipnet::IpNet;

use super::reader::{Reader, Refused};
use super::units;

/// Where to listen, and how much to take.
#[derive(Clone, Debug)]
pub(crate) struct Listen {
    /// The addresses, one at least; loopback unless told otherwise. Port 0 takes a free one.
    pub(crate) addresses: Vec<SocketAddr>,
    /// The largest request body, after decompression, in bytes.
    pub(crate) body_limit_bytes: usize,
    /// Path under which everything is served as well: `/a/b`, without a slash at the end.
    pub(crate) path_prefix: Option<String>,
    /// Reverse proxies that say truly for whom they ask.
    pub(crate) trusted_proxies: Vec<IpNet>,
}

/// No request of a client fits into less; nobody's machine should be asked to hold more for one request.
const BODY_LIMITS_BYTES: std::ops::RangeInclusive<usize> = 1024..=1 << 30;

/// More is a mistake in writing.
const MOST_ADDRESSES: usize = 16;

/// More is a mistake in writing.
const MOST_PROXIES: usize = 100;

impl Listen {
    /// The first address that other machines can reach.
    pub(crate) fn first_public(&self) -> Option<SocketAddr> {
        self.addresses.iter().find(|address| !address.ip().to_canonical().is_loopback()).copied()
    }
}

pub(super) fn read(reader: &mut Reader<'_>) -> Result<Listen, Refused> {
    let host = reader.value("listen.host", host);
    let port = reader.value("listen.port", |text| {
        text.parse::<u16>().map_err(|_| "expected a port number from 0 to 65535".to_owned())
    });
    let on = reader.optional("listen.on", addresses);
    let body_limit_bytes = reader.value("listen.body_limit", |text| {
        units::bytes(text)
            .filter(|bytes| BODY_LIMITS_BYTES.contains(bytes))
            .ok_or_else(|| "expected a size from 1KiB to 1024MiB, such as 32MiB or 33554432".to_owned())
    });
    let path_prefix = reader.optional("listen.path_prefix", path_prefix);
    let trusted_proxies = reader.optional("listen.trusted_proxies", networks);
    // A flag wins over the environment and that over the file, in whichever of the two ways.
    let nearer = ["listen.host", "listen.port"].iter().any(|key| reader.is_nearer(key, "listen.on"));
    let one = SocketAddr::new(host?, port?);
    Ok(Listen {
        addresses: on?.filter(|_| !nearer).unwrap_or_else(|| vec![one]),
        body_limit_bytes: body_limit_bytes?,
        path_prefix: path_prefix?,
        trusted_proxies: trusted_proxies?.unwrap_or_default(),
    })
}

fn path_prefix(text: &str) -> Result<String, String> {
    let path = text.strip_suffix('/').unwrap_or(text);
    let plain = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
    };
    let sound = path.strip_prefix('/').is_some_and(|parts| parts.split('/').all(plain));
    sound.then(|| path.to_owned()).ok_or_else(|| "expected a path such as /quartermaster".to_owned())
}

fn host(text: &str) -> Result<IpAddr, String> {
    if text == "localhost" {
        return Ok(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let allowed =
        "expected an IP address to listen on: 127.0.0.1 or ::1 for this machine, 0.0.0.0 or :: for all";
    bare.parse().map_err(|_| allowed.to_owned())
}

fn addresses(text: &str) -> Result<Vec<SocketAddr>, String> {
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for (index, item) in items(text).enumerate() {
        let address = item
            .rsplit_once(':')
            .and_then(|(ip, port)| Some(SocketAddr::new(host(ip).ok()?, port.parse().ok()?)));
        let Some(address) = address else {
            return Err(format!(
                "address number {}: expected ADDR:PORT, such as 0.0.0.0:8080 or [::1]:8000",
                index + 1
            ));
        };
        // Of port 0 there may be several: each takes another one.
        if address.port() == 0 || !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if (1..=MOST_ADDRESSES).contains(&addresses.len()) {
        return Ok(addresses);
    }
    Err(format!("expected one to {MOST_ADDRESSES} addresses, such as 0.0.0.0:8080,127.0.0.1:8000"))
}

fn networks(text: &str) -> Result<Vec<IpNet>, String> {
    let networks: Result<Vec<IpNet>, String> = items(text)
        .enumerate()
        .map(|(index, item)| {
            let network = item.parse::<IpNet>().or_else(|_| item.parse::<IpAddr>().map(IpNet::from));
            let expected =
                || format!("number {}: expected an address or a network such as 10.0.0.0/8", index + 1);
            network.map_err(|_| expected())
        })
        .collect();
    let networks = networks?;
    if networks.len() > MOST_PROXIES {
        return Err(format!("expected at most {MOST_PROXIES} of them"));
    }
    Ok(networks)
}

fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_with_their_ports() {
        let read = addresses("0.0.0.0:8080, [::1]:8000,localhost:0,127.0.0.1:0,0.0.0.0:8080").unwrap();
        let text: Vec<String> = read.iter().map(ToString::to_string).collect();
        assert_eq!(text, ["0.0.0.0:8080", "[::1]:8000", "127.0.0.1:0", "127.0.0.1:0"]);
        for wrong in ["8080", "127.0.0.1", "example.com:80", "127.0.0.1:65536", "::1"] {
            let refused = addresses(&format!("127.0.0.1:1,{wrong}")).unwrap_err();
            assert!(refused.starts_with("address number 2: "), "{wrong}: {refused}");
        }
        assert!(addresses(" , ").unwrap_err().contains("one to 16"));
    }

    #[test]
    fn proxies_are_addresses_and_networks() {
        let read = networks("10.0.0.0/8, ::1, 192.0.2.7").unwrap();
        assert_eq!(read, ["10.0.0.0/8", "::1/128", "192.0.2.7/32"].map(|net| net.parse().unwrap()));
        assert!(networks("10.0.0.0/8,proxy.example").unwrap_err().starts_with("number 2: "));
    }
}
