//! `cargo xtask test`: everything that must hold, in order.

use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

use crate::clock::Stopwatch;
use crate::tally::Tally;
use crate::{e2e, fuzz, process, tidy, tree};

/// What to run.
#[derive(Args)]
pub(crate) struct Options {
    /// Only these steps.
    #[arg(long, value_enum, value_name = "STEP")]
    only: Vec<Step>,
    /// All steps but these. What was left out is said at the end.
    #[arg(long, value_enum, value_name = "STEP")]
    skip: Vec<Step>,
}

/// The steps, in the order in which they run: what fails fastest comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Step {
    /// Formatting.
    Fmt,
    /// Clippy, warnings denied.
    Clippy,
    /// The rules of the house.
    Tidy,
    /// Unit, property and route tests of every crate.
    Unit,
    /// The documentation: its links lead somewhere, its examples work.
    Doc,
    /// Every fuzz target for a short while.
    Fuzz,
    /// The real binary, driven by real clients.
    E2e,
}

/// Runs the steps, prints each with its duration, stops at the first failure, and ends with a count.
pub(crate) fn run(options: &Options) -> Result<()> {
    let whole = Stopwatch::start();
    let mut total = Tally::default();
    let mut left_out = Vec::new();
    for &step in Step::value_variants() {
        if !options.wants(step) {
            left_out.push(step.name());
            continue;
        }
        println!("\n=== {} ===", step.name());
        let watch = Stopwatch::start();
        let outcome = step.run();
        let seconds = watch.elapsed().as_secs_f64();
        match outcome {
            Ok(tally) => {
                total += tally;
                total += Tally::passed(1);
                println!("=== {}: ok, {} checks in {seconds:.1} s ===", step.name(), tally.passed);
            }
            Err(error) => {
                println!("=== {}: FAILED after {seconds:.1} s ===", step.name());
                println!("{} passed, {} failed", total.passed, total.failed + 1);
                return Err(error).context(format!("step {}", step.name()));
            }
        }
    }
    if !left_out.is_empty() {
        println!("\nNOT RUN, because it was asked so: {}", left_out.join(", "));
    }
    println!("\n{} passed, {} failed in {:.0} s", total.passed, total.failed, whole.elapsed().as_secs_f64());
    Ok(())
}

// === impl Options ===

impl Options {
    fn wants(&self, step: Step) -> bool {
        (self.only.is_empty() || self.only.contains(&step)) && !self.skip.contains(&step)
    }
}

// === impl Step ===

impl Step {
    fn name(self) -> &'static str {
        match self {
            Self::Fmt => "fmt",
            Self::Clippy => "clippy",
            Self::Tidy => "tidy",
            Self::Unit => "unit",
            Self::Doc => "doc",
            Self::Fuzz => "fuzz",
            Self::E2e => "e2e",
        }
    }

    /// What it counted besides itself.
    fn run(self) -> Result<Tally> {
        match self {
            Self::Fmt => process::run(&mut cargo(&["fmt", "--all", "--check"])).map(|()| Tally::default()),
            Self::Clippy => {
                let words =
                    ["clippy", "--quiet", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
                process::run(&mut cargo(&words)).map(|()| Tally::default())
            }
            Self::Tidy => tidy::run(),
            Self::Unit => unit(),
            Self::Doc => doc(),
            Self::Fuzz => fuzz::smoke(),
            Self::E2e => crate::end_to_end(&e2e::Options::default()),
        }
    }
}

/// With nextest where it is: it runs the crates' tests side by side. Nothing depends on which of the two runs them.
fn unit() -> Result<Tally> {
    let words: &[&str] = if process::answers("cargo", &["nextest", "--version"]) {
        &["nextest", "run", "--workspace", "--locked", "--status-level", "fail"]
    } else {
        &["test", "--workspace", "--locked", "--lib", "--bins", "--tests", "--examples"]
    };
    let tally = counted(cargo(words))?;
    if tally.passed == 0 {
        bail!("no test was counted: either none ran, or their runner now reports in other words");
    }
    Ok(tally)
}

/// What is private is documented too: a link that leads nowhere misleads whoever works here.
fn doc() -> Result<Tally> {
    let words = ["doc", "--quiet", "--workspace", "--no-deps", "--document-private-items", "--locked"];
    process::run(cargo(&words).env("RUSTDOCFLAGS", "-D warnings"))?;
    counted(cargo(&["test", "--workspace", "--locked", "--doc"]))
}

fn counted(command: Command) -> Result<Tally> {
    let mut total = Tally::default();
    process::run_read(command, |line| {
        if let Some(tally) = Tally::of_line(line) {
            total += tally;
        }
        true
    })?;
    Ok(total)
}

fn cargo(words: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.args(words).current_dir(tree::root());
    command
}

#[cfg(test)]
mod tests {
    use super::{Options, Step};

    #[test]
    fn what_is_asked_for_runs() {
        let all = Options { only: vec![], skip: vec![] };
        assert!(all.wants(Step::Fmt) && all.wants(Step::E2e));
        let only = Options { only: vec![Step::Tidy, Step::Unit], skip: vec![Step::Unit] };
        assert!(only.wants(Step::Tidy) && !only.wants(Step::Unit) && !only.wants(Step::Fmt));
    }
}
