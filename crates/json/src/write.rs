//! Writing JSON text by hand: the few shapes a reply needs, without an allocation.

use bytes::BytesMut;

/// How many bytes are looked at side by side.
const LANES: usize = 16;

/// Writes a JSON string, quotes included.
pub fn string(out: &mut BytesMut, text: &str) {
    out.extend_from_slice(b"\"");
    fragment(out, text);
    out.extend_from_slice(b"\"");
}

/// Writes a piece of a JSON string, without quotes.
pub fn fragment(out: &mut BytesMut, text: &str) {
    let mut rest = text.as_bytes();
    loop {
        let (plain, behind) = rest.split_at(plain(rest));
        out.extend_from_slice(plain);
        let Some((&byte, behind)) = behind.split_first() else { break };
        escape(out, byte);
        rest = behind;
    }
}

/// How many bytes, from the first one on, stand in a JSON string as they are: up to a quote, a backslash or a control
/// character.
#[must_use]
pub fn plain(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some(block) = text[at..].first_chunk() {
        if !is_plain(block) {
            return at + plain_by_byte(block);
        }
        at += LANES;
    }
    // The end of a longer text is looked at together with what is known already.
    match text.last_chunk() {
        Some(block) if is_plain(block) => text.len(),
        _ => at + plain_by_byte(&text[at..]),
    }
}

fn plain_by_byte(bytes: &[u8]) -> usize {
    bytes.iter().position(|&byte| is_escaped(byte)).unwrap_or(bytes.len())
}

/// Whether a byte must not stand in a JSON string as it is.
#[inline]
fn is_escaped(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// Whether none of these bytes is to be escaped. So written, it becomes a handful of vector instructions.
#[inline]
fn is_plain(block: &[u8; LANES]) -> bool {
    let mask = |is: bool| if is { u8::MAX } else { 0 };
    let found = block.map(|byte| mask(byte < 0x20) | mask(byte == b'"') | mask(byte == b'\\'));
    u128::from_le_bytes(found) == 0
}

/// Writes a whole number.
pub fn number(out: &mut BytesMut, mut value: u64) {
    let mut digits = [0u8; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

fn escape(out: &mut BytesMut, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    match byte {
        b'"' => out.extend_from_slice(b"\\\""),
        b'\\' => out.extend_from_slice(b"\\\\"),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        _ => {
            let low = HEX[usize::from(byte & 0xf)];
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', HEX[usize::from(byte >> 4)], low]);
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_string_reads_back_as_it_was(text in any::<String>(), control in "[\u{0}-\u{1f}\"\\\\\u{7f}\u{2028}]*") {
            for text in [text, control] {
                let mut out = BytesMut::new();
                super::string(&mut out, &text);
                prop_assert!(!out.contains(&b'\n'), "an event's data must stay on one line");
                prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
            }
        }

        #[test]
        fn an_escape_is_found_wherever_it_stands(before in "[a-z\u{e9}]{0,40}", escaped in "[\u{0}-\u{1f}\"\\\\]{0,3}", after in "[a-z]{0,40}") {
            let text = format!("{before}{escaped}{after}");
            let mut out = BytesMut::new();
            super::string(&mut out, &text);
            prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }

        #[test]
        fn what_is_plain_ends_where_the_first_escape_stands(text in "[a-z\u{e9}\"\\\\\u{1f}\u{7f}]{0,70}") {
            let bytes = text.as_bytes();
            let first = bytes.iter().position(|&byte| byte < 0x20 || byte == b'"' || byte == b'\\');
            prop_assert_eq!(super::plain(bytes), first.unwrap_or(bytes.len()));
            let clean: Vec<u8> = bytes.iter().copied().filter(u8::is_ascii_lowercase).collect();
            prop_assert_eq!(super::plain(&clean), clean.len());
        }

        #[test]
        fn a_number_reads_back_as_it_was(value in any::<u64>()) {
            let mut out = BytesMut::new();
            super::number(&mut out, value);
            prop_assert_eq!(serde_json::from_slice::<u64>(&out).unwrap(), value);
        }
    }
}
