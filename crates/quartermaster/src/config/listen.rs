//! Where the gateway listens, and how much it takes.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::reader::{Reader, Refused};
use super::units;

/// Where to listen, and how much to take.
#[derive(Clone, Debug)]
pub(crate) struct Listen {
    /// The address; loopback unless told otherwise.
    pub(crate) host: IpAddr,
    /// The port; 0 takes a free one.
    pub(crate) port: u16,
    /// The largest request body, after decompression, in bytes.
    pub(crate) body_limit_bytes: usize,
    /// Path under which everything is served as well: `/a/b`, without a slash at the end.
    pub(crate) path_prefix: Option<String>,
}

/// No request of a client fits into less; nobody's machine should be asked to hold more for one request.
const BODY_LIMITS_BYTES: std::ops::RangeInclusive<usize> = 1024..=1 << 30;

impl Listen {
    /// The address to bind.
    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::new(self.host, self.port)
    }
}

pub(super) fn read(reader: &mut Reader<'_>) -> Result<Listen, Refused> {
    let host = reader.value("listen.host", host);
    let port = reader.value("listen.port", |text| {
        text.parse::<u16>().map_err(|_| "expected a port number from 0 to 65535".to_owned())
    });
    let body_limit_bytes = reader.value("listen.body_limit", |text| {
        units::bytes(text)
            .filter(|bytes| BODY_LIMITS_BYTES.contains(bytes))
            .ok_or_else(|| "expected a size from 1KiB to 1024MiB, such as 32MiB or 33554432".to_owned())
    });
    let path_prefix = reader.optional("listen.path_prefix", path_prefix);
    Ok(Listen { host: host?, port: port?, body_limit_bytes: body_limit_bytes?, path_prefix: path_prefix? })
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
