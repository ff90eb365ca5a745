//! The text of a file.

use secrecy::zeroize::Zeroizing;

use super::{MAX_BYTES, Problem};

const DATABASE: &[u8] = b"SQLite format 3\0";
const SEALED: [&[u8]; 2] = [b"age-encryption.org/", b"-----BEGIN AGE ENCRYPTED FILE-----"];

/// UTF-8 with or without a mark, or UTF-16 with one, as Windows' own shell writes it.
///
/// # Errors
/// If it is none of these, or a kind of file that is read elsewhere.
pub(super) fn read(bytes: &[u8]) -> Result<Zeroizing<String>, Problem> {
    if bytes.len() > MAX_BYTES {
        return Err(Problem::TooLarge);
    }
    if bytes.starts_with(DATABASE) {
        return Err(Problem::Database);
    }
    if SEALED.iter().any(|head| bytes.starts_with(head)) {
        return Err(Problem::Sealed);
    }
    let text = match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] | rest => std::str::from_utf8(rest).ok().map(str::to_owned),
    };
    text.map(Zeroizing::new).ok_or(Problem::NotText)
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units: Zeroizing<Vec<u16>> = Zeroizing::new(pairs.iter().map(|pair| unit(*pair)).collect());
    rest.is_empty().then(|| String::from_utf16(&units).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_of_text_is_read() {
        let utf16: Vec<u8> = "{}é".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let swapped: Vec<u8> = "{}é".encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [
            "{}é".as_bytes(),
            "\u{feff}{}é".as_bytes(),
            &[&[0xff, 0xfe], &utf16[..]].concat(),
            &[&[0xfe, 0xff], &swapped[..]].concat(),
        ] {
            assert_eq!(read(bytes).unwrap().as_str(), "{}é");
        }
    }

    #[test]
    fn what_is_not_text_is_named() {
        assert_eq!(read(b"SQLite format 3\0...").err(), Some(Problem::Database));
        assert_eq!(read(b"age-encryption.org/v1\n").err(), Some(Problem::Sealed));
        assert_eq!(read(b"\xff\xfe{").err(), Some(Problem::NotText));
        assert_eq!(read(b"\xff\xfe\x00\xd8").err(), Some(Problem::NotText));
        assert_eq!(read(b"{\xff}").err(), Some(Problem::NotText));
    }
}
