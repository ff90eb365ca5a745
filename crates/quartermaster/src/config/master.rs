//! The master key, which seals the secrets of accounts: given, or in a file.

use std::path::{Path, PathBuf};

use qm_seal::Keyring;
use qm_seal::key::Key;
use secrecy::SecretString;

use super::reader::{Reader, Refused};

/// Where the master key comes from.
#[derive(Clone, Debug)]
pub(crate) enum Master {
    /// It was given: keys separated by commas, the first seals. They have been looked at and are sound.
    Given(SecretString),
    /// It is in this file, which the operator has named.
    File(PathBuf),
    /// It is in this file beside the data, and made at the first start.
    Beside(PathBuf),
}

impl Master {
    /// Where it is, if nobody says anything.
    pub(super) fn beside(database: &Path) -> Self {
        Self::Beside(database.with_extension("key"))
    }
}

pub(super) fn read(reader: &mut Reader<'_>, database: Option<&Path>) -> Result<Master, Refused> {
    let given = reader.optional("master.key", |text| {
        ring(text.split(',')).map(|_| SecretString::from(text)).map_err(|error| error.to_string())
    });
    let file = reader.optional("master.key_file", |text| Ok(PathBuf::from(text)));
    let (given, file) = (given?, file?);
    if given.is_some() && file.is_some() {
        reader.refuse("master.key", "master.key_file is set as well; leave one of them out");
        return Err(Refused);
    }
    let beside = || database.map(Master::beside).ok_or(Refused);
    given.map(Master::Given).or(file.map(Master::File)).map_or_else(beside, Ok)
}

/// The ring of these keys, each as text; the first seals, the others only open.
///
/// # Errors
/// When one is no key, or there is none.
pub(crate) fn ring<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Keyring, qm_seal::KeyError> {
    let written = texts.into_iter().map(str::trim).filter(|text| !text.is_empty());
    Keyring::new(written.map(Key::from_text).collect::<Result<_, _>>()?)
}
