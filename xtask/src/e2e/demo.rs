//! The newcomer's first minute: `quartermaster demo`, and the lines that it prints.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::bail;

use super::Tally;
use super::process::{Running, tail, within};
use crate::install::Tools;

/// Name of the suite.
pub(crate) const NAME: &str = "demo";

const READY: Duration = Duration::from_secs(20);
const ANSWER: Duration = Duration::from_mins(1);

/// Starts the demo and runs its curl line as it is printed.
pub(crate) fn play(binary: &Path, _tools: &Tools, logs: &Path) -> anyhow::Result<Tally> {
    let mut command = Command::new(binary);
    command.args(["demo", "--port", "0"]).env_clear().current_dir(logs);
    let mut lines = Lines::default();
    let (_demo, curl) =
        Running::start(&mut command, &logs.join("demo.log"), READY, move |line| lines.add(line))?;
    let log = logs.join("demo-curl.log");
    let status = within(Command::new("bash").args(["-c", &curl]), ANSWER, &log)?;
    let answer = fs::read_to_string(&log)?;
    if !status.is_some_and(|status| status.success()) {
        bail!("the printed curl line failed: {curl}");
    }
    let streamed = answer.contains("event: message_stop") && answer.contains("text_delta");
    let whole = answer.contains("\"type\":\"message\"") && answer.contains("\"stop_reason\":\"end_turn\"");
    if !streamed && !whole {
        bail!("the printed curl line got no whole answer: {curl}\n{}", tail(&log, 20));
    }
    Ok(Tally { passed: 1, failed: 0 })
}

/// Gathers the first curl command, which may go over several lines by trailing backslashes.
#[derive(Default)]
struct Lines {
    curl: String,
}

impl Lines {
    fn add(&mut self, line: &str) -> Option<String> {
        let line = line.trim();
        if self.curl.is_empty() && !line.starts_with("curl ") {
            return None;
        }
        let (part, more) = line.strip_suffix('\\').map_or((line, false), |part| (part, true));
        self.curl.push_str(part);
        // A quoted body may go over several lines as well.
        let open = self.curl.matches('\'').count() % 2 == 1;
        if open {
            self.curl.push('\n');
        }
        (!more && !open).then(|| self.curl.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::Lines;

    #[test]
    fn joins_the_lines_of_one_command() {
        let mut lines = Lines::default();
        assert_eq!(lines.add("Try it:"), None);
        assert_eq!(lines.add("  curl -N http://x \\"), None);
        assert_eq!(lines.add("    -d '{\"a\":1,"), None);
        assert_eq!(lines.add("\"b\":2}'"), Some("curl -N http://x -d '{\"a\":1,\n\"b\":2}'".to_owned()));
    }
}
