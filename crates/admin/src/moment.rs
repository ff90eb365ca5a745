//! Times as the two older dialects write them: UTC, to the second, without a zone.

use jiff::Timestamp;
use jiff::tz::Offset;

/// `2026-03-01T09:05:00`, of milliseconds since 1970; the end of all calendars for what is after it.
pub(crate) fn text(ms: u64) -> String {
    let at = i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let at = Offset::UTC.to_datetime(at.unwrap_or(Timestamp::MAX));
    let [month, day, hour, minute, second] = [at.month(), at.day(), at.hour(), at.minute(), at.second()];
    format!("{:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}", at.year())
}

/// `20260301-090500`, for names.
pub(crate) fn compact(ms: u64) -> String {
    text(ms).chars().filter(|c| !matches!(c, '-' | ':')).map(|c| if c == 'T' { '-' } else { c }).collect()
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
            (u64::MAX, "9999-12-30T22:00:00"),
        ] {
            assert_eq!(text(ms), expected);
        }
        assert_eq!(compact(1_772_355_900_000), "20260301-090500");
    }
}
