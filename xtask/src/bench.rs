//! `cargo xtask bench`: builds the gateway as it is shipped, sees that nginx is there, and lets `qm-bench` measure.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::{process, tree};

/// Benchmark the gateway against nginx as a byte proxy.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Short windows, few rounds, the release build, and no page: to see a regression, not to publish.
    #[arg(long)]
    quick: bool,
    /// Fail when a floor is missed.
    #[arg(long)]
    check: bool,
    /// Only these shapes of load: small, ledger, large, writes, paced, scaled, storm, and chat-small, responses-large and so on; no page is written then.
    #[arg(long, value_name = "SHAPE")]
    only: Vec<String>,
    /// The gateway's binary; built when absent.
    #[arg(long)]
    bin: Option<PathBuf>,
}

/// Runs the benchmark; a full run writes docs/BENCHMARKS.md.
///
/// # Errors
/// When something can not be built or started, when a single event was lost, and with `check` when a floor is missed.
pub(crate) fn run(options: &Options) -> Result<()> {
    let root = tree::root();
    let (nginx, target) = (nginx()?, target()?);
    let profile = if options.quick { "release" } else { "dist" };
    build("qm-bench", "release")?;
    let (gateway, built) = if let Some(binary) = &options.bin {
        (binary.clone(), format!("a binary given as {}", binary.file_name().unwrap_or_default().display()))
    } else {
        build("quartermaster", profile)?;
        (target.join(profile).join("quartermaster"), description(profile))
    };
    let pinned = process::answers("taskset", &["-c", "0,1", "true"]);
    if !pinned {
        println!("bench: no second core or no `taskset`: nothing is pinned, and the numbers are rough");
    }
    let mut bench = measured(pinned);
    bench.arg(target.join("release").join("qm-bench")).current_dir(root);
    bench.arg("--quartermaster").arg(&gateway).arg("--nginx").arg(nginx);
    bench.arg("--scratch").arg(target.join("bench"));
    bench.args(["--build", &built]);
    for (flag, wanted) in [("--quick", options.quick), ("--check", options.check), ("--unpinned", !pinned)] {
        if wanted {
            bench.arg(flag);
        }
    }
    for shape in &options.only {
        bench.args(["--only", shape]);
    }
    if !options.quick && options.only.is_empty() {
        bench.arg("--page").arg(root.join("docs/BENCHMARKS.md"));
    }
    process::run(&mut bench)
}

/// A command that will be given its program: with as many open files as the system grants, on the core beside the
/// one under test.
fn measured(pinned: bool) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n \"$(ulimit -Hn)\"; exec \"$@\" --open-files \"$(ulimit -n)\"", "sh"]);
    if pinned {
        command.args(["taskset", "-c", "1"]);
    }
    command
}

fn build(package: &str, profile: &str) -> Result<()> {
    let arguments = ["build", "--package", package, "--profile", profile];
    process::run(Command::new("cargo").current_dir(tree::root()).args(arguments))
}

/// Where cargo puts what it builds.
fn target() -> Result<PathBuf> {
    let arguments = ["metadata", "--no-deps", "--format-version", "1"];
    let metadata = process::read(Command::new("cargo").current_dir(tree::root()).args(arguments))?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata).context("cargo's metadata")?;
    let folder = metadata["target_directory"].as_str().context("cargo names no target folder")?;
    Ok(PathBuf::from(folder))
}

/// Commit and profile, with a word when the sources are not those of the commit.
fn description(profile: &str) -> String {
    let git = |arguments: &[&str]| {
        process::read(Command::new("git").current_dir(tree::root()).args(arguments)).unwrap_or_default()
    };
    let commit = git(&["rev-parse", "--short=12", "HEAD"]);
    let changed =
        git(&["status", "--porcelain", "--untracked-files=no", "--", "crates", "Cargo.toml", "Cargo.lock"]);
    let changed = if changed.is_empty() { "" } else { " with changes not committed" };
    let commit = if commit.is_empty() { "unknown" } else { commit.trim() };
    format!("commit {commit}{changed}, profile {profile}")
}

/// nginx's binary: there already, or installed as root or in CI.
fn nginx() -> Result<PathBuf> {
    // A Debian user's PATH lacks sbin.
    let places = ["nginx", "/usr/sbin/nginx"];
    let found = || places.into_iter().find(|place| process::answers(place, &["-v"])).map(PathBuf::from);
    if let Some(nginx) = found() {
        return Ok(nginx);
    }
    if !process::may_install() {
        bail!(
            "the benchmark needs nginx to compare with. Install it (Debian: sudo apt-get install nginx) and run this again."
        );
    }
    println!("bench: installing nginx");
    let install = |arguments: &[&str]| {
        process::run(Command::new("apt-get").env("DEBIAN_FRONTEND", "noninteractive").args(arguments))
    };
    install(&["update", "-qq"])?;
    install(&["install", "-qq", "-y", "--no-install-recommends", "nginx"])?;
    match found() {
        Some(nginx) => Ok(nginx),
        None => bail!("nginx was installed, but does not run"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_folder_is_where_this_was_built() {
        assert!(target().unwrap().is_dir());
        assert!(description("dist").ends_with("profile dist"));
    }
}
