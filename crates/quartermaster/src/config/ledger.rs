//! Whether, and how long, it is remembered who asked what.

use std::time::Duration;

use super::reader::{Reader, Refused};
use super::units;

/// What becomes of what requests were.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ledger {
    /// Whether anything is written down of them.
    pub(crate) keeps: bool,
    /// For how long.
    pub(crate) retention: Retention,
}

/// How long what is written down of requests is kept; nothing for ever.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retention {
    /// The receipt of each request.
    pub(crate) receipts: Option<Duration>,
    /// The sums of each hour.
    pub(crate) hours: Option<Duration>,
    /// The sums of each day: for ever, unless it is decided otherwise while the gateway runs.
    pub(crate) days: Option<Duration>,
}

/// Budgets of a month are counted from receipts and hours after a restart, and charts show some weeks.
const SHORTEST: Duration = Duration::from_secs(86_400);

/// Longer is for ever.
const LONGEST: Duration = Duration::from_secs(36_500 * 86_400);

/// Sums by the hour answer for what has been spent in a month, which has 31 days at most.
const SHORTEST_HOURS: Duration = Duration::from_secs(32 * 86_400);

pub(super) fn read(reader: &mut Reader<'_>) -> Result<Ledger, Refused> {
    let keeps = reader.value("ledger.keeps", units::answer);
    let receipts = reader.value("ledger.receipts", |text| kept(text, SHORTEST, "1d"));
    let hours = reader.value("ledger.hours", |text| kept(text, SHORTEST_HOURS, "32d"));
    let retention = Retention { receipts: receipts?, hours: hours?, days: None };
    Ok(Ledger { keeps: keeps?, retention })
}

fn kept(text: &str, shortest: Duration, said: &str) -> Result<Option<Duration>, String> {
    let time = units::time(text)
        .filter(|time| time.is_zero() || (shortest..=LONGEST).contains(time))
        .ok_or_else(|| format!("expected a time from {said} to 36500d, such as 90d, or 0 for ever"))?;
    Ok((!time.is_zero()).then_some(time))
}
