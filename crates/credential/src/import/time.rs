//! Points in time as files write them, in milliseconds since 1970.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Number;

use super::tree::Node;

/// Numbers above this are milliseconds: as seconds it would be the year 5138.
const MILLISECONDS_FROM: u64 = 100_000_000_000;
/// From the year 2000, before which no token was given out, to the end of the year 9999: nothing else is a date. So what
/// we write as milliseconds is never read back as seconds.
const DATES_MS: std::ops::Range<u64> = 946_684_800_000..253_402_300_800_000;

/// Seconds or milliseconds as a number or as text, or RFC 3339 with up to nine digits of fraction. A date without a
/// zone is UTC, as q2api writes it. None if it is nothing of that kind: then nobody knows.
pub(super) fn milliseconds(node: &Node) -> Option<u64> {
    match node {
        Node::Number(number) => of_number(number),
        Node::Text(text) => of_text(text.trim()),
        Node::Null | Node::Bool(_) | Node::List(_) | Node::Object(_) => None,
    }
}

fn of_number(number: &Number) -> Option<u64> {
    let whole = number.as_u64();
    // Python writes time.time() as seconds with a fraction.
    let fraction = || number.as_f64().filter(|value| (0.0..1e15).contains(value));
    match whole {
        Some(value) => scaled(value),
        None => fraction().and_then(|value| scaled(value as u64)),
    }
}

fn scaled(value: u64) -> Option<u64> {
    let ms = if value >= MILLISECONDS_FROM { value } else { value * 1000 };
    Some(ms).filter(|ms| DATES_MS.contains(ms))
}

fn of_text(text: &str) -> Option<u64> {
    if let Ok(value) = text.parse::<u64>() {
        return scaled(value);
    }
    // Jiff reads more than files have: a day alone, minutes alone, names of zones. Those are no times here.
    let has_seconds =
        text.get(10..11).is_some_and(|t| matches!(t, "T" | "t" | " ")) && text.get(16..17) == Some(":");
    if !has_seconds || text.contains('[') {
        return None;
    }
    let at: Timestamp = match text.parse() {
        Ok(at) => at,
        Err(_) => text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp(),
    };
    u64::try_from(at.as_millisecond()).ok().filter(|ms| DATES_MS.contains(ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_a_time_is_read() {
        for (text, ms) in [
            ("2000-01-01T00:00:00Z", 946_684_800_000),
            ("2025-12-31T23:59:59Z", 1_767_225_599_000),
            ("2016-12-31T23:59:60Z", 1_483_228_799_000),
            ("2024-02-29T12:00:00.5Z", 1_709_208_000_500),
            ("2026-11-21T14:40:00.123456789Z", 1_795_272_000_123),
            ("2026-11-21T22:40:00+08:00", 1_795_272_000_000),
            ("2026-11-21T09:10:00-0530", 1_795_272_000_000),
            ("2026-11-21T14:40:00", 1_795_272_000_000),
            ("2026-11-21 14:40:00", 1_795_272_000_000),
            ("1795272000", 1_795_272_000_000),
            ("1795272000123", 1_795_272_000_123),
        ] {
            assert_eq!(of_text(text), Some(ms), "{text}");
        }
        assert_eq!(of_number(&1_795_272_000_u64.into()), Some(1_795_272_000_000));
        assert_eq!(of_number(&Number::from_f64(1_795_272_000.75).unwrap()), Some(1_795_272_000_000));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "soon",
            "2026",
            "1970-01-01T00:00:00Z",
            "1999-12-31T23:59:59Z",
            "2026/01/12 02:32:20",
            "2026-13-01T00:00:00Z",
            "2026-01-01",
            "2026-01-01T25:00:00Z",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00+8",
            "2026-01-01T00:00",
            "2026-01-01T00:00:00[Asia/Shanghai]",
            "2026-02-29T00:00:00Z",
            "1900-01-01T00:00:00Z",
            "2026-01-01Té0:00:00Z",
            "99999999999999999999",
            "18446744073709551615",
            "+026-01-01T00:00:00Z",
        ] {
            assert_eq!(of_text(text), None, "{text}");
        }
        assert_eq!(of_number(&(-5).into()), None);
        assert_eq!(of_number(&Number::from_f64(1e300).unwrap()), None);
    }
}
