//! cargo-deny, which says more than `tidy` does about advisories and duplicate versions.

use std::process::Command;

use anyhow::{Result, bail};

use crate::{process, tree};

/// Runs it.
pub(crate) fn run() -> Result<()> {
    if !process::answers("cargo", &["deny", "--version"]) {
        bail!("cargo-deny is not installed; `cargo install --locked cargo-deny` brings it");
    }
    process::run(
        Command::new("cargo")
            .args(["deny", "check", "bans", "licenses", "sources"])
            .current_dir(tree::root()),
    )
}
