//! The command line. Flags for settings are made from the settings table, so that there is one list of them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Arg, ArgMatches, Args, FromArgMatches, Parser, Subcommand};

use crate::accounts::Accounts;
use crate::audit::Audit;
use crate::config::{self, Config, Mistakes, SETTINGS, Scope, Sources};
use crate::doctor::Doctor;
use crate::keys::Keys;
use crate::login::Login;
use crate::migrate::Migrate;
use crate::rekey::Rekey;
use crate::simulate_pick::SimulatePick;
use crate::usage::Usage;

/// A gateway that speaks Anthropic's and OpenAI's APIs in front of Amazon Q Developer and Kiro.
#[derive(Debug, Parser)]
#[command(name = "quartermaster", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What the binary can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the gateway
    Serve(Flags),
    /// Run the gateway and a simulated upstream in one process: nothing to configure
    Demo(DemoFlags),
    /// Run the simulated upstream alone, for development and load tests
    Simulate(SimulateFlags),
    /// List, add, import, export, test, renew and switch accounts
    Accounts(Accounts),
    /// Log in at the upstream: shows where to go, and keeps the account
    Login(Login),
    /// Make, list, revoke, rotate and switch API keys
    Keys(Keys),
    /// Show what was used, by day, key, account, model, owner or team
    Usage(Usage),
    /// List what people did, and check that nothing of it was altered
    Audit(Audit),
    /// Show which account a request would get, and why not the others
    SimulatePick(SimulatePick),
    /// Give all that is sealed a new master key
    Rekey(Rekey),
    /// Bring the database's schema up to date, as every start does
    Migrate(Migrate),
    /// Look for what stands between this machine and an answer
    Doctor(Doctor),
    /// Print what would be configured and where each value came from, or every mistake
    CheckConfig(Flags),
    /// Print the document that describes the management API to programs
    Openapi,
    /// Print the version
    Version,
}

/// Flags of the commands that read the whole configuration.
#[derive(Args, Debug)]
pub(crate) struct Flags {
    /// The configuration file.
    #[arg(
        long,
        value_name = "FILE",
        help = "Configuration file [env: QM_CONFIG; default: quartermaster.toml, if it is there]"
    )]
    config: Option<PathBuf>,
    #[command(flatten)]
    overrides: Overrides<false>,
}

impl Flags {
    /// What is configured, or every mistake in it.
    pub(crate) fn configuration(&self) -> Result<Config, Mistakes> {
        config::load(&self.sources())
    }

    /// The configuration in words, secrets hidden, or every mistake in it.
    pub(crate) fn report(&self) -> Result<String, Mistakes> {
        config::describe(&self.sources())
    }

    fn sources(&self) -> Sources {
        let environment = config::environment();
        Sources {
            scope: Scope::Gateway,
            file: config::file_to_read(self.config.as_deref(), &environment),
            flags: self.overrides.0.clone(),
            environment,
        }
    }
}

/// Flags of the demo.
#[derive(Args, Debug)]
pub(crate) struct DemoFlags {
    /// Milliseconds between two pieces of an answer; 0 answers without pauses
    #[arg(long, value_name = "MS", default_value_t = 25)]
    pace_ms: u64,
    #[command(flatten)]
    overrides: Overrides<true>,
}

impl DemoFlags {
    /// What is configured for a demo: no account, no keys, no file.
    pub(crate) fn configuration(&self) -> Result<Config, Mistakes> {
        config::load(&Sources {
            scope: Scope::Demo,
            file: config::FileSource::None,
            flags: self.overrides.0.clone(),
            environment: config::environment(),
        })
    }

    /// The pause between two pieces of an answer.
    pub(crate) fn pace(&self) -> Option<Duration> {
        pause(self.pace_ms)
    }
}

/// Flags of the simulator.
#[derive(Args, Debug)]
pub(crate) struct SimulateFlags {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8090")]
    pub(crate) bind: SocketAddr,
    /// Milliseconds between two pieces of the default answer; 0 answers without pauses
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pace_ms: u64,
    /// Benchmark: answer every chat call with this many prebuilt text events, without looking at it
    #[arg(long, value_name = "N")]
    pub(crate) bench_events: Option<usize>,
    /// Benchmark: bytes of text in one event
    #[arg(long, value_name = "BYTES", default_value_t = 32, requires = "bench_events")]
    pub(crate) bench_bytes: usize,
    /// Benchmark: milliseconds between two writes; 0 writes without pauses
    #[arg(long, value_name = "MS", default_value_t = 0, requires = "bench_events")]
    bench_pace_ms: u64,
    /// Benchmark: begin every event's text with the time it was sent, 20 digits of nanoseconds
    #[arg(long, requires = "bench_events")]
    pub(crate) bench_stamp: bool,
    /// Benchmark: events in one write; 0 writes a whole answer at once
    #[arg(long, value_name = "N", default_value_t = 1, requires = "bench_events")]
    pub(crate) bench_per_write: usize,
}

impl SimulateFlags {
    /// The pause between two pieces of the default answer.
    pub(crate) fn pace(&self) -> Option<Duration> {
        pause(self.pace_ms)
    }

    /// The pause between two writes of a benchmark's answer.
    pub(crate) fn bench_pace(&self) -> Option<Duration> {
        pause(self.bench_pace_ms)
    }
}

fn pause(milliseconds: u64) -> Option<Duration> {
    (milliseconds > 0).then(|| Duration::from_millis(milliseconds))
}

/// Settings given as flags, by their key. The demo takes only those that mean something to it.
#[derive(Clone, Debug)]
struct Overrides<const DEMO: bool>(BTreeMap<&'static str, String>);

impl<const DEMO: bool> Overrides<DEMO> {
    fn settings() -> impl Iterator<Item = (&'static config::Setting, &'static str)> {
        let scope = if DEMO { Scope::Demo } else { Scope::Gateway };
        SETTINGS
            .iter()
            .filter(move |setting| scope.covers(setting))
            .filter_map(|setting| setting.flag.map(|flag| (setting, flag)))
    }
}

impl<const DEMO: bool> Args for Overrides<DEMO> {
    fn augment_args(mut command: clap::Command) -> clap::Command {
        for (setting, flag) in Self::settings() {
            let default = setting.default.map(|text| format!("; default: {text}")).unwrap_or_default();
            let help = format!("{} [env: {}{default}]", setting.doc, setting.environment);
            let long = flag.trim_start_matches('-');
            command = command.arg(Arg::new(setting.key).long(long).value_name(setting.shape).help(help));
        }
        command
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl<const DEMO: bool> FromArgMatches for Overrides<DEMO> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = |key| matches.get_one::<String>(key).cloned();
        Ok(Self(
            Self::settings().filter_map(|(setting, _)| Some((setting.key, given(setting.key)?))).collect(),
        ))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0.extend(Self::from_arg_matches(matches)?.0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn no_secret_can_be_given_as_a_flag_where_every_process_could_read_it() {
        assert!(SETTINGS.iter().all(|setting| !setting.secret || setting.flag.is_none()));
    }

    #[test]
    fn a_flag_becomes_the_setting_of_its_row() {
        let cli = Cli::parse_from(["quartermaster", "serve", "--port", "9", "--surface=q"]);
        let Command::Serve(flags) = cli.command else { panic!("not serve") };
        let expected =
            [("listen.port", "9"), ("upstream.surface", "q")].map(|(key, text)| (key, text.to_owned()));
        assert_eq!(flags.overrides.0, BTreeMap::from(expected));
    }

    #[test]
    fn the_demo_takes_no_flag_of_an_account() {
        assert!(Cli::try_parse_from(["quartermaster", "demo", "--port", "0"]).is_ok());
        assert!(Cli::try_parse_from(["quartermaster", "demo", "--profile-arn", "x"]).is_err());
    }

    #[test]
    fn bench_flags_need_the_bench_and_zero_means_no_pause() {
        assert!(Cli::try_parse_from(["quartermaster", "simulate", "--bench-stamp"]).is_err());
        let cli =
            Cli::parse_from(["quartermaster", "simulate", "--bench-events", "50", "--bench-pace-ms", "20"]);
        let Command::Simulate(flags) = cli.command else { panic!("not simulate") };
        assert_eq!((flags.pace(), flags.bench_pace()), (None, Some(Duration::from_millis(20))));
    }
}
