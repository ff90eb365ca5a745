//! The decisions as they are kept: what is not there was never decided.

use std::collections::BTreeMap;
use std::time::Duration;

use qm_admin::settings::{SettingsError, SettingsErrorKind, SettingsPatch};
use qm_pool::Strategy;
use qm_relay::{Alias, Aliases, Naming};
use qm_store::Change;
use serde::{Deserialize, Serialize};

use super::by_name;
use crate::config::{Config, models};
use crate::ledger;

/// The decisions, or all that holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Document {
    /// The empty text is the decision that there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) default_model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) aliases: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) strategy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) keeps_receipts: Option<bool>,
    /// Days of receipts, sums by the hour, sums by the day.
    pub(crate) retention: [Option<u32>; 3],
}

/// Names of settings as management has them, and of those in the configuration. Sums by the day are in no configuration.
const NAMES: [(&str, &str); 6] = [
    ("default_model", "models.default"),
    ("aliases", "models.aliases"),
    ("strategy", "pool.strategy"),
    ("keeps_receipts", "ledger.keeps"),
    (RETENTION[0], "ledger.receipts"),
    (RETENTION[1], "ledger.hours"),
];

const RETENTION: [&str; 3] = ["retention.receipts_days", "retention.hours_days", "retention.days_days"];

/// Fewest days: limits of a month are counted from the sums by hour and day.
const FEWEST_DAYS: [u32; 3] = [1, 32, 32];

/// A hundred years; longer is for ever.
const MOST_DAYS: u32 = 36_500;

/// What the configuration says, by management's names.
pub(super) fn fixed(config: &Config) -> Vec<&'static str> {
    NAMES.iter().filter(|(_, key)| config.written.contains(key)).map(|(name, _)| *name).collect()
}

/// What a change names.
pub(super) fn names(patch: &SettingsPatch) -> Vec<&'static str> {
    let named = [
        ("default_model", patch.default_model != Change::Keep),
        ("aliases", patch.aliases.is_some()),
        ("strategy", patch.strategy.is_some()),
        ("keeps_receipts", patch.keeps_receipts.is_some()),
        (RETENTION[0], patch.receipts_days.is_some()),
        (RETENTION[1], patch.hours_days.is_some()),
        (RETENTION[2], patch.days_days.is_some()),
    ];
    named.into_iter().filter(|(_, changed)| *changed).map(|(name, _)| name).collect()
}

impl Document {
    /// All that holds by this configuration.
    pub(super) fn of(config: &Config) -> Self {
        let qm_ledger::Retention { receipts_days, hours_days, days_days } =
            ledger::retention(config.ledger.retention);
        Self {
            default_model: Some(config.models.default.clone().unwrap_or_default()),
            aliases: Some(by_name(&config.models.aliases)),
            strategy: Some(config.pool.strategy.word().to_owned()),
            keeps_receipts: Some(config.ledger.keeps),
            retention: [receipts_days, hours_days, days_days].map(Some),
        }
    }

    /// Takes the decisions into a configuration, where it says nothing itself.
    pub(super) fn take_into(self, config: &mut Config) {
        let Self { default_model, aliases, strategy, keeps_receipts, retention } =
            self.without(&fixed(config));
        if let Some(default_model) = default_model {
            config.models.default = Some(default_model).filter(|model| !model.is_empty());
        }
        if let Some(aliases) = aliases {
            config.models.aliases =
                aliases.iter().filter_map(|(name, model)| models::alias(name, model)).collect();
        }
        if let Some(strategy) = strategy.as_deref().and_then(Strategy::of_word) {
            config.pool.strategy = strategy;
        }
        if let Some(keeps) = keeps_receipts {
            config.ledger.keeps = keeps;
        }
        let time = |days: u32| (days > 0).then(|| Duration::from_secs(u64::from(days) * 86_400));
        let [receipts, hours, days] = retention;
        if let Some(receipts) = receipts {
            config.ledger.retention.receipts = time(receipts);
        }
        if let Some(hours) = hours {
            config.ledger.retention.hours = time(hours);
        }
        if let Some(days) = days {
            config.ledger.retention.days = time(days);
        }
    }

    /// Without what these names say.
    pub(super) fn without(&self, names: &[&str]) -> Self {
        let decided = |name: &str| !names.contains(&name);
        let mut left = self.clone();
        left.default_model = left.default_model.filter(|_| decided("default_model"));
        left.aliases = left.aliases.filter(|_| decided("aliases"));
        left.strategy = left.strategy.filter(|_| decided("strategy"));
        left.keeps_receipts = left.keeps_receipts.filter(|_| decided("keeps_receipts"));
        for (days, name) in left.retention.iter_mut().zip(RETENTION) {
            *days = days.filter(|_| decided(name));
        }
        left
    }

    /// What this does not say is as it was.
    pub(super) fn over(self, before: &Self) -> Self {
        let mut retention = before.retention;
        for (days, decided) in retention.iter_mut().zip(self.retention) {
            *days = decided.or(*days);
        }
        Self {
            default_model: self.default_model.or_else(|| before.default_model.clone()),
            aliases: self.aliases.or_else(|| before.aliases.clone()),
            strategy: self.strategy.or_else(|| before.strategy.clone()),
            keeps_receipts: self.keeps_receipts.or(before.keeps_receipts),
            retention,
        }
    }

    /// With what is to change, if all of it can be.
    pub(super) fn changed(&self, patch: SettingsPatch) -> Result<Self, SettingsError> {
        let SettingsPatch {
            default_model,
            aliases,
            strategy,
            keeps_receipts,
            receipts_days,
            hours_days,
            days_days,
        } = patch;
        let mut next = self.clone();
        match default_model {
            Change::Keep => {}
            Change::Clear => next.default_model = Some(String::new()),
            Change::Set(model) if models::is_name(&model) => next.default_model = Some(model),
            Change::Set(_) => return Err(invalid("default_model", models::A_NAME)),
        }
        if let Some(aliases) = aliases {
            if aliases.len() > models::MOST_ALIASES {
                return Err(invalid("aliases", &format!("expected at most {}", models::MOST_ALIASES)));
            }
            if aliases.iter().any(|(name, model)| models::alias(name, model).is_none()) {
                let expected = "expected names and models, such as gpt-4 or gpt-4* and claude-sonnet-4.5";
                return Err(invalid("aliases", expected));
            }
            next.aliases = Some(aliases);
        }
        if let Some(word) = strategy {
            let words = || format!("expected one of {}", Strategy::words().collect::<Vec<_>>().join(", "));
            let strategy = Strategy::of_word(&word).ok_or_else(|| invalid("strategy", &words()))?;
            next.strategy = Some(strategy.word().to_owned());
        }
        next.keeps_receipts = keeps_receipts.or(next.keeps_receipts);
        let wished =
            [receipts_days, hours_days, days_days].into_iter().zip(RETENTION.into_iter().zip(FEWEST_DAYS));
        for (kept, (days, (name, fewest))) in next.retention.iter_mut().zip(wished) {
            let Some(days) = days else { continue };
            if days != 0 && !(fewest..=MOST_DAYS).contains(&days) {
                let expected = format!("expected {fewest} to {MOST_DAYS} days, or 0 for ever");
                return Err(invalid(name, &expected));
            }
            *kept = Some(days);
        }
        Ok(next)
    }

    /// The model for names that nobody knows.
    pub(super) fn default_model(&self) -> Option<String> {
        self.default_model.clone().filter(|model| !model.is_empty())
    }

    /// What names of models stand for.
    pub(super) fn naming(&self) -> Naming {
        let aliases = self.aliases.iter().flatten();
        let aliases = aliases.map(|(name, model)| Alias { name: name.clone(), model: model.clone() });
        Naming { aliases: Aliases::new(aliases), default_model: self.default_model() }
    }
}

fn invalid(name: &str, expected: &str) -> SettingsError {
    SettingsError { kind: SettingsErrorKind::Invalid, words: format!("{name}: {expected}.").into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions_come_back_as_they_were_and_what_was_not_decided_is_not_there() {
        for text in [
            r#"{"retention":[null,null,null]}"#,
            r#"{"default_model":"","retention":[null,40,null]}"#,
            r#"{"default_model":"m","aliases":{"gpt-4*":""},"strategy":"random","keeps_receipts":false,"retention":[1,32,0]}"#,
        ] {
            let document: Document = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&document).unwrap(), text);
        }
        assert_eq!(serde_json::from_str::<Document>("{}").unwrap(), Document::default());
    }

    #[test]
    fn a_change_is_whole_or_nothing_and_says_what_is_wrong() {
        let aliases = |name: &str| Some([(name.to_owned(), "m".to_owned())].into());
        let patch = SettingsPatch::default;
        let sound = SettingsPatch {
            default_model: Change::Set("m".to_owned()),
            aliases: aliases("gpt-4*"),
            strategy: Some("lowest_rpm".to_owned()),
            hours_days: Some(0),
            ..patch()
        };
        let next = Document::default().changed(sound).unwrap();
        assert_eq!((next.strategy.as_deref(), next.retention), (Some("round_robin"), [None, Some(0), None]));
        for (wrong, name) in [
            (
                SettingsPatch { default_model: Change::Set("two words".to_owned()), ..patch() },
                "default_model",
            ),
            (SettingsPatch { aliases: aliases("g*t"), ..patch() }, "aliases"),
            (SettingsPatch { strategy: Some("fastest".to_owned()), ..patch() }, "strategy"),
            (SettingsPatch { hours_days: Some(31), ..patch() }, "retention.hours_days"),
            (SettingsPatch { receipts_days: Some(36_501), ..patch() }, "retention.receipts_days"),
        ] {
            let error = next.changed(wrong).unwrap_err();
            assert!(
                error.kind == SettingsErrorKind::Invalid && error.words.starts_with(name),
                "{}",
                error.words
            );
        }
    }
}
