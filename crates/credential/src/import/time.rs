//! Points in time as files write them, in milliseconds since 1970.

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
    let (date, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (clock, rest) = rest.split_at_checked(8)?;
    let days = days(date)?;
    let seconds = seconds(clock)?;
    let (ms, zone) = fraction(rest)?;
    let offset = offset_minutes(zone)?;
    let at = (days * 86_400 + seconds - offset * 60) * 1000 + ms;
    u64::try_from(at).ok().filter(|ms| DATES_MS.contains(ms))
}

/// Days from 1970-01-01 to `YYYY-MM-DD`.
fn days(date: &str) -> Option<i64> {
    let year = number(date.get(0..4)?)?;
    let month = number(date.get(5..7)?).filter(|month| (1..=12).contains(month))?;
    let day = number(date.get(8..10)?).filter(|day| (1..=31).contains(day))?;
    let dashes = date.get(4..5)? == "-" && date.get(7..8)? == "-";
    // Years begin in March, so that the day that comes and goes is the last (H. Hinnant, "chrono-compatible low-level
    // date algorithms").
    let shifted = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let (era, year_of_era) = (shifted.div_euclid(400), shifted.rem_euclid(400));
    let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
    dashes.then_some(era * 146_097 + of_era - 719_468)
}

/// `HH:MM:SS`, a leap second being the one before it.
fn seconds(clock: &str) -> Option<i64> {
    let hours = number(clock.get(0..2)?).filter(|hours| *hours < 24)?;
    let minutes = number(clock.get(3..5)?).filter(|minutes| *minutes < 60)?;
    let seconds = number(clock.get(6..8)?).filter(|seconds| *seconds <= 60)?;
    let colons = clock.get(2..3)? == ":" && clock.get(5..6)? == ":";
    colons.then_some(hours * 3600 + minutes * 60 + seconds.min(59))
}

/// Milliseconds of `.123456789`, and what follows.
fn fraction(text: &str) -> Option<(i64, &str)> {
    let Some(digits) = text.strip_prefix('.') else { return Some((0, text)) };
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let (digits, rest) = digits.split_at_checked(end)?;
    let read = |at: usize| digits.as_bytes().get(at).map_or(0, |digit| i64::from(digit - b'0'));
    (1..=9).contains(&digits.len()).then(|| (read(0) * 100 + read(1) * 10 + read(2), rest))
}

fn offset_minutes(zone: &str) -> Option<i64> {
    if matches!(zone, "" | "Z" | "z") {
        return Some(0);
    }
    let (sign, rest) =
        if let Some(rest) = zone.strip_prefix('+') { (1, rest) } else { (-1, zone.strip_prefix('-')?) };
    let (hours, minutes) = match rest.len() {
        5 if rest.get(2..3)? == ":" => (rest.get(0..2)?, rest.get(3..5)?),
        4 => (rest.get(0..2)?, rest.get(2..4)?),
        _ => return None,
    };
    let hours = number(hours).filter(|hours| *hours < 24)?;
    let minutes = number(minutes).filter(|minutes| *minutes < 60)?;
    Some(sign * (hours * 60 + minutes))
}

fn number(digits: &str) -> Option<i64> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_a_time_is_read() {
        for (text, ms) in [
            ("2000-01-01T00:00:00Z", 946_684_800_000),
            ("2025-12-31T23:59:59Z", 1_767_225_599_000),
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
