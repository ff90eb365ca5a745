//! Telling two logins apart without showing either.

use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use crate::Credential;

/// What a login is recognised by: a hash of its refresh token or API key, which says nothing about them. Tokens have
/// far too many bits to be guessed from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub [u8; 32]);

impl Credential {
    /// Its fingerprint: of the API key if it has one, else of the refresh token, else of the access token, else of
    /// nothing at all. Each has a domain of its own, so that one never passes for another.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let access = self.access.as_ref().map(|access| &access.token);
        let (domain, secret) = match (&self.api_key, &self.refresh_token) {
            (Some(key), _) => ("api-key", Some(key)),
            (None, Some(token)) => ("refresh-token", Some(token)),
            (None, None) => ("access-token", access),
        };
        let secret = secret.map(ExposeSecret::expose_secret).unwrap_or_default();
        let mut hash = Sha256::new();
        hash.update(b"quartermaster/fingerprint/v1/");
        hash.update(domain.as_bytes());
        hash.update([0]);
        hash.update(secret.as_bytes());
        Fingerprint(hash.finalize().into())
    }
}

impl Fingerprint {
    /// 64 hexadecimal digits.
    #[must_use]
    pub fn hex(&self) -> String {
        self.0.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(digit).collect()
    }
}

fn digit(nibble: u8) -> char {
    char::from_digit(u32::from(nibble), 16).unwrap_or('0')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    #[test]
    fn the_same_secret_has_the_same_print_and_no_other_has() {
        let of = |refresh: Option<&str>, key: Option<&str>| {
            let credential = Credential {
                refresh_token: refresh.map(Into::into),
                api_key: key.map(Into::into),
                ..Credential::new(Kind::BuilderId)
            };
            credential.fingerprint()
        };
        assert_eq!(of(Some("a"), None), of(Some("a"), None));
        assert_ne!(of(Some("a"), None), of(Some("b"), None));
        assert_ne!(of(Some("a"), None), of(None, Some("a")), "a token never passes for a key");
        let hex = of(Some("a"), None).hex();
        assert!(hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()), "{hex}");
    }

    #[test]
    fn it_is_the_same_in_every_release() {
        let credential = Credential { refresh_token: Some("a".into()), ..Credential::new(Kind::BuilderId) };
        // printf 'quartermaster/fingerprint/v1/refresh-token\0a' | sha256sum
        assert_eq!(
            credential.fingerprint().hex(),
            "94084fbb90e02a42db0cbec875aef7e320bfe2c49b1341a24f97e744c6a1e403"
        );
    }
}
