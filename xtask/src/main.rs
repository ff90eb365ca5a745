//! The house's own work: one command to prove everything, and the parts it is made of.
//!
//! Knows: how the repository is built, tested, fuzzed and kept tidy.
//! Must not know: what the gateway does with a request; it only runs and reads the tree.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool speaks on its terminal")]

mod bench;
mod clock;
mod deny;
mod e2e;
mod fuzz;
mod install;
mod process;
mod tally;
mod test;
mod tidy;
mod tree;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Parser, Subcommand};

/// House work for Quartermaster.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Everything that must hold before a change is accepted, in order, stopping at the first failure.
    Test(test::Options),
    /// The rules of the house that neither the compiler nor clippy knows.
    Tidy,
    /// Fuzz targets: all of them for a while, or one.
    Fuzz(fuzz::Options),
    /// End-to-end tests: the real binary before the simulator, driven by real clients.
    E2e {
        /// The binary under test; built from the workspace when absent.
        #[arg(long)]
        bin: Option<PathBuf>,
        /// Only these suites.
        #[arg(long, value_name = "SUITE")]
        only: Vec<String>,
    },
    /// CPU, delay and memory of the gateway against nginx as a byte proxy.
    Bench(bench::Options),
    /// cargo-deny, where it is installed; its licence and source rules are part of `tidy` anyway.
    Deny,
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().verb {
        Verb::Test(options) => test::run(&options),
        Verb::Tidy => tidy::run().map(drop),
        Verb::Fuzz(options) => fuzz::run(&options).map(drop),
        Verb::E2e { bin, only } => end_to_end(&e2e::Options { bin, only }).map(drop),
        Verb::Bench(options) => bench::run(&options),
        Verb::Deny => deny::run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// A suite in which a check failed is a failure of the whole.
fn end_to_end(options: &e2e::Options) -> Result<tally::Tally> {
    let e2e::Tally { passed, failed } = e2e::run(options)?;
    if failed > 0 {
        bail!("{failed} end-to-end checks failed, {passed} passed");
    }
    Ok(tally::Tally::passed(u64::from(passed)))
}
