//! Words, decoded or as they stood in the client's JSON.
//!
//! A conversation of an agent is mostly text that nobody here reads: taken out of one JSON string and put into another.
//! Left as it stands it is copied once; decoded and encoded again it costs more than all the rest of a request.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use serde_json::value::RawValue;

/// How an escape of a UTF-16 unit begins.
static UNIT: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\\u"));

/// A text of a conversation.
#[derive(Clone)]
pub struct Text<'a>(Form<'a>);

/// The two forms of a text, for a room that writes JSON itself.
#[derive(Clone, Copy)]
pub enum Written<'t> {
    /// Plain words.
    Plain(&'t str),
    /// Plain words that stood in a JSON string without an escape, so that they may stand in another as they are.
    Bare(&'t str),
    /// What stood between the quotes of a JSON string: well formed, but escapes of lone surrogates may be in it, which
    /// JSON's grammar allows.
    Literal(&'t str),
}

#[derive(Clone)]
enum Form<'a> {
    Plain(Cow<'a, str>),
    /// Without its quotes.
    Bare(&'a str),
    /// With its quotes, because there are escapes in it.
    Quoted(&'a str),
}

impl<'a> Text<'a> {
    /// The text of a JSON string as it stands; `None` if the value is not a string.
    #[must_use]
    pub fn literal(value: &'a RawValue) -> Option<Self> {
        Self::quoted(value.get())
    }

    /// The same of text that is known to be a JSON value.
    #[must_use]
    pub fn quoted(quoted: &'a str) -> Option<Self> {
        let inner = quoted.strip_prefix('"')?.strip_suffix('"')?;
        let escapes = memchr::memchr(b'\\', inner.as_bytes()).is_some();
        Some(Self(if escapes { Form::Quoted(quoted) } else { Form::Bare(inner) }))
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its length in bytes, as it is written.
    #[must_use]
    pub fn len(&self) -> usize {
        match self.written() {
            Written::Plain(text) | Written::Bare(text) | Written::Literal(text) => text.len(),
        }
    }

    /// Whether it has nothing but white space.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        match self.written() {
            Written::Plain(text) | Written::Bare(text) => text.trim_start().is_empty(),
            Written::Literal(text) => self.is_blank_literal(text.as_bytes()),
        }
    }

    fn is_blank_literal(&self, mut text: &[u8]) -> bool {
        loop {
            text = match text {
                [] => return true,
                [b' ', rest @ ..] | [b'\\', b'n' | b'r' | b't' | b'f', rest @ ..] => rest,
                // Rare: what it stands for decides.
                [b'\\', b'u', ..] | [0x80..=0xff, ..] => return self.decoded().trim_start().is_empty(),
                _ => return false,
            };
        }
    }

    /// In the form it has.
    #[must_use]
    pub fn written(&self) -> Written<'_> {
        match &self.0 {
            Form::Plain(text) => Written::Plain(text),
            Form::Bare(text) => Written::Bare(text),
            Form::Quoted(quoted) => Written::Literal(&quoted[1..quoted.len() - 1]),
        }
    }

    /// The words themselves. A lone surrogate becomes the replacement character.
    #[must_use]
    pub fn decoded(&self) -> Cow<'_, str> {
        match &self.0 {
            Form::Plain(text) => Cow::Borrowed(text),
            Form::Bare(text) => Cow::Borrowed(text),
            Form::Quoted(quoted) => Cow::Owned(decode(quoted)),
        }
    }

    /// The words themselves, for keeping.
    #[must_use]
    pub fn into_decoded(self) -> Cow<'a, str> {
        match self.0 {
            Form::Plain(text) => text,
            Form::Bare(text) => Cow::Borrowed(text),
            Form::Quoted(quoted) => Cow::Owned(decode(quoted)),
        }
    }
}

fn decode(quoted: &str) -> String {
    serde_json::from_str(&mended(quoted)).unwrap_or_default()
}

/// Valid JSON text without escapes of lone surrogates, which JSON's grammar allows and Unicode does not: each becomes
/// the replacement character.
#[must_use]
pub fn mended(json: &str) -> Cow<'_, str> {
    let mut mended = String::new();
    let (mut copied, mut at) = (0, 0);
    // Escapes are many, those of UTF-16 units few: without one there is nothing to look at.
    if UNIT.find(json.as_bytes()).is_none() {
        return Cow::Borrowed(json);
    }
    while let Some(found) = json.get(at..).and_then(|rest| rest.find('\\')) {
        let escape = at + found;
        at = escape + 2;
        match surrogate(json, escape) {
            None => {}
            Some(high) if high < 0xdc00 && surrogate(json, escape + 6).is_some_and(|low| low >= 0xdc00) => {
                at = escape + 12;
            }
            Some(_) => {
                mended.push_str(json.get(copied..escape).unwrap_or_default());
                mended.push_str("\\ufffd");
                copied = escape + 6;
                at = copied;
            }
        }
    }
    if copied == 0 {
        return Cow::Borrowed(json);
    }
    mended.push_str(json.get(copied..).unwrap_or_default());
    Cow::Owned(mended)
}

/// The surrogate that is escaped at this place, if one is.
fn surrogate(json: &str, at: usize) -> Option<u16> {
    let digits = json.get(at..at + 6)?.strip_prefix("\\u")?;
    u16::from_str_radix(digits, 16).ok().filter(|unit| (0xd800..0xe000).contains(unit))
}

impl<'a> From<Cow<'a, str>> for Text<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self(Form::Plain(text))
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Form::Plain(Cow::Borrowed(text)))
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self(Form::Plain(Cow::Owned(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).expect("is JSON")
    }

    #[test]
    fn a_literal_says_what_its_string_says() {
        for json in
            [r#""plain""#, r#""two\nlines \"quoted\" \\ \u00e9 \ud83d\ude00""#, r#""""#, r#""\/\b\f""#]
        {
            let raw = raw(json);
            let text = Text::literal(&raw).expect("a string");
            let expected: String = serde_json::from_str(json).expect("is JSON");
            assert_eq!(text.decoded(), expected);
            assert_eq!(text.is_empty(), expected.is_empty());
            assert_eq!(text.clone().into_decoded(), expected);
        }
        for json in ["1", "null", "[]", "{}"] {
            assert!(Text::literal(&raw(json)).is_none());
        }
    }

    #[test]
    fn only_what_stood_in_a_json_string_may_stand_in_another_as_it_is() {
        let (bare, escaped) = (raw(r#""plain""#), raw(r#""two\nlines""#));
        assert!(matches!(Text::literal(&bare).expect("a string").written(), Written::Bare("plain")));
        assert!(matches!(
            Text::literal(&escaped).expect("a string").written(),
            Written::Literal(r"two\nlines")
        ));
        assert!(matches!(Text::from("a \"b\"").written(), Written::Plain("a \"b\"")));
    }

    #[test]
    fn a_lone_surrogate_is_no_reason_to_lose_the_rest() {
        let raw = raw(r#""a\ud800b""#);
        let decoded = Text::literal(&raw).expect("a string").decoded().into_owned();
        assert!(
            decoded.starts_with('a') && decoded.ends_with('b') && decoded.contains('\u{fffd}'),
            "{decoded}"
        );
    }

    #[test]
    fn lone_surrogates_are_replaced_and_pairs_are_not() {
        for (given, expected) in [
            (r#"{"a":"\ud83d\ude00"}"#, r#"{"a":"\ud83d\ude00"}"#),
            (r#"{"a":"\ud83d"}"#, r#"{"a":"\ufffd"}"#),
            (r#"{"a":"\uDE00\ud83d\ud83d\ude00x"}"#, r#"{"a":"\ufffd\ufffd\ud83d\ude00x"}"#),
            (r#"{"a":"\\ud83d"}"#, r#"{"a":"\\ud83d"}"#),
            (r#"{"a":"\n\"\\"}"#, r#"{"a":"\n\"\\"}"#),
        ] {
            assert_eq!(mended(given), expected);
        }
    }

    #[test]
    fn blank_is_blank_in_either_form() {
        for (json, blank) in [
            (r#""""#, true),
            (r#"" \n\t ""#, true),
            (r#""\u0020\u2003""#, true),
            (r#""x""#, false),
            (r#""\n\"""#, false),
            (r#"" \n a""#, false),
            (r#""\nword""#, false),
            (r#""\u0041""#, false),
            (r#""\n\n\\""#, false),
        ] {
            let raw = raw(json);
            assert_eq!(Text::literal(&raw).expect("a string").is_blank(), blank, "{json}");
            let plain: String = serde_json::from_str(json).expect("is JSON");
            assert_eq!(Text::from(plain).is_blank(), blank, "{json}");
        }
    }
}
