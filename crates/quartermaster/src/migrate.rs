//! `migrate`: brings the schema of the database up to date, which every other command does on its way.

use std::process::ExitCode;

use clap::Args;
use qm_store_sqlite::SqliteStore;
use serde_json::json;

use crate::config::Config;
use crate::desk::Place;
use crate::print;

/// Where.
#[derive(Args, Debug)]
pub(crate) struct Migrate {
    #[command(flatten)]
    pub(crate) place: Place,
}

/// Does it, and touches no account: no master key is needed.
pub(crate) async fn run(config: &Config, migrate: &Migrate) -> anyhow::Result<ExitCode> {
    let path = &config.database.path;
    SqliteStore::open(path).await?.close().await;
    if migrate.place.json {
        print::value(&json!({ "database": path, "upToDate": true }))?;
    } else {
        print::out(&format!("The schema of {} is up to date.", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}
