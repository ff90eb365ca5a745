//! What the end-to-end tests need, fetched by package name into `.e2e/` (and `node_modules` beside each lock file).
//!
//! System packages are installed only as root or in CI; elsewhere the error says what to install. Nothing is skipped.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::process::{answers, may_install, run};

/// Claude Code, as its platform package: the wrapper package wants a newer Node than many hosts have.
const CLAUDE_CODE: &str = "2.1.329";
/// `OpenAI`'s agent on the command line.
const CODEX: &str = "0.169.0";
/// Another agent, as its platform package: the wrapper package brings several of them.
const OPENCODE: &str = "1.18.33";
/// What installs the Python packages: in seconds, where pip takes minutes for the same.
const UV: &str = "0.13.9";
/// The oldest Node that the SDKs support.
const NODE_MAJOR: u32 = 22;

/// A program of the system.
struct Need {
    program: &'static str,
    /// Arguments with which it succeeds if all is there.
    probe: &'static [&'static str],
    packages: &'static [&'static str],
}

const NEEDS: &[Need] = &[
    Need { program: "curl", probe: &["--version"], packages: &["curl"] },
    Need { program: "git", probe: &["--version"], packages: &["git"] },
    Need { program: "npm", probe: &["--version"], packages: &["nodejs", "npm"] },
    Need {
        program: "python3",
        probe: &["-c", "import ensurepip, venv"],
        packages: &["python3", "python3-venv"],
    },
];

/// Where the tools are.
#[derive(Debug)]
pub(crate) struct Tools {
    /// Python with Anthropic's SDK.
    pub(crate) python: PathBuf,
    /// Python with `OpenAI`'s SDK and the frameworks that are built on both SDKs.
    pub(crate) agents: PathBuf,
    /// Python with litellm.
    pub(crate) litellm: PathBuf,
    /// Python with schemathesis.
    pub(crate) schemathesis: PathBuf,
    /// Python with aider, which wants older versions of what the others use.
    pub(crate) aider: PathBuf,
    /// Node, new enough for the SDKs.
    pub(crate) node: PathBuf,
    /// The Claude Code binary.
    pub(crate) claude: PathBuf,
    /// The Codex program, which wants Node.
    pub(crate) codex: PathBuf,
    /// The opencode binary.
    pub(crate) opencode: PathBuf,
}

/// Brings everything here. A second call installs nothing.
pub(crate) fn install(root: &Path) -> anyhow::Result<Tools> {
    system()?;
    let place = root.join(".e2e");
    fs::create_dir_all(&place)?;
    let uv = uv(&place)?;
    let python_of = |client: &str| python(root, &place, &uv, client, &format!("requirements-{client}.txt"));
    let python = python(root, &place, &uv, "python", "requirements.txt")?;
    let agents = python_of("agents")?;
    let litellm = python_of("litellm")?;
    let aider = python_of("aider")?;
    let schemathesis = python_of("schemathesis")?;
    let node = node(&place)?;
    locked(&root.join("e2e/node"))?;
    locked(&root.join("crates/simulator/tests/aws-client"))?;
    let claude = claude(&place)?;
    let codex = package_of(&place, "codex", "@openai/codex", CODEX, "bin/codex.js")?;
    let opencode =
        package_of(&place, "opencode", &format!("opencode-{}", platform()?), OPENCODE, "bin/opencode")?;
    Ok(Tools { python, agents, litellm, schemathesis, aider, node, claude, codex, opencode })
}

/// [`UV`], in a virtual environment of its own.
fn uv(place: &Path) -> anyhow::Result<PathBuf> {
    let home = place.join("uv");
    let uv = home.join("bin/uv");
    once(&place.join("uv.stamp"), UV, &uv, || by_pip(&home, [format!("uv=={UV}").as_ref()]))?;
    Ok(uv)
}

/// A virtual environment with what pip makes of this.
fn by_pip<const N: usize>(home: &Path, wanted: [&OsStr; N]) -> anyhow::Result<()> {
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(home))?;
    let mut pip = Command::new(home.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    run(pip.args(wanted))
}

/// A virtual environment with the versions of this list: those that its client is tested with.
fn python(root: &Path, place: &Path, uv: &Path, folder: &str, list: &str) -> anyhow::Result<PathBuf> {
    let wanted = root.join("e2e/python").join(list);
    let home = place.join(folder);
    let python = home.join("bin/python");
    once(&place.join(format!("{folder}.stamp")), &fs::read_to_string(&wanted)?, &python, || {
        let made = run(Command::new(uv)
            .args(["venv", "--quiet", "--clear", "--no-managed-python", "--python", "python3"])
            .arg(&home));
        let filled = made.and_then(|()| {
            let mut install = Command::new(uv);
            install.args(["pip", "install", "--quiet", "--system-certs", "--python"]).arg(&python);
            run(install.arg("-r").arg(&wanted))
        });
        let Err(error) = filled else { return Ok(()) };
        // It knows nothing of pip's own settings, such as another index.
        println!("{error:#}; pip tries it");
        by_pip(&home, ["-r".as_ref(), wanted.as_ref()])
    })?;
    Ok(python)
}

/// The host's Node, or one from the registry where that is too old.
fn node(place: &Path) -> anyhow::Result<PathBuf> {
    let host = Command::new("node").arg("--version").output().ok();
    let host = host.and_then(|out| String::from_utf8(out.stdout).ok());
    let major =
        host.as_deref().and_then(|v| v.trim().strip_prefix('v')?.split('.').next()?.parse::<u32>().ok());
    if major.is_some_and(|major| major >= NODE_MAJOR) {
        return Ok(PathBuf::from("node"));
    }
    let package = format!("node-{}", platform()?);
    package_of(place, "node22", &package, &NODE_MAJOR.to_string(), "bin/node")
}

fn claude(place: &Path) -> anyhow::Result<PathBuf> {
    let package = format!("@anthropic-ai/claude-code-{}", platform()?);
    package_of(place, "claude", &package, CLAUDE_CODE, "claude")
}

/// One npm package in a folder of its own; `inside` is the file wanted from it.
fn package_of(
    place: &Path,
    folder: &str,
    package: &str,
    version: &str,
    inside: &str,
) -> anyhow::Result<PathBuf> {
    let home = place.join(folder);
    let file = home.join("node_modules").join(package).join(inside);
    once(&place.join(format!("{folder}.stamp")), &format!("{package}@{version}"), &file, || {
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-save", "--no-audit", "--no-fund", "--force", "--prefix"]).arg(&home);
        run(npm.arg(format!("{package}@{version}")))
    })?;
    Ok(file)
}

/// `npm ci` where a lock file lies.
fn locked(folder: &Path) -> anyhow::Result<()> {
    let lock = folder.join("package-lock.json");
    let wanted = fs::read_to_string(&lock).with_context(|| format!("{} is missing", lock.display()))?;
    let modules = folder.join("node_modules");
    once(&modules.join(".quartermaster.stamp"), &wanted, &modules, || {
        run(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(folder))
    })
}

/// Does `work` unless the stamp says that it was done for the same input and the result is still there.
fn once(
    stamp: &Path,
    input: &str,
    result: &Path,
    work: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    if result.exists() && fs::read_to_string(stamp).is_ok_and(|done| done == input) {
        return Ok(());
    }
    // What breaks off half-way must not be taken for whole the next time.
    let _ = fs::remove_file(stamp);
    work()?;
    if !result.exists() {
        bail!("the installation went through, but {} is not there", result.display());
    }
    fs::write(stamp, input).with_context(|| format!("could not write {}", stamp.display()))
}

/// The programs of the system: there already, or installed as root or in CI, or an error that says what to install.
fn system() -> anyhow::Result<()> {
    let missing = missing();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().flat_map(|need| need.packages).copied().collect();
    let programs: Vec<&str> = missing.iter().map(|need| need.program).collect();
    let (programs, names) = (programs.join(", "), packages.join(" "));
    if !may_install() {
        bail!(
            "the end-to-end tests need programs that do not work here: {programs}. Install them (Debian: sudo apt-get install {names}) and run this again."
        );
    }
    let sudo = !root_user() && answers("sudo", &["-n", "true"]);
    let apt = |arguments: &[&str]| {
        let mut apt = Command::new(if sudo { "sudo" } else { "apt-get" });
        if sudo {
            apt.arg("apt-get");
        }
        run(apt.env("DEBIAN_FRONTEND", "noninteractive").args(arguments))
    };
    apt(&["update", "-qq"])?;
    let mut arguments = vec!["install", "-qq", "-y", "--no-install-recommends"];
    arguments.extend(packages);
    apt(&arguments)?;
    match self::missing().first() {
        None => Ok(()),
        Some(need) => bail!("{names} was installed, but `{}` still does not work", need.program),
    }
}

fn missing() -> Vec<&'static Need> {
    NEEDS.iter().filter(|need| !answers(need.program, need.probe)).collect()
}

fn root_user() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|out| out.stdout.trim_ascii() == b"0")
}

/// The platform as npm packages name it.
fn platform() -> anyhow::Result<&'static str> {
    Ok(match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => "linux-x64",
        ("linux", "aarch64") => "linux-arm64",
        ("macos", "x86_64") => "darwin-x64",
        ("macos", "aarch64") => "darwin-arm64",
        (os, arch) => bail!("the end-to-end tests know no Claude Code package for {os} on {arch}"),
    })
}
