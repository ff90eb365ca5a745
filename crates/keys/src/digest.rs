//! What is kept of a token: its SHA-256.

use std::fmt;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// SHA-256 of a token. Tells nothing of one with enough random bits, so it may be stored and shown.
///
/// `Eq` and `Hash` are for finding one in a table: whoever measures how long that takes learns about the hash of what
/// he sent, which he can compute himself. What admits compares with [`Digest::is`] after that.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// That of this token.
    #[must_use]
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// From 64 hexadecimal digits, as stored. Nothing for other texts.
    #[must_use]
    pub fn from_hex(hex: &str) -> Option<Self> {
        let digits = hex.as_bytes();
        if digits.len() != 64 {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = pair.iter().try_fold(0, |sum, digit| Some(sum << 4 | value(*digit)?))?;
        }
        Some(Self(bytes))
    }

    /// 64 hexadecimal digits.
    #[must_use]
    pub fn hex(&self) -> String {
        let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
        self.0.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
    }

    /// The first eight hexadecimal digits: enough to tell keys apart in a log.
    #[must_use]
    pub fn short(&self) -> String {
        let [a, b, c, d, ..] = self.0;
        format!("{a:02x}{b:02x}{c:02x}{d:02x}")
    }

    /// Id of the key whose token this is where the configuration has it, which gives keys none.
    #[must_use]
    pub fn configured_id(&self) -> String {
        format!("env-{}", self.short())
    }

    /// Whether both are of one token, in constant time.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({})", self.short())
    }
}

fn value(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::Digest;

    /// From FIPS 180-2, appendix B.1.
    const OF_ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn a_digest_is_sha_256_and_comes_back_from_hex() {
        let digest = Digest::of("abc");
        assert_eq!(digest.hex(), OF_ABC);
        assert_eq!(digest.short(), "ba7816bf");
        assert_eq!(digest.configured_id(), "env-ba7816bf");
        assert_eq!(Digest::from_hex(OF_ABC), Some(digest));
        assert_eq!(Digest::from_hex(&OF_ABC.to_ascii_uppercase()), Some(digest));
        assert_eq!(format!("{digest:?}"), "Digest(ba7816bf)");
    }

    #[test]
    fn only_the_same_token_is_the_same() {
        assert!(Digest::of("abc").is(&Digest::of("abc")));
        assert!(!Digest::of("abc").is(&Digest::of("abd")));
    }

    #[test]
    fn what_is_not_64_digits_is_no_digest() {
        let bad = [String::new(), OF_ABC[1..].to_owned(), format!("{OF_ABC}00"), OF_ABC.replace('b', "g")];
        for text in bad.into_iter().chain(["é".repeat(32), "+".repeat(64)]) {
            assert_eq!(Digest::from_hex(&text), None, "{text}");
        }
    }
}
