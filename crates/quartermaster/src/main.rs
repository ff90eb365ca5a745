//! Quartermaster: the binary that puts all rooms together.
//!
//! Knows: the command line, the configuration, how everything is built from it, and how to stop.
//! Must not know: any format, the upstream's wire, or anything about a single request.

mod access;
mod accounts;
mod audit;
mod banner;
mod cli;
mod config;
mod decided;
mod demo;
mod desk;
mod doctor;
mod first_key;
mod fleet;
mod keyring;
mod keys;
mod ledger;
mod login;
mod migrate;
mod print;
mod progress;
mod rekey;
mod serve;
mod simulate;
mod simulate_pick;
mod stop;
mod telemetry;
mod usage;
mod wiring;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::config::Config;
use crate::desk::{Desk, Place};

/// Thousands of open streams are many small buffers of like sizes: the system's allocator takes more memory for them,
/// and keeps what a burst has left behind.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The command did what it was asked to.
const DONE: ExitCode = ExitCode::SUCCESS;

/// The configuration was refused; the same code that the command line's own mistakes give.
const MISCONFIGURED: u8 = 2;

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    refuse_huge_pages();
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            // Standard error may be closed; there is nobody left to tell.
            drop(writeln!(std::io::stderr().lock(), "quartermaster: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Where the system gives every process huge pages unasked, small streams would fill them only in part.
#[cfg(target_os = "linux")]
fn refuse_huge_pages() {
    // Where that is not allowed, the gateway serves as well, only larger.
    let _refused = nix::sys::prctl::set_thp_disable(true);
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(flags) => match flags.configuration() {
            Ok(config) => on_runtime(&config.log.clone(), done(serve::run(config))),
            Err(mistakes) => refuse(&mistakes),
        },
        Command::Demo(flags) => match flags.configuration() {
            Ok(config) => on_runtime(&config.log.clone(), done(demo::run(config, flags.pace()))),
            Err(mistakes) => refuse(&mistakes),
        },
        Command::Simulate(flags) => on_runtime(&config::Log::default(), done(simulate::run(flags))),
        Command::Accounts(flags) => at_desk(&flags.place, async |_, desk| accounts::run(desk, &flags).await),
        Command::Login(flags) => at_desk(&flags.place, async |_, desk| login::run(desk, &flags).await),
        Command::Keys(flags) => configured(&flags.place, async |config| keys::run(config, &flags).await),
        Command::Usage(flags) => configured(&flags.place, async |config| usage::run(config, &flags).await),
        Command::Audit(flags) => configured(&flags.place, async |config| audit::run(config, &flags).await),
        Command::SimulatePick(flags) => {
            at_desk(&flags.place, async |config, desk| simulate_pick::run(&config.keys, desk, &flags))
        }
        Command::Rekey(flags) => configured(&flags.place, async |config| rekey::run(config, &flags).await),
        Command::Migrate(flags) => {
            configured(&flags.place, async |config| migrate::run(config, &flags).await)
        }
        Command::Doctor(flags) => configured(&flags.place, async |config| doctor::run(config, &flags).await),
        Command::CheckConfig(flags) => match flags.report() {
            Ok(report) => say(&report),
            Err(mistakes) => refuse(&mistakes),
        },
        Command::Openapi => say(&qm_admin::openapi()),
        Command::Version => say(concat!("quartermaster ", env!("CARGO_PKG_VERSION"), "\n")),
    }
}

/// Starts the log and a runtime as wide as the cores this process may use, and stays until `work` is done.
fn on_runtime(
    log: &config::Log,
    work: impl Future<Output = anyhow::Result<ExitCode>>,
) -> anyhow::Result<ExitCode> {
    telemetry::start(log)?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    // On one core, handing work between threads only costs.
    let mut builder = if cores == 1 {
        tokio::runtime::Builder::new_current_thread()
    } else {
        tokio::runtime::Builder::new_multi_thread()
    };
    builder.enable_all().build()?.block_on(work)
}

/// Work that either is done or fails.
async fn done(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<ExitCode> {
    work.await.map(|()| DONE)
}

/// Work on what is configured, by a command that ends.
fn configured(
    place: &Place,
    work: impl AsyncFnOnce(&Config) -> anyhow::Result<ExitCode>,
) -> anyhow::Result<ExitCode> {
    match place.configuration() {
        Ok(config) => on_runtime(&config.log, work(&config)),
        Err(mistakes) => refuse(&mistakes),
    }
}

/// Work on accounts, by a command that ends.
fn at_desk(
    place: &Place,
    work: impl AsyncFnOnce(&Config, &Desk) -> anyhow::Result<ExitCode>,
) -> anyhow::Result<ExitCode> {
    configured(place, async |config| {
        let desk = Desk::open(config, place.json).await?;
        let outcome = work(config, &desk).await;
        desk.close().await;
        outcome
    })
}

fn say(text: &str) -> anyhow::Result<ExitCode> {
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(DONE)
}

/// Every mistake at once, so that one more start is enough.
fn refuse(mistakes: &config::Mistakes) -> anyhow::Result<ExitCode> {
    std::io::stderr().lock().write_all(mistakes.to_string().as_bytes())?;
    Ok(ExitCode::from(MISCONFIGURED))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #[test]
    fn huge_pages_are_refused() {
        super::refuse_huge_pages();
        assert_eq!(nix::sys::prctl::get_thp_disable(), Ok(true));
    }
}
