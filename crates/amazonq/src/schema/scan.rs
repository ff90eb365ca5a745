//! A cursor over JSON text that is known to be valid. What contradicts that is an error, never a panic.

use std::borrow::Cow;

use crate::limits::SCHEMA_DEPTH;

/// Why a schema cannot be written as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It nests deeper than [`SCHEMA_DEPTH`].
    TooDeep,
    /// Its root refers to more variants than it is worth following.
    TooWide,
    /// It is not JSON after all.
    Malformed,
    /// Its root must be taken apart; stays within this module.
    NeedsMerging,
}

/// The cursor.
#[derive(Clone)]
pub(super) struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Where it stands, in bytes.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The text between two places.
    pub(super) fn between(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or_default()
    }

    /// The next byte that is not white space, left where it is; 0 at the end.
    #[inline]
    pub(super) fn peek(&mut self) -> u8 {
        let bytes = self.text.as_bytes();
        while let Some(&byte) = bytes.get(self.at) {
            if byte > b' ' {
                return byte;
            }
            self.at += 1;
        }
        0
    }

    /// Takes the byte that was peeked at.
    #[inline]
    pub(super) fn bump(&mut self) {
        self.at += 1;
    }

    /// Takes this byte, which must come next.
    #[inline]
    pub(super) fn expect(&mut self, byte: u8) -> Result<(), Trouble> {
        if self.peek() == byte {
            self.at += 1;
            return Ok(());
        }
        Err(Trouble::Malformed)
    }

    /// Takes a string; returns it with its quotes.
    #[inline]
    pub(super) fn string(&mut self) -> Result<&'a str, Trouble> {
        self.expect(b'"')?;
        let start = self.at - 1;
        let bytes = self.text.as_bytes();
        loop {
            let rest = bytes.get(self.at..).unwrap_or_default();
            let skipped = memchr::memchr2(b'"', b'\\', rest).ok_or(Trouble::Malformed)?;
            self.at += skipped + 1;
            if rest[skipped] == b'"' {
                return Ok(self.between(start, self.at));
            }
            self.at += 1;
        }
    }

    /// Takes the key and the colon of an object's next member, or the closing brace. The opening brace is taken.
    #[inline]
    pub(super) fn member(&mut self, first: bool) -> Result<Option<&'a str>, Trouble> {
        match self.peek() {
            b'}' => {
                self.bump();
                return Ok(None);
            }
            b',' if !first => self.bump(),
            _ if first => {}
            _ => return Err(Trouble::Malformed),
        }
        let key = self.string()?;
        self.expect(b':')?;
        Ok(Some(key))
    }

    /// Whether an array has another element, which is next then; if not, its bracket is taken.
    #[inline]
    pub(super) fn element(&mut self, first: bool) -> Result<bool, Trouble> {
        match self.peek() {
            b']' => {
                self.bump();
                Ok(false)
            }
            b',' if !first => {
                self.bump();
                Ok(true)
            }
            _ if first => Ok(true),
            _ => Err(Trouble::Malformed),
        }
    }

    /// Takes a whole value, whatever it is; `depth` is where it stands.
    pub(super) fn value(&mut self, depth: usize) -> Result<&'a str, Trouble> {
        let first = self.peek();
        let start = self.at;
        match first {
            b'"' => return self.string(),
            b'{' | b'[' => self.nested(depth)?,
            _ => self.scalar(),
        }
        Ok(self.between(start, self.at))
    }

    fn nested(&mut self, depth: usize) -> Result<(), Trouble> {
        let bytes = self.text.as_bytes();
        let mut open = 0;
        loop {
            match bytes.get(self.at) {
                None => return Err(Trouble::Malformed),
                Some(b'"') => {
                    self.string()?;
                    continue;
                }
                Some(b'{' | b'[') => {
                    open += 1;
                    if depth + open > SCHEMA_DEPTH {
                        return Err(Trouble::TooDeep);
                    }
                }
                Some(b'}' | b']') => {
                    open -= 1;
                    if open == 0 {
                        self.bump();
                        return Ok(());
                    }
                }
                Some(_) => {}
            }
            self.bump();
        }
    }

    fn scalar(&mut self) {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']') || *byte <= b' ';
        self.at += rest.iter().position(ends).unwrap_or(rest.len());
    }
}

/// What a string with its quotes says.
pub(super) fn decoded(quoted: &str) -> Cow<'_, str> {
    let inside = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
    if !inside.contains('\\') {
        return Cow::Borrowed(inside);
    }
    // An escape that means nothing stays as it is written.
    serde_json::from_str::<String>(quoted).map_or(Cow::Borrowed(inside), Cow::Owned)
}

/// Appends `text` as a JSON string.
pub(super) fn push_quoted(out: &mut String, text: &str) {
    out.push('"');
    crate::request::json::escape(text, out);
    out.push('"');
}
