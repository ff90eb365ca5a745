//! The newcomer's first minute: `quartermaster demo`, and every line that it prints for pasting.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};

use super::Tally;
use super::process::{Running, tail, within};
use crate::install::Tools;

/// Name of the suite.
pub(crate) const NAME: &str = "demo";

const READY: Duration = Duration::from_secs(20);
const ANSWER: Duration = Duration::from_mins(1);

/// How each printed command begins, what must be in its output, and what is added so that it needs no terminal.
const PASTED: &[(&str, &[&str], &str)] = &[
    ("curl", &["event: message_start", "text_delta", "event: message_stop"], ""),
    ("curl", &["\"type\":\"message\"", "\"stop_reason\":\"end_turn\""], ""),
    ("ANTHROPIC_BASE_URL", &["zebra", "\"is_error\":false"], CLAUDE),
    ("python3", &["."], ""),
    ("python3", &["."], ""),
    ("python3", &["You wrote"], ""),
];

/// Headless, for the note that the demo's banner speaks of.
const CLAUDE: &str = " -p 'Read the file note.txt and tell me what it says.' --output-format json";

/// Starts the demo and runs its commands as they are printed.
pub(crate) fn play(binary: &Path, tools: &Tools, logs: &Path, scratch: &Path) -> anyhow::Result<Tally> {
    let mut command = Command::new(binary);
    command.args(["demo", "--port", "0"]).env_clear().current_dir(logs);
    let mut seen = Vec::new();
    let gather = move |line: &str| {
        let line = line.trim();
        let (start, ..) = PASTED[seen.len()];
        if line.starts_with(&format!("{start}=")) || line.starts_with(&format!("{start} ")) {
            seen.push(line.to_owned());
        }
        (seen.len() == PASTED.len()).then(|| seen.clone())
    };
    let (_demo, lines) = Running::start(&mut command, &logs.join("demo-gateway.log"), READY, gather)?;
    fs::write(scratch.join("note.txt"), "The secret word is zebra.\n")?;
    let log = logs.join("demo.log");
    for (line, (_, expected, more)) in lines.iter().zip(PASTED) {
        let mut shell = Command::new("bash");
        shell.arg("-c").arg(format!("{line}{more}"));
        environment(&mut shell, tools, scratch)?;
        let status = within(shell.current_dir(scratch), ANSWER, &log)?;
        let answer = fs::read_to_string(&log)?;
        if !status.is_some_and(|status| status.success()) {
            bail!("a printed line failed: {line}{more}");
        }
        if let Some(missing) = expected.iter().find(|text| !answer.contains(**text)) {
            bail!("the answer to a printed line lacks `{missing}`: {line}{more}\n{}", tail(&log, 20));
        }
    }
    Ok(Tally { passed: u32::try_from(PASTED.len())?, failed: 0 })
}

/// The installed tools first in the path, of the Pythons the one that has both vendors' SDKs, a home of its own, and nothing but loopback in reach.
fn environment(shell: &mut Command, tools: &Tools, scratch: &Path) -> anyhow::Result<()> {
    let folders =
        [&tools.agents, &tools.claude].into_iter().filter_map(|tool| tool.parent().map(Path::to_path_buf));
    let host = std::env::var_os("PATH").context("there is no PATH")?;
    let path = std::env::join_paths(folders.chain(std::env::split_paths(&host)))?;
    shell
        .env("PATH", path)
        .env("HOME", scratch)
        .env("IS_SANDBOX", "1")
        .env("NO_PROXY", "127.0.0.1,localhost");
    shell.env("HTTPS_PROXY", "http://127.0.0.1:9").env("HTTP_PROXY", "http://127.0.0.1:9");
    for switch in ["CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "DISABLE_TELEMETRY", "DISABLE_AUTOUPDATER"] {
        shell.env(switch, "1");
    }
    Ok(())
}
