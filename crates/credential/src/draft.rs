//! One account as an import finds it and an export writes it.

use std::fmt;

use secrecy::SecretString;

use crate::Credential;

/// An account that nobody has stored yet: a login and what its file says about how to use it.
#[derive(Clone)]
pub struct Draft {
    /// The login.
    pub credential: Credential,
    /// What people call it.
    pub label: Option<String>,
    /// Whether it is to be used; unsaid means yes.
    pub enabled: Option<bool>,
    /// Whose it is, for the licence policy. Only our own export says that.
    pub owner: Option<String>,
    /// The address it logs in with.
    pub email: Option<String>,
    /// Words of the operator.
    pub notes: Option<String>,
    /// Labels to group by.
    pub tags: Vec<String>,
    /// Its share among others.
    pub weight: Option<u32>,
    /// Smaller is earlier.
    pub priority: Option<i32>,
    /// Requests a minute.
    pub rpm: Option<u32>,
    /// Requests an hour.
    pub rate_per_hour: Option<u32>,
    /// Requests at once.
    pub concurrency: Option<u32>,
    /// `own`, `own-then-pool` or `pool`.
    pub policy: Option<String>,
    /// How its requests go out, if not as all do.
    pub proxy: Option<Proxy>,
    /// The upstream surface it is pinned to.
    pub surface: Option<String>,
    /// What the file says beyond that, with what looks secret left out.
    pub other: serde_json::Map<String, serde_json::Value>,
}

/// How the requests of one account go out.
#[derive(Clone)]
pub enum Proxy {
    /// Past the global proxy.
    Direct,
    /// Through this one: an `http`, `https` or `socks5` URL, perhaps with a password in it.
    Url(SecretString),
}

impl Draft {
    /// One that says nothing beyond its login.
    #[must_use]
    pub fn new(credential: Credential) -> Self {
        Self {
            credential,
            label: None,
            enabled: None,
            owner: None,
            email: None,
            notes: None,
            tags: Vec::new(),
            weight: None,
            priority: None,
            rpm: None,
            rate_per_hour: None,
            concurrency: None,
            policy: None,
            proxy: None,
            surface: None,
            other: serde_json::Map::new(),
        }
    }
}

impl fmt::Debug for Draft {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Draft").field("credential", &self.credential).finish_non_exhaustive()
    }
}
