//! The master key: where it is read from, and how it comes to be at the first start.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use anyhow::{Context, bail};
use qm_seal::Keyring;
use qm_seal::key::{KEY_BYTES, Key};
use qm_store::Store;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use tracing::warn;

use crate::config::{Master, ring};

/// Far above any sensible ring; keeps a wrong path from filling the memory.
const FILE_LIMIT_BYTES: u64 = 64 << 10;

/// The keys of this house. Makes one, beside the data, if there is none and nothing is sealed yet.
pub(crate) async fn open(master: &Master, store: &dyn Store) -> anyhow::Result<Keyring> {
    let in_use = store.secrets().keys_in_use().await?;
    let keyring = match master {
        Master::Given(texts) => ring(texts.expose_secret().split(','))?,
        Master::File(path) => {
            let text = read(path).with_context(|| {
                format!("the master key cannot be read from {} (master.key_file)", path.display())
            })?;
            of_file(&text, path)?
        }
        Master::Beside(path) => match read(path) {
            Ok(text) => of_file(&text, path)?,
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error)
                    .with_context(|| format!("the master key {} cannot be read", path.display()));
            }
            Err(_) if !in_use.is_empty() => bail!(
                "the master key {} is missing, and the secrets of the accounts are sealed with it: put it back from \
                 your backup, or give it in QM_MASTER_KEY",
                path.display()
            ),
            Err(_) => make(path)?,
        },
    };
    for (id, secrets) in in_use.iter().filter(|(id, _)| keyring.key(id).is_none()) {
        warn!(
            key = id,
            secrets, "secrets are sealed with a master key that is not here: their accounts cannot serve"
        );
    }
    Ok(keyring)
}

/// A key that nobody keeps, for what nobody keeps.
pub(crate) fn passing() -> anyhow::Result<Keyring> {
    Ok(Keyring::new(vec![drawn()?])?)
}

/// A new key.
pub(crate) fn drawn() -> anyhow::Result<Key> {
    Ok(Key::new(Zeroizing::new(rand::random::<[u8; KEY_BYTES]>()))?)
}

/// Writes these keys, the first to seal, in place of what the file holds: whole and durably, or not at all.
pub(crate) fn write(path: &Path, keys: &[&Key]) -> io::Result<()> {
    let beside = path.with_extension("key.new");
    match std::fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    write_new(&beside, keys)?;
    std::fs::rename(&beside, path)?;
    sync_folder(path)
}

/// The keys in a file, in its order.
pub(crate) fn keys_in(path: &Path) -> anyhow::Result<Vec<Key>> {
    let text = read(path).with_context(|| format!("the master key {} cannot be read", path.display()))?;
    let keys = texts_in(&text).map(Key::from_text).collect::<Result<_, _>>();
    keys.with_context(|| format!("the file {} holds no master key", path.display()))
}

fn make(path: &Path) -> anyhow::Result<Keyring> {
    let key = drawn()?;
    match write_new(path, &[&key]).and_then(|()| sync_folder(path)) {
        Ok(()) => {
            warn!(
                file = %path.display(),
                "a master key was made, which seals the secrets of accounts: back it up apart from the data; without \
                 it every account must log in again"
            );
            Ok(Keyring::new(vec![key])?)
        }
        // Another process starts for the first time as well.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => of_file(&read(path)?, path),
        Err(error) => {
            Err(error).with_context(|| format!("the master key {} cannot be written", path.display()))
        }
    }
}

fn of_file(text: &SecretString, path: &Path) -> anyhow::Result<Keyring> {
    ring(texts_in(text)).with_context(|| format!("the file {} holds no master key", path.display()))
}

/// One key to a line, or between commas; a line that begins with `#` is words.
fn texts_in(text: &SecretString) -> impl Iterator<Item = &str> {
    let lines = text.expose_secret().lines().filter(|line| !line.trim_start().starts_with('#'));
    lines.flat_map(|line| line.split([',', ' ', '\t'])).filter(|text| !text.is_empty())
}

fn read(path: &Path) -> io::Result<SecretString> {
    let file = File::open(path)?;
    if open_to_others(&file) {
        warn!(
            file = %path.display(),
            "others on this machine can read the master key: take their rights away with chmod 600"
        );
    }
    let mut text = Zeroizing::new(String::new());
    file.take(FILE_LIMIT_BYTES).read_to_string(&mut text)?;
    Ok(SecretString::from(text.as_str()))
}

/// Writes a file that must not be there yet and that only its owner can read. Nobody ever sees half of it: it gets its
/// name when it is whole.
fn write_new(path: &Path, keys: &[&Key]) -> io::Result<()> {
    if path.try_exists()? {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let unnamed = path.with_extension(format!("key.{:016x}", rand::random::<u64>()));
    let mut file = owner_only().create_new(true).open(&unnamed)?;
    let written = keys
        .iter()
        .try_for_each(|key| writeln!(file, "{}", key.to_text().expose_secret()))
        .and_then(|()| file.sync_all())
        .and_then(|()| match std::fs::hard_link(&unnamed, path) {
            // File systems without links: the name is free, as far as was seen above.
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => std::fs::rename(&unnamed, path),
            linked => linked,
        });
    match std::fs::remove_file(&unnamed) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => written.and(Err(error)),
        _ => written,
    }
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn owner_only() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

#[cfg(not(unix))]
fn owner_only() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    options
}

#[cfg(unix)]
pub(crate) fn open_to_others(file: &File) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
pub(crate) fn open_to_others(_: &File) -> bool {
    false
}
