//! What the operator wrote: every value as text, with the place it was written.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use super::file::FileSource;
use super::foreign::foreign;
use super::mistake::Mistake;
use super::nearest::nearest;
use super::settings::{CONFIG_VARIABLE, OF_ACCOUNTS, SETTINGS, Setting, setting};

/// Where to look for settings. Given as values, so that tests change no environment.
#[derive(Clone)]
pub(crate) struct Sources {
    /// Which settings mean anything here.
    pub(crate) scope: Scope,
    /// Flags by setting key.
    pub(crate) flags: BTreeMap<&'static str, String>,
    /// Environment variables by name.
    pub(crate) environment: BTreeMap<String, String>,
    /// The file, read.
    pub(crate) file: FileSource,
}

/// Which settings mean anything to a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All of them.
    Gateway,
    /// All but what concerns accounts, keys and the upstream, which the demo brings itself.
    Demo,
}

/// Where a value was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A flag.
    Flag(&'static str),
    /// An environment variable.
    Environment(&'static str),
    /// A key of the file.
    File {
        /// The file.
        path: PathBuf,
        /// `section.key`; empty for the file as a whole.
        key: String,
    },
    /// Nowhere: the built-in value.
    Default,
}

/// One value and where it was written.
pub(crate) struct Value {
    text: SecretString,
    origin: Origin,
}

/// All values, by setting key, and what was wrong with how they were written.
pub(crate) struct Raw {
    values: BTreeMap<&'static str, Value>,
    of_accounts: BTreeMap<String, SecretString>,
    mistakes: Vec<Mistake>,
    notes: Vec<String>,
}

/// Variables that curl and most others read in small letters too. Where both are set, the small one holds, as there.
const SMALL: [(&str, &str); 3] =
    [("http_proxy", "HTTP_PROXY"), ("https_proxy", "HTTPS_PROXY"), ("no_proxy", "NO_PROXY")];

/// The environment's variables that could concern us. The only place where the environment is read.
pub(crate) fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())))
        .filter(|(name, _)| concerns_us(name))
        .collect()
}

impl Scope {
    /// Whether this setting means anything here.
    pub(crate) fn covers(self, setting: &Setting) -> bool {
        let brought_by_the_demo =
            ["upstream.", "account.", "auth.", "keys.", "database.", "ledger.", "master.", "terms."];
        self == Self::Gateway || !brought_by_the_demo.iter().any(|section| setting.key.starts_with(section))
    }
}

impl Raw {
    /// Gathers every setting from the most particular source that has it.
    pub(crate) fn gather(sources: &Sources) -> Self {
        let mut raw = Self {
            values: BTreeMap::new(),
            of_accounts: BTreeMap::new(),
            mistakes: Vec::new(),
            notes: Vec::new(),
        };
        for setting in SETTINGS {
            if let Some(default) = setting.default {
                raw.put(setting, default, Origin::Default);
            }
        }
        raw.take_file(&sources.file);
        raw.take_environment(sources);
        for (key, text) in &sources.flags {
            if let Some((setting, flag)) = setting(key).and_then(|setting| Some((setting, setting.flag?))) {
                raw.put(setting, text, Origin::Flag(flag));
            }
        }
        raw
    }

    /// The value of a setting, if anybody gave one.
    pub(crate) fn value(&self, key: &str) -> Option<&Value> {
        self.values.get(key)
    }

    /// The settings that somebody wrote somewhere.
    pub(crate) fn written(&self) -> BTreeSet<&'static str> {
        let written = self.values.iter().filter(|(_, value)| value.origin != Origin::Default);
        written.map(|(key, _)| *key).collect()
    }

    /// The variables of accounts that are no settings.
    pub(crate) fn variables_of_accounts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.of_accounts.iter().map(|(name, text)| (name.as_str(), text.expose_secret()))
    }

    /// What was wrong with how things were written.
    pub(crate) fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }

    /// What the operator should know although it is no mistake.
    pub(crate) fn notes(&self) -> &[String] {
        &self.notes
    }

    fn put(&mut self, setting: &'static Setting, text: &str, origin: Origin) {
        self.values.insert(setting.key, Value { text: text.into(), origin });
    }

    fn take_environment(&mut self, sources: &Sources) {
        for (name, text) in sources.environment.iter().filter(|(_, text)| !text.is_empty()) {
            if let Some((setting, name)) = named(name) {
                if sources.scope.covers(setting) {
                    // In the order of their names: small letters come after capitals, and so win over them.
                    self.put(setting, text, Origin::Environment(name));
                }
            } else if is_of_an_account(name) {
                if sources.scope == Scope::Gateway {
                    self.of_accounts.insert(name.clone(), text.as_str().into());
                }
            } else if let Some(foreign) = foreign(name) {
                self.notes.push(format!("{name} is set and not used: {}", foreign.why));
            } else if name.starts_with("QM_") && name != CONFIG_VARIABLE {
                let known = SETTINGS.iter().map(|setting| setting.environment);
                let hint =
                    nearest(name, known).map(|near| format!("; did you mean {near}?")).unwrap_or_default();
                self.notes.push(format!("{name} is set, but no setting has that name{hint}"));
            }
        }
    }

    fn take_file(&mut self, file: &FileSource) {
        for entry in file.entries() {
            match entry {
                Ok(entry) => self.put(entry.setting, entry.text.expose_secret(), entry.origin),
                Err(mistake) => self.mistakes.push(mistake),
            }
        }
    }
}

impl Value {
    /// The text as written. May be a secret.
    pub(crate) fn text(&self) -> &str {
        self.text.expose_secret()
    }

    /// Where it was written.
    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The value as it may be shown. An address may hold a password in front of an `@`, so such text is not shown.
    pub(crate) fn shown(&self, setting: &Setting) -> String {
        match self.text() {
            _ if setting.secret => "set".to_owned(),
            text if text.contains('@') => "(hidden, for it may hold a password)".to_owned(),
            text => format!("{text:?}"),
        }
    }
}

impl Origin {
    /// Which wins over which: the larger.
    pub(crate) fn rank(&self) -> u8 {
        match self {
            Self::Default => 0,
            Self::File { .. } => 1,
            Self::Environment(_) => 2,
            Self::Flag(_) => 3,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "flag {flag}"),
            Self::Environment(name) => write!(f, "environment variable {name}"),
            Self::File { path, key } if key.is_empty() => write!(f, "file {}", path.display()),
            Self::File { path, key } => write!(f, "file {}, key {key}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

fn concerns_us(name: &str) -> bool {
    name.starts_with("QM_") || is_of_an_account(name) || foreign(name).is_some() || named(name).is_some()
}

/// The setting of this variable, which may be written small where others do so.
fn named(name: &str) -> Option<(&'static Setting, &'static str)> {
    let small = SMALL.iter().find(|(small, _)| *small == name);
    let known = small.map_or(name, |(_, known)| known);
    let setting = SETTINGS.iter().find(|setting| setting.environment == known)?;
    Some((setting, small.map_or(setting.environment, |(small, _)| small)))
}

fn is_of_an_account(name: &str) -> bool {
    OF_ACCOUNTS
        .iter()
        .any(|known| known.strip_suffix('*').map_or(*known == name, |start| name.starts_with(start)))
}
