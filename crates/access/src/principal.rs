//! Who stands at the door of management.

use std::net::IpAddr;

use qm_keys::{Scope, Scopes};
use qm_relay::Shown;

use crate::{Access, Actor, Denied};

/// Somebody with a key that is in force, or a session that was opened with one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Id of the key.
    pub key: String,
    /// Name of the key.
    pub name: String,
    /// What it opens.
    pub scopes: Scopes,
    /// Id of the session, if it is one.
    pub session: Option<String>,
    /// The address it comes from.
    pub from: Option<IpAddr>,
}

impl Principal {
    /// For the audit.
    #[must_use]
    pub fn actor(&self) -> Actor {
        let source = self.from.map(|from| from.to_string()).unwrap_or_default();
        Actor::Key { id: self.key.clone(), source }
    }

    /// Whether this may be done: whoever may read may look at what management shows, changes are an admin's.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.open(scope)
    }
}

impl Access {
    /// Who asks management for something, by a key or by a session. What he may do is for the caller to ask
    /// ([`Principal::may`]). `writes` says that something is changed: a session must then bring its token along.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn principal(&self, shown: &Shown<'_>, writes: bool) -> Result<Principal, Denied> {
        let from = shown.from;
        if let (Some(session), []) = (&shown.session, shown.tokens) {
            let (entry, scopes, id) = self.house.session(session, writes)?;
            let (key, name) = (entry.id.to_string(), entry.name.to_string());
            return Ok(Principal { key, name, scopes, session: Some(id), from });
        }
        let entry = self.house.recognise(shown.tokens, from, &self.house.admins)?;
        let (key, name) = (entry.id.to_string(), entry.name.to_string());
        Ok(Principal { key, name, scopes: entry.scopes, session: None, from })
    }
}
