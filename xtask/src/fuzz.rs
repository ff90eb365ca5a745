//! The fuzz targets, built without cargo-fuzz: coverage without a sanitizer needs only flags that stable Rust knows.
//! The folder has cargo-fuzz's layout, so that it works there too: docs/FUZZING.md.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::clock::Stopwatch;
use crate::tally::Tally;
use crate::{process, tree};

/// What to fuzz, and for how long.
#[derive(Args)]
pub(crate) struct Options {
    /// Executions of each target.
    #[arg(long, default_value_t = 100_000)]
    runs: u64,
    /// Only this target.
    #[arg(long)]
    target: Option<String>,
    /// Seed of chance; 0 takes a new one.
    #[arg(long, default_value_t = 0)]
    seed: u32,
    /// Forget what earlier runs found: the same seed then tries the same inputs.
    #[arg(long)]
    afresh: bool,
}

/// Executions of each target in `cargo xtask test`.
const SMOKE_RUNS: u64 = 20_000;

/// Longest time one input may take before it counts as a hang, in seconds.
const HANG_SECONDS: u32 = 10;

/// What `cargo fuzz run --sanitizer none` passes to the compiler.
const COVERAGE: &[&str] = &[
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
    "-Ccodegen-units=1",
];

/// Fuzzes as asked and says how many inputs were run.
pub(crate) fn run(options: &Options) -> Result<Tally> {
    let mut targets = targets()?;
    if let Some(asked) = &options.target {
        targets.retain(|target| target == asked);
        if targets.is_empty() {
            bail!("there is no fuzz target {asked}; see fuzz/fuzz_targets/");
        }
    }
    let binaries = build()?;
    let mut executions = 0;
    for target in &targets {
        let watch = Stopwatch::start();
        let ran = fuzz(&binaries, target, options)?;
        executions += ran;
        println!("fuzz: {target}: {ran} executions in {:.0} s, no failure", watch.elapsed().as_secs_f64());
    }
    println!("fuzz: {executions} executions over {} targets without a failure", targets.len());
    Ok(Tally::passed(targets.len() as u64))
}

/// Every target for a short while, the same inputs every time.
pub(crate) fn smoke() -> Result<Tally> {
    run(&Options { runs: SMOKE_RUNS, target: None, seed: 1, afresh: true })
}

/// Names of the targets, which are files.
fn targets() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(tree::root().join("fuzz/fuzz_targets"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}

/// Builds them all; returns the folder they are in.
fn build() -> Result<PathBuf> {
    compiler()?;
    let host = host()?;
    let folder = tree::root().join("fuzz");
    let mut command = Command::new("cargo");
    command
        .args(["build", "--quiet", "--release", "--locked", "--bins", "--target", &host])
        .current_dir(&folder);
    command.env("CARGO_ENCODED_RUSTFLAGS", COVERAGE.join("\u{1f}")).env_remove("RUSTFLAGS");
    command.env("CARGO_TARGET_DIR", folder.join("target"));
    process::run(&mut command)?;
    Ok(folder.join("target").join(host).join("release"))
}

fn fuzz(binaries: &Path, target: &str, options: &Options) -> Result<u64> {
    let folder = tree::root().join("fuzz");
    let found = if options.afresh { "target/afresh" } else { "corpus" };
    let [corpus, artifacts] = [found, "artifacts"].map(|name| folder.join(name).join(target));
    if options.afresh && corpus.is_dir() {
        fs::remove_dir_all(&corpus)?;
    }
    fs::create_dir_all(&corpus)?;
    fs::create_dir_all(&artifacts)?;
    let mut command = Command::new(binaries.join(target));
    command.current_dir(&folder);
    command.arg(format!("-runs={}", options.runs)).arg(format!("-seed={}", options.seed));
    command.arg(format!("-timeout={HANG_SECONDS}")).arg(format!("-artifact_prefix={}/", artifacts.display()));
    command.args(["-max_len=8192", "-rss_limit_mb=2048", "-print_final_stats=1", "-verbosity=0"]);
    let dictionary = folder.join("dictionaries").join(format!("{target}.dict"));
    if dictionary.is_file() {
        command.arg(format!("-dict={}", dictionary.display()));
    }
    command.arg(&corpus);
    let seeds = folder.join("seeds").join(target);
    if seeds.is_dir() {
        command.arg(&seeds);
    }
    let mut ran = None;
    process::run_read(command, |line| {
        ran = executed(line).or(ran);
        tells(line)
    })
    .with_context(|| format!("the input that did it is in fuzz/artifacts/{target}/"))?;
    ran.filter(|ran| *ran >= options.runs).with_context(|| format!("{target} did not run to its end"))
}

/// Whether a line of the engine's output is for people; most is a diary of what it found.
fn tells(line: &str) -> bool {
    let diary = [
        "\tNEW_FUNC",
        "#",
        "\"",
        "stat::",
        "INFO:",
        "Done ",
        "Loaded ",
        "Dictionary:",
        "WARNING: Failed to find function",
    ];
    !diary.iter().any(|start| line.starts_with(start))
}

fn executed(line: &str) -> Option<u64> {
    line.strip_prefix("stat::number_of_executed_units:")?.trim().parse().ok()
}

fn host() -> Result<String> {
    let version = process::read(Command::new("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc -vV names no host")
}

/// The fuzzing engine is C++; a compiler for it is the one thing Rust does not bring.
fn compiler() -> Result<()> {
    if process::answers("c++", &["--version"]) {
        return Ok(());
    }
    if process::may_install() && process::answers("apt-get", &["--version"]) {
        return process::run(Command::new("apt-get").args([
            "install",
            "--yes",
            "--no-install-recommends",
            "g++",
        ]));
    }
    bail!(
        "fuzzing needs a C++ compiler (`c++`): install g++ or clang, or leave fuzzing out with `--skip fuzz`"
    )
}

#[cfg(test)]
mod tests {
    use super::{executed, targets, tells};

    #[test]
    fn the_count_of_executions_is_read() {
        assert_eq!(executed("stat::number_of_executed_units: 20000"), Some(20_000));
        assert_eq!(executed("#20000 DONE cov: 12"), None);
        assert!(!tells("#20000 DONE cov: 12") && tells("==12== ERROR: libFuzzer: deadly signal"));
    }

    #[test]
    fn every_target_is_declared() {
        let manifest = crate::tree::text(std::path::Path::new("fuzz/Cargo.toml")).unwrap();
        let targets = targets().unwrap();
        assert!(!targets.is_empty());
        for target in targets {
            assert!(manifest.contains(&format!("name = \"{target}\"\n")), "{target}");
        }
    }
}
