//! Days and months in UTC: over them budgets run, and then begin anew.

use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

/// What a budget runs over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Period {
    /// A day, from midnight UTC.
    Day,
    /// A month, from midnight UTC of its first day.
    Month,
}

/// One day or month: milliseconds since 1970 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first millisecond.
    pub start_ms: u64,
    /// The first millisecond after it.
    pub end_ms: u64,
}

impl Period {
    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    /// The one that holds this millisecond. A time that no calendar has (after the year 9999) is in one that never ends.
    #[must_use]
    pub fn at(self, now_ms: u64) -> Span {
        self.within_calendar(now_ms).unwrap_or(Span { start_ms: now_ms, end_ms: u64::MAX })
    }

    fn within_calendar(self, now_ms: u64) -> Option<Span> {
        let now = Timestamp::from_millisecond(i64::try_from(now_ms).ok()?).ok()?;
        let date = Offset::UTC.to_datetime(now).date();
        let (first, next) = match self {
            Self::Day => (date, date.checked_add(1.day()).ok()?),
            Self::Month => {
                let first = date.first_of_month();
                (first, first.checked_add(1.month()).ok()?)
            }
        };
        Some(Span { start_ms: ms(first.into())?, end_ms: ms(next.into())? })
    }
}

fn ms(at: DateTime) -> Option<u64> {
    u64::try_from(Offset::UTC.to_timestamp(at).ok()?.as_millisecond()).ok()
}

#[cfg(test)]
mod tests {
    use super::{Period, Span};

    const DAY_MS: u64 = 86_400_000;

    #[test]
    fn days_and_months_begin_where_the_calendar_says() {
        for (now_s, day_s, month_s) in [
            // 2026-11-21 13:43:45
            (1_795_268_625, 1_795_219_200..1_795_305_600, 1_793_491_200..1_796_083_200),
            // 2027-12-31 23:59:59: the last second of a year
            (1_830_297_599, 1_830_211_200..1_830_297_600, 1_827_619_200..1_830_297_600),
            // 2028-02-28 00:00:00: a leap year has one more day
            (1_835_308_800, 1_835_308_800..1_835_395_200, 1_832_976_000..1_835_481_600),
        ] {
            let (day, month) = (Period::Day.at(now_s * 1000 + 999), Period::Month.at(now_s * 1000));
            assert_eq!(day, Span { start_ms: day_s.start * 1000, end_ms: day_s.end * 1000 }, "{now_s}");
            assert_eq!(month, Span { start_ms: month_s.start * 1000, end_ms: month_s.end * 1000 }, "{now_s}");
        }
    }

    #[test]
    fn the_ends_of_the_calendar_hold() {
        assert_eq!(Period::Day.at(0), Span { start_ms: 0, end_ms: DAY_MS });
        assert_eq!(Period::Month.at(31 * DAY_MS - 1), Span { start_ms: 0, end_ms: 31 * DAY_MS });
        assert_eq!(Period::Month.at(u64::MAX).end_ms, u64::MAX);
    }

    #[test]
    fn periods_follow_each_other_without_gaps() {
        for period in [Period::Day, Period::Month] {
            let mut span = period.at(1_700_000_000_000);
            for _ in 0..1_500 {
                let next = period.at(span.end_ms);
                assert_eq!(next.start_ms, span.end_ms);
                assert_eq!(period.at(span.end_ms - 1), span);
                span = next;
            }
        }
    }
}
