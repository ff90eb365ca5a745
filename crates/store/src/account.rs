//! One account: the login it has, what people wish of it, what was learned about it, what it did.

use qm_seal::Sealed;

use crate::Ms;

/// An account as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRecord {
    /// Given by the store, ascending, never used again. The `{id}` of the dialect `/admin`, and the pool's name for it.
    pub number: i64,
    /// UUID version 4, from whoever made the account.
    pub id: String,
    /// The store's revision when the account was last written in a way others must notice.
    pub revision: i64,
    /// Where it came from.
    pub origin: Origin,
    /// Which environment account this is (`AMAZONQ_ACCOUNT_3`); nothing for others.
    pub slot: Option<String>,
    /// Fingerprint of the token the environment gave when this login was made from it. While the environment still says the same, the
    /// stored login, rotated since, is the newer one; when it says another, that one replaces it.
    pub env_fingerprint: Option<String>,
    /// The login.
    pub secret: Secret,
    /// What people set.
    pub wishes: Wishes,
    /// What was found out.
    pub learned: Learned,
    /// What it did.
    pub counts: Counts,
    /// When it was made.
    pub created_ms: Ms,
    /// When it was last written, counts aside.
    pub updated_ms: Ms,
}

/// How an account came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// By the management API.
    Api,
    /// By a device login.
    Login,
    /// From a file.
    Import,
    /// From the environment.
    Environment,
}

/// The login of an account, sealed, and what may be known of it without opening it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// `builder-id`, `identity-center`, `social`, `external-idp` or `api-key`.
    pub kind: String,
    /// The credential as JSON, sealed about [`crate::Shelf::Account`].
    pub sealed: Sealed,
    /// Raised whenever `sealed` is replaced by another login; what a writer must name to replace it.
    pub generation: i64,
    /// Hash of the refresh token or API key, in hex: by which duplicates are known.
    pub fingerprint: String,
    /// When the access token expires.
    pub expires_ms: Option<Ms>,
    /// When a refresh was last tried.
    pub last_refresh_ms: Option<Ms>,
    /// How it went: `never`, `success`, `failed…` (spec/mission.md A5.19).
    pub last_refresh_status: String,
}

/// What people set for an account. Nothing here is learned and nothing secret but the proxy, which is sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wishes {
    /// The name people gave it; not unique.
    pub label: String,
    /// Whose licence it is.
    pub owner: Option<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Free text.
    pub notes: Option<String>,
    /// The dialect `/v2`'s free JSON object, as text, without secrets.
    pub other: Option<String>,
    /// Whether it may be used.
    pub enabled: bool,
    /// Its share where shares are weighted.
    pub weight: u32,
    /// Lower numbers are used first, where there are priorities.
    pub priority: i32,
    /// Most requests in a minute.
    pub rpm: Option<u32>,
    /// Most requests in an hour.
    pub rate_per_hour: Option<u32>,
    /// Most requests at once.
    pub concurrency: Option<u32>,
    /// Whom it serves: `own`, `own-then-pool`, `pool`; nothing for the house's default.
    pub policy: Option<String>,
    /// How it reaches the upstream.
    pub proxy: Proxy,
    /// The surface it must use, if not the one that was learned.
    pub surface_pin: Option<String>,
    /// The profile ARN it must use, if not the one that was found.
    pub arn_pin: Option<String>,
    /// The API region it must use.
    pub region: Option<String>,
}

/// How an account reaches the upstream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Proxy {
    /// As the house does.
    #[default]
    House,
    /// Without a proxy, even if the house has one.
    Direct,
    /// Through this one; its URL may hold a password and is sealed about [`crate::Shelf::Proxy`].
    Through(Sealed),
}

/// What was found out about an account while using it. JSON here belongs to whoever wrote it; the store does not read it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Learned {
    /// JSON: surface that worked, ARN and its origin, regions, last error of each surface. Empty before anything was learned.
    pub face: String,
    /// JSON of the pool's health. Empty for an account nothing was noticed of.
    pub health: String,
    /// Its state in one word, for listings: `ready` for an account nothing was noticed of.
    pub health_state: String,
    /// JSON of the last usage limits.
    pub usage: Option<String>,
    /// When they were asked for.
    pub usage_ms: Option<Ms>,
}

/// What an account did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Requests it answered.
    pub success_count: u64,
    /// Failures since the last success.
    pub error_count: u64,
    /// Failures ever.
    pub error_total: u64,
    /// Requests ever.
    pub total_requests: u64,
    /// Tokens ever, in and out.
    pub total_tokens: u64,
    /// When it last served.
    pub last_used_ms: Option<Ms>,
}

/// An account to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// UUID version 4. What is sealed is sealed about it.
    pub id: String,
    /// Where it comes from.
    pub origin: Origin,
    /// Which environment account it is.
    pub slot: Option<String>,
    /// Fingerprint of the environment's token.
    pub env_fingerprint: Option<String>,
    /// Its login.
    pub secret: NewSecret,
    /// What people set.
    pub wishes: Wishes,
    /// What is known of it already; empty if nothing.
    pub face: String,
}

/// A login to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSecret {
    /// See [`Secret::kind`].
    pub kind: String,
    /// See [`Secret::sealed`].
    pub sealed: Sealed,
    /// See [`Secret::fingerprint`].
    pub fingerprint: String,
    /// See [`Secret::expires_ms`].
    pub expires_ms: Option<Ms>,
    /// See [`Secret::last_refresh_status`].
    pub status: String,
    /// The environment's token this login was made from; nothing leaves what is noted as it is.
    pub env_fingerprint: Option<String>,
}

/// A change of a value that may be absent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Change<T> {
    /// As it is.
    #[default]
    Keep,
    /// To this.
    Set(T),
    /// To nothing.
    Clear,
}

/// A change of some wishes; the rest stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "each field is the wish of the same name")]
pub struct AccountPatch {
    pub label: Option<String>,
    pub owner: Change<String>,
    pub tags: Option<Vec<String>>,
    pub notes: Change<String>,
    pub other: Change<String>,
    pub enabled: Option<bool>,
    pub weight: Option<u32>,
    pub priority: Option<i32>,
    pub rpm: Change<u32>,
    pub rate_per_hour: Change<u32>,
    pub concurrency: Change<u32>,
    pub policy: Change<String>,
    pub proxy: Option<Proxy>,
    pub surface_pin: Change<String>,
    pub arn_pin: Change<String>,
    pub region: Change<String>,
}

// === impl Origin ===

impl Origin {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Api, Self::Login, Self::Import, Self::Environment];

    /// The word in tables and listings.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Login => "login",
            Self::Import => "import",
            Self::Environment => "environment",
        }
    }

    /// The origin of this word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|origin| origin.word() == word)
    }
}

// === impl Wishes ===

impl Wishes {
    /// The wishes of somebody who only gave a name.
    #[must_use]
    pub fn named(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            owner: None,
            tags: Vec::new(),
            notes: None,
            other: None,
            enabled: true,
            weight: 10,
            priority: 0,
            rpm: None,
            rate_per_hour: None,
            concurrency: None,
            policy: None,
            proxy: Proxy::House,
            surface_pin: None,
            arn_pin: None,
            region: None,
        }
    }
}

// === impl Change ===

impl<T> Change<T> {
    /// Applies the change.
    pub fn to(self, value: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Set(new) => *value = Some(new),
            Self::Clear => *value = None,
        }
    }
}

impl<T> From<Option<T>> for Change<T> {
    /// `Set` or `Clear`: for callers who were given the value or its absence, not silence.
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Clear, Self::Set)
    }
}

// === impl AccountPatch ===

impl AccountPatch {
    /// Changes these wishes. For the dialects, which read the row and write it back within one transaction.
    pub fn apply(self, to: &mut Wishes) {
        set(self.label, &mut to.label);
        self.owner.to(&mut to.owner);
        set(self.tags, &mut to.tags);
        self.notes.to(&mut to.notes);
        self.other.to(&mut to.other);
        set(self.enabled, &mut to.enabled);
        set(self.weight, &mut to.weight);
        set(self.priority, &mut to.priority);
        self.rpm.to(&mut to.rpm);
        self.rate_per_hour.to(&mut to.rate_per_hour);
        self.concurrency.to(&mut to.concurrency);
        self.policy.to(&mut to.policy);
        set(self.proxy, &mut to.proxy);
        self.surface_pin.to(&mut to.surface_pin);
        self.arn_pin.to(&mut to.arn_pin);
        self.region.to(&mut to.region);
    }
}

/// Replaces a value by the new one, if there is one.
pub(crate) fn set<T>(new: Option<T>, old: &mut T) {
    if let Some(new) = new {
        *old = new;
    }
}
