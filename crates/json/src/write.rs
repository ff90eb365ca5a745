//! Writing JSON text by hand: the few shapes a reply needs, without an allocation.

use bytes::BytesMut;

/// Whether a byte must not stand in a JSON string as it is.
const ESCAPED: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = true;
        byte += 1;
    }
    table[b'"' as usize] = true;
    table[b'\\' as usize] = true;
    table
};

/// Writes a JSON string, quotes included.
pub fn string(out: &mut BytesMut, text: &str) {
    out.extend_from_slice(b"\"");
    fragment(out, text);
    out.extend_from_slice(b"\"");
}

/// Writes a piece of a JSON string, without quotes.
pub fn fragment(out: &mut BytesMut, text: &str) {
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|&byte| ESCAPED[usize::from(byte)]) {
        out.extend_from_slice(&rest[..at]);
        escape(out, rest[at]);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
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
        fn a_number_reads_back_as_it_was(value in any::<u64>()) {
            let mut out = BytesMut::new();
            super::number(&mut out, value);
            prop_assert_eq!(serde_json::from_slice::<u64>(&out).unwrap(), value);
        }
    }
}
