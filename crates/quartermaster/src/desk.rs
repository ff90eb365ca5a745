//! Where a command works: the accounts as they are kept, whether or not a gateway runs on them at the same time.

use std::collections::BTreeMap;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use qm_accounts::{Actor, Fleet, terms};
use qm_store_sqlite::SqliteStore;

use crate::config::{self, Config, Mistakes, Scope, Sources};
use crate::fleet::{self, Kept};

/// Flags of all commands that work on accounts.
#[derive(Args, Debug)]
pub(crate) struct Place {
    /// The configuration file.
    #[arg(long, global = true, value_name = "FILE", help = "Configuration file [env: QM_CONFIG]")]
    config: Option<PathBuf>,
    /// The database.
    #[arg(long, global = true, value_name = "FILE", help = "File with the accounts [env: DATABASE_PATH]")]
    database: Option<String>,
    /// Print JSON, for programs
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// What a command works with.
pub(crate) struct Desk {
    /// Where the accounts are kept.
    pub(crate) kept: Kept,
    /// The accounts.
    pub(crate) fleet: Fleet,
    /// Whether to print JSON.
    pub(crate) json: bool,
}

/// The log of commands, unless somebody wants more: what they do is told by what they print.
const QUIET: &str = "warn";

/// Opens the database for a command that only looks: one that is looked for in the wrong place must not be made there, and
/// then be found whole, because it is empty.
pub(crate) async fn store_that_is_there(config: &Config) -> anyhow::Result<SqliteStore> {
    let path = &config.database.path;
    if !path.exists() {
        bail!("{} is not there: name the database with --database or DATABASE_PATH", path.display());
    }
    Ok(SqliteStore::open(path).await?)
}

impl Place {
    /// What is configured, or every mistake in it.
    pub(crate) fn configuration(&self) -> Result<Config, Mistakes> {
        let environment = config::environment();
        let mut flags = BTreeMap::new();
        if !environment.contains_key("QM_LOG") {
            flags.insert("log.filter", QUIET.to_owned());
        }
        if let Some(path) = &self.database {
            flags.insert("database.path", path.clone());
        }
        config::load(&Sources {
            scope: Scope::Gateway,
            file: config::file_to_read(self.config.as_deref(), &environment),
            flags,
            environment,
        })
    }
}

impl Desk {
    /// Opens what is kept; makes it if it is missing.
    pub(crate) async fn open(config: &Config, json: bool) -> anyhow::Result<Self> {
        let kept = Kept::open(config).await?;
        let fleet = fleet::open(config, &kept).await?;
        Ok(Self { kept, fleet, json })
    }

    /// Sees to it that the note on the upstream's terms is acknowledged: by this flag, or by whoever sits there.
    pub(crate) async fn terms(&self, accepted: bool) -> anyhow::Result<()> {
        if self.fleet.terms_acknowledged().await? {
            return Ok(());
        }
        if !accepted {
            if !io::stdin().is_terminal() {
                bail!(
                    "{} Acknowledge that with --accept-terms or QM_ACCEPT_UPSTREAM_TERMS=true.",
                    terms::NOTE
                );
            }
            write!(io::stderr().lock(), "{}\nGo on? [y/N] ", terms::NOTE)?;
            let mut answer = String::new();
            io::stdin().lock().read_line(&mut answer)?;
            if !["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str()) {
                bail!("the note on the upstream's terms was not acknowledged; nothing was changed");
            }
        }
        self.fleet.acknowledge_terms(&Actor::Cli).await?;
        Ok(())
    }

    /// Lets go of the database, with all that was written in it.
    pub(crate) async fn close(self) {
        self.kept.store.close().await;
    }
}
