//! Times as the two older dialects write them: UTC, to the second, without a zone.

const DAY_MS: u64 = 86_400_000;

/// `2026-03-01T09:05:00`, of milliseconds since 1970.
pub(crate) fn text(ms: u64) -> String {
    let (days, second) = (ms / DAY_MS, ms % DAY_MS / 1000);
    let (year, month, day) = civil(days);
    let [hour, minute, second] = [second / 3600, second / 60 % 60, second % 60];
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

/// `20260301-090500`, for names.
pub(crate) fn compact(ms: u64) -> String {
    text(ms).chars().filter(|c| !matches!(c, '-' | ':')).map(|c| if c == 'T' { '-' } else { c }).collect()
}

/// Year, month and day of a number of days since 1970, counted in years that begin in March, whose leap day is the last
/// (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::{compact, text};

    #[test]
    fn days_are_those_of_the_calendar() {
        for (ms, expected) in [
            (0, "1970-01-01T00:00:00"),
            (951_782_399_999, "2000-02-28T23:59:59"),
            (951_782_400_000, "2000-02-29T00:00:00"),
            (951_868_800_000, "2000-03-01T00:00:00"),
            (1_772_355_900_000, "2026-03-01T09:05:00"),
            (4_107_542_399_000, "2100-02-28T23:59:59"),
            (4_107_542_400_000, "2100-03-01T00:00:00"),
        ] {
            assert_eq!(text(ms), expected);
        }
        assert_eq!(compact(1_772_355_900_000), "20260301-090500");
    }
}
