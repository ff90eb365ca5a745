//! What a key may use at most.

mod written;

use serde::{Deserialize, Serialize};

use crate::Period;
use crate::models::ModelPattern;

/// What a key may use at most. What is not set is not limited.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Requests within any minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpm: Option<u64>,
    /// Requests in a day, from midnight UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpd: Option<u64>,
    /// Tokens, in and out, within any minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tpm: Option<u64>,
    /// Requests under way at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u64>,
    /// Tokens of one answer: where it reaches this, it ends as if the client had asked for no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_output: Option<u64>,
    /// Models, as [`ModelPattern`] reads them. Without any, all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// Budgets, at most one of a unit and a period.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub budgets: Vec<Budget>,
}

/// What may be spent in a period.
///
/// In JSON both amounts are numbers of the unit, so credits may have decimals; here they are whole tokens or
/// micro-credits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "written::Budget", into = "written::Budget")]
pub struct Budget {
    /// Of what.
    pub unit: Unit,
    /// Over what.
    pub period: Period,
    /// From here on answers carry a warning.
    pub soft: Option<u64>,
    /// Beyond this nothing is served until the period ends.
    pub hard: Option<u64>,
}

/// What is spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// The upstream's credits; summed as micro-credits.
    Credits,
    /// Tokens, in and out.
    Tokens,
}

/// A limit that cannot be kept: its path in the JSON, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {words}")]
pub struct LimitsError {
    /// The field, as `budgets[1].hard`.
    pub field: String,
    /// What is expected.
    pub words: &'static str,
}

/// More requests in a minute than this gateway can serve.
const MOST_REQUESTS: u64 = 10_000_000;

/// Requests under way at once.
const MOST_AT_ONCE: u64 = 100_000;

/// Tokens, wherever they are counted: a million millions.
const MOST_TOKENS: u64 = 1_000_000_000_000;

/// Micro-credits: a thousand million credits. Every number of them below is exact in JSON.
const MOST_MICRO_CREDITS: u64 = 1_000_000_000_000_000;

const MOST_MODELS: usize = 200;

const LONGEST_MODEL: usize = 200;

impl Limits {
    /// Holds them against what can be kept.
    ///
    /// # Errors
    /// The first limit that cannot be kept. A limit of zero is one of those: a key that may do nothing is disabled instead.
    pub fn validate(&self) -> Result<(), LimitsError> {
        let numbers = [
            ("rpm", self.rpm, MOST_REQUESTS, "expected 1 to 10000000 requests"),
            ("rpd", self.rpd, MOST_TOKENS, "expected 1 to 1000000000000 requests"),
            ("tpm", self.tpm, MOST_TOKENS, "expected 1 to 1000000000000 tokens"),
            ("concurrency", self.concurrency, MOST_AT_ONCE, "expected 1 to 100000 requests"),
            ("max_output", self.max_output, MOST_TOKENS, "expected 1 to 1000000000000 tokens"),
        ];
        for (field, limit, most, words) in numbers {
            if limit.is_some_and(|limit| !(1..=most).contains(&limit)) {
                return Err(LimitsError { field: field.to_owned(), words });
            }
        }
        self.validate_models()?;
        self.budgets.iter().enumerate().try_for_each(|(at, budget)| {
            let wrong = |field: &str, words| LimitsError { field: format!("budgets[{at}]{field}"), words };
            let earlier = self.budgets.iter().take(at);
            if earlier.into_iter().any(|other| (other.unit, other.period) == (budget.unit, budget.period)) {
                return Err(wrong("", "there is one of this unit and period already"));
            }
            budget.validate(wrong)
        })
    }

    /// The patterns of the models; none means all.
    #[must_use]
    pub fn model_patterns(&self) -> Vec<ModelPattern> {
        self.models.iter().map(|text| ModelPattern::new(text)).collect()
    }

    fn validate_models(&self) -> Result<(), LimitsError> {
        let wrong = |field: String, words| Err(LimitsError { field, words });
        if self.models.len() > MOST_MODELS {
            return wrong("models".to_owned(), "expected at most 200 of them");
        }
        let is_fit = |text: &String| {
            (1..=LONGEST_MODEL).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
        };
        match self.models.iter().position(|text| !is_fit(text)) {
            Some(at) => {
                wrong(format!("models[{at}]"), "expected 1 to 200 characters of ASCII without spaces")
            }
            None => Ok(()),
        }
    }
}

impl Budget {
    fn validate(&self, wrong: impl Fn(&str, &'static str) -> LimitsError) -> Result<(), LimitsError> {
        let (most, words) = match self.unit {
            Unit::Credits => (MOST_MICRO_CREDITS, "expected 0.000001 to 1000000000 credits"),
            Unit::Tokens => (MOST_TOKENS, "expected 1 to 1000000000000 tokens"),
        };
        for (field, amount) in [(".soft", self.soft), (".hard", self.hard)] {
            if amount.is_some_and(|amount| !(1..=most).contains(&amount)) {
                return Err(wrong(field, words));
            }
        }
        match (self.soft, self.hard) {
            (None, None) => Err(wrong("", "expected `soft`, `hard` or both")),
            (Some(soft), Some(hard)) if soft > hard => Err(wrong(".soft", "expected no more than `hard`")),
            _ => Ok(()),
        }
    }
}

impl Unit {
    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Credits => "credits",
            Self::Tokens => "tokens",
        }
    }

    /// How many of what is counted make one of it.
    #[must_use]
    pub const fn parts(self) -> u64 {
        match self {
            Self::Credits => 1_000_000,
            Self::Tokens => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Budget, Limits, Unit};
    use crate::Period;

    fn read(json: &str) -> Limits {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn limits_are_written_as_people_say_them() {
        let json = r#"{"rpm":60,"rpd":10000,"models":["claude-*"],"budgets":[
            {"unit":"credits","period":"month","soft":80,"hard":100.5},{"unit":"tokens","period":"day","hard":5000}]}"#;
        let limits = read(json);
        assert_eq!(
            limits.budgets,
            [
                Budget {
                    unit: Unit::Credits,
                    period: Period::Month,
                    soft: Some(80_000_000),
                    hard: Some(100_500_000)
                },
                Budget { unit: Unit::Tokens, period: Period::Day, soft: None, hard: Some(5_000) },
            ]
        );
        assert_eq!(limits.validate(), Ok(()));
        let plain: String = json.split_whitespace().collect();
        assert_eq!(serde_json::to_string(&limits).unwrap(), plain);
        assert_eq!(serde_json::to_string(&Limits::default()).unwrap(), "{}");
    }

    #[test]
    fn what_cannot_be_kept_is_refused_by_its_name() {
        for (json, field) in [
            (r#"{"rpm":0}"#, "rpm"),
            (r#"{"rpd":0}"#, "rpd"),
            (r#"{"tpm":1000000000001}"#, "tpm"),
            (r#"{"concurrency":100001}"#, "concurrency"),
            (r#"{"max_output":0}"#, "max_output"),
            (r#"{"models":["auto",""]}"#, "models[1]"),
            (r#"{"models":["with space"]}"#, "models[0]"),
            (r#"{"budgets":[{"unit":"tokens","period":"day"}]}"#, "budgets[0]"),
            (r#"{"budgets":[{"unit":"tokens","period":"day","hard":0}]}"#, "budgets[0].hard"),
            (r#"{"budgets":[{"unit":"credits","period":"day","soft":2,"hard":1}]}"#, "budgets[0].soft"),
            (
                r#"{"budgets":[{"unit":"tokens","period":"day","hard":1},{"unit":"tokens","period":"day","soft":1}]}"#,
                "budgets[1]",
            ),
        ] {
            assert_eq!(read(json).validate().unwrap_err().field, field, "{json}");
        }
    }

    #[test]
    fn what_is_not_a_limit_is_not_read() {
        for json in [
            r#"{"rpm":-1}"#,
            r#"{"rpm":1.5}"#,
            r#"{"rmp":1}"#,
            r#"{"budgets":[{"unit":"tokens","period":"week","hard":1}]}"#,
            r#"{"budgets":[{"unit":"tokens","period":"day","hard":1.5}]}"#,
            r#"{"budgets":[{"unit":"tokens","period":"day","hard":-1}]}"#,
            r#"{"budgets":[{"unit":"credits","period":"day","hard":0.0000001}]}"#,
            r#"{"budgets":[{"unit":"credits","period":"day","hard":1e300}]}"#,
        ] {
            assert!(serde_json::from_str::<Limits>(json).is_err(), "{json}");
        }
    }

    proptest! {
        #[test]
        fn every_budget_comes_back_as_it_was(credits in any::<bool>(), part in 1_u64..=1_000_000_000_000_000) {
            let unit = if credits { Unit::Credits } else { Unit::Tokens };
            let hard = if credits { part } else { part.min(1_000_000_000_000) };
            let budget = Budget { unit, period: Period::Day, soft: None, hard: Some(hard) };
            let json = serde_json::to_string(&budget).unwrap();
            prop_assert_eq!(serde_json::from_str::<Budget>(&json).unwrap(), budget);
        }
    }
}
