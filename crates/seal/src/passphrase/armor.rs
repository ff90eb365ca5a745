//! Bytes as lines of letters: age's strict form of PEM.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::FileError;

pub(super) const BEGIN: &str = "-----BEGIN AGE ENCRYPTED FILE-----";
const END: &str = "-----END AGE ENCRYPTED FILE-----";
const COLUMNS: usize = 64;

/// Puts the armour on.
pub(super) fn on(file: &[u8]) -> String {
    let letters = STANDARD.encode(file);
    let mut text = String::with_capacity(letters.len() / COLUMNS * (COLUMNS + 1) + 128);
    text.push_str(BEGIN);
    text.push('\n');
    for (at, letter) in letters.chars().enumerate() {
        if at > 0 && at % COLUMNS == 0 {
            text.push('\n');
        }
        text.push(letter);
    }
    text.push('\n');
    text.push_str(END);
    text.push('\n');
    text
}

/// Takes it off, if there is one.
pub(super) fn off(file: &[u8]) -> Result<Cow<'_, [u8]>, FileError> {
    let trimmed = file.trim_ascii();
    let Some(inside) = trimmed.strip_prefix(BEGIN.as_bytes()) else { return Ok(Cow::Borrowed(file)) };
    let inside = inside.strip_suffix(END.as_bytes()).ok_or(FileError::Altered)?;
    let letters: Vec<u8> = inside.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
    STANDARD.decode(letters).map(Cow::Owned).map_err(|_| FileError::Altered)
}
