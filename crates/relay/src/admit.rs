//! Who may ask: the seam behind which the key store will stand.

use std::fmt;

use qm_canon::{Fault, Kind, Origin};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Decides who may ask.
pub trait Admission: Send + Sync {
    /// The caller behind one of these tokens, the first that is valid.
    ///
    /// # Errors
    /// [`Kind::Unauthenticated`] when none is.
    fn admit(&self, tokens: &[&str]) -> Result<Caller, Fault>;
}

/// Someone who may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Which key it was, for receipts: never the key itself.
    pub key: KeyId,
    /// Whose key it is: his own accounts serve him first, or alone.
    pub owner: Option<Box<str>>,
    /// Whether it may choose the account and learn which were tried.
    pub admin: bool,
}

/// The first eight hexadecimal digits of a key's SHA-256: enough to tell keys apart, useless for anything else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyId(pub String);

/// Keys from configuration. Without any, nobody is admitted.
pub struct StaticKeys {
    digests: Vec<[u8; 32]>,
    admins: Vec<[u8; 32]>,
}

impl StaticKeys {
    /// Admits the holders of these keys. Only digests are kept.
    #[must_use]
    pub fn new(keys: &[SecretString]) -> Self {
        Self { digests: digests(keys), admins: Vec::new() }
    }

    /// Admits the holders of these as well, as admins.
    #[must_use]
    pub fn with_admins(mut self, keys: &[SecretString]) -> Self {
        self.admins = digests(keys);
        self
    }
}

impl Admission for StaticKeys {
    fn admit(&self, tokens: &[&str]) -> Result<Caller, Fault> {
        for token in tokens {
            let asked = digest(token);
            let (client, admin) = (is_among(&self.digests, &asked), is_among(&self.admins, &asked));
            if client | admin {
                return Ok(Caller { key: KeyId::of(&asked), owner: None, admin });
            }
        }
        Err(if self.digests.is_empty() && self.admins.is_empty() {
            refused("The gateway is closed: it has no API keys yet. Its operator must configure one.")
        } else if tokens.is_empty() {
            refused("API key required: send it as `x-api-key` or as `Authorization: Bearer`.")
        } else {
            refused("Invalid or expired API key. Check the key, or ask the gateway's operator for a new one.")
        })
    }
}

fn refused(message: &'static str) -> Fault {
    Fault::new(Kind::Unauthenticated, Origin::Client, message).never_retry().code("key/refused")
}

fn digests(keys: &[SecretString]) -> Vec<[u8; 32]> {
    keys.iter().map(|key| digest(key.expose_secret())).collect()
}

/// Every digest is compared, so that time tells nothing about which one matched.
fn is_among(digests: &[[u8; 32]], asked: &[u8; 32]) -> bool {
    digests.iter().fold(false, |known, digest| known | bool::from(digest.ct_eq(asked)))
}

fn digest(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

impl KeyId {
    /// That of a key.
    #[must_use]
    pub fn of_key(key: &SecretString) -> Self {
        Self::of(&digest(key.expose_secret()))
    }

    fn of(digest: &[u8; 32]) -> Self {
        let [a, b, c, d, ..] = digest;
        Self(format!("{a:02x}{b:02x}{c:02x}{d:02x}"))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_valid_token_of_several_is_enough() {
        let keys = StaticKeys::new(&["key-one".into(), "key-two".into()]);
        let first = keys.admit(&["wrong", "key-two"]).expect("the second is valid");
        assert_eq!(first, keys.admit(&["key-two"]).expect("valid"));
        assert_ne!(first, keys.admit(&["key-one"]).expect("valid"));
        assert_eq!(first.key.0.len(), 8);
    }

    #[test]
    fn an_admins_key_is_told_from_a_clients() {
        let keys = StaticKeys::new(&["client".into()]).with_admins(&["admin".into()]);
        assert!(!keys.admit(&["client"]).expect("valid").admin);
        assert!(keys.admit(&["admin"]).expect("valid").admin);
    }

    #[test]
    fn everything_else_is_refused_with_its_own_words() {
        let keys = StaticKeys::new(&["key".into()]);
        let message = |keys: &StaticKeys, tokens: &[&str]| keys.admit(tokens).expect_err("refused").message;
        assert!(message(&keys, &[]).starts_with("API key required"));
        assert!(message(&keys, &["", "ke", "key "]).starts_with("Invalid"));
        assert!(message(&StaticKeys::new(&[]), &["key"]).contains("closed"));
    }
}
