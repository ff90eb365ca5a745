//! Reading JSON text that is whole in memory, as `serde_json` does it but with less work on long strings.
//!
//! An agent's conversation is mostly strings full of escapes that nobody reads. `serde_json` stops at every escape;
//! here strings are held against the grammar in blocks, which a compiler turns into vector instructions, and only
//! what is rare in a block is looked at byte by byte.
//!
//! What this reader does not take, `serde_json` gets to read again: it has the last word, and the words for what is
//! wrong. So nothing depends on this reader being complete, only on it taking nothing that `serde_json` would not.

mod scan;
mod string;

use std::fmt;
use std::iter;

use serde::de::value::{BorrowedStrDeserializer, MapDeserializer};
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use self::scan::Scan;

/// By this name a visitor asks for a string as it is written, quotes included. Only this reader knows it; others call
/// [`Visitor::visit_newtype_struct`].
pub(crate) const AS_WRITTEN: &str = "$qm_json::as_written";

/// How `serde_json` asks for a value's text.
const RAW_VALUE: &str = "$serde_json::";

/// How deep values may nest, as in `serde_json`.
const DEPTH: u8 = 127;

/// Reads a value from text that holds nothing else.
///
/// # Errors
/// As `serde_json::from_str`, whose errors they are.
pub fn from_str<'de, T: Deserialize<'de>>(text: &'de str) -> serde_json::Result<T> {
    let mut reader = Reader { scan: Scan::new(text), depth: DEPTH };
    match T::deserialize(&mut reader) {
        Ok(value) if reader.scan.is_at_end() => Ok(value),
        _ => serde_json::from_str(text),
    }
}

/// The body of a request as text.
///
/// # Errors
/// The place of the first byte that is not UTF-8.
pub fn text(body: &[u8]) -> Result<&str, usize> {
    simdutf8::compat::from_utf8(body).map_err(|error| error.valid_up_to())
}

/// This reader cannot read it.
#[derive(Debug)]
struct Unread;

struct Reader<'de> {
    scan: Scan<'de>,
    /// How many more levels there may be.
    depth: u8,
}

/// What is left of a list or an object.
struct Rest<'r, 'de> {
    reader: &'r mut Reader<'de>,
    first: bool,
    closed: bool,
}

// === impl Unread ===

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not read")
    }
}

impl std::error::Error for Unread {}

impl de::Error for Unread {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

// === impl Reader ===

impl<'de> Reader<'de> {
    fn string<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Unread> {
        let quoted = self.scan.string()?;
        let inside = string::inside(quoted);
        if memchr::memchr(b'\\', inside.as_bytes()).is_none() {
            return visitor.visit_borrowed_str(inside);
        }
        match string::unescaped(inside) {
            Some(text) => visitor.visit_string(text),
            // Escapes of UTF-16 units, which are rare.
            None => visitor.visit_string(serde_json::from_str(quoted).map_err(|_| Unread)?),
        }
    }

    fn number<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Unread> {
        let number = self.scan.number()?;
        // Fewer digits than could overflow.
        if number.len() < 19 && number.bytes().all(|byte| byte.is_ascii_digit()) {
            return visitor.visit_u64(number.parse().map_err(|_| Unread)?);
        }
        serde_json::Deserializer::from_str(number).deserialize_any(visitor).map_err(|_| Unread)
    }

    fn word<T>(&mut self, word: &str, value: T) -> Result<T, Unread> {
        self.scan.word(word)?;
        Ok(value)
    }

    /// A list or an object, of which the opening is next. The visitor must have seen it to its end.
    fn nested<T>(
        &mut self,
        visit: impl FnOnce(&mut Rest<'_, 'de>) -> Result<T, Unread>,
    ) -> Result<T, Unread> {
        self.scan.bump();
        self.depth = self.depth.checked_sub(1).ok_or(Unread)?;
        let mut rest = Rest { reader: self, first: true, closed: false };
        let value = visit(&mut rest)?;
        if !rest.closed {
            return Err(Unread);
        }
        self.depth += 1;
        Ok(value)
    }
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Unread;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unread> {
        match self.scan.peek() {
            b'"' => self.string(visitor),
            b'{' => self.nested(|rest| visitor.visit_map(rest)),
            b'[' => self.nested(|rest| visitor.visit_seq(rest)),
            b'n' => self.word("null", ()).and_then(|()| visitor.visit_unit()),
            b't' => self.word("true", true).and_then(|value| visitor.visit_bool(value)),
            b'f' => self.word("false", false).and_then(|value| visitor.visit_bool(value)),
            b'-' | b'0'..=b'9' => self.number(visitor),
            _ => Err(Unread),
        }
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unread> {
        if self.scan.peek() == b'n' {
            return self.word("null", ()).and_then(|()| visitor.visit_none());
        }
        visitor.visit_some(self)
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unread> {
        if name == AS_WRITTEN {
            return match self.scan.peek() {
                b'"' => visitor.visit_borrowed_str(self.scan.string()?),
                _ => self.deserialize_any(visitor),
            };
        }
        if name.starts_with(RAW_VALUE) {
            // Its visitor wants a map with this name as the only key. Should that change, it is an error, and
            // `serde_json` reads the whole.
            let text = BorrowedStrDeserializer::new(self.scan.value()?);
            return visitor.visit_map(MapDeserializer::new(iter::once((name, text))));
        }
        visitor.visit_newtype_struct(self)
    }

    #[inline]
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unread> {
        self.scan.value()?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier
    }
}

// === impl Rest ===

impl Rest<'_, '_> {
    /// Whether another one follows, which is next then.
    #[inline]
    fn goes_on(&mut self, closing: u8) -> Result<bool, Unread> {
        let scan = &mut self.reader.scan;
        match scan.peek() {
            next if next == closing => {
                scan.bump();
                self.closed = true;
                return Ok(false);
            }
            b',' if !self.first => scan.bump(),
            _ if self.first => {}
            _ => return Err(Unread),
        }
        self.first = false;
        Ok(true)
    }
}

impl<'de> SeqAccess<'de> for &mut Rest<'_, 'de> {
    type Error = Unread;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Unread> {
        if self.goes_on(b']')? { seed.deserialize(&mut *self.reader).map(Some) } else { Ok(None) }
    }
}

impl<'de> MapAccess<'de> for &mut Rest<'_, 'de> {
    type Error = Unread;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Unread> {
        if !self.goes_on(b'}')? {
            return Ok(None);
        }
        if self.reader.scan.peek() != b'"' {
            return Err(Unread);
        }
        seed.deserialize(&mut *self.reader).map(Some)
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Unread> {
        self.reader.scan.expect(b':')?;
        seed.deserialize(&mut *self.reader)
    }
}

#[cfg(test)]
mod tests;
