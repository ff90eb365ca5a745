//! Listings: what to show, in which order, a page at a time.
//!
//! Pages are found by the last row's key, not by counting rows, so that rows that come or go between two pages neither repeat nor
//! hide others.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::account::{AccountRecord, Origin};

/// Which accounts; all that are set must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Only enabled or only disabled ones.
    pub enabled: Option<bool>,
    /// Only of this owner.
    pub owner: Option<String>,
    /// Only with this tag.
    pub tag: Option<String>,
    /// Only of this kind of login.
    pub kind: Option<String>,
    /// Only in this state of health.
    pub state: Option<String>,
    /// Only of this origin.
    pub origin: Option<Origin>,
    /// Only with exactly this label.
    pub label: Option<String>,
    /// Only with these letters in label, owner, notes or id; case of ASCII letters aside.
    pub search: Option<String>,
}

/// An order. Equal ones stand by number, in the same direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sort {
    /// By what.
    pub key: SortKey,
    /// Largest first.
    pub descending: bool,
}

/// What a listing is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "each is the field of the same name")]
pub enum SortKey {
    #[default]
    Number,
    Created,
    Updated,
    Label,
    State,
    Success,
    Errors,
    Requests,
    LastUsed,
    Priority,
}

/// Some rows of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The rows.
    pub accounts: Vec<AccountRecord>,
    /// Where the next page begins; nothing after the last.
    pub next: Option<Cursor>,
    /// How many accounts the filter lets through, on all pages.
    pub total: u64,
}

/// The place after a row. Callers treat its text as opaque.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The sort key of the row.
    pub at: Place,
    /// Its number.
    pub number: i64,
}

/// A value of a sort key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Place {
    /// Of a key that is a number or a time.
    Number(i64),
    /// Of a key that is a word.
    Text(String),
}

/// A text is no cursor of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not a cursor that a listing gave out")]
pub struct BadCursor;

impl Cursor {
    /// For a URL.
    #[must_use]
    pub fn to_text(&self) -> String {
        let json = serde_json::to_vec(&(&self.at, self.number));
        URL_SAFE_NO_PAD.encode(json.unwrap_or_default())
    }

    /// From a URL.
    ///
    /// # Errors
    /// [`BadCursor`].
    pub fn from_text(text: &str) -> Result<Self, BadCursor> {
        let json = URL_SAFE_NO_PAD.decode(text).map_err(|_| BadCursor)?;
        let (at, number) = serde_json::from_slice(&json).map_err(|_| BadCursor)?;
        Ok(Self { at, number })
    }

    /// Whether the place can be one of this order: a number among numbers, a word among words.
    #[must_use]
    pub fn fits(&self, key: SortKey) -> bool {
        let text = matches!(key, SortKey::Label | SortKey::State);
        text == matches!(self.at, Place::Text(_))
    }

    /// The place after this row in this order.
    #[must_use]
    pub fn after(row: &AccountRecord, key: SortKey) -> Self {
        Self { at: key.of(row), number: row.number }
    }
}

impl SortKey {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Number,
        Self::Created,
        Self::Updated,
        Self::Label,
        Self::State,
        Self::Success,
        Self::Errors,
        Self::Requests,
        Self::LastUsed,
        Self::Priority,
    ];

    /// This key of a row.
    #[must_use]
    pub fn of(self, row: &AccountRecord) -> Place {
        let count = |value: u64| Place::Number(i64::try_from(value).unwrap_or(i64::MAX));
        match self {
            Self::Number => Place::Number(row.number),
            Self::Created => count(row.created_ms),
            Self::Updated => count(row.updated_ms),
            Self::Label => Place::Text(row.wishes.label.clone()),
            Self::State => Place::Text(row.learned.health_state.clone()),
            Self::Success => count(row.counts.success_count),
            Self::Errors => count(row.counts.error_count),
            Self::Requests => count(row.counts.total_requests),
            Self::LastUsed => count(row.counts.last_used_ms.unwrap_or(0)),
            Self::Priority => Place::Number(i64::from(row.wishes.priority)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BadCursor, Cursor, Place};

    #[test]
    fn a_cursor_survives_a_url_and_other_texts_are_none() {
        for at in [Place::Number(-3), Place::Text("Zoë & co".to_owned())] {
            let cursor = Cursor { at, number: 12 };
            assert_eq!(Cursor::from_text(&cursor.to_text()), Ok(cursor));
        }
        for text in ["", "12", "!!", "bnVsbA", "eyJhIjoxfQ"] {
            assert_eq!(Cursor::from_text(text), Err(BadCursor), "{text}");
        }
    }
}
