//! Which models an account is asked for.

use std::sync::Arc;

use crate::health::condition::Condition;

/// The models an account has, as far as known, without those it rests from.
///
/// Accounts with the same offer stand in one ring, so that an account without the model is not looked at. There are
/// few different ones: plans and regions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Offer {
    /// Sorted; none if unknown, which is as good as all.
    models: Option<Models>,
    /// Sorted.
    resting: Vec<Box<str>>,
}

/// Sorted names, shared by all accounts that have the same.
pub(crate) type Models = Arc<[Box<str>]>;

// === impl Offer ===

impl Offer {
    pub(crate) fn of(models: Option<&Models>, condition: &Condition, now_ms: u64) -> Self {
        let mut resting: Vec<Box<str>> = condition.resting(now_ms).map(|rest| rest.model.clone()).collect();
        resting.sort_unstable();
        Self { models: models.cloned(), resting }
    }

    pub(crate) fn has_rests(&self) -> bool {
        !self.resting.is_empty()
    }

    /// Whether it is asked for the model; for any if none is named.
    pub(crate) fn admits(&self, model: Option<&str>) -> bool {
        self.has(model) && !self.rests_from(model)
    }

    /// Whether it has the model, as far as known.
    pub(crate) fn has(&self, model: Option<&str>) -> bool {
        model.is_none_or(|model| self.models.as_deref().is_none_or(|models| is_among(models, model)))
    }

    pub(crate) fn rests_from(&self, model: Option<&str>) -> bool {
        model.is_some_and(|model| is_among(&self.resting, model))
    }
}

fn is_among(sorted: &[Box<str>], model: &str) -> bool {
    sorted.binary_search_by(|name| (**name).cmp(model)).is_ok()
}

/// Sorted, without repetitions.
pub(crate) fn models(mut names: Vec<Box<str>>) -> Models {
    names.sort_unstable();
    names.dedup();
    names.into()
}
