//! The admin's keys: which one a request holds, if any. Only digests are kept.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Headers that hold a bare key (spec/mission.md A12, 20). Never the URL: it lands in histories and logs.
const KEY_HEADERS: [&str; 2] = ["x-api-key", "x-admin-key"];

/// Most keys that are looked at in one request: each costs a hash.
const MOST_SENT: usize = 8;

/// Longest key that is looked at, in bytes.
const LONGEST: usize = 1024;

/// The keys that open the management routes.
pub(crate) struct Keys {
    digests: Vec<[u8; 32]>,
}

/// What a request's headers come to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// A key that opens. The first eight hexadecimal digits of its SHA-256, for the audit.
    Right(String),
    /// Keys, of which none opens.
    Wrong,
    /// None at all.
    Nothing,
}

impl Keys {
    /// These keys. Without any, nothing opens.
    pub(crate) fn new(keys: &[SecretString]) -> Self {
        let keys = keys.iter().map(ExposeSecret::expose_secret).filter(|key| !key.is_empty());
        Self { digests: keys.map(digest).collect() }
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.digests.is_empty()
    }

    /// What these headers show.
    pub(crate) fn look(&self, headers: &HeaderMap) -> Shown {
        let mut shown = Shown::Nothing;
        for key in sent(headers) {
            let asked = digest(key);
            if self.holds(&asked) {
                let [a, b, c, d, ..] = asked;
                return Shown::Right(format!("{a:02x}{b:02x}{c:02x}{d:02x}"));
            }
            shown = Shown::Wrong;
        }
        shown
    }

    /// Every digest is compared, so that time tells nothing about which one matched.
    fn holds(&self, asked: &[u8; 32]) -> bool {
        self.digests.iter().fold(false, |known, digest| known | bool::from(digest.ct_eq(asked)))
    }
}

/// Every key that was sent. Some clients send two; one valid one is enough.
fn sent(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let bare =
        KEY_HEADERS.into_iter().flat_map(|name| headers.get_all(name)).filter_map(|key| key.to_str().ok());
    let bearer = headers.get_all(AUTHORIZATION).into_iter().filter_map(|value| {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token)
    });
    bare.chain(bearer).map(str::trim).filter(|key| !key.is_empty() && key.len() <= LONGEST).take(MOST_SENT)
}

fn digest(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::{Keys, Shown};
    use axum::http::{HeaderMap, HeaderName, HeaderValue};

    fn look(keys: &[&str], headers: &[(&'static str, &'static str)]) -> Shown {
        let keys: Vec<_> = keys.iter().map(|key| (*key).into()).collect();
        let pairs = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        Keys::new(&keys).look(&pairs.collect::<HeaderMap>())
    }

    #[test]
    fn a_key_opens_in_any_of_the_three_headers() {
        let open = |headers: &[(&'static str, &'static str)]| {
            let Shown::Right(id) = look(&["first-key", "second-key"], headers) else { panic!("{headers:?}") };
            assert_eq!(id.len(), 8);
            id
        };
        let first = open(&[("authorization", "Bearer first-key")]);
        assert_eq!(first, open(&[("x-api-key", " first-key ")]));
        assert_eq!(first, open(&[("x-admin-key", "wrong"), ("authorization", "bearer first-key")]));
        assert_ne!(first, open(&[("x-admin-key", "second-key")]));
    }

    #[test]
    fn nothing_else_does() {
        for value in ["first-ke", "first-keys", "FIRST-KEY"] {
            assert_eq!(look(&["first-key"], &[("x-api-key", value)]), Shown::Wrong, "{value}");
        }
        assert_eq!(look(&["first-key"], &[("authorization", "Basic first-key")]), Shown::Nothing);
        assert_eq!(look(&["first-key"], &[("x-api-key", "")]), Shown::Nothing);
        assert_eq!(look(&[], &[("x-api-key", "x")]), Shown::Wrong);
        // An empty key in the configuration is none.
        assert_eq!(look(&[""], &[("authorization", "Bearer ")]), Shown::Nothing);
        assert!(Keys::new(&["".into()]).is_empty());
    }
}
