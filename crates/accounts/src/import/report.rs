//! What became of a file and of each of its rows.

use qm_credential::import::Format;

/// What became of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Its format.
    pub format: Format,
    /// Its rows, in its order.
    pub rows: Vec<RowReport>,
}

/// What became of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowReport {
    /// Where it stands, such as `accounts[3]` or `line 4`.
    pub place: String,
    /// What the account is called.
    pub label: Option<String>,
    /// What became of it.
    pub fate: Fate,
    /// What was left out or is doubtful, in words.
    pub notices: Vec<String>,
}

/// What became of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is an account now.
    Added {
        /// Its id.
        id: String,
    },
    /// It would be one.
    WouldAdd,
    /// Another account has its login, or another row of this file above it.
    Duplicate {
        /// The id of that account, or the place of that row.
        of: String,
    },
    /// The account that has its login has its other parts now.
    Updated {
        /// Its id.
        id: String,
    },
    /// That account would have them.
    WouldUpdate {
        /// Its id.
        id: String,
    },
    /// It cannot be an account.
    Refused {
        /// Why, in words without secrets.
        why: String,
    },
}

// === impl Report ===

impl Report {
    /// How many accounts are new, or would be.
    #[must_use]
    pub fn added(&self) -> usize {
        self.count(|fate| matches!(fate, Fate::Added { .. } | Fate::WouldAdd))
    }

    /// How many have other parts of their login now, or would have.
    #[must_use]
    pub fn updated(&self) -> usize {
        self.count(|fate| matches!(fate, Fate::Updated { .. } | Fate::WouldUpdate { .. }))
    }

    /// How many were there already.
    #[must_use]
    pub fn duplicates(&self) -> usize {
        self.count(|fate| matches!(fate, Fate::Duplicate { .. }))
    }

    /// How many cannot be accounts.
    #[must_use]
    pub fn refused(&self) -> usize {
        self.count(|fate| matches!(fate, Fate::Refused { .. }))
    }

    fn count(&self, is: fn(&Fate) -> bool) -> usize {
        self.rows.iter().filter(|row| is(&row.fate)).count()
    }
}
