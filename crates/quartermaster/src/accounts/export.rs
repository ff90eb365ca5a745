//! `accounts export`: accounts with their logins, in a file that only its owner can read.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use qm_accounts::{Actor, Export as Exported, ExportForm, Selection};
use serde_json::json;

use super::import::passphrase;
use crate::desk::Desk;
use crate::print;

/// What to export, and where to.
#[derive(Args, Debug)]
pub(crate) struct Export {
    /// Numbers or ids of accounts; without any, all but those of the environment
    #[arg(value_name = "ACCOUNT")]
    accounts: Vec<String>,
    /// File to write, which must not be there yet
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Lines for amq2api instead of JSON, without what a line has no field for
    #[arg(long)]
    lines: bool,
    /// File with a passphrase to seal the accounts with; `age` opens them too
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Write the logins as they are: whoever reads the file has the accounts
    #[arg(long, conflicts_with = "passphrase_file")]
    in_the_clear: bool,
}

pub(super) async fn run(desk: &Desk, export: &Export) -> anyhow::Result<ExitCode> {
    let selection = match export.accounts.as_slice() {
        [] => Selection::All,
        named => Selection::These(named.to_vec()),
    };
    let form = if export.lines { ExportForm::Lines } else { ExportForm::Json };
    if export.to.try_exists()? {
        bail!("{} is there already: name a file that is not", export.to.display());
    }
    let exported = match &export.passphrase_file {
        Some(path) => desk.fleet.export_sealed(&selection, form, passphrase(path)?, &Actor::Cli).await?,
        None if export.in_the_clear => desk.fleet.export(&selection, form, &Actor::Cli).await?,
        None => bail!(
            "the logins would be readable: seal them with --passphrase-file FILE, or say --in-the-clear"
        ),
    };
    let Exported { bytes, accounts, left_out } = exported;
    write(&export.to, &bytes).with_context(|| format!("{} cannot be written", export.to.display()))?;
    if desk.json {
        print::value(&json!({ "file": export.to, "accounts": accounts, "leftOut": left_out }))?;
    } else {
        let rest = if left_out > 0 { format!("; {left_out} have no such form") } else { String::new() };
        print::out(&format!("{accounts} accounts are in {}{rest}", export.to.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
