//! A mistake in the configuration, in words that let it be put right at the first attempt.

use std::fmt;

use super::raw::{Origin, Value};
use super::settings::Setting;

/// One mistake: which setting, where it was written, what was written, and what is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake(String);

/// All mistakes of a configuration; shown one per line.
#[derive(Debug, Default)]
pub(crate) struct Mistakes(Vec<Mistake>);

impl Mistake {
    /// A value that cannot be used.
    pub(crate) fn in_value(setting: &Setting, value: &Value, allowed: &str) -> Self {
        let (key, shown, origin) = (setting.key, value.shown(setting), value.origin());
        Self(format!("{key} is {shown} ({origin}): {allowed}"))
    }

    /// A setting that has to be there.
    pub(crate) fn missing(setting: &Setting, why: &str) -> Self {
        let (key, variable) = (setting.key, setting.environment);
        Self(format!("{key} is missing: {why}; set the environment variable {variable} or {key} in the file"))
    }

    /// Something wrong with an account that has variables of its own.
    pub(crate) fn in_variables(beginning: &str, what: &str) -> Self {
        Self(format!("the account of the environment variables {beginning}: {what}"))
    }

    /// Something wrong with a place rather than a setting: the file as a whole, or a key nobody knows.
    pub(crate) fn at(origin: &Origin, what: &str) -> Self {
        Self(format!("{origin}: {what}"))
    }
}

impl Mistakes {
    /// Adds one.
    pub(crate) fn push(&mut self, mistake: Mistake) {
        self.0.push(mistake);
    }

    /// Adds those of an earlier stage.
    pub(crate) fn extend(&mut self, earlier: impl IntoIterator<Item = Mistake>) {
        self.0.extend(earlier);
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, plural) = (self.0.len(), if self.0.len() == 1 { "" } else { "s" });
        writeln!(f, "The configuration has {count} mistake{plural}:")?;
        self.0.iter().try_for_each(|mistake| writeln!(f, "- {mistake}"))
    }
}
