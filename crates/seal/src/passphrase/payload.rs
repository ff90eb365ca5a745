//! The payload of an age file: chunks of 64 KiB, numbered, the last one marked, so that none can be moved, left out or added.

use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use zeroize::Zeroizing;

use super::FileError;
use super::header::{FileKey, derived};

const CHUNK_BYTES: usize = 64 * 1024;
const TAG_BYTES: usize = 16;

/// Appends the chunks of a text to a file.
pub(super) fn seal(
    plain: &[u8],
    file_key: &FileKey,
    nonce: &[u8; 16],
    file: &mut Vec<u8>,
) -> Result<(), FileError> {
    let cipher = cipher(file_key, nonce)?;
    let chunks = plain.len().div_ceil(CHUNK_BYTES).max(1);
    let mut pieces = plain.chunks(CHUNK_BYTES);
    for at in 0..chunks {
        // An empty text is one empty chunk; no other is empty.
        let piece = pieces.next().unwrap_or_default();
        let sealed = cipher.encrypt(&number(at, at + 1 == chunks), piece).map_err(|_| FileError::Form)?;
        file.extend_from_slice(&sealed);
    }
    Ok(())
}

/// The text of these chunks.
pub(super) fn open(
    file: &[u8],
    file_key: &FileKey,
    nonce: &[u8; 16],
) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let cipher = cipher(file_key, nonce)?;
    let chunks = file.len().div_ceil(CHUNK_BYTES + TAG_BYTES);
    // All at once: a vector that grows leaves copies of itself behind.
    let mut plain = Zeroizing::new(Vec::with_capacity(file.len()));
    for (at, sealed) in file.chunks(CHUNK_BYTES + TAG_BYTES).enumerate() {
        let piece = cipher.decrypt(&number(at, at + 1 == chunks), sealed).map(Zeroizing::new);
        let piece = piece.map_err(|_| FileError::Altered)?;
        if piece.is_empty() && at > 0 {
            return Err(FileError::Altered);
        }
        plain.extend_from_slice(&piece);
    }
    if chunks == 0 { Err(FileError::Altered) } else { Ok(plain) }
}

fn cipher(file_key: &FileKey, nonce: &[u8; 16]) -> Result<ChaCha20Poly1305, FileError> {
    let key = derived(file_key, Some(nonce), b"payload")?;
    Ok(ChaCha20Poly1305::new((&*key).into()))
}

/// Eleven bytes of number, one that marks the last.
fn number(at: usize, last: bool) -> Nonce {
    let mut nonce = [0; 12];
    let (numbered, mark) = nonce.split_at_mut(11);
    numbered[3..].copy_from_slice(&(at as u64).to_be_bytes());
    mark.fill(u8::from(last));
    nonce.into()
}
