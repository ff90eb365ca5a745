//! How much of its limits a key has used: for whoever holds it, and for admins.

use qm_coord::Level;
use qm_keys::{Budget, Period};

use crate::fault::amount;
use crate::measure::Measure;
use crate::{Access, AccessError};

/// How the limits of one key stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyStanding {
    /// Limits on requests and tokens.
    pub limits: Vec<LimitStanding>,
    /// Budgets.
    pub budgets: Vec<BudgetStanding>,
}

/// How one limit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitStanding {
    /// `rpm`, `rpd`, `tpm` or `concurrency`.
    pub name: &'static str,
    /// The most there may be.
    pub limit: u64,
    /// How much is taken, by requests under way too.
    pub used: u64,
    /// When all of it is free, if nothing more is taken: milliseconds since 1970. For requests at once: now.
    pub free_ms: u64,
}

/// How one budget stands. Amounts are whole tokens or micro-credits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BudgetStanding {
    /// The budget.
    pub budget: Budget,
    /// What requests that have ended took.
    pub spent: u64,
    /// What is reserved for requests under way.
    pub reserved: u64,
    /// When it begins anew: milliseconds since 1970.
    pub renews_ms: u64,
}

impl Access {
    /// How the limits of the key of this id stand.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`].
    pub async fn standing(&self, id: &str) -> Result<KeyStanding, AccessError> {
        let entry = self.house.entry(id).ok_or_else(AccessError::not_found)?;
        let mut standing = KeyStanding::default();
        let levels = entry.grant.levels(self.house.now_ms()).await;
        for (measure, level) in entry.grant.measures().iter().zip(levels) {
            match *measure {
                Measure::Spending(budget) => standing.budgets.push(BudgetStanding {
                    budget,
                    spent: level.used.saturating_sub(level.unsettled),
                    reserved: level.unsettled,
                    renews_ms: level.free_ms,
                }),
                other => standing.limits.push(LimitStanding {
                    name: other.slot(),
                    limit: other.limit(),
                    used: level.used,
                    free_ms: level.free_ms,
                }),
            }
        }
        Ok(standing)
    }
}

/// What is said of a budget whose soft limit is passed. ASCII without a comma, for a header.
pub(crate) fn warning(budget: &Budget, level: &Level) -> Option<Box<str>> {
    let soft = budget.soft?;
    let spent = level.used.saturating_sub(level.unsettled);
    if spent < soft {
        return None;
    }
    let (unit, period) = (budget.unit, period(budget.period));
    let (spent, soft) = (amount(unit, spent), amount(unit, soft));
    let end = budget.hard.map_or_else(String::new, |hard| format!("; {} is the end", amount(unit, hard)));
    Some(format!("{spent} of {soft} {} for {period} are spent{end}", unit.word()).into())
}

fn period(period: Period) -> &'static str {
    match period {
        Period::Day => "today",
        Period::Month => "this month",
    }
}

#[cfg(test)]
mod tests {
    use super::warning;
    use qm_coord::Level;
    use qm_keys::{Budget, Period, Unit};

    #[test]
    fn a_soft_limit_that_is_passed_is_said() {
        let budget = Budget {
            unit: Unit::Credits,
            period: Period::Month,
            soft: Some(80_000_000),
            hard: Some(100_500_000),
        };
        let level = |used, unsettled| Level { used, unsettled, free_ms: 0 };
        assert_eq!(warning(&budget, &level(99_000_000, 20_000_000)), None, "reserved is not spent");
        assert_eq!(
            warning(&budget, &level(81_250_000, 1_000_000)).as_deref(),
            Some("80.25 of 80 credits for this month are spent; 100.50 is the end")
        );
        assert_eq!(warning(&Budget { soft: None, ..budget }, &level(u64::MAX, 0)), None);
    }
}
