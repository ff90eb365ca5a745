//! From an account that is to be to its record, and from a record to its login.

use qm_credential::{Credential, Draft, Proxy as DraftProxy};
use qm_seal::Keyring;
use qm_store::{AccountRecord, NewAccount, NewSecret, Origin, Proxy, Shelf, Wishes};
use secrecy::{ExposeSecret, SecretString};

use crate::AccountError;
use crate::house::House;

/// Longest label, owner or note that is taken, in characters.
pub(crate) const LONGEST_WORDS: usize = 2_000;

/// Most tags of an account.
const MOST_TAGS: usize = 100;

/// Longest tag, in characters.
const LONGEST_TAG: usize = 200;

/// Largest free JSON of an account.
const LARGEST_OTHER_BYTES: usize = 64 * 1024;

/// The words of a login of which no refresh has been tried.
const NEVER: &str = "never";

impl House {
    /// The record of an account that is to be.
    ///
    /// # Errors
    /// When the draft holds what no account can have.
    pub(crate) fn new_account(&self, draft: &Draft, origin: Origin) -> Result<NewAccount, AccountError> {
        check_login(&draft.credential)?;
        let id = self.new_id();
        let secret = self.new_secret(&id, &draft.credential, NEVER)?;
        let wishes = self.wishes(&id, draft)?;
        Ok(NewAccount { id, origin, slot: None, env_fingerprint: None, secret, wishes, face: String::new() })
    }

    /// A login, sealed for the account of this id.
    ///
    /// # Errors
    /// When it is too large to be one.
    pub(crate) fn new_secret(
        &self,
        id: &str,
        credential: &Credential,
        status: &str,
    ) -> Result<NewSecret, AccountError> {
        let json = credential.to_json();
        let sealed = self.keyring.seal(&json, &Shelf::Account.about(id), self.nonce())?;
        Ok(NewSecret {
            kind: credential.kind.word().to_owned(),
            sealed,
            fingerprint: credential.fingerprint().hex(),
            expires_ms: credential.access.as_ref().map(|access| access.expires_ms),
            status: status.to_owned(),
            env_fingerprint: None,
        })
    }

    /// A proxy's address, sealed for the account of this id.
    pub(crate) fn sealed_proxy(&self, id: &str, proxy: &DraftProxy) -> Result<Proxy, AccountError> {
        match proxy {
            DraftProxy::Direct => Ok(Proxy::Direct),
            DraftProxy::Url(url) => {
                let about = Shelf::Proxy.about(id);
                Ok(Proxy::Through(self.keyring.seal(url.expose_secret().as_bytes(), &about, self.nonce())?))
            }
        }
    }

    fn wishes(&self, id: &str, draft: &Draft) -> Result<Wishes, AccountError> {
        let label = draft.label.clone().or_else(|| draft.email.clone()).filter(|label| !label.is_empty());
        let mut wishes = Wishes::named(label.unwrap_or_else(|| default_label(&draft.credential)));
        wishes.owner.clone_from(&draft.owner);
        wishes.tags.clone_from(&draft.tags);
        wishes.notes.clone_from(&draft.notes);
        if !draft.other.is_empty() {
            wishes.other = serde_json::to_string(&draft.other).ok();
        }
        wishes.enabled = draft.enabled.unwrap_or(true);
        wishes.weight = draft.weight.unwrap_or(wishes.weight);
        wishes.priority = draft.priority.unwrap_or(wishes.priority);
        wishes.rpm = draft.rpm;
        wishes.rate_per_hour = draft.rate_per_hour;
        wishes.concurrency = draft.concurrency;
        wishes.policy.clone_from(&draft.policy);
        wishes.surface_pin.clone_from(&draft.surface);
        if let Some(proxy) = &draft.proxy {
            wishes.proxy = self.sealed_proxy(id, proxy)?;
        }
        check(&wishes)?;
        Ok(wishes)
    }
}

/// The login in a record.
///
/// # Errors
/// When no key of the ring opens it, or what was sealed is no login.
pub(crate) fn credential_of(keyring: &Keyring, record: &AccountRecord) -> Result<Credential, AccountError> {
    let json = keyring.open(&record.secret.sealed, &Shelf::Account.about(&record.id))?;
    Credential::from_json(&json).map_err(|error| {
        AccountError::new(crate::ErrorKind::Internal, format!("A stored login is damaged: {error}."))
    })
}

/// The address of the proxy in a record.
///
/// # Errors
/// As [`credential_of`].
pub(crate) fn proxy_of(
    keyring: &Keyring,
    record: &AccountRecord,
) -> Result<Option<DraftProxy>, AccountError> {
    match &record.wishes.proxy {
        Proxy::House => Ok(None),
        Proxy::Direct => Ok(Some(DraftProxy::Direct)),
        Proxy::Through(sealed) => {
            let plain = keyring.open(sealed, &Shelf::Proxy.about(&record.id))?;
            let text = String::from_utf8(plain.to_vec())
                .map_err(|_| AccountError::new(crate::ErrorKind::Internal, "A stored proxy is damaged."))?;
            Ok(Some(DraftProxy::Url(SecretString::from(text))))
        }
    }
}

/// Whether a login has anything to be used or renewed with.
///
/// # Errors
/// When it has not.
pub(crate) fn check_login(login: &Credential) -> Result<(), AccountError> {
    if login.refresh_token.is_none() && login.api_key.is_none() && login.access.is_none() {
        return Err(AccountError::invalid(
            "An account needs a refresh token, an API key or an access token.",
        ));
    }
    Ok(())
}

/// Whether accounts can be pinned to this.
pub(crate) fn is_surface(name: &str) -> bool {
    name == "auto" || qm_amazonq::Surface::named(name).is_some()
}

/// Whether these wishes can be granted.
///
/// # Errors
/// Says which cannot.
pub(crate) fn check(wishes: &Wishes) -> Result<(), AccountError> {
    let texts =
        [("label", Some(&wishes.label)), ("owner", wishes.owner.as_ref()), ("notes", wishes.notes.as_ref())];
    for (name, text) in texts {
        if text.is_some_and(|text| text.chars().count() > LONGEST_WORDS) {
            return Err(AccountError::invalid(format!("{name} has more than {LONGEST_WORDS} characters")));
        }
    }
    let long = |tag: &String| tag.chars().count() > LONGEST_TAG;
    if wishes.tags.len() > MOST_TAGS || wishes.tags.iter().any(long) {
        return Err(AccountError::invalid(format!(
            "an account has {MOST_TAGS} tags of {LONGEST_TAG} characters at most"
        )));
    }
    if wishes.other.as_ref().is_some_and(|other| other.len() > LARGEST_OTHER_BYTES) {
        return Err(AccountError::invalid(format!("other has more than {LARGEST_OTHER_BYTES} bytes")));
    }
    if let Some(policy) = &wishes.policy
        && qm_pool::LicencePolicy::of_word(policy).is_none()
    {
        return Err(AccountError::invalid("policy must be own, own-then-pool or pool"));
    }
    if let Some(surface) = &wishes.surface_pin
        && !is_surface(surface)
    {
        return Err(AccountError::invalid("surface is not one that is known"));
    }
    if let Some(region) = &wishes.region
        && !qm_credential::region::is_region(region)
    {
        return Err(AccountError::invalid("region is not the name of an AWS region"));
    }
    Ok(())
}

/// Something to call an account that nobody named.
fn default_label(credential: &Credential) -> String {
    let print = credential.fingerprint().hex();
    format!("{} {}", credential.kind.word(), print.get(..6).unwrap_or_default())
}
