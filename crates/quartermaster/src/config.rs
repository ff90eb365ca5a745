//! Configuration in two stages: `raw` is what the operator wrote and where, each topic's file is what it means.
//!
//! Flags win over the environment, which wins over the file. Every mistake is found before any is reported.

mod account;
mod answers;
mod auth;
mod console;
mod database;
mod endpoint;
mod fetch;
mod file;
mod foreign;
mod keys;
mod ledger;
mod listen;
mod log;
mod master;
mod mistake;
pub(crate) mod models;
mod nearest;
mod pool;
mod proxy;
mod raw;
mod reader;
mod responses;
mod settings;
mod terms;
mod timeouts;
mod units;
mod upstream;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt::Write;

pub(crate) use account::Account;
pub(crate) use answers::Answers;
pub(crate) use auth::Auth;
pub(crate) use console::Console;
pub(crate) use database::Database;
pub(crate) use endpoint::Endpoint;
pub(crate) use fetch::FetchImages;
pub(crate) use file::{FileSource, file_to_read};
pub(crate) use keys::Keys;
pub(crate) use ledger::{Ledger, Retention};
pub(crate) use listen::Listen;
pub(crate) use log::{Log, LogFormat};
pub(crate) use master::{Master, ring};
pub(crate) use mistake::Mistakes;
pub(crate) use models::Models;
pub(crate) use pool::Pool;
pub(crate) use raw::{Scope, Sources, environment};
pub(crate) use responses::Responses;
pub(crate) use settings::{SETTINGS, Setting};
pub(crate) use timeouts::Timeouts;
pub(crate) use units::flag as time;
pub(crate) use upstream::Upstream;

use qm_upstream::Proxies;
use raw::Raw;
use reader::{Reader, Refused};

/// Everything that is configured, checked and typed.
#[derive(Debug)]
pub(crate) struct Config {
    /// Where to listen, and how much to take.
    pub(crate) listen: Listen,
    /// Whether clients need a key.
    pub(crate) auth: Auth,
    /// Whether people manage the gateway through it.
    pub(crate) console: Console,
    /// What is told to whom, where earlier systems told otherwise.
    pub(crate) answers: Answers,
    /// How the upstream is reached, whichever account asks.
    pub(crate) upstream: Upstream,
    /// The machine's outbound proxies.
    pub(crate) proxies: Proxies,
    /// The accounts of the environment or the file, beside those that are kept.
    pub(crate) accounts: Vec<Account>,
    /// The keys of clients and admins that the configuration holds.
    pub(crate) keys: Keys,
    /// Where accounts are kept.
    pub(crate) database: Database,
    /// Whether, and how long, it is remembered who asked what.
    pub(crate) ledger: Ledger,
    /// What seals their secrets.
    pub(crate) master: Master,
    /// Whether the note on the upstream's terms is acknowledged.
    pub(crate) terms: bool,
    /// How accounts are chosen and looked after.
    pub(crate) pool: Pool,
    /// Choices about models.
    pub(crate) models: Models,
    /// Which responses are kept.
    pub(crate) responses: Responses,
    /// Which pictures behind URLs are fetched.
    pub(crate) fetch: FetchImages,
    /// How long to wait for what.
    pub(crate) timeouts: Timeouts,
    /// What is logged, and how.
    pub(crate) log: Log,
    /// The settings that are written somewhere: what is decided while running does not touch them.
    pub(crate) written: BTreeSet<&'static str>,
    /// What the operator should know although it is no mistake; said once in the log.
    pub(crate) notes: Vec<String>,
}

/// Reads the sources and makes the configuration of them.
///
/// # Errors
/// All mistakes, in the order of the settings table.
pub(crate) fn load(sources: &Sources) -> Result<Config, Mistakes> {
    understand(&Raw::gather(sources))
}

/// The configuration in words, one line per setting with its origin; a secret is only said to be `set`.
///
/// # Errors
/// All mistakes, as [`load`].
pub(crate) fn describe(sources: &Sources) -> Result<String, Mistakes> {
    let raw = Raw::gather(sources);
    let config = understand(&raw)?;
    let mut report = String::new();
    for setting in SETTINGS {
        // Writing to a String cannot fail.
        let _ = match raw.value(setting.key) {
            Some(value) => {
                writeln!(report, "{} = {} ({})", setting.key, value.shown(setting), value.origin())
            }
            None => writeln!(report, "{} is unset", setting.key),
        };
    }
    for note in &config.notes {
        let _ = writeln!(report, "note: {note}");
    }
    report.push_str("The configuration is valid.\n");
    Ok(report)
}

fn understand(raw: &Raw) -> Result<Config, Mistakes> {
    let mut reader = Reader::new(raw);
    // All topics are read before any is looked at, so that all mistakes come to light.
    let listen = listen::read(&mut reader);
    let auth = auth::read(&mut reader, listen.as_ref().ok());
    let console = console::read(&mut reader);
    let answers = answers::read(&mut reader);
    let upstream = upstream::read(&mut reader);
    let proxies = proxy::read(&mut reader);
    let accounts = account::read(&mut reader);
    let keys = keys::read(&mut reader);
    let database = database::read(&mut reader);
    let ledger = ledger::read(&mut reader);
    let master = master::read(&mut reader, database.as_ref().ok().map(|database| database.path.as_path()));
    let terms = terms::read(&mut reader);
    let pool = pool::read(&mut reader);
    let models = models::read(&mut reader);
    let responses = responses::read(&mut reader);
    let fetch = fetch::read(&mut reader);
    let timeouts = timeouts::read(&mut reader);
    let log = log::read(&mut reader);
    let (mistakes, notes) = reader.finish();
    let whole = || {
        let config = Config {
            listen: listen?,
            auth: auth?,
            console: console?,
            answers: answers?,
            upstream: upstream?,
            proxies: proxies?,
            accounts: accounts?,
            keys: keys?,
            database: database?,
            ledger: ledger?,
            master: master?,
            terms: terms?,
            pool: pool?,
            models: models?,
            responses: responses?,
            fetch: fetch?,
            timeouts: timeouts?,
            log: log?,
            written: raw.written(),
            notes,
        };
        Ok::<_, Refused>(config)
    };
    match whole() {
        // A key nobody knows is a mistake too, although every topic could be read.
        Ok(config) if mistakes.is_empty() => Ok(config),
        _ => Err(mistakes),
    }
}
