//! Where a request really comes from, when a reverse proxy brings it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName};
use axum::middleware::{self, Next};
use axum::response::Response;
use ipnet::IpNet;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Reverse proxies that say truly for whom they ask.
#[derive(Clone, Debug, Default)]
pub struct Trusted(Vec<IpNet>);

impl Trusted {
    /// Those in these networks.
    #[must_use]
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Has requests that one of these brings count as their clients', for everything in `routes` that asks for
    /// `ConnectInfo<SocketAddr>`. Costs nothing where nobody is trusted.
    pub fn around(self, routes: Router) -> Router {
        if self.0.is_empty() {
            return routes;
        }
        routes.layer(middleware::from_fn_with_state(Arc::new(self), put_right))
    }

    /// The last address on the way that is not one of these. What stands before it could be anybody's word.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut nearest = peer.to_canonical();
        // What a client wrote into it need not be text. What our proxies added to its end is, and counts all the same.
        let said: Vec<_> = headers
            .get_all(FORWARDED_FOR)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .collect();
        for said in said.iter().rev().flat_map(|said| said.rsplit(',')) {
            if !self.includes(nearest) {
                break;
            }
            let Some(before) = address(said.trim()) else { break };
            nearest = before;
        }
        nearest
    }

    fn includes(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

async fn put_right(State(trusted): State<Arc<Trusted>>, mut request: Request, next: Next) -> Response {
    if let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>() {
        let client = trusted.client(peer.ip(), request.headers());
        if client != peer.ip().to_canonical() {
            // Nobody says from which port.
            request.extensions_mut().insert(ConnectInfo(SocketAddr::new(client, 0)));
        }
    }
    next.run(request).await
}

/// An address as proxies write it: alone, or with a port behind it.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse::<IpAddr>().ok();
    address.or_else(|| text.parse::<SocketAddr>().ok().map(|whole| whole.ip())).map(|ip| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_last_address_that_is_no_proxy_of_ours_is_the_clients() {
        let trusted = Trusted::new(["10.0.0.0/8", "::1/128"].map(|net| net.parse().unwrap()).to_vec());
        let cases: [(&str, &[&[u8]], &str); 12] = [
            ("10.0.0.1", &[b"203.0.113.5"], "203.0.113.5"),
            ("::ffff:10.0.0.1", &[b"203.0.113.5"], "203.0.113.5"),
            ("10.0.0.1", &[b"203.0.113.5:4711"], "203.0.113.5"),
            ("::1", &[b"[2001:db8::7]"], "2001:db8::7"),
            // What the client wrote itself stands in front.
            ("10.0.0.1", &[b"1.2.3.4, 203.0.113.5, 10.0.0.2"], "203.0.113.5"),
            ("10.0.0.1", &[b"1.2.3.4", b"203.0.113.5"], "203.0.113.5"),
            ("198.51.100.9", &[b"203.0.113.5"], "198.51.100.9"),
            ("10.0.0.1", &[b"nonsense"], "10.0.0.1"),
            ("10.0.0.1", &[b"\xff\xfe, 203.0.113.5"], "203.0.113.5"),
            ("10.0.0.1", &[b"\xff\xfe", b"203.0.113.5, 10.0.0.2"], "203.0.113.5"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &[b"10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ];
        for (peer, said, client) in cases {
            let mut headers = HeaderMap::new();
            for value in said {
                headers.append(FORWARDED_FOR, HeaderValue::from_bytes(value).unwrap());
            }
            let found = trusted.client(peer.parse().unwrap(), &headers);
            assert_eq!(found.to_string(), client, "{peer} {said:?}");
        }
    }
}
