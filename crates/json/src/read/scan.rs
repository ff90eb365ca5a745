//! A cursor over JSON text, which finds where values end and whether they are well formed.

use super::{Unread, string};

pub(super) struct Scan<'de> {
    text: &'de str,
    at: usize,
}

/// The lists and objects that are open, innermost last: a bit for each, set for an object.
#[derive(Default)]
struct Open {
    kinds: u128,
    depth: u32,
}

impl<'de> Scan<'de> {
    pub(super) fn new(text: &'de str) -> Self {
        Self { text, at: 0 }
    }

    /// The next byte that is not white space, left where it is; 0 at the end.
    #[inline]
    pub(super) fn peek(&mut self) -> u8 {
        let bytes = self.text.as_bytes();
        while let Some(&byte) = bytes.get(self.at) {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return byte;
            }
            self.at += 1;
        }
        0
    }

    /// Whether nothing but white space is left.
    pub(super) fn is_at_end(&mut self) -> bool {
        self.peek() == 0 && self.at >= self.text.len()
    }

    /// Takes the byte that was peeked at.
    #[inline]
    pub(super) fn bump(&mut self) {
        self.at += 1;
    }

    /// Takes this byte, which must come next.
    #[inline]
    pub(super) fn expect(&mut self, byte: u8) -> Result<(), Unread> {
        if self.peek() != byte {
            return Err(Unread);
        }
        self.bump();
        Ok(())
    }

    /// Takes this word, which must be next.
    pub(super) fn word(&mut self, word: &str) -> Result<(), Unread> {
        if !self.rest().starts_with(word.as_bytes()) {
            return Err(Unread);
        }
        self.at += word.len();
        Ok(())
    }

    /// Takes a string, of which the quote is next; returns it with its quotes.
    #[inline]
    pub(super) fn string(&mut self) -> Result<&'de str, Unread> {
        let start = self.at;
        self.bump();
        self.at += string::closing(self.rest()).ok_or(Unread)? + 1;
        self.since(start)
    }

    /// Takes a number.
    pub(super) fn number(&mut self) -> Result<&'de str, Unread> {
        let start = self.at;
        let rest = self.rest();
        let digits = |at: usize| {
            rest.get(at..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count()
        };
        let mut at = usize::from(rest.first() == Some(&b'-'));
        let whole = digits(at);
        if whole == 0 || (whole > 1 && rest.get(at) == Some(&b'0')) {
            return Err(Unread);
        }
        at += whole;
        if rest.get(at) == Some(&b'.') {
            at = after(at + 1, digits(at + 1))?;
        }
        if matches!(rest.get(at), Some(b'e' | b'E')) {
            at += 1 + usize::from(matches!(rest.get(at + 1), Some(b'+' | b'-')));
            at = after(at, digits(at))?;
        }
        self.at += at;
        self.since(start)
    }

    /// Takes a whole value, whatever it is.
    pub(super) fn value(&mut self) -> Result<&'de str, Unread> {
        let first = self.peek();
        let start = self.at;
        let mut open = Open::default();
        let mut next = first;
        loop {
            match next {
                b'"' => drop(self.string()?),
                b'{' => {
                    self.bump();
                    if self.peek() != b'}' {
                        open.push(true)?;
                        next = self.key()?;
                        continue;
                    }
                    self.bump();
                }
                b'[' => {
                    self.bump();
                    next = self.peek();
                    if next != b']' {
                        open.push(false)?;
                        continue;
                    }
                    self.bump();
                }
                b'n' => self.word("null")?,
                b't' => self.word("true")?,
                b'f' => self.word("false")?,
                _ => drop(self.number()?),
            }
            match self.close(&mut open)? {
                Some(begun) => next = begun,
                None => return self.since(start),
            }
        }
    }

    /// After a value: closes what ends here. Returns how the next value begins, or nothing when all is closed.
    #[inline]
    fn close(&mut self, open: &mut Open) -> Result<Option<u8>, Unread> {
        while let Some(object) = open.innermost() {
            match (self.peek(), object) {
                (b',', true) => {
                    self.bump();
                    return self.key().map(Some);
                }
                (b',', false) => {
                    self.bump();
                    return Ok(Some(self.peek()));
                }
                (b'}', true) | (b']', false) => {
                    self.bump();
                    open.pop();
                }
                _ => return Err(Unread),
            }
        }
        Ok(None)
    }

    /// Takes a key and its colon; returns how the value begins.
    #[inline]
    fn key(&mut self) -> Result<u8, Unread> {
        if self.peek() != b'"' {
            return Err(Unread);
        }
        self.string()?;
        self.expect(b':')?;
        Ok(self.peek())
    }

    #[inline]
    fn rest(&self) -> &'de [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    #[inline]
    fn since(&self, start: usize) -> Result<&'de str, Unread> {
        self.text.get(start..self.at).ok_or(Unread)
    }
}

// === impl Open ===

impl Open {
    fn push(&mut self, object: bool) -> Result<(), Unread> {
        if self.depth == u128::BITS {
            return Err(Unread);
        }
        self.kinds = self.kinds << 1 | u128::from(object);
        self.depth += 1;
        Ok(())
    }

    fn pop(&mut self) {
        self.kinds >>= 1;
        self.depth -= 1;
    }

    fn innermost(&self) -> Option<bool> {
        (self.depth > 0).then_some(self.kinds & 1 == 1)
    }
}

fn after(at: usize, digits: usize) -> Result<usize, Unread> {
    if digits == 0 { Err(Unread) } else { Ok(at + digits) }
}
