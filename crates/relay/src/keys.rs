//! Keys from configuration, without limits: for small houses and tests.

use std::sync::Arc;

use qm_canon::{Fault, Kind, Origin};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::admit::{Admission, Caller, KeyId, Shown};
use crate::grant::{Grant, Unlimited};

/// Keys from configuration. Without any, nobody is admitted.
pub struct StaticKeys {
    digests: Vec<[u8; 32]>,
    admins: Vec<[u8; 32]>,
    grant: Arc<dyn Grant>,
}

impl StaticKeys {
    /// Admits the holders of these keys. Only digests are kept.
    #[must_use]
    pub fn new(keys: &[SecretString]) -> Self {
        Self { digests: digests(keys), admins: Vec::new(), grant: Unlimited::shared() }
    }

    /// Grants this to every one of them.
    #[must_use]
    pub fn with_grant(mut self, grant: Arc<dyn Grant>) -> Self {
        self.grant = grant;
        self
    }

    /// Admits the holders of these as well, as admins.
    #[must_use]
    pub fn with_admins(mut self, keys: &[SecretString]) -> Self {
        self.admins = digests(keys);
        self
    }
}

impl Admission for StaticKeys {
    fn admit(&self, shown: &Shown<'_>) -> Result<Caller, Fault> {
        for token in shown.tokens {
            let asked = digest(token);
            let (client, admin) = (is_among(&self.digests, &asked), is_among(&self.admins, &asked));
            if client | admin {
                let (key, grant) = (KeyId::of(&asked), Arc::clone(&self.grant));
                return Ok(Caller { key, owner: None, team: None, admin, stranger: false, grant });
            }
        }
        Err(if self.digests.is_empty() && self.admins.is_empty() {
            refused("The gateway is closed: it has no API keys yet. Its operator must configure one.")
        } else if shown.tokens.is_empty() {
            refused("API key required: send it as `x-api-key` or as `Authorization: Bearer`.")
        } else {
            refused("Invalid or expired API key. Check the key, or ask the gateway's operator for a new one.")
        })
    }

    fn census(&self) -> usize {
        self.digests.len() + self.admins.len()
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
    /// That of a key from configuration.
    #[must_use]
    pub fn of_key(key: &SecretString) -> Self {
        Self::of(&digest(key.expose_secret()))
    }

    fn of(digest: &[u8; 32]) -> Self {
        let [a, b, c, d, ..] = digest;
        Self(format!("env-{a:02x}{b:02x}{c:02x}{d:02x}").into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admit(keys: &StaticKeys, tokens: &[&str]) -> Result<(KeyId, bool), Fault> {
        keys.admit(&Shown::tokens(tokens)).map(|caller| (caller.key, caller.admin))
    }

    #[test]
    fn one_valid_token_of_several_is_enough() {
        let keys = StaticKeys::new(&["key-one".into(), "key-two".into()]);
        let first = admit(&keys, &["wrong", "key-two"]).expect("the second is valid");
        assert_eq!(first, admit(&keys, &["key-two"]).expect("valid"));
        assert_ne!(first, admit(&keys, &["key-one"]).expect("valid"));
        assert_eq!(first.0.0.len(), "env-".len() + 8);
    }

    #[test]
    fn an_admins_key_is_told_from_a_clients() {
        let keys = StaticKeys::new(&["client".into()]).with_admins(&["admin".into()]);
        assert!(!admit(&keys, &["client"]).expect("valid").1);
        assert!(admit(&keys, &["admin"]).expect("valid").1);
    }

    #[test]
    fn everything_else_is_refused_with_its_own_words() {
        let keys = StaticKeys::new(&["key".into()]);
        let message = |keys: &StaticKeys, tokens: &[&str]| admit(keys, tokens).expect_err("refused").message;
        assert!(message(&keys, &[]).starts_with("API key required"));
        assert!(message(&keys, &["", "ke", "key "]).starts_with("Invalid"));
        assert!(message(&StaticKeys::new(&[]), &["key"]).contains("closed"));
    }
}
