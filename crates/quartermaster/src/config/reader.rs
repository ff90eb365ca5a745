//! Reads typed values out of the raw ones and keeps every refusal.

use super::mistake::{Mistake, Mistakes};
use super::raw::Raw;
use super::settings::setting;

/// Reads values; a refused one is kept as a mistake and reading goes on.
pub(crate) struct Reader<'a> {
    raw: &'a Raw,
    mistakes: Mistakes,
    notes: Vec<String>,
}

/// A setting that cannot be used; the reader has kept why.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refused;

impl<'a> Reader<'a> {
    /// Begins with what was already wrong with the writing.
    pub(crate) fn new(raw: &'a Raw) -> Self {
        let mut mistakes = Mistakes::default();
        mistakes.extend(raw.mistakes().iter().cloned());
        Self { raw, mistakes, notes: raw.notes().to_vec() }
    }

    /// The value of a setting that always has one, because the table gives it a default.
    ///
    /// `parse` says what is allowed when it refuses.
    pub(crate) fn value<T>(
        &mut self,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, Refused> {
        self.optional(key, parse)?.ok_or(Refused)
    }

    /// The value of a setting that may be unset.
    pub(crate) fn optional<T>(
        &mut self,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, Refused> {
        let Some(value) = self.raw.value(key) else { return Ok(None) };
        match parse(value.text().trim()) {
            Ok(parsed) => Ok(Some(parsed)),
            Err(allowed) => {
                self.refuse(key, &allowed);
                Err(Refused)
            }
        }
    }

    /// Whether anybody wrote this setting.
    pub(crate) fn is_set(&self, key: &str) -> bool {
        self.raw.value(key).is_some()
    }

    /// Whether this setting was written in a place that wins over the other's.
    pub(crate) fn is_nearer(&self, key: &str, than: &str) -> bool {
        let rank = |key| self.raw.value(key).map(|value| value.origin().rank());
        rank(key) > rank(than)
    }

    /// What was written for this setting, unread.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.raw.value(key).map(|value| value.text().trim())
    }

    /// The variables of accounts that are no settings, because there may be any number of them.
    pub(crate) fn variables_of_accounts(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.raw.variables_of_accounts()
    }

    /// Keeps a mistake in the variables that begin with this.
    pub(crate) fn refuse_variables(&mut self, beginning: &str, what: &str) {
        self.mistakes.push(Mistake::in_variables(beginning, what));
    }

    /// Keeps a mistake in the value of a setting.
    pub(crate) fn refuse(&mut self, key: &str, allowed: &str) {
        if let (Some(setting), Some(value)) = (setting(key), self.raw.value(key)) {
            self.mistakes.push(Mistake::in_value(setting, value, allowed));
        }
    }

    /// Keeps the mistake that a setting is not there.
    pub(crate) fn missing(&mut self, key: &str, why: &str) {
        if let Some(setting) = setting(key) {
            self.mistakes.push(Mistake::missing(setting, why));
        }
    }

    /// Keeps something the operator should know although it is no mistake.
    pub(crate) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Everything that was found.
    pub(crate) fn finish(self) -> (Mistakes, Vec<String>) {
        (self.mistakes, self.notes)
    }
}
