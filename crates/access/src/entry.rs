//! One key as this process has it: everything that admission asks of it, ready in memory.

use std::sync::Arc;

use qm_coord::Coord;
use qm_keys::{Digest, Limits, Scopes, token};
use qm_store::KeyRecord;

use crate::denied::{Denied, Why};
use crate::grant::KeyGrant;
use crate::means::Means;
use crate::view::KeyState;

/// From how many characters on a key that is not of our making counts as one that cannot be guessed.
const LONG_CHARS: usize = 24;

/// One key.
pub(crate) struct Entry {
    pub(crate) id: Arc<str>,
    pub(crate) name: Box<str>,
    pub(crate) owner: Option<Arc<str>>,
    pub(crate) team: Option<Arc<str>>,
    pub(crate) digest: Digest,
    /// The digest before the last rotation, and until when it is good.
    pub(crate) old: Option<(Digest, u64)>,
    pub(crate) scopes: Scopes,
    pub(crate) grant: Arc<KeyGrant>,
    /// Whether trying long enough might find it: then wrong guesses are held against it.
    pub(crate) guessable: bool,
    /// The record it was made of; nothing for keys from configuration.
    pub(crate) record: Option<Arc<KeyRecord>>,
    /// Whether its scopes or limits cannot be read. Such a key opens nothing.
    unreadable: bool,
}

/// Where limits are counted and what they are estimated by, for all keys.
#[derive(Clone)]
pub(crate) struct Counting {
    pub(crate) coord: Arc<dyn Coord>,
    pub(crate) means: Arc<Means>,
}

impl Entry {
    /// A kept key. Nothing if its digest is none: then it cannot be found anyway.
    pub(crate) fn of(record: KeyRecord, counting: &Counting) -> Option<Self> {
        let digest = Digest::from_hex(&record.mark.digest);
        let Some(digest) = digest else {
            tracing::error!(key = record.id, "the digest of a key cannot be read: it opens nothing");
            return None;
        };
        let old = record.before.as_ref();
        let old = old.and_then(|old| Some((Digest::from_hex(&old.digest)?, old.until_ms)));
        let wishes = &record.wishes;
        let scopes = Scopes::of_words(&wishes.scopes);
        let limits = read_limits(&wishes.limits);
        let unreadable = scopes.is_err() || limits.is_none();
        if unreadable {
            tracing::error!(key = record.id, "scopes or limits of a key cannot be read: it opens nothing");
        }
        let id: Arc<str> = record.id.as_str().into();
        Some(Self {
            name: wishes.name.as_str().into(),
            owner: wishes.owner.as_deref().map(Into::into),
            team: wishes.team.as_deref().map(Into::into),
            digest,
            old,
            scopes: scopes.unwrap_or(Scopes::INFERENCE),
            grant: Arc::new(KeyGrant::new(Arc::clone(&id), limits.unwrap_or_default(), counting)),
            guessable: false,
            record: Some(Arc::new(record)),
            unreadable,
            id,
        })
    }

    /// A key from configuration.
    pub(crate) fn configured(key: &str, scopes: Scopes, limits: Limits, counting: &Counting) -> Self {
        let digest = Digest::of(key);
        let id: Arc<str> = digest.configured_id().into();
        Self {
            name: (*id).into(),
            owner: None,
            team: None,
            digest,
            old: None,
            scopes,
            grant: Arc::new(KeyGrant::new(Arc::clone(&id), limits, counting)),
            guessable: !token::is_minted(key) && key.len() < LONG_CHARS,
            record: None,
            unreadable: false,
            id,
        }
    }

    pub(crate) fn state(&self, now_ms: u64) -> KeyState {
        let Some(record) = &self.record else { return KeyState::Active };
        if self.unreadable { KeyState::Unreadable } else { KeyState::of(record, now_ms) }
    }

    pub(crate) fn is_in_force(&self, now_ms: u64) -> bool {
        self.state(now_ms) == KeyState::Active
    }

    /// Whether it may be used; else what its holder is told.
    pub(crate) fn may_be_used(&self, now_ms: u64) -> Result<(), Denied> {
        let words = match self.state(now_ms) {
            KeyState::Active => return Ok(()),
            KeyState::Expired => "This API key has expired. Ask the gateway's operator for a new one.",
            KeyState::Revoked => "This API key was revoked. Ask the gateway's operator for a new one.",
            KeyState::Disabled => "This API key is disabled. Ask the gateway's operator.",
            KeyState::Unreadable => "This API key cannot be used: the gateway's log has the reason.",
        };
        Err(Denied::new(Why::Invalid, words))
    }

    /// Whether this digest is its own, now; else what its holder is told. In constant time.
    pub(crate) fn is_known_by(&self, digest: &Digest, now_ms: u64) -> Result<(), Denied> {
        if self.digest.is(digest) {
            return Ok(());
        }
        match self.old {
            Some((old, until_ms)) if old.is(digest) && now_ms < until_ms => Ok(()),
            Some((old, _)) if old.is(digest) => Err(Denied::invalid(
                "This API key was replaced by a new one: use that, or ask the gateway's operator.",
            )),
            _ => Err(Denied::unknown()),
        }
    }
}

/// The limits of a record; nothing if they cannot be read.
pub(crate) fn read_limits(text: &str) -> Option<Limits> {
    if text.is_empty() {
        return Some(Limits::default());
    }
    serde_json::from_str(text).ok().filter(|limits: &Limits| limits.validate().is_ok())
}
