//! The head of an age file: how the passphrase leads to the file key, and a checksum over it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{FileError, WORK};

pub(super) const MAGIC: &str = "age-encryption.org/v1\n";
const SALT_LABEL: &[u8] = b"age-encryption.org/v1/scrypt";
/// A wrapped file key is 32 bytes, 43 letters: one line, always.
const BODY_LETTERS: usize = 43;
/// Far longer than any head of a file with a passphrase.
const MAX_HEAD_BYTES: usize = 4096;

pub(super) type FileKey = Zeroizing<[u8; 16]>;

/// A head whose form was checked, and nothing else yet.
pub(super) struct Header<'a> {
    salt: [u8; 16],
    work: u8,
    body: [u8; 32],
    /// What the checksum is over.
    covered: &'a [u8],
    mac: [u8; 32],
}

impl<'a> Header<'a> {
    /// Reads the head; what follows it is the payload.
    pub(super) fn read(file: &'a [u8]) -> Result<(Self, &'a [u8]), FileError> {
        let rest = file.strip_prefix(MAGIC.as_bytes()).ok_or(FileError::Form)?;
        let mut lines = Lines { rest };
        let stanza = lines.next()?;
        let Some(arguments) = stanza.strip_prefix("-> scrypt ") else {
            return Err(if stanza.starts_with("-> ") { FileError::NotPassphrase } else { FileError::Form });
        };
        let (salt, work) = arguments.split_once(' ').ok_or(FileError::Form)?;
        let (salt, work) = (exactly(salt)?, work_factor(work)?);
        let body = lines.next()?;
        let body = if body.len() == BODY_LETTERS { exactly(body)? } else { return Err(FileError::Form) };
        // With a passphrase there is no other recipient (it would let others write in its name): the checksum comes next.
        let last = lines.next()?;
        let mac = exactly(last.strip_prefix("--- ").ok_or(FileError::Form)?)?;
        let payload = lines.rest;
        let end = file.len() - payload.len() - 1 - last.len() + "---".len();
        let covered = file.get(..end).ok_or(FileError::Form)?;
        Ok((Self { salt, work, body, covered, mac }, payload))
    }

    /// `log2(N)` of scrypt.
    pub(super) fn work(&self) -> u8 {
        self.work
    }

    /// The file key, if the passphrase is right and the head is as it was written. Takes memory and time, by intent.
    pub(super) fn file_key(&self, passphrase: &SecretString) -> Result<FileKey, FileError> {
        let cipher = wrapping(passphrase, &self.salt, self.work)?;
        let key = cipher.decrypt(&Nonce::default(), self.body.as_slice()).map(Zeroizing::new);
        let key = key.map_err(|_| FileError::Wrong)?;
        let key = Zeroizing::new(<[u8; 16]>::try_from(key.as_slice()).map_err(|_| FileError::Form)?);
        checksum(&key, self.covered)?.verify_slice(&self.mac).map_err(|_| FileError::Altered)?;
        Ok(key)
    }
}

/// The head of a new file.
pub(super) fn write(
    file_key: &FileKey,
    salt: &[u8; 16],
    work: u8,
    passphrase: &SecretString,
) -> Result<Vec<u8>, FileError> {
    let cipher = wrapping(passphrase, salt, work)?;
    let body = cipher.encrypt(&Nonce::default(), file_key.as_slice()).map_err(|_| FileError::Form)?;
    let [salt, body] = [salt.as_slice(), &body].map(|bytes| STANDARD_NO_PAD.encode(bytes));
    let mut head = format!("{MAGIC}-> scrypt {salt} {work}\n{body}\n---");
    let mac = checksum(file_key, head.as_bytes())?.finalize().into_bytes();
    head.push(' ');
    head.push_str(&STANDARD_NO_PAD.encode(mac));
    head.push('\n');
    Ok(head.into_bytes())
}

/// A key from the file key, for one purpose.
pub(super) fn derived(
    file_key: &FileKey,
    salt: Option<&[u8]>,
    purpose: &[u8],
) -> Result<Zeroizing<[u8; 32]>, FileError> {
    let mut key = Zeroizing::new([0; 32]);
    let done = Hkdf::<Sha256>::new(salt, file_key.as_slice()).expand(purpose, key.as_mut_slice());
    done.map(|()| key).map_err(|_| FileError::Form)
}

fn wrapping(passphrase: &SecretString, salt: &[u8; 16], work: u8) -> Result<ChaCha20Poly1305, FileError> {
    let salt = [SALT_LABEL, salt].concat();
    let parameters = scrypt::Params::new(work, 8, 1).map_err(|_| FileError::Form)?;
    let mut key = Zeroizing::new([0; 32]);
    scrypt::scrypt(passphrase.expose_secret().as_bytes(), &salt, &parameters, key.as_mut_slice())
        .map_err(|_| FileError::Form)?;
    Ok(ChaCha20Poly1305::new((&*key).into()))
}

fn checksum(file_key: &FileKey, covered: &[u8]) -> Result<Hmac<Sha256>, FileError> {
    let key = derived(file_key, None, b"header")?;
    let mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key.as_slice());
    Ok(mac.map_err(|_| FileError::Form)?.chain_update(covered))
}

fn work_factor(text: &str) -> Result<u8, FileError> {
    let digits = matches!(text.len(), 1 | 2) && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || text.starts_with('0') {
        return Err(FileError::Form);
    }
    let work = text.parse().map_err(|_| FileError::Form)?;
    if work > WORK { Err(FileError::Costly(work)) } else { Ok(work) }
}

fn exactly<const N: usize>(letters: &str) -> Result<[u8; N], FileError> {
    let bytes = STANDARD_NO_PAD.decode(letters).map_err(|_| FileError::Form)?;
    bytes.try_into().map_err(|_| FileError::Form)
}

struct Lines<'a> {
    rest: &'a [u8],
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Result<&'a str, FileError> {
        let within = self.rest.get(..MAX_HEAD_BYTES.min(self.rest.len())).unwrap_or_default();
        let end = within.iter().position(|byte| *byte == b'\n').ok_or(FileError::Form)?;
        let (line, rest) = self.rest.split_at_checked(end).ok_or(FileError::Form)?;
        self.rest = rest.get(1..).unwrap_or_default();
        str::from_utf8(line).map_err(|_| FileError::Form)
    }
}
