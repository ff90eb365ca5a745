//! Where in the body something stands, in OpenAI's notation (`messages[3].content[1].text`), and the faults there, in
//! OpenAI's words and with OpenAI's codes.

use std::fmt;

use qm_canon::{Fault, Place};

/// A path, built on the stack on the way down and written only when something is at fault.
#[derive(Clone, Copy)]
pub(crate) enum Path<'p> {
    /// A top-level key.
    Top(&'static str),
    /// A key of an object.
    Key(&'p Path<'p>, &'static str),
    /// An element of a list.
    Index(&'p Path<'p>, usize),
}

// === impl Path ===

impl<'p> Path<'p> {
    pub(crate) fn key(&'p self, key: &'static str) -> Path<'p> {
        Path::Key(self, key)
    }

    pub(crate) fn index(&'p self, index: usize) -> Path<'p> {
        Path::Index(self, index)
    }

    /// A fault here, in these words.
    pub(crate) fn fault(&self, code: &'static str, message: impl Into<String>) -> Fault {
        let path = self.to_string().into_boxed_str();
        Fault::invalid(message.into()).at(Place::Field(path)).code(code)
    }

    /// It must be there.
    pub(crate) fn missing(&self) -> Fault {
        self.fault("missing_required_parameter", format!("Missing required parameter: '{self}'."))
    }

    /// It is of another shape.
    pub(crate) fn wrong_type(&self, should: &str) -> Fault {
        self.fault("invalid_type", format!("Invalid type for '{self}': expected {should}."))
    }

    /// It breaks a rule, which is said.
    pub(crate) fn invalid(&self, code: &'static str, why: impl fmt::Display) -> Fault {
        self.fault(code, format!("Invalid '{self}': {why}"))
    }

    /// A word that is none of those known. `supported` lists them, quoted.
    pub(crate) fn unknown(&self, found: &str, supported: &str) -> Fault {
        let found = word(found);
        self.fault("invalid_value", format!("Invalid value: '{found}'. Supported values are: {supported}."))
    }

    /// A value that `OpenAI` may take but the gateway cannot honour.
    pub(crate) fn unsupported_value(&self, why: impl fmt::Display) -> Fault {
        self.fault("unsupported_value", format!("Unsupported value: '{self}': {why}"))
    }

    /// A parameter that `OpenAI` may take but the gateway cannot honour.
    pub(crate) fn unsupported(&self, why: impl fmt::Display) -> Fault {
        self.fault("unsupported_parameter", format!("Unsupported parameter: '{self}' {why}"))
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Top(key) => f.write_str(key),
            Self::Key(parent, key) => write!(f, "{parent}.{key}"),
            Self::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// A word of the client's own, for naming it in a message: as it is if it looks like a name, else left out, so that
/// no content is ever repeated.
pub(crate) fn word(text: &str) -> &str {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if !text.is_empty() && text.len() <= 64 && text.bytes().all(plain) { text } else { "…" }
}
