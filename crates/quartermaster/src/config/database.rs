//! Where the accounts and all that is remembered of them are kept: one SQLite file.

use std::path::PathBuf;

use super::reader::{Reader, Refused};

/// The file with the accounts.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    /// Its path, relative to the working directory unless it begins with a slash.
    pub(crate) path: PathBuf,
}

const EXPECTED: &str = "expected sqlite:PATH, such as sqlite:data/quartermaster.db";

pub(super) fn read(reader: &mut Reader<'_>) -> Result<Database, Refused> {
    let url = reader.optional("database.url", of_url);
    let path = reader.value("database.path", of_path);
    let (url, path) = (url?, path?);
    // A flag wins over the environment and that over the file, under whichever of the two names.
    let url = url.filter(|_| !reader.is_nearer("database.path", "database.url"));
    Ok(Database { path: url.unwrap_or(path) })
}

/// The file of an address, as SQLite's are written everywhere: with no slash or with two before the path, and perhaps
/// with options of other programs behind it.
fn of_url(text: &str) -> Result<PathBuf, String> {
    let (scheme, rest) = text.split_once(':').ok_or_else(|| EXPECTED.to_owned())?;
    match scheme.to_ascii_lowercase().as_str() {
        "sqlite" | "sqlite3" => {
            let path = rest.strip_prefix("//").unwrap_or(rest);
            of_path(path.split_once('?').map_or(path, |(path, _)| path))
        }
        "postgres" | "postgresql" | "mysql" | "mariadb" => {
            Err(format!("this version keeps its data in SQLite only; {EXPECTED}"))
        }
        _ => Err(EXPECTED.to_owned()),
    }
}

fn of_path(text: &str) -> Result<PathBuf, String> {
    match text {
        ":memory:" => {
            Err("expected the path of a file: accounts in memory would be lost at the end".to_owned())
        }
        text if text.is_empty() || text.ends_with('/') => Err("expected the path of a file".to_owned()),
        text => Ok(PathBuf::from(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_elsewhere() {
        let cases = [
            ("sqlite:data/x.db", Some("data/x.db")),
            ("sqlite://data/x.db", Some("data/x.db")),
            ("sqlite:///var/lib/x.db?mode=rwc", Some("/var/lib/x.db")),
            ("SQLITE:x.db", Some("x.db")),
            ("sqlite::memory:", None),
            ("sqlite:", None),
            ("sqlite:data/", None),
            ("postgres://user:word@host/x", None),
            ("data/x.db", None),
            ("", None),
        ];
        for (text, path) in cases {
            assert_eq!(of_url(text).ok(), path.map(PathBuf::from), "{text}");
        }
        assert!(of_url("mysql://h/x").unwrap_err().contains("SQLite only"));
    }
}
