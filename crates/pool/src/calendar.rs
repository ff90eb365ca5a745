//! When days and months begin, in UTC. The upstream's quotas renew at these times (spec/upstream.md §4.3).

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// The first millisecond of the next day.
pub(crate) fn next_day_ms(now_ms: u64) -> u64 {
    (now_ms / DAY_MS + 1) * DAY_MS
}

/// The first millisecond of the next month.
pub(crate) fn next_month_ms(now_ms: u64) -> u64 {
    let days = now_ms / DAY_MS;
    // A month ends within 31 days; the first day on which the month differs begins the next one.
    let month = month_of(days);
    let first = (days + 1..=days + 31).find(|&day| month_of(day) != month).unwrap_or(days + 31);
    first * DAY_MS
}

/// Number of the month in its year, 0 for March, from days since 1970 (Howard Hinnant, "chrono-compatible low-level
/// date algorithms").
fn month_of(days: u64) -> u64 {
    let day_of_era = (days + 719_468) % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    (5 * day_of_year + 2) / 153
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
    }
}
