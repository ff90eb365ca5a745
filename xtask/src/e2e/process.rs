//! Child processes: run to an end within a limit, or kept running until dropped.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::clock::Stopwatch;

/// Runs a command with all of its output in `log`. `None` when it had to be killed at the limit.
pub(crate) fn within(
    command: &mut Command,
    limit: Duration,
    log: &Path,
) -> anyhow::Result<Option<ExitStatus>> {
    let file = File::create(log)?;
    command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).process_group(0);
    let mut child = command.spawn().with_context(|| format!("could not run {}", line_of(command)))?;
    let watch = Stopwatch::start();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if watch.elapsed() >= limit {
            // The whole group: an agent's own children must not outlive it.
            let group = format!("-{}", child.id());
            let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A server that runs until this is dropped.
pub(crate) struct Running {
    child: Child,
}

impl Running {
    /// Starts it with stderr in `log`; its stdout is handed to `ready`, line by line, until that has what it looks for.
    pub(crate) fn start<T: Send + 'static>(
        command: &mut Command,
        log: &Path,
        limit: Duration,
        ready: impl FnMut(&str) -> Option<T> + Send + 'static,
    ) -> anyhow::Result<(Self, T)> {
        let line = line_of(command);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(File::create(log)?);
        let mut child = command.spawn().with_context(|| format!("could not run {line}"))?;
        let Some(stdout) = child.stdout.take() else { bail!("{line} has no stdout") };
        let running = Self { child };
        match first_sign(stdout, ready).recv_timeout(limit) {
            Ok(found) => Ok((running, found)),
            Err(_) => bail!("{line} did not say what was expected of it; its log ends:\n{}", tail(log, 20)),
        }
    }

    /// Starts it with both outputs in `log`.
    pub(crate) fn quiet(command: &mut Command, log: &Path) -> anyhow::Result<Self> {
        let file = File::create(log)?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        Ok(Self { child: command.spawn().with_context(|| format!("could not run {}", line_of(command)))? })
    }

    /// Whether it has ended by itself.
    pub(crate) fn ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The last lines of a file.
pub(crate) fn tail(file: &Path, lines: usize) -> String {
    let text = fs::read(file).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

/// Reads all of stdout, so that the child never blocks on it, and reports the first thing that `ready` finds.
fn first_sign<T: Send + 'static>(
    stdout: ChildStdout,
    mut ready: impl FnMut(&str) -> Option<T> + Send + 'static,
) -> mpsc::Receiver<T> {
    let (found, result) = mpsc::channel();
    std::thread::spawn(move || {
        let mut found = Some(found);
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if let (Some(sender), Some(value)) = (&found, found.as_ref().and_then(|_| ready(&line))) {
                let _ = sender.send(value);
                found = None;
            }
        }
    });
    result
}

fn line_of(command: &Command) -> String {
    let mut line = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    line
}
