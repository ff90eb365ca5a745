//! What people may set for a key, and whether it can be.

use qm_keys::{Limits, Scopes};
use qm_store::{Change, KeyPatch, KeyWishes};

use crate::AccessError;

/// A key that somebody wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyWish {
    /// A name to know it by.
    pub name: String,
    /// Free text.
    pub description: Option<String>,
    /// Whose key it is.
    pub owner: Option<String>,
    /// For which team its use is counted.
    pub team: Option<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// What it opens.
    pub scopes: Scopes,
    /// When it ends by itself, in milliseconds since 1970.
    pub expires_ms: Option<u64>,
    /// What it may use at most.
    pub limits: Limits,
}

/// A change of what people set; what is not named stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the wish of the same name")]
pub struct KeyEdit {
    pub name: Option<String>,
    pub description: Change<String>,
    pub owner: Change<String>,
    pub team: Change<String>,
    pub tags: Option<Vec<String>>,
    pub scopes: Option<Scopes>,
    pub enabled: Option<bool>,
    pub expires_ms: Change<u64>,
    pub limits: Option<Limits>,
}

/// Characters of a name, an owner, a team.
const LONGEST_NAME: usize = 200;

/// Characters of a description.
const LONGEST_TEXT: usize = 4_000;

/// Characters of a tag.
const LONGEST_TAG: usize = 100;

const MOST_TAGS: usize = 50;

/// The year 10000: JSON's dates end there.
const LATEST_MS: u64 = 253_402_300_800_000;

impl KeyWish {
    /// A client's key without limits.
    #[must_use]
    pub fn named(name: impl Into<String>, scopes: Scopes) -> Self {
        Self {
            name: name.into(),
            description: None,
            owner: None,
            team: None,
            tags: Vec::new(),
            scopes,
            expires_ms: None,
            limits: Limits::default(),
        }
    }

    pub(crate) fn into_record(self, now_ms: u64) -> Result<KeyWishes, AccessError> {
        let expires_ms = self.expires_ms;
        text("name", &self.name, LONGEST_NAME)?;
        optional("description", self.description.as_ref(), LONGEST_TEXT)?;
        optional("owner", self.owner.as_ref(), LONGEST_NAME)?;
        optional("team", self.team.as_ref(), LONGEST_NAME)?;
        tags(&self.tags)?;
        end(expires_ms, now_ms)?;
        let limits = written(&self.limits)?;
        let KeyWish { name, description, owner, team, tags, scopes, .. } = self;
        let scopes = scopes.words().map(str::to_owned).collect();
        Ok(KeyWishes { name, description, owner, team, tags, scopes, enabled: true, expires_ms, limits })
    }
}

impl KeyEdit {
    pub(crate) fn into_patch(self, now_ms: u64) -> Result<KeyPatch, AccessError> {
        let Self { name, description, owner, team, tags: words, scopes, enabled, expires_ms, limits } = self;
        name.iter().try_for_each(|name| text("name", name, LONGEST_NAME))?;
        optional("description", set(&description), LONGEST_TEXT)?;
        optional("owner", set(&owner), LONGEST_NAME)?;
        optional("team", set(&team), LONGEST_NAME)?;
        words.iter().try_for_each(|words| tags(words))?;
        end(set(&expires_ms).copied(), now_ms)?;
        let limits = limits.as_ref().map(written).transpose()?;
        let scopes = scopes.map(|scopes| scopes.words().map(str::to_owned).collect());
        Ok(KeyPatch { name, description, owner, team, tags: words, scopes, enabled, expires_ms, limits })
    }

    /// The names of what is changed, for the audit.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        let named = [
            ("name", self.name.is_some()),
            ("description", self.description != Change::Keep),
            ("owner", self.owner != Change::Keep),
            ("team", self.team != Change::Keep),
            ("tags", self.tags.is_some()),
            ("scopes", self.scopes.is_some()),
            ("enabled", self.enabled.is_some()),
            ("expires", self.expires_ms != Change::Keep),
            ("limits", self.limits.is_some()),
        ];
        named.into_iter().filter(|(_, changed)| *changed).map(|(name, _)| name).collect()
    }
}

fn set<T>(change: &Change<T>) -> Option<&T> {
    match change {
        Change::Set(value) => Some(value),
        Change::Keep | Change::Clear => None,
    }
}

fn written(limits: &Limits) -> Result<String, AccessError> {
    limits.validate()?;
    if *limits == Limits::default() {
        return Ok(String::new());
    }
    serde_json::to_string(limits).map_err(|_| AccessError::invalid("limits", "The limits cannot be written."))
}

fn optional(field: &'static str, value: Option<&String>, most: usize) -> Result<(), AccessError> {
    value.map_or(Ok(()), |value| text(field, value, most))
}

fn text(field: &'static str, value: &str, most: usize) -> Result<(), AccessError> {
    if value.trim().is_empty() || value.chars().count() > most {
        return Err(AccessError::invalid(field, format!("{field}: expected 1 to {most} characters.")));
    }
    // Line breaks belong into free text alone: names stand in tables and logs.
    if value.chars().any(|letter| letter.is_control() && !(field == "description" && letter == '\n')) {
        return Err(AccessError::invalid(field, format!("{field}: control characters are not allowed.")));
    }
    Ok(())
}

fn tags(tags: &[String]) -> Result<(), AccessError> {
    if tags.len() > MOST_TAGS {
        return Err(AccessError::invalid("tags", format!("tags: expected at most {MOST_TAGS}.")));
    }
    tags.iter().try_for_each(|tag| text("tags", tag, LONGEST_TAG))
}

fn end(expires_ms: Option<u64>, now_ms: u64) -> Result<(), AccessError> {
    match expires_ms {
        Some(expires_ms) if expires_ms <= now_ms || expires_ms >= LATEST_MS => Err(AccessError::invalid(
            "expires",
            "expires: expected a time in the future, before the year 10000.",
        )),
        _ => Ok(()),
    }
}
