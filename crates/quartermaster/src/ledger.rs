//! The ledger, from the configuration: the same for `serve`, the demo and every command.

use std::sync::Arc;
use std::time::Duration;

use qm_ledger::{Books, Habits, Retention};
use qm_store_sqlite::SqliteStore;

use crate::config::{self, Config};
use crate::fleet;

const A_DAY_S: u64 = 86_400;

/// The ledger over this store. Nothing is written before it runs.
pub(crate) fn open(config: &Config, store: &SqliteStore) -> Books {
    let kept = config.ledger;
    let habits = Habits { keeps: kept.keeps, retention: retention(kept.retention), ..Habits::default() };
    Books::new(Arc::new(store.clone()), habits, fleet::clock())
}

/// In whole days, none of them cut short; zero is for ever.
pub(crate) fn retention(kept: config::Retention) -> Retention {
    let whole = |time: Option<Duration>| time.map_or(0, |time| time.as_secs().div_ceil(A_DAY_S) as u32);
    days([kept.receipts, kept.hours, kept.days].map(whole))
}

/// Of receipts, sums by the hour and sums by the day.
pub(crate) fn days([receipts_days, hours_days, days_days]: [u32; 3]) -> Retention {
    Retention { receipts_days, hours_days, days_days }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_kept_for_whole_days() {
        let kept = |receipts| config::Retention { receipts, hours: None, days: None };
        for (seconds, days) in [(A_DAY_S, 1), (A_DAY_S + 1, 2), (90 * A_DAY_S, 90)] {
            assert_eq!(retention(kept(Some(Duration::from_secs(seconds)))).receipts_days, days);
        }
        assert_eq!(retention(kept(None)), Retention { receipts_days: 0, hours_days: 0, days_days: 0 });
    }
}
