//! Patterns: regular expressions of the client's own, with a bound on what they may take.

use fancy_regex::{Regex, RegexBuilder};

/// Most bytes of a pattern.
const MAX_BYTES: usize = 2048;

/// Most bytes that it may take compiled, and most steps back that it may make for one text.
const MAX_COMPILED_BYTES: usize = 256 << 10;
const MAX_BACKTRACKS: usize = 10_000;

/// A pattern, ready.
pub(super) struct Pattern {
    regex: Regex,
    /// Whether the time it takes grows with the text, and no faster.
    linear: bool,
}

impl Pattern {
    /// `None` for one that cannot be read, or is too long.
    pub(super) fn read(pattern: &str) -> Option<Self> {
        if pattern.len() > MAX_BYTES {
            return None;
        }
        let regex = RegexBuilder::new(&translated(pattern))
            .backtrack_limit(MAX_BACKTRACKS)
            .delegate_size_limit(MAX_COMPILED_BYTES)
            .build()
            .ok()?;
        Some(Self { regex, linear: is_linear(pattern) })
    }

    /// How many steps a look at so long a text counts.
    pub(super) fn steps(&self, text_bytes: usize) -> u64 {
        let bytes = text_bytes as u64;
        // At each step back it may look at all that follows.
        let again = if self.linear { 0 } else { bytes.saturating_mul(bytes) / 256 };
        again.saturating_add(bytes).saturating_add(100)
    }

    /// Whether the text has it; `None` if that took too much work.
    pub(super) fn matches(&self, text: &str) -> Option<bool> {
        self.regex.is_match(text).ok()
    }
}

/// Whether the pattern has nothing that looks around or back. Doubt is no harm: it only counts more steps.
fn is_linear(pattern: &str) -> bool {
    let groups_only = pattern.replace("(?:", "(");
    groups_only.as_bytes().windows(2).all(|pair| match pair {
        b"(?" | [b'*' | b'+' | b'?' | b'}', b'+'] => false,
        [b'\\', escaped] => !escaped.is_ascii_digit() && !matches!(escaped, b'k' | b'g' | b'G' | b'K'),
        _ => true,
    })
}

/// The pattern as ECMAScript means it: `\d` and `\w` are ASCII, which also keeps what is compiled small, and within
/// brackets only the closing one, the backslash, the hyphen and the caret are special.
fn translated(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut in_class = false;
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        if character == '\\' {
            match characters.next() {
                Some('d') => out.push_str(if in_class { "0-9" } else { "[0-9]" }),
                Some('w') => out.push_str(if in_class { "0-9A-Za-z_" } else { "[0-9A-Za-z_]" }),
                Some(other) => out.extend(['\\', other]),
                None => out.push('\\'),
            }
            continue;
        }
        if in_class && matches!(character, '[' | '&' | '~') {
            out.push('\\');
        }
        in_class = match character {
            '[' => true,
            ']' => false,
            _ => in_class,
        };
        out.push(character);
    }
    out
}
