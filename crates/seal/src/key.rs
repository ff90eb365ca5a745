//! Master keys: how they are written, named and kept together.

use std::str;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// Length of a master key.
pub const KEY_BYTES: usize = 32;

/// Bytes of the hash that name a key; written as twice as many hex digits.
const ID_BYTES: usize = 8;

/// What is hashed before a key to make its id, so that the id says nothing about the key's hash elsewhere.
const ID_DOMAIN: &[u8] = b"quartermaster master key id\0";

/// Base64 as people paste it: with or without padding.
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// One master key. It has no `Debug` and is wiped when dropped.
pub struct Key {
    id: String,
    bytes: Zeroizing<[u8; KEY_BYTES]>,
}

/// Why a text is no key, or keys are no ring. Never says what the text was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Neither base64 nor hex.
    #[error("a master key is 32 random bytes in base64 or hex; this is neither")]
    NotText,
    /// The wrong number of bytes. A passphrase is refused here too: its guesses could be tried by the billion.
    #[error("a master key is 32 random bytes in base64 or hex; this has {0} bytes")]
    Length(usize),
    /// So regular that nobody drew it: few different bytes.
    #[error("this master key is not random; make one with `openssl rand -base64 32`")]
    Weak,
    /// A ring without a key.
    #[error("there is no master key")]
    None,
}

impl Key {
    /// A key of these bytes, which should be random.
    ///
    /// # Errors
    /// [`KeyError::Weak`] for bytes that are visibly not random.
    pub fn new(bytes: Zeroizing<[u8; KEY_BYTES]>) -> Result<Self, KeyError> {
        let mut seen = [false; 256];
        for byte in bytes.iter() {
            if let Some(slot) = seen.get_mut(usize::from(*byte)) {
                *slot = true;
            }
        }
        // 32 random bytes have fewer than 16 different ones less than once in 10^12 draws.
        if seen.iter().filter(|seen| **seen).count() < KEY_BYTES / 2 {
            return Err(KeyError::Weak);
        }
        let hash = Sha256::new().chain_update(ID_DOMAIN).chain_update(bytes.as_slice()).finalize();
        let id = hash.iter().take(ID_BYTES).fold(String::new(), |id, byte| id + &format!("{byte:02x}"));
        Ok(Self { id, bytes })
    }

    /// A key as it stands in a variable or a file: base64 (either alphabet, padded or not) or 64 hex digits.
    ///
    /// # Errors
    /// Why the text is no key; the text is not in the error.
    pub fn from_text(text: &str) -> Result<Self, KeyError> {
        let bytes = decode(text.trim())?;
        let exact = <[u8; KEY_BYTES]>::try_from(bytes.as_slice());
        Self::new(Zeroizing::new(exact.map_err(|_| KeyError::Length(bytes.len()))?))
    }

    /// The key as [`Key::from_text`] reads it, for a new key file.
    #[must_use]
    pub fn to_text(&self) -> SecretString {
        STANDARD.encode(self.bytes.as_slice()).into()
    }

    /// The name of the key, sixteen hex digits. Not secret: it stands in front of everything sealed with it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.bytes
    }
}

/// The keys one house has: the first seals, all open.
pub struct Keyring {
    current: Key,
    older: Vec<Key>,
}

impl Keyring {
    /// A ring of these keys; the first is the one that seals from now on. A key given twice counts once.
    ///
    /// # Errors
    /// [`KeyError::None`] without any key.
    pub fn new(keys: Vec<Key>) -> Result<Self, KeyError> {
        let mut keys = keys.into_iter();
        let current = keys.next().ok_or(KeyError::None)?;
        Ok(Self { current, older: keys.collect() })
    }

    /// The key that seals.
    #[must_use]
    pub fn current(&self) -> &Key {
        &self.current
    }

    /// The key of this id, if the ring has it.
    #[must_use]
    pub fn key(&self, id: &str) -> Option<&Key> {
        std::iter::once(&self.current).chain(&self.older).find(|key| key.id == id)
    }
}

fn decode(text: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    if text.len() == 2 * KEY_BYTES && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let pairs = text.as_bytes().chunks_exact(2);
        let bytes = pairs.filter_map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok());
        return Ok(Zeroizing::new(bytes.collect()));
    }
    let alphabet = if text.contains(['-', '_']) { &alphabet::URL_SAFE } else { &alphabet::STANDARD };
    let bytes = GeneralPurpose::new(alphabet, LENIENT).decode(text);
    bytes.map(Zeroizing::new).map_err(|_| KeyError::NotText)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::{Key, KeyError, Keyring};

    const HEX: &str = "000102030405060708090a0b0c0d0e0ff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";

    fn refused(text: &str) -> KeyError {
        Key::from_text(text).err().unwrap()
    }

    #[test]
    fn a_key_reads_the_same_in_every_spelling() {
        let key = Key::from_text(HEX).unwrap();
        let text = key.to_text().expose_secret().to_owned();
        let spellings = [
            text.clone(),
            text.trim_end_matches('=').to_owned(),
            text.replace('+', "-").replace('/', "_"),
            format!(" {}\n", HEX.to_uppercase()),
        ];
        for spelling in spellings {
            assert_eq!(Key::from_text(&spelling).unwrap().id(), key.id(), "{spelling}");
        }
        assert_eq!(key.id().len(), 16);
    }

    #[test]
    fn what_nobody_drew_at_random_is_refused() {
        assert_eq!(refused(""), KeyError::Length(0));
        assert_eq!(refused("correct horse battery staple"), KeyError::NotText);
        assert_eq!(refused("c2hvcnQ="), KeyError::Length(5));
        assert_eq!(refused(&HEX[4..]), KeyError::Length(45));
        assert_eq!(refused(&"00".repeat(32)), KeyError::Weak);
        assert_eq!(refused(&"deadbeef".repeat(8)), KeyError::Weak);
        assert_eq!(Keyring::new(Vec::new()).err(), Some(KeyError::None));
    }

    #[test]
    fn an_error_never_holds_the_text() {
        let text = "super-secret-passphrase-that-is-no-key!";
        assert!(!format!("{0} {0:?}", refused(text)).contains("super"));
    }
}
