//! Who asks: the key in the headers, admitted or refused.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use qm_relay::{Caller, Shown};

use crate::Front;
use crate::asked::Asked;
use crate::respond::Refused;

/// Headers that hold a bare key.
const KEY_HEADERS: [&str; 2] = ["x-api-key", "api-key"];

/// A caller whose key is valid.
pub(crate) struct Admitted {
    pub(crate) caller: Caller,
    /// Where the request comes from.
    pub(crate) from: Option<IpAddr>,
}

impl FromRequestParts<Arc<Front>> for Admitted {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, front: &Arc<Front>) -> Result<Self, Self::Rejection> {
        let from = address(parts);
        let tokens = tokens(&parts.headers);
        match front.relay.admission.admit(&Shown { tokens: &tokens, session: None, from }) {
            Ok(caller) => Ok(Self { caller, from }),
            Err(fault) => Err(Refused { fault, asked: Asked::of(parts) }),
        }
    }
}

fn address(parts: &Parts) -> Option<IpAddr> {
    parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip().to_canonical())
}

/// Every token the client sent. Some send two (spec/clients.md §2.1); one valid one is enough.
fn tokens(headers: &HeaderMap) -> Vec<&str> {
    let bare = KEY_HEADERS.into_iter().filter_map(|name| headers.get(name)?.to_str().ok());
    let bearer = headers.get_all(AUTHORIZATION).into_iter().filter_map(|value| {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token)
    });
    bare.chain(bearer).map(str::trim).filter(|token| !token.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_found_wherever_clients_put_them() {
        let mut headers = HeaderMap::new();
        assert!(tokens(&headers).is_empty());
        headers.insert("x-api-key", "one".parse().expect("ascii"));
        headers.append(AUTHORIZATION, "bearer  two ".parse().expect("ascii"));
        headers.append(AUTHORIZATION, "Basic three".parse().expect("ascii"));
        assert_eq!(tokens(&headers), ["one", "two"]);
    }
}
