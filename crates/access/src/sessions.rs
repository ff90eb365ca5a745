//! Sessions of the console: opened with a key, held by a cookie, ended by time, by hand or with their key.

use std::net::IpAddr;
use std::sync::Arc;

use qm_keys::{Digest, Scope, Scopes, token};
use qm_relay::SessionShown;
use qm_store::SessionRecord;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::denied::{Denied, Why};
use crate::entry::Entry;
use crate::house::House;
use crate::{Access, AccessError, Actor, ErrorKind, Principal};

/// How long a session lasts, used or not, in milliseconds.
pub const LONGEST_MS: u64 = 12 * 3_600_000;

/// How long a session lasts unused, in milliseconds.
pub const IDLE_MS: u64 = 3_600_000;

/// Most sessions of one key; the one that was used least of late ends when there would be more.
const MOST_OF_A_KEY: usize = 50;

/// Most bytes that are kept of what a browser calls itself.
const AGENT_BYTES: usize = 256;

/// A session that was just opened. Both tokens are shown this once.
pub struct Opened {
    /// For the cookie, which must be `HttpOnly`, `SameSite` and, over TLS, `Secure`.
    pub cookie: SecretString,
    /// For the page, which sends it along with every act.
    pub csrf: SecretString,
    /// The session.
    pub view: SessionView,
    /// What it opens.
    pub scopes: Scopes,
}

/// A session, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionView {
    /// Its id: a hash of what the cookie holds, so it opens nothing.
    pub id: String,
    /// Id of the key it was opened with.
    pub key: String,
    /// When it was opened.
    pub created_ms: u64,
    /// When it was last used, within a minute.
    pub last_seen_ms: u64,
    /// When it ends at the latest.
    pub expires_ms: u64,
    /// The address it was opened from.
    pub source: String,
    /// The browser, as it calls itself.
    pub agent: String,
}

/// A session in memory.
pub(crate) struct Session {
    pub(crate) record: SessionRecord,
    csrf: Option<Digest>,
    scopes: Option<Scopes>,
    /// What was last written down of its last use.
    pub(crate) written_ms: u64,
}

impl Access {
    /// Opens a session for the holder of a key that opens management.
    ///
    /// # Errors
    /// [`Denied`]; what was not good is counted against its address and written into the audit.
    pub async fn login(&self, key: &str, from: Option<IpAddr>, agent: &str) -> Result<Opened, Denied> {
        let house = &self.house;
        let source = from.map(|from| from.to_string()).unwrap_or_default();
        let shown: &[&str] = if key.is_empty() { &[] } else { &[key] };
        let recognised = house.recognise(shown, from, &house.admins).and_then(|entry| {
            if entry.scopes.open(Scope::Read) {
                return Ok(entry);
            }
            // A guess like any other: a client's key must not try, and fill the audit, as often as it likes.
            let now_ms = house.now_ms();
            house.admins.may_try(from, now_ms).map_err(Denied::throttled)?;
            house.admins.failed(from, now_ms).map_err(Denied::throttled)?;
            let words = "Admin privileges required: this API key opens the routes of models alone.";
            Err(Denied::new(Why::Forbidden, words))
        });
        match recognised {
            Ok(entry) => house.open_session(&entry, source, agent).await.map_err(failed),
            Err(denied) => {
                // Once there are too many, they are not written down either.
                if !matches!(denied.why, Why::Missing | Why::Throttled { .. }) {
                    tracing::warn!(source, "a key that does not open the console was refused");
                    let actor = Actor::Stranger { source };
                    house.audit(&actor, "session.refuse", "", String::new()).await.map_err(failed)?;
                }
                Err(denied)
            }
        }
    }

    /// The sessions that are open, newest first.
    #[must_use]
    pub fn sessions(&self) -> Vec<SessionView> {
        let now_ms = self.house.now_ms();
        let sessions = self.house.sessions();
        let open = sessions.values().filter(|session| session.is_open(now_ms));
        let mut views: Vec<_> = open.map(|session| SessionView::of(&session.record)).collect();
        views.sort_by(|one, other| (other.created_ms, &other.id).cmp(&(one.created_ms, &one.id)));
        views
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for a session that is not open.
    pub async fn end_session(&self, id: &str, actor: &Actor) -> Result<(), AccessError> {
        let house = &self.house;
        let _changing = house.changing.lock().await;
        let missing = || AccessError::new(ErrorKind::NotFound, "Session not found");
        let digest = Digest::from_hex(id).ok_or_else(missing)?;
        // As it is kept, however the digits were written: else it would be back with the next look into the store.
        let id = digest.hex();
        // From the store first: where that fails the session goes on, and whoever ends it is told so.
        let was_kept = house.store.sessions().remove(&id).await?;
        if house.sessions().remove(&digest).is_none() && !was_kept {
            return Err(missing());
        }
        house.audit(actor, "session.end", &id, String::new()).await
    }

    /// Ends all sessions of a principal's key but the one he is in. How many there were.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn end_other_sessions(&self, principal: &Principal) -> Result<usize, AccessError> {
        let others: Vec<String> = self
            .sessions()
            .into_iter()
            .filter(|session| session.key == principal.key && Some(&session.id) != principal.session.as_ref())
            .map(|session| session.id)
            .collect();
        let mut ended = 0;
        for id in others {
            match self.end_session(&id, &principal.actor()).await {
                Ok(()) => ended += 1,
                Err(error) if error.kind == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(ended)
    }
}

impl House {
    async fn open_session(&self, entry: &Entry, source: String, agent: &str) -> Result<Opened, AccessError> {
        let now_ms = self.now_ms();
        let cookie = token::mint_session(self.random_bytes());
        let csrf = token::mint_csrf(self.random_bytes());
        let digest = Digest::of(cookie.expose_secret());
        let record = SessionRecord {
            id: digest.hex(),
            key_id: entry.id.to_string(),
            csrf: Digest::of(csrf.expose_secret()).hex(),
            scopes: entry.scopes.words().map(str::to_owned).collect(),
            created_ms: now_ms,
            last_seen_ms: now_ms,
            expires_ms: now_ms.saturating_add(LONGEST_MS),
            source,
            agent: cut(agent),
        };
        let actor = Actor::Key { id: record.key_id.clone(), source: record.source.clone() };
        let _changing = self.changing.lock().await;
        self.make_room(&record.key_id).await?;
        self.store.sessions().insert(record.clone()).await?;
        let detail = json!({ "agent": record.agent }).to_string();
        self.audit(&actor, "session.open", &record.id, detail).await?;
        let view = SessionView::of(&record);
        self.sessions().insert(digest, Session::of(record));
        Ok(Opened { cookie, csrf, view, scopes: entry.scopes })
    }

    /// Ends the session of this key that was used least of late, if there are as many as there may be.
    async fn make_room(&self, key_id: &str) -> Result<(), AccessError> {
        let oldest = {
            let sessions = self.sessions();
            let of_key = || sessions.iter().filter(|(_, session)| session.record.key_id == key_id);
            let oldest = of_key().min_by_key(|(_, session)| session.record.last_seen_ms);
            oldest.filter(|_| of_key().count() >= MOST_OF_A_KEY).map(|(digest, _)| *digest)
        };
        if let Some(oldest) = oldest {
            self.store.sessions().remove(&oldest.hex()).await?;
            self.sessions().remove(&oldest);
        }
        Ok(())
    }

    /// The key behind a session, what the session opens, and its id. `acts` says that something is done and not only
    /// looked at: then the session's other token is asked for, which a page of another site does not have.
    pub(crate) fn session(
        &self,
        shown: &SessionShown<'_>,
        acts: bool,
    ) -> Result<(Arc<Entry>, Scopes, String), Denied> {
        let now_ms = self.now_ms();
        let digest = Digest::of(shown.cookie);
        let over = || Denied::invalid("The session is over. Sign in again.");
        let mut sessions = self.sessions();
        let session = sessions.get_mut(&digest).filter(|session| session.is_open(now_ms)).ok_or_else(over)?;
        let entry = self.entry(&session.record.key_id).ok_or_else(over)?;
        if !entry.is_in_force(now_ms) {
            return Err(over());
        }
        // Never more than its key opens by now, nor more than it was opened for.
        let scopes = session.scopes.and_then(|scopes| scopes.within(entry.scopes)).ok_or_else(over)?;
        if acts {
            let sent = shown.csrf.map(Digest::of);
            if !sent.zip(session.csrf).is_some_and(|(sent, csrf)| sent.is(&csrf)) {
                let words = "The session's CSRF token is missing or wrong. Load the page again.";
                return Err(Denied::new(Why::Forged, words));
            }
        }
        session.record.last_seen_ms = session.record.last_seen_ms.max(now_ms);
        Ok((entry, scopes, session.record.id.clone()))
    }

    /// Reads all sessions: what other processes opened is known then, and what they ended is gone.
    pub(crate) async fn refresh_sessions(&self) -> Result<(), AccessError> {
        let listed = self.store.sessions().list(None).await?;
        let mut sessions = self.sessions();
        let mut before = std::mem::take(&mut *sessions);
        for record in listed {
            let Some(digest) = Digest::from_hex(&record.id) else { continue };
            let mut session = Session::of(record);
            if let Some(known) = before.remove(&digest) {
                let seen_ms = &mut session.record.last_seen_ms;
                *seen_ms = known.record.last_seen_ms.max(*seen_ms);
            }
            sessions.insert(digest, session);
        }
        Ok(())
    }
}

impl Session {
    fn of(record: SessionRecord) -> Self {
        Self {
            csrf: Digest::from_hex(&record.csrf),
            scopes: Scopes::of_words(&record.scopes).ok(),
            written_ms: record.last_seen_ms,
            record,
        }
    }

    pub(crate) fn is_open(&self, now_ms: u64) -> bool {
        now_ms < self.record.expires_ms && now_ms < self.record.last_seen_ms.saturating_add(IDLE_MS)
    }
}

impl SessionView {
    fn of(record: &SessionRecord) -> Self {
        Self {
            id: record.id.clone(),
            key: record.key_id.clone(),
            created_ms: record.created_ms,
            last_seen_ms: record.last_seen_ms,
            expires_ms: record.expires_ms,
            source: record.source.clone(),
            agent: record.agent.clone(),
        }
    }
}

/// What is kept of a browser's name for itself.
fn cut(agent: &str) -> String {
    let fits = |end: &usize| *end <= AGENT_BYTES;
    let end = agent.char_indices().map(|(at, letter)| at + letter.len_utf8()).take_while(fits).last();
    agent.get(..end.unwrap_or(0)).unwrap_or_default().chars().filter(|letter| !letter.is_control()).collect()
}

/// The store's words are in the log.
fn failed(error: AccessError) -> Denied {
    Denied::new(Why::Failed, error.words)
}
