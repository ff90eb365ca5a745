//! A file that leaves the house, sealed with a passphrase: the age format (C2SP age, version 1) with its scrypt recipient, so that
//! `age -d` opens it anywhere.
//!
//! ```text
//! age-encryption.org/v1
//! -> scrypt SALT LOG2_N          how the passphrase becomes the key that wraps the file key
//! WRAPPED_FILE_KEY
//! --- MAC                        over all above, with a key from the file key
//! NONCE CHUNK…                   64 KiB each, the last one marked
//! ```

mod armor;
mod header;
mod payload;

use secrecy::SecretString;
use zeroize::Zeroizing;

use header::Header;

/// Random bytes that one sealing takes.
pub const CHANCE_BYTES: usize = 48;

/// Fewest characters of a passphrase for a file of ours. Each guess costs about a second and 256 MiB; that is no help against `123456`.
pub const MIN_PASSPHRASE_CHARS: usize = 12;

/// `log2(N)` of scrypt: age's own default, some 256 MiB and a second. Files that ask for more are refused, for they could ask for all
/// memory there is.
const WORK: u8 = 18;

/// Why a file was not sealed or not opened. Never says what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// A passphrase for a new file is too short.
    #[error("a passphrase needs {MIN_PASSPHRASE_CHARS} characters at least")]
    Short,
    /// Not an age file, or cut off within its head.
    #[error("this is not a file that age wrote")]
    Form,
    /// Sealed for keys, not with a passphrase.
    #[error("this file was not sealed with a passphrase; open it with age and its identity first")]
    NotPassphrase,
    /// Asks for more work than is given.
    #[error(
        "this file asks for a scrypt work factor of {0}; {WORK} is the most that is done here. Seal it anew with age -p"
    )]
    Costly(u8),
    /// Another passphrase.
    #[error("the passphrase is wrong")]
    Wrong,
    /// The passphrase is right, but the file was changed or cut off.
    #[error("the file was altered or cut off")]
    Altered,
}

/// Seals a text, as lines of letters that survive a mail. The random bytes must be drawn anew for each file.
///
/// # Errors
/// [`FileError::Short`] for a short passphrase.
pub fn encrypt(
    plain: &[u8],
    passphrase: &SecretString,
    chance: &Zeroizing<[u8; CHANCE_BYTES]>,
) -> Result<String, FileError> {
    use secrecy::ExposeSecret as _;
    if passphrase.expose_secret().chars().count() < MIN_PASSPHRASE_CHARS {
        return Err(FileError::Short);
    }
    encrypt_with(WORK, plain, passphrase, chance)
}

fn encrypt_with(
    work: u8,
    plain: &[u8],
    passphrase: &SecretString,
    chance: &Zeroizing<[u8; CHANCE_BYTES]>,
) -> Result<String, FileError> {
    let (parts, _) = chance.as_chunks::<16>();
    let [file_key, salt, nonce] = parts else { return Err(FileError::Form) };
    let file_key = Zeroizing::new(*file_key);
    let mut file = header::write(&file_key, salt, work, passphrase)?;
    file.extend_from_slice(nonce);
    payload::seal(plain, &file_key, nonce, &mut file)?;
    Ok(armor::on(&file))
}

/// Opens a file, armoured or not. It is in memory whole; its length is the caller's to bound.
///
/// # Errors
/// A [`FileError`], which tells a wrong passphrase from a broken file.
pub fn decrypt(file: &[u8], passphrase: &SecretString) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let bytes = armor::off(file)?;
    let (header, payload) = Header::read(&bytes)?;
    let file_key = header.file_key(passphrase)?;
    let (nonce, chunks) = payload.split_first_chunk::<16>().ok_or(FileError::Altered)?;
    payload::open(chunks, &file_key, nonce)
}

/// The work a file asks for before it opens, as `log2(N)` of scrypt, found without doing it: 18 is about a second and 256 MiB.
///
/// # Errors
/// As [`decrypt`], for a head that is wrong.
pub fn work(file: &[u8]) -> Result<u8, FileError> {
    Ok(Header::read(&armor::off(file)?)?.0.work())
}

/// Whether these bytes begin as an age file does, so that an import can ask for the passphrase.
#[must_use]
pub fn is_sealed_file(bytes: &[u8]) -> bool {
    let start = bytes.trim_ascii_start();
    start.starts_with(armor::BEGIN.as_bytes()) || bytes.starts_with(header::MAGIC.as_bytes())
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;
    use zeroize::Zeroizing;

    use super::{CHANCE_BYTES, FileError, decrypt, encrypt, encrypt_with, is_sealed_file, work};

    /// Cheap enough for an unoptimised build.
    const LITTLE_WORK: u8 = 4;

    fn passphrase() -> SecretString {
        "correct horse battery staple".into()
    }

    fn chance() -> Zeroizing<[u8; CHANCE_BYTES]> {
        Zeroizing::new(std::array::from_fn(|at| at as u8))
    }

    fn sealed(plain: &[u8]) -> String {
        encrypt_with(LITTLE_WORK, plain, &passphrase(), &chance()).unwrap()
    }

    #[test]
    fn a_file_opens_with_its_passphrase_only_whatever_its_length() {
        for length in [0, 1, 65_535, 65_536, 65_537, 131_072, 200_000] {
            let plain: Vec<u8> = (0..length).map(|at: usize| (at % 251) as u8).collect();
            let file = sealed(&plain);
            assert!(is_sealed_file(file.as_bytes()));
            assert_eq!(decrypt(file.as_bytes(), &passphrase()).unwrap().as_slice(), plain);
            let windows = format!("\r\n{}", file.replace('\n', "\r\n"));
            assert_eq!(decrypt(windows.as_bytes(), &passphrase()).unwrap().as_slice(), plain);
            assert_eq!(decrypt(file.as_bytes(), &"wrong".into()).unwrap_err(), FileError::Wrong);
        }
    }

    #[test]
    fn a_changed_or_shortened_file_does_not_open() {
        let armored = sealed(&vec![7; 70_000]);
        let file = super::armor::off(armored.as_bytes()).unwrap().into_owned();
        let altered = |file: &[u8]| decrypt(file, &passphrase()).unwrap_err();
        for at in (0..file.len()).step_by(9973).chain(0..180) {
            let mut file = file.clone();
            file[at] ^= 1;
            altered(&file);
        }
        for length in (0..file.len()).step_by(10_007).chain(0..190) {
            altered(&file[..length]);
        }
        // Cut exactly between two chunks: what is left is whole chunks, but none is marked as the last.
        let cut = file.len() - (70_000 - 65_536 + 16);
        assert_eq!(altered(&file[..cut]), FileError::Altered);
        let longer: Vec<u8> = file.iter().copied().chain([0; 40]).collect();
        assert_eq!(altered(&longer), FileError::Altered);
    }

    #[test]
    fn what_is_asked_for_is_bounded_and_what_is_wrong_is_said() {
        assert_eq!(encrypt(b"x", &"short".into(), &chance()).unwrap_err(), FileError::Short);
        let told = |text: &str| decrypt(text.as_bytes(), &passphrase()).unwrap_err();
        assert_eq!(told(""), FileError::Form);
        assert_eq!(told("{\"accounts\":[]}"), FileError::Form);
        let body = "A".repeat(43);
        let salt = "A".repeat(22);
        let head = |stanza: &str| format!("age-encryption.org/v1\n{stanza}\n--- {body}\n0123456789abcdef");
        assert_eq!(told(&head(&format!("-> scrypt {salt} 30\n{body}"))), FileError::Costly(30));
        assert_eq!(told(&head(&format!("-> scrypt {salt} 0\n{body}"))), FileError::Form);
        assert_eq!(told(&head(&format!("-> scrypt {salt} 04\n{body}"))), FileError::Form);
        assert_eq!(told(&head(&format!("-> X25519 {body}\n{body}"))), FileError::NotPassphrase);
        let two = format!("-> scrypt {salt} 4\n{body}\n-> scrypt {salt} 4\n{body}");
        assert_eq!(told(&head(&two)), FileError::Form);
    }

    /// Written by age 1.1.1 (`age -p -a`), not by us.
    #[test]
    fn a_file_of_ages_own_opens() {
        let file = include_bytes!("../tests/age-1.1.1.age");
        assert_eq!(work(file), Ok(18));
        let opened = decrypt(file, &"quartermaster interop".into()).unwrap();
        assert_eq!(opened.as_slice(), b"{\"accounts\":[]}\n");
    }
}
