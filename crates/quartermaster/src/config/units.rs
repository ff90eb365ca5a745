//! Values with units, as operators write them: times, sizes, yes and no.

use std::time::Duration;

/// A time: a whole number of seconds, or a number with `ms`, `s`, `m`, `h` or `d`.
pub(crate) fn time(text: &str) -> Option<Duration> {
    let (number, unit) = split(text)?;
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "" | "s" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_secs(number.checked_mul(60)?)),
        "h" => Some(Duration::from_secs(number.checked_mul(3600)?)),
        "d" => Some(Duration::from_secs(number.checked_mul(86_400)?)),
        _ => None,
    }
}

/// A time that is given as a flag of its own, and no setting.
///
/// # Errors
/// What is expected.
pub(crate) fn flag(text: &str) -> Result<Duration, String> {
    time(text).ok_or_else(|| "expected a whole number with s, m, h or d, such as 90d".to_owned())
}

/// A size in bytes: a whole number, or a number with `KiB` or `MiB`.
pub(crate) fn bytes(text: &str) -> Option<usize> {
    let (number, unit) = split(text)?;
    let factor = match unit {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        _ => return None,
    };
    usize::try_from(number.checked_mul(factor)?).ok()
}

/// Yes or no, in the usual words.
pub(crate) fn answer(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err("expected true or false".to_owned()),
    }
}

fn split(text: &str) -> Option<(u64, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits)?;
    Some((number.parse().ok()?, unit.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_carry_their_unit() {
        let times = [
            ("15", Some(15_000)),
            ("250ms", Some(250)),
            ("2 m", Some(120_000)),
            ("1h", Some(3_600_000)),
            ("90d", Some(7_776_000_000)),
            ("0", Some(0)),
            ("1.5s", None),
            ("-1s", None),
            ("s", None),
            ("", None),
            ("9 weeks", None),
            ("99999999999999999999", None),
            ("9999999999999999999h", None),
        ];
        for (text, ms) in times {
            assert_eq!(time(text), ms.map(Duration::from_millis), "{text}");
        }
        let sizes = [
            ("1024", Some(1024)),
            ("32MiB", Some(33_554_432)),
            ("8 KiB", Some(8192)),
            ("1GB", None),
            ("18446744073709551615MiB", None),
        ];
        for (text, expected) in sizes {
            assert_eq!(bytes(text), expected, "{text}");
        }
    }
}
