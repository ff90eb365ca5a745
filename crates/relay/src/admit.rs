//! Who may ask: the seam behind which the key store stands.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use qm_canon::Fault;

use crate::grant::Grant;

/// Decides who may ask. Everything it needs is in memory: it is asked once for every request.
pub trait Admission: Send + Sync {
    /// The caller behind what is shown: the first token that is valid, else the session.
    ///
    /// # Errors
    /// [`qm_canon::Kind::Unauthenticated`] when nothing shown is valid; [`qm_canon::Kind::Throttled`] when too much
    /// that was not valid has come from there.
    fn admit(&self, shown: &Shown<'_>) -> Result<Caller, Fault>;

    /// How many keys are in force, for `/health`.
    fn census(&self) -> usize;
}

/// What a request shows of who makes it.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    /// Tokens, as they stood in headers.
    pub tokens: &'a [&'a str],
    /// A session of the console; only where sessions may chat.
    pub session: Option<SessionShown<'a>>,
    /// Where it comes from.
    pub from: Option<IpAddr>,
}

/// What a browser shows of a session.
#[derive(Clone, Copy)]
pub struct SessionShown<'a> {
    /// The value of its cookie.
    pub cookie: &'a str,
    /// The token against requests that other sites forge.
    pub csrf: Option<&'a str>,
}

/// Someone who may ask.
#[derive(Clone)]
pub struct Caller {
    /// Which key it was, for receipts: never the key itself.
    pub key: KeyId,
    /// Whose key it is: his own accounts serve him first, or alone.
    pub owner: Option<Arc<str>>,
    /// To which team its usage counts.
    pub team: Option<Arc<str>>,
    /// Whether it may choose the account and learn which were tried.
    pub admin: bool,
    /// Whether nobody knows who it is: it showed no key, and needs none here.
    pub stranger: bool,
    /// What it may take.
    pub grant: Arc<dyn Grant>,
}

/// What a key is called: the id of its record, or `env-` and the first eight hexadecimal digits of its SHA-256 where it
/// has none. Enough to tell keys apart, useless for anything else.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyId(pub Arc<str>);

impl<'a> Shown<'a> {
    /// Nothing but tokens.
    #[must_use]
    pub fn tokens(tokens: &'a [&'a str]) -> Self {
        Self { tokens, session: None, from: None }
    }
}

impl From<&str> for KeyId {
    fn from(id: &str) -> Self {
        Self(id.into())
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
