//! Running other programs.

use std::env;
use std::io::{self, BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Runs a program to its end on this terminal; its failure is ours.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", shown(command)))?;
    if !status.success() {
        bail!("{} failed ({status})", shown(command));
    }
    Ok(())
}

/// Runs a program to its end, giving each line that it prints to `read`, which says whether this terminal shows it.
pub(crate) fn run_read(mut command: Command, mut read: impl FnMut(&str) -> bool) -> Result<()> {
    let name = shown(&command);
    let (output, input) = io::pipe()?;
    command.stdin(Stdio::null()).stdout(input.try_clone()?).stderr(input);
    let mut child = command.spawn().with_context(|| format!("cannot start {name}"))?;
    // The command holds the writing ends; while they are open the output has no end.
    drop(command);
    for line in BufReader::new(output).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        if read(&line) {
            println!("{line}");
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("{name} failed ({status})");
    }
    Ok(())
}

/// What a program prints on stdout.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let name = shown(command);
    let output = command.stderr(Stdio::inherit()).output().with_context(|| format!("cannot start {name}"))?;
    if !output.status.success() {
        bail!("{name} failed ({})", output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("{name} did not print UTF-8"))
}

/// Whether a program is there and says so.
pub(crate) fn answers(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Whether packages of the system may be installed: as root or in CI.
#[expect(clippy::disallowed_methods, reason = "the one variable every CI sets; xtask has no configuration")]
pub(crate) fn may_install() -> bool {
    let ci = env::var("CI").is_ok_and(|value| !value.is_empty() && value != "false" && value != "0");
    ci || read(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}
