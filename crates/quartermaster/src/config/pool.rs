//! Which account serves, and when one that fails is left alone.

use std::time::Duration;

use qm_pool::{Rules, Strategy};

use super::reader::{Reader, Refused};
use super::units;

/// How accounts are chosen and looked after.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pool {
    /// By which rule the next is chosen.
    pub(crate) strategy: Strategy,
    /// What follows from failures.
    pub(crate) rules: Rules,
    /// How often usage limits are asked for; nothing for never.
    pub(crate) quota_every: Option<Duration>,
}

/// Shorter is a race with the upstream's own bookkeeping, and rude.
const QUOTA_AT_LEAST: Duration = Duration::from_secs(60);

/// Longer than any time that makes sense here.
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) fn read(reader: &mut Reader<'_>) -> Result<Pool, Refused> {
    let strategy = reader.value("pool.strategy", |text| {
        let words = || format!("expected one of {}", Strategy::words().collect::<Vec<_>>().join(", "));
        Strategy::of_word(text).ok_or_else(words)
    });
    let max_errors = reader.value("pool.max_errors", number);
    let quarantines = reader.value("pool.quarantines", units::answer);
    let strikes = reader.value("pool.quarantine_after", number);
    let quarantine = reader.value("pool.quarantine", |text| {
        let time = units::time(text).filter(|time| (Duration::from_secs(1)..=A_DAY).contains(time));
        time.ok_or_else(|| "expected a time from 1s to 24h, such as 30m".to_owned())
    });
    let quota_every = reader.value("pool.quota_every", |text| {
        let time = units::time(text)
            .filter(|time| time.is_zero() || (QUOTA_AT_LEAST..=A_DAY).contains(time))
            .ok_or_else(|| "expected a time from 1m to 24h, such as 15m, or 0 for never".to_owned())?;
        Ok((!time.is_zero()).then_some(time))
    });
    let (quarantines, strikes) = (quarantines?, strikes?);
    let rules = Rules {
        max_errors: max_errors?,
        strikes: if quarantines { strikes } else { 0 },
        quarantine_ms: quarantine?.as_millis() as u64,
        rests: quarantines,
        ..Rules::default()
    };
    Ok(Pool { strategy: strategy?, rules, quota_every: quota_every? })
}

fn number(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| "expected a whole number; 0 is never".to_owned())
}
