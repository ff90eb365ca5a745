//! End-to-end tests: the real binary before the simulator, spoken to by the clients that people use.
//!
//! The suites are `e2e/README.md`'s: each prints one line per check and a last line `N passed, M failed`.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::clock::Stopwatch;
use crate::install::{self, Tools};
use crate::process::run as run_shown;

mod demo;
mod house;
mod process;
mod suites;

use house::{ADMIN, House, KEY};
use process::{tail, within};
use suites::{SUITES, Suite};

/// What to run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// The binary under test; built from the workspace when absent.
    pub(crate) bin: Option<PathBuf>,
    /// Names of suites; all when empty.
    pub(crate) only: Vec<String>,
}

/// Checks counted over all suites.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Checks that held.
    pub(crate) passed: u32,
    /// Checks that did not.
    pub(crate) failed: u32,
}

/// Installs what is missing, runs the suites, prints a line for each.
pub(crate) fn run(options: &Options) -> anyhow::Result<Tally> {
    let root = root();
    for name in &options.only {
        if name != demo::NAME && !SUITES.iter().any(|suite| suite.name == name) {
            bail!("there is no end-to-end suite {name}; there are: {}", names().join(", "));
        }
    }
    let wanted = |name: &str| options.only.is_empty() || options.only.iter().any(|only| only == name);
    let tools = install::install(&root)?;
    let binary = match &options.bin {
        Some(binary) => {
            fs::canonicalize(binary).with_context(|| format!("{} is not there", binary.display()))?
        }
        None => build(&root)?,
    };
    let logs = root.join(".e2e/logs");
    fs::create_dir_all(&logs)?;
    let mut total = Tally::default();
    for suite in SUITES.iter().filter(|suite| wanted(suite.name)) {
        let log = logs.join(format!("{}.log", suite.name));
        total.add(timed(suite.name, &log, || play(suite, &tools, &root, &binary, &logs))?);
    }
    if wanted(demo::NAME) {
        let log = logs.join("demo.log");
        total.add(timed(demo::NAME, &log, || {
            demo::play(&binary, &tools, &logs, &scratch(&root, demo::NAME)?)
        })?);
    }
    Ok(total)
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

fn names() -> Vec<&'static str> {
    SUITES.iter().map(|suite| suite.name).chain([demo::NAME]).collect()
}

/// Runs one suite and prints how it went; a suite that breaks off counts as one failure and does not stop the others.
fn timed(name: &str, log: &Path, suite: impl FnOnce() -> anyhow::Result<Tally>) -> anyhow::Result<Tally> {
    // What an earlier run left must not be taken for this one's.
    let _ = fs::remove_file(log);
    let watch = Stopwatch::start();
    let result = suite();
    let seconds = watch.elapsed().as_secs_f32();
    let mut out = std::io::stdout().lock();
    let (tally, trouble) = match result {
        Ok(tally) => (tally, None),
        Err(error) => (Tally { passed: 0, failed: 1 }, Some(format!("{error:#}"))),
    };
    if tally.failed == 0 && tally.passed > 0 {
        writeln!(out, "ok {name} ({} checks) {seconds:.1}s", tally.passed)?;
        return Ok(tally);
    }
    writeln!(out, "FAILED {name} ({} passed, {} failed) {seconds:.1}s", tally.passed, tally.failed.max(1))?;
    if let Some(trouble) = trouble {
        writeln!(out, "{trouble}")?;
    }
    writeln!(out, "--- end of {}\n{}\n---", log.display(), tail(log, 60))?;
    Ok(Tally { failed: tally.failed.max(1), ..tally })
}

fn play(suite: &Suite, tools: &Tools, root: &Path, binary: &Path, logs: &Path) -> anyhow::Result<Tally> {
    let house = House::open(binary, logs, suite.name, suite.settings)?;
    let scratch = scratch(root, suite.name)?;
    let log = logs.join(format!("{}.log", suite.name));
    let mut command = (suite.command)(tools, root);
    if suite.name == "aws-client" {
        command.arg(&house.simulator);
    }
    command.env("E2E_GATEWAY", &house.gateway).env("E2E_SIMULATOR", &house.simulator).env("E2E_KEY", KEY);
    // For suites that end a gateway of their own and start it again.
    command.env("E2E_ADMIN", ADMIN).env("E2E_BINARY", binary);
    command.env("E2E_CLAUDE", &tools.claude).env("E2E_SCRATCH", &scratch).env("PYTHONUNBUFFERED", "1");
    command.env("E2E_CODEX", &tools.codex).env("E2E_OPENCODE", &tools.opencode).env("E2E_NODE", &tools.node);
    let status = within(&mut command, suite.limit, &log)?;
    let Some(status) = status else { bail!("not finished after {:?}; stopped", suite.limit) };
    let tally = tally_of(&tail(&log, 1));
    match tally {
        Some(tally) if status.success() || tally.failed > 0 => Ok(tally),
        // A suite that counts nothing is one check: that it ended well.
        None if status.success() => Ok(Tally { passed: 1, failed: 0 }),
        _ => bail!("broke off ({status})"),
    }
}

/// An empty folder for one suite.
fn scratch(root: &Path, suite: &str) -> anyhow::Result<PathBuf> {
    let folder = root.join(".e2e/scratch").join(suite);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Reads `N passed, M failed`.
fn tally_of(line: &str) -> Option<Tally> {
    let (passed, failed) = line.trim().strip_suffix(" failed")?.split_once(" passed, ")?;
    Some(Tally { passed: passed.parse().ok()?, failed: failed.parse().ok()? })
}

fn build(root: &Path) -> anyhow::Result<PathBuf> {
    run_shown(Command::new("cargo").args(["build", "--quiet", "-p", "quartermaster"]).current_dir(root))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    Ok(target.join("debug/quartermaster"))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_path_buf)
}

#[cfg(test)]
mod tests {
    use super::{Tally, tally_of};

    #[test]
    fn reads_the_last_line_of_a_suite() {
        assert_eq!(tally_of("12 passed, 3 failed\n"), Some(Tally { passed: 12, failed: 3 }));
        assert_eq!(tally_of("all well"), None);
        assert_eq!(tally_of("x passed, 3 failed"), None);
    }
}
