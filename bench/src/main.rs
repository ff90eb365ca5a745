//! Measures the gateway against nginx as a byte proxy, before the same simulator, in one interleaved run.
//!
//! Knows: how to start the programs, load them, measure them, and which floors must hold.
//! Must not know: any of the gateway's own code. It sees what a client and the kernel see.

mod answer;
mod bodies;
mod http;
mod load;
mod page;
mod plan;
mod process;
mod report;
mod rig;
mod speed;
mod statistics;
mod storm;
mod workload;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser;
use tokio::task::LocalSet;

use crate::plan::{Effort, Shape};
use crate::rig::Tools;

/// Measures a gateway's CPU, delay and memory against nginx's.
#[derive(Parser)]
struct Options {
    /// The gateway's binary.
    #[arg(long)]
    quartermaster: PathBuf,
    /// nginx's binary.
    #[arg(long, default_value = "nginx")]
    nginx: PathBuf,
    /// A folder for logs and configuration, created when missing.
    #[arg(long)]
    scratch: PathBuf,
    /// Short windows: enough to see a regression, not to publish.
    #[arg(long)]
    quick: bool,
    /// Leave it to the scheduler where programs run (for machines with one core or without taskset).
    #[arg(long)]
    unpinned: bool,
    /// Only these shapes of load; all of them by default.
    #[arg(long, value_name = "SHAPE")]
    only: Vec<Shape>,
    /// Fail when a floor is missed.
    #[arg(long)]
    check: bool,
    /// Open files that each process may have; 5,000 streams need some 11,000.
    #[arg(long, default_value_t = 20_000)]
    open_files: u64,
    /// Write the results as a page to this file.
    #[arg(long)]
    page: Option<PathBuf>,
    /// What was built, for the page: commit and profile.
    #[arg(long, default_value = "unknown build")]
    build: String,
}

fn main() -> Result<ExitCode> {
    if std::env::args().nth(1).as_deref() == Some(process::SPIN) {
        process::spin();
    }
    let options = Options::parse();
    std::fs::create_dir_all(&options.scratch).context("creating the scratch folder")?;
    let tools = Tools {
        quartermaster: options.quartermaster.canonicalize().context("the gateway's binary")?,
        nginx: options.nginx.clone(),
        pinned: !options.unpinned,
        scratch: options.scratch.canonicalize()?,
        open_files: options.open_files,
    };
    let effort = if options.quick { Effort::QUICK } else { Effort::FULL };
    let chosen = if options.only.is_empty() { &Shape::ALL } else { options.only.as_slice() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut say = |line: &str| drop(writeln!(std::io::stderr().lock(), "bench: {line}"));
    let run = async {
        // Polls without ever sleeping, while it lives: who writes to this core must not have to wake it.
        let _watch = tokio::task::spawn_local(async {
            loop {
                tokio::task::yield_now().await;
            }
        });
        plan::run(&tools, effort, chosen, &mut say).await
    };
    let results = LocalSet::new().block_on(&runtime, run)?;
    let rows = report::rows(&results);
    let (table, rig_table) = (report::table(&rows), report::rig_table(&results));
    writeln!(std::io::stdout().lock(), "{table}\n{rig_table}")?;
    if let Some(file) = &options.page {
        let facts = page::Facts::gather(&options.build, &options.nginx);
        std::fs::write(file, page::render(&facts, &results, &table, &rig_table))
            .context("writing the page")?;
    }
    let missed = rows.iter().filter(|row| !row.holds()).count();
    let floors = rows.iter().filter(|row| row.has_floor()).count();
    writeln!(std::io::stdout().lock(), "{} of {floors} floors hold", floors - missed)?;
    Ok(if options.check && missed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
