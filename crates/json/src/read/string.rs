//! The inside of JSON strings: where it ends, whether it is well formed, and what it says.

/// Strings up to this length are looked at a word at a time: that is done before a search has got going.
const SHORT: usize = 16;

/// How much of a long string is checked at once.
const BLOCK: usize = 32;

/// How many bytes of it are checked side by side.
const LANES: usize = 16;

/// What stands between the quotes.
#[inline]
pub(super) fn inside(quoted: &str) -> &str {
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default()
}

/// What stands between a string's quotes without its escapes; `None` if there is one of a UTF-16 unit.
pub(super) fn unescaped(inside: &str) -> Option<String> {
    let mut text = String::with_capacity(inside.len());
    let mut rest = inside;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        text.push_str(rest.get(..at)?);
        text.push(match rest.as_bytes().get(at + 1)? {
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            &byte @ (b'"' | b'\\' | b'/') => char::from(byte),
            _ => return None,
        });
        rest = rest.get(at + 2..)?;
    }
    text.push_str(rest);
    Some(text)
}

/// Where the quote stands that closes a string; `None` if there is none or the string is malformed. The opening quote
/// is taken.
#[inline]
pub(super) fn closing(bytes: &[u8]) -> Option<usize> {
    let Some(words) = bytes.first_chunk::<SHORT>() else { return closing_of_long(bytes, 0) };
    for (index, word) in words.as_chunks().0.iter().enumerate() {
        if let Some(found) = first_special(*word) {
            let at = index * 8 + found;
            return if words.get(at) == Some(&b'"') { Some(at) } else { closing_of_long(bytes, at) };
        }
    }
    closing_of_long(bytes, SHORT - 1)
}

/// Where in eight bytes the first quote, backslash or control character stands. Subtracting borrows from the bytes
/// above alone, so that the lowest mark is a true one.
#[inline]
fn first_special(bytes: [u8; 8]) -> Option<usize> {
    const ONES: u64 = u64::MAX / 255;
    let word = u64::from_le_bytes(bytes);
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word;
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    let marks = control | zeros(word ^ (ONES * u64::from(b'"'))) | zeros(word ^ (ONES * u64::from(b'\\')));
    let marks = marks & (ONES << 7);
    (marks != 0).then(|| marks.trailing_zeros() as usize / 8)
}

/// The same from the byte at this place on: it begins no escape's second half and, where a block follows it, is not
/// the quote.
fn closing_of_long(bytes: &[u8], mut at: usize) -> Option<usize> {
    let mut escaped = false;
    loop {
        match bytes.get(at..)?.first_chunk::<{ BLOCK + 1 }>() {
            Some(block) if is_plain(block) => {
                escaped = block[BLOCK - 1] == b'\\';
                at += BLOCK;
            }
            _ => match walk(bytes, at + usize::from(escaped), at + BLOCK)? {
                Walked::Closed(quote) => return Some(quote),
                Walked::On(next) => (at, escaped) = (next, false),
            },
        }
    }
}

/// Whether a block and the byte after it have no control characters, none but the commonest escapes, and no quote
/// that is not one of these. What the first byte is has been seen before.
fn is_plain(block: &[u8; BLOCK + 1]) -> bool {
    // Masks of whole bytes, in as many lanes as a vector has: so written, a compiler has nothing to convert.
    let mask = |is: bool| if is { u8::MAX } else { 0 };
    let mut amiss = [0; LANES];
    for begin in (0..BLOCK).step_by(LANES) {
        for (lane, amiss) in amiss.iter_mut().enumerate() {
            let (byte, next) = (block[begin + lane], block[begin + lane + 1]);
            let (escape, quote) = (mask(byte == b'\\'), mask(next == b'"'));
            let common = mask(next == b'n') | quote | mask(next == b't') | mask(next == b'r');
            *amiss |= mask(byte < 0x20) | (escape & !common) | (quote & !escape);
        }
    }
    u128::from_le_bytes(amiss) == 0
}

/// What came of a walk.
enum Walked {
    /// The closing quote is here.
    Closed(usize),
    /// It goes on here, with something else than the quote.
    On(usize),
}

/// Goes through a string from one place to another, or as far behind it as the last escape reaches; `None` if it meets
/// what may not be there.
fn walk(bytes: &[u8], mut at: usize, until: usize) -> Option<Walked> {
    loop {
        at += match bytes.get(at)? {
            b'"' => return Some(Walked::Closed(at)),
            _ if at >= until => return Some(Walked::On(at)),
            b'\\' => escape(bytes.get(at + 1..)?)?,
            0..=0x1f => return None,
            _ => 1,
        };
    }
}

/// The length of the escape of whose backslash this is what follows.
fn escape(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => Some(2),
        [b'u', digits @ ..] => digits.first_chunk::<4>()?.iter().all(u8::is_ascii_hexdigit).then_some(6),
        _ => None,
    }
}
