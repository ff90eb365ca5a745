//! What answers cost in credits: known only afterwards, so a budget reserves what they cost of late.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Before the first answer of any model: one credit, in millionths. The upstream's plans are sold by it as about one
/// request, and short ones cost less (spec/upstream.md §4.3), so that this errs towards reserving too much.
const FIRST_MICRO: u64 = 1_000_000;

/// Each answer moves the mean by a share of one in this many.
const INERTIA: i128 = 8;

/// More names of models than any catalogue has.
const MOST_MODELS: usize = 256;

/// Running means of credits per answer, in millionths.
#[derive(Default)]
pub(crate) struct Means {
    inner: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    /// Of all models together.
    all: Option<u64>,
    each: HashMap<Box<str>, u64>,
}

impl Means {
    /// What an answer of this model is going to cost: the running mean of its answers; before the first, that of all
    /// models'; before any, [`FIRST_MICRO`].
    pub(crate) fn of(&self, model: &str) -> u64 {
        let table = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        table.each.get(model).copied().or(table.all).unwrap_or(FIRST_MICRO)
    }

    /// An answer of this model has cost so much.
    pub(crate) fn learn(&self, model: &str, micro: u64) {
        let mut table = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        table.all = Some(moved(table.all, micro));
        if let Some(mean) = table.each.get_mut(model) {
            *mean = moved(Some(*mean), micro);
        } else if table.each.len() < MOST_MODELS {
            table.each.insert(model.into(), micro);
        }
    }
}

fn moved(mean: Option<u64>, micro: u64) -> u64 {
    let Some(mean) = mean else { return micro };
    let (mean, micro) = (i128::from(mean), i128::from(micro));
    u64::try_from(mean + (micro - mean) / INERTIA).unwrap_or(FIRST_MICRO)
}

#[cfg(test)]
mod tests {
    use super::{FIRST_MICRO, MOST_MODELS, Means};

    #[test]
    fn a_mean_begins_with_the_first_answer_and_follows_the_others() {
        let means = Means::default();
        assert_eq!(means.of("opus"), FIRST_MICRO);
        means.learn("haiku", 80_000);
        assert_eq!((means.of("haiku"), means.of("opus")), (80_000, 80_000));
        means.learn("opus", 2_400_000);
        means.learn("opus", 1_600_000);
        assert_eq!((means.of("haiku"), means.of("opus")), (80_000, 2_300_000));
        means.learn("opus", u64::MAX);
        assert!(means.of("opus") > 2_300_000);
    }

    #[test]
    fn names_are_bounded() {
        let means = Means::default();
        (0..MOST_MODELS * 2).for_each(|n| means.learn(&format!("model-{n}"), 5));
        assert_eq!(means.inner.lock().unwrap().each.len(), MOST_MODELS);
    }
}
