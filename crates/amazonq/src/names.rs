//! Names the upstream takes, made of names it does not (spec/upstream.md §2.6).
//!
//! A name that is legal stays as it is. One that is not is cut, cleaned and given eight hex digits of its SHA-256,
//! so that the same name becomes the same thing in every request of a session, whatever stands beside it.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::limits::{DOCUMENT_NAME_CHARS, NAME_CHARS};

/// Tool names given out so far. The upstream compares them without regard to case (§10 quirk 24).
#[derive(Default)]
pub(crate) struct ToolNames {
    taken: HashSet<String>,
}

/// Document names given out so far, and how often each was asked for.
#[derive(Default)]
pub(crate) struct DocumentNames {
    asked: HashMap<String, u32>,
    taken: HashSet<String>,
}

impl ToolNames {
    /// A legal name for a tool, different from all that were given out before.
    pub(crate) fn claim<'n>(&mut self, name: &'n str) -> Cow<'n, str> {
        if is_plain(name) && self.taken.insert(name.to_ascii_lowercase()) {
            return Cow::Borrowed(name);
        }
        let claimed = hashed(name, plain, |candidate| !self.taken.contains(&candidate.to_ascii_lowercase()));
        self.taken.insert(claimed.to_ascii_lowercase());
        Cow::Owned(claimed)
    }
}

impl DocumentNames {
    /// A legal name for a document, different from all that were given out before. `format` is its extension, which
    /// a name must not repeat: it could not hold the dot.
    pub(crate) fn claim(&mut self, name: Option<&str>, format: &str) -> String {
        let stem = document_stem(name.unwrap_or_default(), format);
        let folded = stem.to_ascii_lowercase();
        let asked = self.asked.entry(folded.clone()).or_insert(0);
        *asked += 1;
        if *asked == 1 && self.taken.insert(folded) {
            return stem;
        }
        *asked = (*asked).max(2);
        loop {
            let claimed = format!("{stem} ({asked})");
            if self.taken.insert(claimed.to_ascii_lowercase()) {
                return claimed;
            }
            *asked += 1;
        }
    }
}

/// Whether this is a legal tool name or tool use id: `^[a-zA-Z0-9_-]{1,64}$`.
pub(crate) fn is_plain(name: &str) -> bool {
    (1..=NAME_CHARS).contains(&name.len()) && name.bytes().all(plain)
}

/// Whether this is a legal name of a root property: `^[a-zA-Z0-9_.-]{1,64}$`.
pub(crate) fn is_property(name: &str) -> bool {
    (1..=NAME_CHARS).contains(&name.len()) && name.bytes().all(property)
}

/// A legal id for a tool use: the one given, or a digest of it. A digest alone, because cleaned ids of one make
/// (`call_x|fc_y`) would look alike and 128 bits need no check against the others.
pub(crate) fn tool_use_id(id: &str) -> Cow<'_, str> {
    if is_plain(id) {
        return Cow::Borrowed(id);
    }
    let mut legal = String::from("tooluse_");
    push_hex(&mut legal, &Sha256::digest(id)[..16]);
    Cow::Owned(legal)
}

/// A legal name for a root property, one that `free` lets pass.
pub(crate) fn property_name(name: &str, free: impl Fn(&str) -> bool) -> String {
    hashed(name, property, free)
}

fn plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

fn property(byte: u8) -> bool {
    plain(byte) || byte == b'.'
}

fn hashed(name: &str, legal: fn(u8) -> bool, free: impl Fn(&str) -> bool) -> String {
    let kept = NAME_CHARS - 9;
    let clean = |c: char| if u8::try_from(c).is_ok_and(legal) { c } else { '_' };
    let stem: String = name.chars().take(kept).map(clean).collect();
    let mut digest = Sha256::digest(name);
    loop {
        let mut candidate = String::with_capacity(NAME_CHARS);
        candidate.push_str(&stem);
        candidate.push('_');
        push_hex(&mut candidate, &digest[..4]);
        if free(&candidate) {
            return candidate;
        }
        // Somebody bears the very name we would give: hash on.
        digest = Sha256::digest(digest);
    }
}

fn push_hex(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
}

fn document_stem(name: &str, format: &str) -> String {
    let stem = match name.rsplit_once('.') {
        Some((stem, extension)) if extension.eq_ignore_ascii_case(format) => stem,
        _ => name,
    };
    // Twelve characters are left for what tells two of one name apart.
    let mut legal = String::with_capacity(stem.len().min(DOCUMENT_NAME_CHARS));
    for c in stem.chars().take(DOCUMENT_NAME_CHARS - 12) {
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' | '(' | ')' | '[' | ']' => legal.push(c),
            c if c.is_whitespace() => {
                if !legal.is_empty() && !legal.ends_with(' ') {
                    legal.push(' ');
                }
            }
            _ => legal.push('-'),
        }
    }
    legal.truncate(legal.trim_end().len());
    if legal.is_empty() { "document".to_owned() } else { legal }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legal_tool_names_stay_and_others_become_legal_and_stable() {
        let mut names = ToolNames::default();
        assert_eq!(names.claim("list_dir"), "list_dir");
        let renamed = names.claim("mcp.server$read file").into_owned();
        assert!(is_plain(&renamed) && renamed.starts_with("mcp_server_read_file_"), "{renamed}");
        assert_eq!(ToolNames::default().claim("mcp.server$read file"), renamed);
        let long = "x".repeat(65);
        assert_eq!(names.claim(&long).len(), 64);
    }

    #[test]
    fn tool_names_that_differ_in_case_alone_are_told_apart() {
        let mut names = ToolNames::default();
        assert_eq!(names.claim("Read"), "Read");
        let second = names.claim("read").into_owned();
        assert!(second.starts_with("read_") && is_plain(&second), "{second}");
    }

    #[test]
    fn a_name_that_somebody_bears_already_is_not_given_again() {
        let would_be = ToolNames::default().claim("a.b").into_owned();
        let mut names = ToolNames::default();
        names.claim(&would_be);
        let other = names.claim("a.b").into_owned();
        assert_ne!(other, would_be);
        assert!(is_plain(&other));
    }

    #[test]
    fn foreign_tool_use_ids_become_digests() {
        assert_eq!(tool_use_id("tooluse_Qm3kZ0"), "tooluse_Qm3kZ0");
        for id in ["call_x|fc_y", "", "ü", &"i".repeat(65)] {
            let legal = tool_use_id(id);
            assert!(is_plain(&legal) && legal.starts_with("tooluse_"), "{legal}");
            assert_eq!(legal, tool_use_id(id));
        }
        assert_ne!(tool_use_id("a|b"), tool_use_id("a|c"));
    }

    #[test]
    fn documents_of_one_name_are_told_apart() {
        let mut names = DocumentNames::default();
        assert_eq!(names.claim(Some("Q3  report.pdf"), "pdf"), "Q3 report");
        assert_eq!(names.claim(Some("q3 report"), "pdf"), "q3 report (2)");
        assert_eq!(names.claim(Some("Q3 report (2)"), "pdf"), "Q3 report (2) (2)");
        assert_eq!(names.claim(Some(" /etc/p\u{e4}sse.v2 "), "txt"), "-etc-p-sse-v2");
        assert_eq!(names.claim(None, "md"), "document");
        assert_eq!(names.claim(Some("..."), "md"), "---");
        assert!(names.claim(Some(&"n".repeat(500)), "md").len() <= DOCUMENT_NAME_CHARS);
    }
}
