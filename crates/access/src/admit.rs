//! Who may ask: what a request shows, held against the keys in memory.

use std::net::IpAddr;
use std::sync::Arc;

use qm_canon::Fault;
use qm_keys::{Digest, Scope, Scopes, Throttle};
use qm_relay::{Admission, Caller, Grant, KeyId, Shown};

use crate::denied::{Denied, Why};
use crate::entry::Entry;
use crate::grant::KeyGrant;
use crate::house::{ANYBODY, House};
use crate::{Access, fault};

/// Most tokens that are looked at in one request: each costs a hash.
const MOST_SHOWN: usize = 8;

/// Longest token that is looked at, in bytes.
const LONGEST_BYTES: usize = 1_024;

impl Admission for Access {
    fn admit(&self, shown: &Shown<'_>) -> Result<Caller, Fault> {
        let (entry, scopes) = match (self.house.client(shown), &self.house.anybody) {
            (Ok(known), _) => known,
            (Err(_), Some(anybody)) => return Ok(stranger(anybody)),
            (Err(denied), None) => return Err(fault::denied(&denied)),
        };
        if !scopes.open(Scope::Inference) {
            return Err(fault::scope());
        }
        let grant = Arc::clone(&entry.grant) as Arc<dyn Grant>;
        Ok(Caller {
            key: KeyId(Arc::clone(&entry.id)),
            owner: entry.owner.clone(),
            team: entry.team.clone(),
            admin: scopes.are_admin(),
            stranger: false,
            grant,
        })
    }

    fn census(&self) -> usize {
        let now_ms = self.house.now_ms();
        self.house.roster().entries().filter(|entry| entry.is_in_force(now_ms)).count()
    }
}

/// Somebody without a key, where the house is open.
fn stranger(grant: &Arc<KeyGrant>) -> Caller {
    let grant = Arc::clone(grant) as Arc<dyn Grant>;
    Caller { key: KeyId::from(ANYBODY), owner: None, team: None, admin: false, stranger: true, grant }
}

impl House {
    /// The key of a client, and what is open to him: in a session no more than it was opened for.
    fn client(&self, shown: &Shown<'_>) -> Result<(Arc<Entry>, Scopes), Denied> {
        if let (Some(session), []) = (&shown.session, shown.tokens) {
            // Whatever asks a model is an act: no other site may forge it.
            let (entry, scopes, _) = self.session(session, true)?;
            return Ok((entry, scopes));
        }
        let entry = self.recognise(shown.tokens, shown.from, &self.clients)?;
        let scopes = entry.scopes;
        Ok((entry, scopes))
    }

    /// The key behind the first of these tokens that is good.
    ///
    /// Wrong ones are counted against where they come from. Once there have been too many from there, no key that could
    /// be found by guessing opens from there for a while; one that cannot be guessed always does, or else one client
    /// with a wrong key would keep out all who share its address.
    pub(crate) fn recognise(
        &self,
        tokens: &[&str],
        from: Option<IpAddr>,
        throttle: &Throttle,
    ) -> Result<Arc<Entry>, Denied> {
        let now_ms = self.now_ms();
        let is_fit = |token: &&&str| !token.is_empty() && token.len() <= LONGEST_BYTES;
        let mut known_but = None;
        for token in tokens.iter().filter(is_fit).take(MOST_SHOWN) {
            match self.look_up(token, now_ms) {
                Ok(entry) => {
                    if entry.guessable {
                        throttle.may_try(from, now_ms).map_err(Denied::throttled)?;
                        throttle.succeeded(from, now_ms);
                    }
                    return Ok(entry);
                }
                Err(None) => {}
                // Its holder may know what became of it.
                Err(denied) => known_but = known_but.or(denied),
            }
        }
        if let Some(denied) = known_but {
            return Err(denied);
        }
        if tokens.is_empty() {
            let closed = self.roster().entries().next().is_none();
            return Err(if closed { Denied::closed() } else { Denied::missing() });
        }
        throttle.may_try(from, now_ms).map_err(Denied::throttled)?;
        throttle.failed(from, now_ms).map_err(Denied::throttled)?;
        Err(Denied::unknown())
    }

    /// The key of this token; else why its holder may not use it, or nothing for a token that is no key's.
    fn look_up(&self, token: &str, now_ms: u64) -> Result<Arc<Entry>, Option<Denied>> {
        let digest = Digest::of(token);
        let entry = self.roster().by_digest(&digest).map(Arc::clone).ok_or(None)?;
        let checked = entry.is_known_by(&digest, now_ms).and_then(|()| entry.may_be_used(now_ms));
        match checked {
            Ok(()) => Ok(entry),
            Err(denied) if denied.why == Why::Invalid => Err(Some(denied)),
            Err(_) => Err(None),
        }
    }
}
