//! The chunked coding (RFC 9112 §7.1), byte by byte, so that it does not matter how they arrive; the commonest lines at once where they lie
//! whole.

use crate::Malformed;

/// Most bytes beside the size in the line that begins a chunk.
const MAX_EXTENSION: u32 = 4 << 10;

/// Most bytes of all trailers together. Nobody asked for any; they are read past.
const MAX_TRAILERS: u32 = 16 << 10;

/// Most digits of a size: 16 of them fill the number.
const MAX_DIGITS: u8 = 16;

/// Where in the coding the next byte is.
#[derive(Clone, Debug)]
pub(crate) struct Chunked {
    at: At,
    /// Bytes of this chunk's data that are still to come.
    left: u64,
    /// Digits of this chunk's size so far.
    digits: u8,
    /// Bytes of this extension, or of all trailers, so far.
    spent: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Size,
    /// Behind the size, where only blanks, an extension or the line's end may follow.
    Blank,
    Extension,
    SizeEnd,
    Data,
    DataCr,
    DataLf,
    /// At the beginning of a line behind the last chunk.
    Trailer,
    TrailerName,
    TrailerValue,
    TrailerLf,
    LastLf,
    Done,
}

// === impl Chunked ===

impl Chunked {
    pub(crate) fn new() -> Self {
        Self { at: At::Size, left: 0, digits: 0, spent: 0 }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.at == At::Done
    }

    /// Takes bytes in and gives `take` the data among them. How many bytes belonged to the body: all, unless it has
    /// ended.
    pub(crate) fn decode(&mut self, input: &[u8], mut take: impl FnMut(&[u8])) -> Result<usize, Malformed> {
        let mut rest = input;
        while let Some((&byte, behind)) = rest.split_first() {
            match self.at {
                At::Done => break,
                At::Size
                    if self.digits == 0
                        && let Some((size, behind)) = short_size(rest) =>
                {
                    self.left = size;
                    self.at = if size == 0 { At::Trailer } else { At::Data };
                    rest = behind;
                }
                At::DataCr if let [b'\r', b'\n', behind @ ..] = rest => {
                    self.at = At::Size;
                    rest = behind;
                }
                At::Data => {
                    let most = usize::try_from(self.left).map_or(rest.len(), |left| left.min(rest.len()));
                    let (data, behind) = rest.split_at(most);
                    take(data);
                    self.left -= most as u64;
                    if self.left == 0 {
                        self.at = At::DataCr;
                    }
                    rest = behind;
                }
                _ => {
                    self.at = self.step(byte)?;
                    rest = behind;
                }
            }
        }
        Ok(input.len() - rest.len())
    }

    /// One byte that is not data.
    fn step(&mut self, byte: u8) -> Result<At, Malformed> {
        Ok(match (self.at, byte) {
            (At::Size, byte) if byte.is_ascii_hexdigit() => self.digit(byte)?,
            (At::Size, b' ' | b'\t') if self.digits > 0 => self.spend(MAX_EXTENSION, At::Blank)?,
            (At::Size, b';') if self.digits > 0 => At::Extension,
            (At::Size, b'\r') if self.digits > 0 => At::SizeEnd,
            (At::Blank, b' ' | b'\t') => self.spend(MAX_EXTENSION, At::Blank)?,
            (At::Blank, b';') => At::Extension,
            (At::Blank | At::Extension, b'\r') => At::SizeEnd,
            (At::Extension, byte) if byte != b'\n' => self.spend(MAX_EXTENSION, At::Extension)?,
            (At::SizeEnd, b'\n') => {
                self.digits = 0;
                self.spent = 0;
                if self.left == 0 { At::Trailer } else { At::Data }
            }
            (At::DataCr, b'\r') => At::DataLf,
            (At::DataLf, b'\n') => At::Size,
            (At::Trailer, b'\r') => At::LastLf,
            (At::Trailer | At::TrailerName, byte) if is_token(byte) => {
                self.spend(MAX_TRAILERS, At::TrailerName)?
            }
            (At::TrailerName, b':') | (At::TrailerValue, b'\t' | b' '..=b'~' | 0x80..) => {
                self.spend(MAX_TRAILERS, At::TrailerValue)?
            }
            (At::TrailerValue, b'\r') => At::TrailerLf,
            (At::TrailerLf, b'\n') => At::Trailer,
            (At::LastLf, b'\n') => At::Done,
            _ => return Err(Malformed::Chunk),
        })
    }

    fn digit(&mut self, byte: u8) -> Result<At, Malformed> {
        self.digits += 1;
        if self.digits > MAX_DIGITS {
            return Err(Malformed::Chunk);
        }
        let value = char::from(byte).to_digit(16).ok_or(Malformed::Chunk)?;
        self.left = self.left << 4 | u64::from(value);
        Ok(At::Size)
    }

    fn spend(&mut self, most: u32, next: At) -> Result<At, Malformed> {
        self.spent += 1;
        if self.spent > most { Err(Malformed::ChunkTooLong) } else { Ok(next) }
    }
}

/// The line that begins nearly every chunk: a few digits and nothing else. What follows it is given back as well. `None`
/// says nothing of the line.
fn short_size(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut size = 0;
    for (count, &byte) in bytes.iter().take(8).enumerate() {
        match char::from(byte).to_digit(16) {
            Some(digit) => size = size << 4 | u64::from(digit),
            None if count > 0 => return bytes[count..].strip_prefix(b"\r\n").map(|behind| (size, behind)),
            None => break,
        }
    }
    None
}

/// Whether the name of a field may have this byte (RFC 9110 §5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8]) -> (Result<usize, Malformed>, Vec<u8>, bool) {
        let (mut chunked, mut data) = (Chunked::new(), Vec::new());
        let used = chunked.decode(bytes, |piece| data.extend_from_slice(piece));
        (used, data, chunked.is_done())
    }

    #[test]
    fn chunks_become_their_data_and_the_end_is_seen() {
        let cases: [(&str, &str); 7] = [
            ("0\r\n\r\n", ""),
            ("2\r\nok\r\n0\r\n\r\n", "ok"),
            ("A\r\n0123456789\r\n0a\r\n0123456789\r\n000\r\n\r\n", "01234567890123456789"),
            ("2;name=\"va;lue\"\r\nok\r\n0;x\r\n\r\n", "ok"),
            ("2 \t\r\nok\r\n0 ;x\r\n\r\n", "ok"),
            ("1\r\nk\r\n0\r\nname: value\r\nother: one\r\n\r\n", "k"),
            ("2\r\n\r\n\r\n0\r\n\r\n", "\r\n"),
        ];
        for (bytes, data) in cases {
            assert_eq!(decoded(bytes.as_bytes()), (Ok(bytes.len()), data.into(), true), "{bytes:?}");
            let more = format!("{bytes}HTTP/1.1 ");
            assert_eq!(decoded(more.as_bytes()), (Ok(bytes.len()), data.into(), true), "{bytes:?}");
            for end in 0..bytes.len() {
                let (used, _, done) = decoded(&bytes.as_bytes()[..end]);
                assert_eq!((used, done), (Ok(end), false), "{:?}", &bytes[..end]);
            }
        }
    }

    #[test]
    fn what_is_no_chunk_is_refused() {
        let cases = [
            "\r\n",
            "x\r\n",
            ";x\r\n",
            " 2\r\n",
            "-2\r\n",
            "+2\r\n",
            "0x2\r\n",
            "2\n",
            "2\rx",
            "2 2\r\n",
            "2;x\ny\r\n",
            "2\r\nokx",
            "2\r\nok\n",
            "2\r\nok\rx",
            "0\r\n\n",
            "0\r\nname: value\n",
            "0\r\n\rx",
            "0\r\nname: value\rx",
            "0\r\n0\r\n",
            "0\r\n: value\r\n",
            "0\r\nna me: value\r\n",
            "0\r\n folded\r\n",
            "0\r\nname: a\0b\r\n",
            // One digit more than fits.
            "10000000000000000\r\n",
            // Nor may leading zeros go on for ever.
            "00000000000000001\r\n",
        ];
        for bytes in cases {
            assert_eq!(decoded(bytes.as_bytes()).0, Err(Malformed::Chunk), "{bytes:?}");
        }
    }

    #[test]
    fn the_longest_chunk_there_can_be_is_only_begun() {
        let (used, data, done) = decoded(b"ffffffffffffffff\r\nabc");
        assert_eq!((used, data.as_slice(), done), (Ok(21), b"abc".as_slice(), false));
    }

    #[test]
    fn what_surrounds_the_chunks_is_bounded() {
        let most = "x".repeat(MAX_EXTENSION as usize);
        assert!(
            decoded(format!("1;{most}\r\na\r\n1;{most}\r\n").as_bytes()).0.is_ok(),
            "each line has its own"
        );
        let blanks = " ".repeat(MAX_EXTENSION as usize + 1);
        for line in [format!("1;{most}x"), format!("1{blanks}")] {
            assert_eq!(decoded(line.as_bytes()).0, Err(Malformed::ChunkTooLong));
        }
        let trailers = "name: value\r\n".repeat(MAX_TRAILERS as usize / 11 + 1);
        assert_eq!(decoded(format!("0\r\n{trailers}").as_bytes()).0, Err(Malformed::ChunkTooLong));
    }
}
