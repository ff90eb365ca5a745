//! The configuration file: sections of plain values, and nothing in it that nobody knows.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use toml::{Table, Value};

use super::mistake::Mistake;
use super::nearest::nearest;
use super::raw::Origin;
use super::settings::{CONFIG_VARIABLE, SETTINGS, Setting, setting};

/// The configuration file.
#[derive(Clone)]
pub(crate) enum FileSource {
    /// There is none, and nobody asked for one.
    None,
    /// Its text.
    Text {
        /// Where it is.
        path: PathBuf,
        /// What it says; may hold secrets.
        text: SecretString,
    },
    /// It cannot be read.
    Unreadable {
        /// Where it should be.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
}

/// One value of the file.
pub(crate) struct Entry {
    /// What it sets.
    pub(crate) setting: &'static Setting,
    /// The value as text.
    pub(crate) text: SecretString,
    /// Its place.
    pub(crate) origin: Origin,
}

/// The default file, used when it is there.
const DEFAULT_FILE: &str = "quartermaster.toml";

/// Settings that hold several values, which the file may have as a list.
const LISTS: [&str; 4] = ["keys.clients", "listen.on", "listen.trusted_proxies", "cors.origins"];

/// Far above any sensible configuration; keeps a wrong path from filling the memory.
const FILE_LIMIT_BYTES: u64 = 1 << 20;

/// Reads the file named by the flag, else by the environment, else the default one if it is there.
pub(crate) fn file_to_read(flag: Option<&Path>, environment: &BTreeMap<String, String>) -> FileSource {
    let named = environment.get(CONFIG_VARIABLE).filter(|path| !path.is_empty()).map(Path::new);
    match flag.or(named) {
        Some(path) => read(path),
        None if Path::new(DEFAULT_FILE).exists() => read(Path::new(DEFAULT_FILE)),
        None => FileSource::None,
    }
}

impl FileSource {
    /// Every value of the file, and every mistake in how it is written.
    pub(crate) fn entries(&self) -> Vec<Result<Entry, Mistake>> {
        match self {
            Self::None => Vec::new(),
            Self::Unreadable { path, why } => {
                vec![Err(Mistake::at(&whole(path), &format!("cannot be read: {why}")))]
            }
            // Not the error's own display, which quotes the line and so perhaps a secret.
            Self::Text { path, text } => match text.expose_secret().parse::<Table>() {
                Ok(table) => table.iter().flat_map(|(name, value)| section(path, name, value)).collect(),
                Err(error) => {
                    let place = line_of(text.expose_secret(), error.span());
                    vec![Err(Mistake::at(&whole(path), &format!("is not valid TOML{place}")))]
                }
            },
        }
    }
}

fn read(path: &Path) -> FileSource {
    use std::io::Read;

    let mut text = String::new();
    let outcome =
        std::fs::File::open(path).and_then(|file| file.take(FILE_LIMIT_BYTES + 1).read_to_string(&mut text));
    let path = path.to_owned();
    match outcome {
        Ok(length) if length as u64 > FILE_LIMIT_BYTES => {
            FileSource::Unreadable { path, why: format!("it is larger than {FILE_LIMIT_BYTES} bytes") }
        }
        Ok(_) => FileSource::Text { path, text: text.into() },
        Err(error) => FileSource::Unreadable { path, why: error.to_string() },
    }
}

fn section(path: &Path, name: &str, value: &Value) -> Vec<Result<Entry, Mistake>> {
    let in_section =
        |setting: &Setting| setting.key.split_once('.').is_some_and(|(section, _)| section == name);
    if !SETTINGS.iter().any(in_section) {
        let sections = SETTINGS.iter().filter_map(|setting| Some(setting.key.split_once('.')?.0));
        return vec![Err(unknown(path, name, "section", nearest(name, sections)))];
    }
    match value {
        Value::Table(keys) => {
            keys.iter().map(|(key, value)| entry(path, &format!("{name}.{key}"), value)).collect()
        }
        _ => vec![Err(Mistake::at(&place(path, name), &format!("must be a section, written [{name}]")))],
    }
}

fn entry(path: &Path, key: &str, value: &Value) -> Result<Entry, Mistake> {
    let Some(setting) = setting(key) else {
        let keys = SETTINGS.iter().map(|setting| setting.key);
        return Err(unknown(path, key, "setting", nearest(key, keys)));
    };
    let text = match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Boolean(answer) => Some(answer.to_string()),
        Value::Array(items) if LISTS.contains(&setting.key) => {
            // A comma would split the entry later on.
            let texts: Option<Vec<&str>> =
                items.iter().map(|item| item.as_str().filter(|text| !text.contains(','))).collect();
            texts.map(|texts| texts.join(","))
        }
        Value::Table(pairs) if setting.key == "models.aliases" => {
            // What would split the pair elsewhere later on is no part of a name.
            let pair = |(name, model): (&String, &Value)| {
                let sound = !name.contains([',', '=']);
                model
                    .as_str()
                    .filter(|model| sound && !model.contains([',', '=']))
                    .map(|model| format!("{name}={model}"))
            };
            pairs.iter().map(pair).collect::<Option<Vec<_>>>().map(|pairs| pairs.join(","))
        }
        Value::Array(_) | Value::Table(_) | Value::Float(_) | Value::Datetime(_) => None,
    };
    let origin = place(path, key);
    match text {
        Some(text) => Ok(Entry { setting, text: text.into(), origin }),
        None if LISTS.contains(&setting.key) => {
            Err(Mistake::at(&origin, "must be a text or a list of texts without commas"))
        }
        None if setting.key == "models.aliases" => Err(Mistake::at(
            &origin,
            "must be a section of names and models, such as gpt-4 = \"claude-sonnet-4.5\"",
        )),
        None => Err(Mistake::at(&origin, "must be a text, a whole number, true or false")),
    }
}

fn unknown(path: &Path, key: &str, what: &str, near: Option<&str>) -> Mistake {
    let hint = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
    Mistake::at(&place(path, key), &format!("there is no such {what}{hint}"))
}

fn whole(path: &Path) -> Origin {
    place(path, "")
}

fn place(path: &Path, key: &str) -> Origin {
    Origin::File { path: path.to_owned(), key: key.to_owned() }
}

fn line_of(text: &str, span: Option<std::ops::Range<usize>>) -> String {
    let before = span.and_then(|span| text.get(..span.start));
    before.map(|before| format!(", line {}", before.matches('\n').count() + 1)).unwrap_or_default()
}
