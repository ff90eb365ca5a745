//! What was counted.

use std::ops::AddAssign;

/// Tests, checks or cases that held, and that did not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Tally {
    /// This many held.
    pub(crate) fn passed(passed: u64) -> Self {
        Self { passed, failed: 0 }
    }

    /// Reads a line of a test runner's output: the closing line of `cargo nextest run` or of `cargo test`.
    pub(crate) fn of_line(line: &str) -> Option<Self> {
        let plain = without_colour(line);
        let plain = plain.trim_start();
        if !plain.starts_with("test result:") && !plain.starts_with("Summary [") {
            return None;
        }
        let before = |word: &str| {
            let (before, _) = plain.split_once(&format!(" {word}"))?;
            before.rsplit(' ').next()?.parse::<u64>().ok()
        };
        Some(Self { passed: before("passed")?, failed: before("failed").unwrap_or(0) })
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

fn without_colour(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = after.split_once('m').map_or("", |(_, rest)| rest);
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn closing_lines_are_read_and_others_are_not() {
        let of = |line| Tally::of_line(line).map(|tally| (tally.passed, tally.failed));
        let cargo =
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s";
        assert_eq!(of(cargo), Some((12, 0)));
        assert_eq!(of("test result: FAILED. 3 passed; 2 failed; 0 ignored"), Some((3, 2)));
        assert_eq!(of("     Summary [   0.345s] 57 tests run: 57 passed, 0 skipped"), Some((57, 0)));
        let coloured =
            "\u{1b}[32;1m     Summary\u{1b}[0m [   0.3s] 7 tests run: 5 passed, 2 failed, 0 skipped";
        assert_eq!(of(coloured), Some((5, 2)));
        assert_eq!(of("test reads::a_line ... ok"), None);
    }
}
