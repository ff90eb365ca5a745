//! What people may see of a key: never the key.

use qm_keys::Limits;
use qm_store::{KeyCounts, KeyRecord};

use crate::entry::{Entry, read_limits};

/// A key, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyView {
    /// Its number; nothing for a key from configuration.
    pub number: Option<i64>,
    /// Its id: a UUID, or `env-` and eight digits.
    pub id: String,
    /// What a writer names so that no other's change is lost; zero for a key from configuration.
    pub revision: i64,
    /// Its name.
    pub name: String,
    /// Free text.
    pub description: Option<String>,
    /// Both ends of the key: `amq-AbCd…wxyz`; empty for a key from configuration.
    pub hint: String,
    /// Whose key it is.
    pub owner: Option<String>,
    /// For which team its use is counted.
    pub team: Option<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// What it opens, in words.
    pub scopes: Vec<String>,
    /// Whether it is switched on.
    pub enabled: bool,
    /// Whether it can be used, and if not, why.
    pub state: KeyState,
    /// When it ends by itself.
    pub expires_ms: Option<u64>,
    /// When it was revoked.
    pub revoked_ms: Option<u64>,
    /// Until when the key before the last rotation is good too.
    pub old_until_ms: Option<u64>,
    /// What it may use at most. None if they cannot be read.
    pub limits: Limits,
    /// `api`, `cli`, `setup`, or `environment` for a key from configuration.
    pub origin: &'static str,
    /// Who made it.
    pub created_by: String,
    /// When it was made; zero for a key from configuration.
    pub created_ms: u64,
    /// When it was last changed; zero for a key from configuration.
    pub updated_ms: u64,
    /// What it did. Nothing for a key from configuration: its receipts say it.
    pub counts: KeyCounts,
}

/// Whether a key can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// It can.
    Active,
    /// It is switched off.
    Disabled,
    /// Its time is over.
    Expired,
    /// It was revoked.
    Revoked,
    /// Its record cannot be read by this version.
    Unreadable,
}

impl KeyState {
    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Unreadable => "unreadable",
        }
    }

    /// That of a record that can be read.
    pub(crate) fn of(record: &KeyRecord, now_ms: u64) -> Self {
        if record.revoked_ms.is_some() {
            Self::Revoked
        } else if !record.wishes.enabled {
            Self::Disabled
        } else if record.wishes.expires_ms.is_some_and(|expires_ms| expires_ms <= now_ms) {
            Self::Expired
        } else {
            Self::Active
        }
    }
}

impl KeyView {
    /// Of a kept key.
    pub(crate) fn of(record: KeyRecord, now_ms: u64) -> Self {
        let limits = read_limits(&record.wishes.limits);
        let scopes = qm_keys::Scopes::of_words(&record.wishes.scopes);
        let is_readable = limits.is_some() && scopes.is_ok();
        let state = if is_readable { KeyState::of(&record, now_ms) } else { KeyState::Unreadable };
        let KeyRecord { number, id, revision, mark, before, wishes, .. } = record;
        Self {
            number: Some(number),
            id,
            revision,
            name: wishes.name,
            description: wishes.description,
            hint: format!("{}…{}", mark.hint_prefix, mark.hint_last4),
            owner: wishes.owner,
            team: wishes.team,
            tags: wishes.tags,
            scopes: wishes.scopes,
            enabled: wishes.enabled,
            state,
            expires_ms: wishes.expires_ms,
            revoked_ms: record.revoked_ms,
            old_until_ms: before.map(|old| old.until_ms).filter(|until_ms| *until_ms > now_ms),
            limits: limits.unwrap_or_default(),
            origin: record.origin.word(),
            created_by: record.created_by,
            created_ms: record.created_ms,
            updated_ms: record.updated_ms,
            counts: record.counts,
        }
    }

    /// Of a key from configuration.
    pub(crate) fn configured(entry: &Entry) -> Self {
        Self {
            number: None,
            id: entry.id.to_string(),
            revision: 0,
            name: entry.name.to_string(),
            description: None,
            hint: String::new(),
            owner: None,
            team: None,
            tags: Vec::new(),
            scopes: entry.scopes.words().map(str::to_owned).collect(),
            enabled: true,
            state: KeyState::Active,
            expires_ms: None,
            revoked_ms: None,
            old_until_ms: None,
            limits: entry.grant.limits().clone(),
            origin: "environment",
            created_by: "environment".to_owned(),
            created_ms: 0,
            updated_ms: 0,
            counts: KeyCounts::default(),
        }
    }

    /// Whether it comes from configuration and is changed there alone.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.number.is_none()
    }
}
