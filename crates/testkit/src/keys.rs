//! Fixed keys without limits of their own, for houses that test something else than keys.

use std::sync::Arc;

use qm_canon::{Fault, Kind, Origin};
use qm_keys::Digest;
use qm_relay::{Admission, Caller, Grant, KeyId, Shown, Unlimited};

/// Fixed keys. Without any, nobody is admitted.
pub struct StaticKeys {
    clients: Vec<Digest>,
    admins: Vec<Digest>,
    grant: Arc<dyn Grant>,
}

impl StaticKeys {
    /// Admits the holders of these keys.
    #[must_use]
    pub fn new(keys: &[&str]) -> Self {
        Self { clients: digests(keys), admins: Vec::new(), grant: Unlimited::shared() }
    }

    /// Grants this to every one of them.
    #[must_use]
    pub fn with_grant(mut self, grant: Arc<dyn Grant>) -> Self {
        self.grant = grant;
        self
    }

    /// Admits the holders of these as well, as admins.
    #[must_use]
    pub fn with_admins(mut self, keys: &[&str]) -> Self {
        self.admins = digests(keys);
        self
    }
}

impl Admission for StaticKeys {
    fn admit(&self, shown: &Shown<'_>) -> Result<Caller, Fault> {
        for token in shown.tokens {
            let asked = Digest::of(token);
            let admin = self.admins.iter().any(|key| key.is(&asked));
            if admin || self.clients.iter().any(|key| key.is(&asked)) {
                let (key, grant) = (KeyId(asked.configured_id().into()), Arc::clone(&self.grant));
                return Ok(Caller { key, owner: None, team: None, admin, stranger: false, grant });
            }
        }
        Err(if self.census() == 0 {
            refused("The gateway is closed: it has no API keys yet. Its operator must configure one.")
        } else if shown.tokens.is_empty() {
            refused("API key required: send it as `x-api-key` or as `Authorization: Bearer`.")
        } else {
            refused("Invalid or expired API key. Check the key, or ask the gateway's operator for a new one.")
        })
    }

    fn census(&self) -> usize {
        self.clients.len() + self.admins.len()
    }
}

fn refused(message: &'static str) -> Fault {
    Fault::new(Kind::Unauthenticated, Origin::Client, message).never_retry().code("key/refused")
}

fn digests(keys: &[&str]) -> Vec<Digest> {
    keys.iter().map(|key| Digest::of(key)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admit(keys: &StaticKeys, tokens: &[&str]) -> Result<(KeyId, bool), Fault> {
        keys.admit(&Shown::tokens(tokens)).map(|caller| (caller.key, caller.admin))
    }

    #[test]
    fn one_valid_token_of_several_is_enough() {
        let keys = StaticKeys::new(&["key-one", "key-two"]);
        let first = admit(&keys, &["wrong", "key-two"]).expect("the second is valid");
        assert_eq!(first, admit(&keys, &["key-two"]).expect("valid"));
        assert_ne!(first, admit(&keys, &["key-one"]).expect("valid"));
        assert_eq!(first.0.0.len(), "env-".len() + 8);
    }

    #[test]
    fn an_admins_key_is_told_from_a_clients() {
        let keys = StaticKeys::new(&["client"]).with_admins(&["admin"]);
        assert!(!admit(&keys, &["client"]).expect("valid").1);
        assert!(admit(&keys, &["admin"]).expect("valid").1);
    }

    #[test]
    fn everything_else_is_refused_with_its_own_words() {
        let keys = StaticKeys::new(&["key"]);
        let message = |keys: &StaticKeys, tokens: &[&str]| admit(keys, tokens).expect_err("refused").message;
        assert!(message(&keys, &[]).starts_with("API key required"));
        assert!(message(&keys, &["", "ke", "key "]).starts_with("Invalid"));
        assert!(message(&StaticKeys::new(&[]), &["key"]).contains("closed"));
    }
}
