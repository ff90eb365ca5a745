//! A sealed secret: `v1.<key id>.<nonce>.<ciphertext>`, nonce and ciphertext in unpadded URL-safe base64.
//!
//! The associated data binds a secret to the version, the key and the place it is kept in (`about`): a sealed text that was
//! copied to another row does not open there.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use crate::key::{Key, Keyring};

/// Length of a nonce. Long enough to be drawn at random for each sealing.
pub const NONCE_BYTES: usize = 24;

/// Longest secret. A login is some kilobytes; what is far longer is a mistake.
pub const MAX_PLAIN_BYTES: usize = 1 << 20;

const VERSION: &str = "v1";

/// A secret under lock, as it stands in a table. Its form was checked; whether it opens is seen when it is opened.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(String);

/// Why a secret was not sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Longer than [`MAX_PLAIN_BYTES`].
    #[error("a secret of {0} bytes is too long to be kept")]
    TooLong(usize),
}

/// Why a sealed secret was not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Not `v1.….….…`.
    #[error("this is not a sealed secret of a form this version knows")]
    Form,
    /// Sealed with a key the ring lacks.
    #[error("sealed with the master key {0}, which was not given; add it as an older key")]
    UnknownKey(String),
    /// The key is there, but the text was changed or belongs to another place.
    #[error("a sealed secret was altered, or moved from where it belongs")]
    Altered,
}

impl Sealed {
    /// What a table holds, checked for its form.
    ///
    /// # Errors
    /// [`OpenError::Form`].
    pub fn parse(text: impl Into<String>) -> Result<Self, OpenError> {
        let sealed = Self(text.into());
        sealed.parts().ok_or(OpenError::Form)?;
        Ok(sealed)
    }

    /// The text a table holds.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id of the key it was sealed with.
    #[must_use]
    pub fn key_id(&self) -> &str {
        self.parts().map_or("", |(key, _, _)| key)
    }

    fn parts(&self) -> Option<(&str, &str, &str)> {
        let rest = self.0.strip_prefix(VERSION)?.strip_prefix('.')?;
        let (key, rest) = rest.split_once('.')?;
        let (nonce, ciphertext) = rest.split_once('.')?;
        let hex = key.len() == 16 && key.bytes().all(|byte| byte.is_ascii_hexdigit());
        (hex && !nonce.is_empty() && !ciphertext.is_empty()).then_some((key, nonce, ciphertext))
    }
}

/// Which key, never what: ciphertext in a log helps nobody.
impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({VERSION}.{}…)", self.key_id())
    }
}

impl Keyring {
    /// Seals a secret for one place. The nonce must be drawn at random each time; twice the same would give both secrets away.
    ///
    /// # Errors
    /// [`SealError::TooLong`].
    pub fn seal(&self, plain: &[u8], about: &str, nonce: [u8; NONCE_BYTES]) -> Result<Sealed, SealError> {
        let too_long = SealError::TooLong(plain.len());
        if plain.len() > MAX_PLAIN_BYTES {
            return Err(too_long);
        }
        let key = self.current();
        let bound = bound(key, about);
        let payload = Payload { msg: plain, aad: bound.as_bytes() };
        let ciphertext = cipher(key).encrypt(&XNonce::from(nonce), payload).map_err(|_| too_long)?;
        let [nonce, ciphertext] = [nonce.as_slice(), &ciphertext].map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
        Ok(Sealed(format!("{VERSION}.{}.{nonce}.{ciphertext}", key.id())))
    }

    /// Opens what was sealed for this place.
    ///
    /// # Errors
    /// An [`OpenError`]; it never says what was in it.
    pub fn open(&self, sealed: &Sealed, about: &str) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let (id, nonce, ciphertext) = sealed.parts().ok_or(OpenError::Form)?;
        let key = self.key(id).ok_or_else(|| OpenError::UnknownKey(id.to_owned()))?;
        let nonce = URL_SAFE_NO_PAD.decode(nonce).map_err(|_| OpenError::Altered)?;
        let nonce = <[u8; NONCE_BYTES]>::try_from(nonce).map_err(|_| OpenError::Altered)?;
        let ciphertext = URL_SAFE_NO_PAD.decode(ciphertext).map_err(|_| OpenError::Altered)?;
        let bound = bound(key, about);
        let payload = Payload { msg: &ciphertext, aad: bound.as_bytes() };
        let plain = cipher(key).decrypt(&XNonce::from(nonce), payload);
        plain.map(Zeroizing::new).map_err(|_| OpenError::Altered)
    }

    /// The same secret sealed with the current key; nothing if it already is.
    ///
    /// # Errors
    /// [`OpenError`] if it does not open.
    pub fn reseal(
        &self,
        sealed: &Sealed,
        about: &str,
        nonce: [u8; NONCE_BYTES],
    ) -> Result<Option<Sealed>, OpenError> {
        if sealed.key_id() == self.current().id() {
            return Ok(None);
        }
        let plain = self.open(sealed, about)?;
        // What was sealed once is not too long to be sealed again.
        self.seal(&plain, about, nonce).map(Some).map_err(|_| OpenError::Form)
    }
}

fn cipher(key: &Key) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.bytes().into())
}

/// The key's id has a fixed length, so no two pairs of id and place read the same.
fn bound(key: &Key, about: &str) -> String {
    format!("quartermaster/{VERSION}/{}/{about}", key.id())
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::{MAX_PLAIN_BYTES, NONCE_BYTES, OpenError, SealError, Sealed};
    use crate::key::{Key, Keyring};

    const FIRST: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const SECOND: &str = "/////v38+/r5+Pf29fTz8vHw7+7t7Ovq6ejn5uXk4+I=";

    fn ring(keys: &[&str]) -> Keyring {
        Keyring::new(keys.iter().map(|text| Key::from_text(text).unwrap()).collect()).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_and_nowhere_else() {
        let ring = ring(&[FIRST]);
        for plain in [b"".as_slice(), b"x", &[7; 5000]] {
            let sealed = ring.seal(plain, "account/a", [9; NONCE_BYTES]).unwrap();
            assert_eq!(ring.open(&sealed, "account/a").unwrap().as_slice(), plain);
            assert_eq!(ring.open(&sealed, "account/b").unwrap_err(), OpenError::Altered);
            assert_eq!(ring.open(&sealed, "").unwrap_err(), OpenError::Altered);
            assert_eq!(Sealed::parse(sealed.as_str()).unwrap(), sealed);
        }
        assert_eq!(
            ring.seal(&vec![0; MAX_PLAIN_BYTES + 1], "a", [0; NONCE_BYTES]).unwrap_err(),
            SealError::TooLong(MAX_PLAIN_BYTES + 1)
        );
    }

    #[test]
    fn a_change_of_any_bit_is_noticed() {
        let ring = ring(&[FIRST]);
        let sealed = ring.seal(b"refresh token", "account/a", [3; NONCE_BYTES]).unwrap();
        let (head, body) = sealed.as_str().rsplit_once('.').unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(body).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let altered = Sealed::parse(format!("{head}.{}", URL_SAFE_NO_PAD.encode(&bytes))).unwrap();
            assert_eq!(ring.open(&altered, "account/a").unwrap_err(), OpenError::Altered);
        }
        let shorter = Sealed::parse(&sealed.as_str()[..sealed.as_str().len() - 4]).unwrap();
        assert_eq!(ring.open(&shorter, "account/a").unwrap_err(), OpenError::Altered);
    }

    #[test]
    fn a_ring_opens_what_its_older_keys_sealed_and_seals_it_anew() {
        let [old, new, both] = [ring(&[FIRST]), ring(&[SECOND]), ring(&[SECOND, FIRST])];
        let sealed = old.seal(b"token", "account/a", [1; NONCE_BYTES]).unwrap();
        assert_eq!(
            new.open(&sealed, "account/a").unwrap_err(),
            OpenError::UnknownKey(old.current().id().to_owned())
        );
        let resealed = both.reseal(&sealed, "account/a", [2; NONCE_BYTES]).unwrap().unwrap();
        assert_eq!(resealed.key_id(), new.current().id());
        assert_eq!(new.open(&resealed, "account/a").unwrap().as_slice(), b"token");
        assert_eq!(both.reseal(&resealed, "account/a", [3; NONCE_BYTES]), Ok(None));
        assert_eq!(both.reseal(&sealed, "account/b", [3; NONCE_BYTES]), Err(OpenError::Altered));
    }

    #[test]
    fn other_texts_are_not_sealed_secrets_and_none_is_shown() {
        for text in [
            "",
            "token",
            "v1",
            "v1...",
            "v2.0011223344556677.AA.AA",
            "v1.short.AA.AA",
            "v1.0011223344556677.AA",
        ] {
            assert_eq!(Sealed::parse(text).unwrap_err(), OpenError::Form, "{text}");
        }
        let sealed = ring(&[FIRST]).seal(b"token", "a", [1; NONCE_BYTES]).unwrap();
        assert_eq!(format!("{sealed:?}"), format!("Sealed(v1.{}…)", sealed.key_id()));
    }

    /// Written once by this code, so that a later version that cannot read today's tables is noticed.
    #[test]
    fn the_form_of_the_first_version_stays_readable() {
        let text = "v1.33e3dd30eeea050b.BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUF.cS4D82FfvX20y-d9KljC4bx8oWfE";
        let kept = Sealed::parse(text).unwrap();
        assert_eq!(ring(&[FIRST]).open(&kept, "account/a").unwrap().as_slice(), b"token");
    }
}
