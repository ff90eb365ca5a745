//! Where in the body something stands, in Anthropic's notation: `messages.3.content.1.text`.

use std::fmt;

use qm_canon::Fault;

/// A path, built on the stack on the way down and written only when something is at fault.
#[derive(Clone, Copy)]
pub(super) enum Path<'p> {
    /// A top-level key.
    Top(&'static str),
    /// A key of an object.
    Key(&'p Path<'p>, &'static str),
    /// An element of a list.
    Index(&'p Path<'p>, usize),
}

// === impl Path ===

impl<'p> Path<'p> {
    pub(super) fn key(&'p self, key: &'static str) -> Path<'p> {
        Path::Key(self, key)
    }

    pub(super) fn index(&'p self, index: usize) -> Path<'p> {
        Path::Index(self, index)
    }

    /// A fault here.
    pub(super) fn fault(&self, message: impl fmt::Display) -> Fault {
        Fault::invalid(format!("{self}: {message}"))
    }

    pub(super) fn required(&self) -> Fault {
        self.fault("Field required")
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Top(key) => f.write_str(key),
            Self::Key(parent, key) => write!(f, "{parent}.{key}"),
            Self::Index(parent, index) => write!(f, "{parent}.{index}"),
        }
    }
}

/// A word of the client's own, for naming it in a message: as it is if it looks like a name, else left out, so that
/// no content is ever repeated.
pub(super) fn word(text: &str) -> &str {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if !text.is_empty() && text.len() <= 64 && text.bytes().all(plain) { text } else { "…" }
}
