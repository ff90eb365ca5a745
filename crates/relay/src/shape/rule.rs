//! Places in a schema, and what is said of them.

use std::fmt;

use qm_canon::Fault;

/// How a value does not fit.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Misfit {
    /// It breaks the rule at this place in the schema.
    Breaks(String),
    /// It took too much work to find out.
    Costly,
}

/// A place in the schema, as a JSON pointer built on the stack on the way down.
#[derive(Clone, Copy)]
pub(super) enum Rule<'p> {
    Root,
    Key(&'p Rule<'p>, &'p str),
    Index(&'p Rule<'p>, usize),
}

// === impl Rule ===

impl Rule<'_> {
    /// The schema itself is at fault here.
    pub(super) fn fault(&self, what: &str) -> Fault {
        unusable(format_args!("{self}: {what}"))
    }

    /// A value breaks the rule here.
    pub(super) fn broken(&self) -> Misfit {
        /// Longest place that is shown, in characters.
        const MAX_SHOWN: usize = 200;
        let place = if matches!(self, Self::Root) { "/".to_owned() } else { self.to_string() };
        Misfit::Breaks(place.chars().take(MAX_SHOWN).collect())
    }
}

impl fmt::Display for Rule<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Longest part of a path that is shown, in characters.
        const MAX_SHOWN: usize = 64;
        match self {
            Self::Root => Ok(()),
            Self::Key(parent, key) => {
                let shown: String = key.chars().filter(|c| !c.is_control()).take(MAX_SHOWN).collect();
                write!(f, "{parent}/{shown}")
            }
            Self::Index(parent, index) => write!(f, "{parent}/{index}"),
        }
    }
}

/// A schema that is not this gateway's to hold.
pub(super) fn unusable(what: impl fmt::Display) -> Fault {
    Fault::invalid(format!("The JSON Schema of the answer's format cannot be used: {what}"))
}
