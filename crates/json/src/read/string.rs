//! The inside of JSON strings: where it ends, whether it is well formed, and what it says.

/// Strings up to this length are looked at a word at a time: that is done before a search has got going.
const SHORT: usize = 16;

/// How much of a long string is checked at once.
const BLOCK: usize = 32;

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
    let words = bytes.get(..SHORT).unwrap_or_default();
    for (index, word) in words.as_chunks().0.iter().enumerate() {
        if let Some(found) = first_special(*word) {
            let at = index * 8 + found;
            return if bytes.get(at) == Some(&b'"') { Some(at) } else { closing_of_long(bytes) };
        }
    }
    closing_of_long(bytes)
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

fn closing_of_long(bytes: &[u8]) -> Option<usize> {
    let mut end = 0;
    loop {
        end += memchr::memchr(b'"', bytes.get(end..)?)?;
        let escapes = bytes.get(..end)?.iter().rev().take_while(|&&byte| byte == b'\\').count();
        if escapes % 2 == 0 {
            break;
        }
        end += 1;
    }
    is_well_formed(bytes.get(..=end)?).then_some(end)
}

/// Whether a string has no control characters and no escapes that JSON does not know. Its closing quote is there.
fn is_well_formed(string: &[u8]) -> bool {
    let end = string.len() - 1;
    let mut at = 0;
    while let Some(block) = string.get(at..).and_then(<[u8]>::first_chunk) {
        if is_plain(block) {
            at += BLOCK;
            continue;
        }
        match walk(string, at, at + BLOCK) {
            Some(next) => at = next,
            None => return false,
        }
    }
    walk(string, at, end) == Some(end)
}

/// Whether a block and the byte after it have no control characters and none but the commonest escapes. The block may
/// begin within one of these: what follows their backslash looks like any other byte.
fn is_plain(block: &[u8; BLOCK + 1]) -> bool {
    let amiss = block.iter().zip(&block[1..]).fold(0, |amiss, (&byte, &next)| {
        let is = |is: bool| u8::from(is);
        let common = is(next == b'n') | is(next == b'"') | is(next == b't') | is(next == b'r');
        amiss | is(byte < 0x20) | (is(byte == b'\\') & !common)
    });
    amiss == 0
}

/// Goes through a string from one place to another, or as far behind it as the last escape reaches; `None` if it meets
/// what may not be there.
fn walk(string: &[u8], mut at: usize, until: usize) -> Option<usize> {
    while at < until {
        at += match (string.get(at)?, string.get(at + 1)) {
            (b'\\', Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't')) => 2,
            (b'\\', Some(b'u')) => {
                let digits = string.get(at + 2..at + 6)?;
                if !digits.iter().all(u8::is_ascii_hexdigit) {
                    return None;
                }
                6
            }
            (b'\\' | 0..=0x1f, _) => return None,
            _ => 1,
        };
    }
    Some(at)
}
