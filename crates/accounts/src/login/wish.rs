//! What a person who logs in wishes the account to be.

use qm_credential::{Credential, Draft};
use qm_upstream::login::Start;
use serde::{Deserialize, Serialize};

use crate::AccountError;
use crate::records::LONGEST_WORDS;

/// What a login is to become.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Whom the person logs in with.
    pub start: Start,
    /// What to call the account.
    pub label: Option<String>,
    /// Whether it is to be used; unsaid means yes.
    pub enabled: Option<bool>,
    /// Whose it is.
    pub owner: Option<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// The account whose login this renews, by id or number; nothing makes a new one.
    pub renews: Option<String>,
}

/// What is kept of a wish while the login waits.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct KeptWish {
    label: Option<String>,
    enabled: Option<bool>,
    owner: Option<String>,
    tags: Vec<String>,
}

impl Wish {
    /// A wish for an account that nobody has named.
    #[must_use]
    pub fn of(start: Start) -> Self {
        Self { start, label: None, enabled: None, owner: None, tags: Vec::new(), renews: None }
    }

    pub(super) fn check(&self) -> Result<(), AccountError> {
        let words = self.label.iter().chain(&self.owner).chain(&self.tags);
        if words.clone().count() > 100 || words.into_iter().any(|text| text.chars().count() > LONGEST_WORDS) {
            return Err(AccountError::invalid(format!(
                "label, owner and tags have {LONGEST_WORDS} characters each at most"
            )));
        }
        Ok(())
    }

    pub(super) fn start_url(&self) -> Option<String> {
        match &self.start {
            Start::Portal(portal) if !portal.is_builder_id() => Some(portal.start_url().to_owned()),
            Start::Portal(_) | Start::Social(_) => None,
        }
    }

    pub(super) fn draft(&self) -> String {
        let kept = KeptWish {
            label: self.label.clone(),
            enabled: self.enabled,
            owner: self.owner.clone(),
            tags: self.tags.clone(),
        };
        serde_json::to_string(&kept).unwrap_or_default()
    }
}

/// The account that a kept wish and its login make. A wish that cannot be read is as good as none.
pub(super) fn draft(kept: &str, credential: Credential) -> Draft {
    let KeptWish { label, enabled, owner, tags } = serde_json::from_str(kept).unwrap_or_default();
    Draft { label, enabled, owner, tags, ..Draft::new(credential) }
}
