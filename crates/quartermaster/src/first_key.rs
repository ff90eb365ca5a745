//! The first admin key of a house that has none: shown once, to whoever sits there, or else left in a file.

use std::fs::{self, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use qm_access::Access;
use secrecy::{ExposeSecret, SecretString};

use crate::config::Config;
use crate::print;

/// Makes it if there is none, and hands it out.
pub(crate) async fn ensure(config: &Config, access: &Access) -> anyhow::Result<()> {
    // Without management it would open no more than a client's key does.
    if !config.console.enabled {
        return Ok(());
    }
    let Some(key) = access.ensure_first_admin().await? else { return Ok(()) };
    if io::stderr().is_terminal() {
        return print::aside(&format!(
            "\nThis is the first admin key of this gateway. It is shown this once:\n\n  {}\n",
            key.expose_secret()
        ));
    }
    let path = place(&config.database.path);
    leave(&path, &key).with_context(|| {
        format!(
            "the first admin key was made, but cannot be left in {}; make another with \
             `quartermaster keys create --name NAME --scope admin`",
            path.display()
        )
    })?;
    tracing::warn!(file = %path.display(), "the first admin key of this gateway is in this file: take it, then delete the file");
    Ok(())
}

/// Beside the database, where whoever may read it has everything anyway.
fn place(database: &Path) -> PathBuf {
    database.with_extension("admin-key")
}

/// For its owner's eyes only, and whole: one of an earlier database makes room.
fn leave(path: &Path, key: &SecretString) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    writeln!(file, "{}", key.expose_secret())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_lies_beside_the_database_for_its_owner_alone_and_replaces_an_older_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = place(&folder.path().join("quartermaster.db"));
        assert_eq!(path, folder.path().join("quartermaster.admin-key"));
        for key in ["amq-first", "amq-second"] {
            leave(&path, &SecretString::from(key)).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), format!("{key}\n"));
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            }
        }
    }
}
