//! One key of the gateway: by which hash it is known, what people set for it, what it did. The key itself is never here.

use crate::account::Change;
use crate::{Ms, account};

/// A key as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// Given by the store, ascending, never used again. The `{id}` of the dialect `/admin`.
    pub number: i64,
    /// UUID version 4, from whoever made the key. Receipts and roll-ups name it.
    pub id: String,
    /// The store's revision when the key was last written in a way others must notice.
    pub revision: i64,
    /// How it is known.
    pub mark: KeyMark,
    /// How it was known before it was rotated, while both are good.
    pub before: Option<OldMark>,
    /// What people set.
    pub wishes: KeyWishes,
    /// Where it came from.
    pub origin: KeyOrigin,
    /// Who made it, as the audit names people.
    pub created_by: String,
    /// When it was revoked; nothing for a key that is not.
    pub revoked_ms: Option<Ms>,
    /// What it did.
    pub counts: KeyCounts,
    /// When it was made.
    pub created_ms: Ms,
    /// When it was last written, counts aside.
    pub updated_ms: Ms,
}

/// How a key is known without the key: a hash to find it by, and some letters that people recognise it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyMark {
    /// SHA-256 of the key, in hex. A key has 384 random bits, so that no slow hash is needed.
    pub digest: String,
    /// How it begins: `amq-AbCd`.
    pub hint_prefix: String,
    /// How it ends: four letters.
    pub hint_last4: String,
}

/// How a key was known before it was rotated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldMark {
    /// SHA-256 of the old key, in hex.
    pub digest: String,
    /// Until when the old key is good.
    pub until_ms: Ms,
}

/// What people set for a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyWishes {
    /// The name people gave it; not unique.
    pub name: String,
    /// Free text.
    pub description: Option<String>,
    /// Whose key it is: his own accounts serve him first, or alone.
    pub owner: Option<String>,
    /// For which team its use is counted.
    pub team: Option<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// What it opens, in words. The store does not read them.
    pub scopes: Vec<String>,
    /// Whether it may be used. Unlike a revocation this is meant to be undone.
    pub enabled: bool,
    /// When it ends by itself.
    pub expires_ms: Option<Ms>,
    /// JSON of its limits. The store does not read it; empty for none.
    pub limits: String,
}

/// How a key came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyOrigin {
    /// By the management API.
    Api,
    /// By the first start of the house.
    Setup,
    /// By the command line.
    Cli,
}

/// What a key did. Sums of its receipts, those that were pruned included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeyCounts {
    /// Requests ever, however they ended.
    pub total_requests: u64,
    /// Tokens ever, in and out.
    pub total_tokens: u64,
    /// When its last request ended.
    pub last_used_ms: Option<Ms>,
}

/// A key to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    /// UUID version 4.
    pub id: String,
    /// How it is known.
    pub mark: KeyMark,
    /// What people set.
    pub wishes: KeyWishes,
    /// Where it comes from.
    pub origin: KeyOrigin,
    /// Who makes it.
    pub created_by: String,
}

/// A change of some wishes; the rest stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "each field is the wish of the same name")]
pub struct KeyPatch {
    pub name: Option<String>,
    pub description: Change<String>,
    pub owner: Change<String>,
    pub team: Change<String>,
    pub tags: Option<Vec<String>>,
    pub scopes: Option<Vec<String>>,
    pub enabled: Option<bool>,
    pub expires_ms: Change<Ms>,
    pub limits: Option<String>,
}

// === impl KeyWishes ===

impl KeyWishes {
    /// The wishes of somebody who only gave a name and what it opens.
    #[must_use]
    pub fn named(name: impl Into<String>, scopes: &[&str]) -> Self {
        Self {
            name: name.into(),
            description: None,
            owner: None,
            team: None,
            tags: Vec::new(),
            scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
            enabled: true,
            expires_ms: None,
            limits: String::new(),
        }
    }
}

// === impl KeyOrigin ===

impl KeyOrigin {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Api, Self::Setup, Self::Cli];

    /// The word in tables and listings.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Setup => "setup",
            Self::Cli => "cli",
        }
    }

    /// The origin of this word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|origin| origin.word() == word)
    }
}

// === impl KeyPatch ===

impl KeyPatch {
    /// Changes these wishes. For the dialects, which read the row and write it back within one transaction.
    pub fn apply(self, to: &mut KeyWishes) {
        account::set(self.name, &mut to.name);
        self.description.to(&mut to.description);
        self.owner.to(&mut to.owner);
        self.team.to(&mut to.team);
        account::set(self.tags, &mut to.tags);
        account::set(self.scopes, &mut to.scopes);
        account::set(self.enabled, &mut to.enabled);
        self.expires_ms.to(&mut to.expires_ms);
        account::set(self.limits, &mut to.limits);
    }
}
