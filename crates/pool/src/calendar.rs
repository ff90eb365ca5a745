//! When days and months begin, in UTC. The upstream's quotas renew at these times (spec/upstream.md §4.3).

use jiff::Timestamp;
use jiff::tz::TimeZone;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// The first millisecond of the next day.
pub(crate) fn next_day_ms(now_ms: u64) -> u64 {
    (now_ms / DAY_MS + 1) * DAY_MS
}

/// The first millisecond of the next month. Past the end of the calendar, in the year 9999, every month has 31 days.
pub(crate) fn next_month_ms(now_ms: u64) -> u64 {
    beginning_of_next_month(now_ms)
        .unwrap_or_else(|| (now_ms / DAY_MS).saturating_add(31).saturating_mul(DAY_MS))
}

fn beginning_of_next_month(now_ms: u64) -> Option<u64> {
    let now = Timestamp::from_millisecond(i64::try_from(now_ms).ok()?).ok()?;
    let first = now.to_zoned(TimeZone::UTC).date().last_of_month().tomorrow().ok()?;
    let begins = first.to_zoned(TimeZone::UTC).ok()?;
    u64::try_from(begins.timestamp().as_millisecond()).ok()
}

#[cfg(test)]
mod tests {
    use super::{DAY_MS, next_day_ms, next_month_ms};

    #[test]
    fn days_and_months_begin_where_the_calendar_says() {
        for (now_s, day_s, month_s) in [
            // 2026-11-21 13:43:45 → 2026-11-22, 2026-12-01
            (1_795_268_625, 1_795_305_600, 1_796_083_200),
            // 2027-12-31 23:59:59 → 2028-01-01
            (1_830_297_599, 1_830_297_600, 1_830_297_600),
            // 2028-02-28 00:00:00 → 2028-02-29, 2028-03-01: a leap year
            (1_835_308_800, 1_835_395_200, 1_835_481_600),
            // 2100-02-28 00:00:00 → 2100-03-01: none
            (4_107_456_000, 4_107_542_400, 4_107_542_400),
            // The first second of a month belongs to it: 2026-12-01 → 2027-01-01
            (1_796_083_200, 1_796_169_600, 1_798_761_600),
        ] {
            assert_eq!(
                (next_day_ms(now_s * 1000), next_month_ms(now_s * 1000)),
                (day_s * 1000, month_s * 1000)
            );
        }
        assert_eq!(next_month_ms(0), 31 * DAY_MS);
        assert_eq!(
            next_month_ms(u64::MAX / 2),
            (u64::MAX / 2 / DAY_MS + 31) * DAY_MS,
            "past the end of the calendar"
        );
    }
}
