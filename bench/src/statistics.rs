//! Medians and spreads over rounds.

/// The middle and the ends of some values.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// Of all `values`; zeros when there are none.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or(0.0);
        let last = values.len().saturating_sub(1);
        Self { median: f64::midpoint(at(last / 2), at(last.div_ceil(2))), min: at(0), max: at(last) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        for (values, median, min, max) in [
            (vec![3.0, 1.0, 2.0], 2.0, 1.0, 3.0),
            (vec![4.0, 1.0, 2.0, 3.0], 2.5, 1.0, 4.0),
            (vec![7.0], 7.0, 7.0, 7.0),
            (vec![], 0.0, 0.0, 0.0),
        ] {
            assert_eq!(Spread::of(values), Spread { median, min, max });
        }
    }
}
