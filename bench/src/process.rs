//! The programs under test: started on a core of their own, measured as a whole process tree, always ended.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};

/// How long a process may take to end on its own after being asked to.
const PATIENCE: Duration = Duration::from_secs(3);
/// Length of one tick of `/proc/PID/stat` (nanoseconds); 100 a second on every Linux of today.
const TICK_NS: u64 = 10_000_000;

/// The core of the program that is measured. The other one is this process's, with simulator and client.
const TARGET_CORE: &str = "0";

/// The word with which this program does nothing but keep a core awake.
pub(crate) const SPIN: &str = "spin";

/// Keeps this thread's core busy until the process is ended.
pub(crate) fn spin() -> ! {
    loop {
        std::hint::spin_loop();
    }
}

/// A child process that is ended when dropped.
pub(crate) struct Process {
    child: Child,
}

/// Memory of a process tree, in bytes.
#[derive(Clone, Copy, Default)]
pub(crate) struct Memory {
    /// Resident set: pages in memory, shared ones counted in each process.
    pub(crate) rss: u64,
    /// Proportional set: shared pages divided among their users.
    pub(crate) pss: u64,
}

impl Process {
    /// Starts `program`, `pinned` to the core that is measured or wherever there is room; its output goes to `log`.
    ///
    /// # Errors
    /// When it can not be started.
    pub(crate) fn start(
        program: &Path,
        arguments: &[String],
        environment: &[(&str, String)],
        pinned: bool,
        log: &Path,
    ) -> Result<Self> {
        let output = fs::File::create(log).with_context(|| format!("creating {}", log.display()))?;
        let mut command = if pinned {
            let mut command = Command::new("taskset");
            command.args(["-c", TARGET_CORE]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.args(arguments).envs(environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let child = command.spawn().with_context(|| format!("starting {}", program.display()))?;
        Ok(Self { child })
    }

    /// Keeps the core that is measured from going idle: a loop that runs when nothing else wants to. A virtual machine gives an idle core
    /// back, and may wait long for it when the next event comes; what is measured then is the neighbours.
    ///
    /// # Errors
    /// When it can not be started.
    pub(crate) fn keep_awake(log: &Path) -> Result<Self> {
        let this = std::env::current_exe()?.display().to_string();
        let arguments = ["--idle", "0", "taskset", "-c", TARGET_CORE, &this, SPIN].map(str::to_owned);
        Self::start(Path::new("chrt"), &arguments, &[], false, log)
    }

    /// Whether it still runs.
    pub(crate) fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// CPU time used so far by the process, its threads and its descendants (nanoseconds).
    pub(crate) fn cpu_ns(&self) -> u64 {
        tree(self.child.id()).iter().map(|pid| cpu_of(*pid)).sum()
    }

    /// Memory used now by the process and its descendants.
    pub(crate) fn memory(&self) -> Memory {
        tree(self.child.id())
            .iter()
            .map(|pid| memory_of(*pid))
            .fold(Memory::default(), |sum, one| Memory { rss: sum.rss + one.rss, pss: sum.pss + one.pss })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // nginx's master must get the chance to end its worker, so it is asked before it is killed.
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        if asked.is_ok_and(|status| status.success()) {
            let step = Duration::from_millis(20);
            let mut waited = Duration::ZERO;
            while waited < PATIENCE && self.runs() {
                std::thread::sleep(step);
                waited += step;
            }
        }
        // Both fail only when the process has ended already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where the machine's time went, all cores together: the first row of `/proc/stat`.
#[derive(Clone, Default)]
pub(crate) struct Machine {
    ticks: Vec<u64>,
}

impl Machine {
    /// Reads the counters of now.
    pub(crate) fn now() -> Self {
        let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
        let row = stat.lines().find_map(|line| line.strip_prefix("cpu ")).unwrap_or_default();
        Self { ticks: row.split_whitespace().filter_map(|word| word.parse().ok()).collect() }
    }

    /// Share of the time since `earlier` that the hypervisor gave to others, 0 to 1.
    pub(crate) fn stolen_since(&self, earlier: &Self) -> f64 {
        // Columns past the eighth (guests) are contained in the first two.
        let spent =
            self.ticks.iter().zip(&earlier.ticks).take(8).map(|(now, then)| now.saturating_sub(*then));
        let spent: Vec<u64> = spent.collect();
        let (all, stolen) = (spent.iter().sum::<u64>(), spent.get(7).copied().unwrap_or(0));
        if all == 0 { 0.0 } else { stolen as f64 / all as f64 }
    }
}

/// `root` and all its descendants.
fn tree(root: u32) -> Vec<u32> {
    let mut parents = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        if let Some(parent) = stat_field(&entry.path(), 1) {
            parents.insert(pid, parent);
        }
    }
    let mut tree = vec![root];
    let mut next = 0;
    while let Some(&parent) = tree.get(next) {
        tree.extend(parents.iter().filter(|(_, of)| **of == u64::from(parent)).map(|(pid, _)| *pid));
        next += 1;
    }
    tree
}

/// A number of `/proc/PID/stat`, counted from the state letter behind the name (which may hold anything).
fn stat_field(folder: &Path, index: usize) -> Option<u64> {
    let stat = fs::read_to_string(folder.join("stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(index)?.parse().ok()
}

/// The scheduler's own account where the kernel keeps it (exact), else the ticks of `stat`.
fn cpu_of(pid: u32) -> u64 {
    let folder = PathBuf::from(format!("/proc/{pid}"));
    let tasks = fs::read_dir(folder.join("task")).into_iter().flatten().flatten();
    let exact: u64 = tasks
        .filter_map(|task| fs::read_to_string(task.path().join("schedstat")).ok())
        .filter_map(|line| line.split_whitespace().next()?.parse::<u64>().ok())
        .sum();
    if exact > 0 {
        return exact;
    }
    let ticks = stat_field(&folder, 11).unwrap_or(0) + stat_field(&folder, 12).unwrap_or(0);
    ticks * TICK_NS
}

fn memory_of(pid: u32) -> Memory {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let bytes = |key: &str| {
        let line = rollup.lines().find_map(|line| line.strip_prefix(key))?;
        line.split_whitespace().next()?.parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
    };
    Memory { rss: bytes("Rss:").unwrap_or(0), pss: bytes("Pss:").unwrap_or(0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_measured_and_ended() {
        let log = std::env::temp_dir().join(format!("qm-bench-process-{}", std::process::id()));
        let script = "(while :; do :; done) & wait".to_owned();
        let mut process = Process::start(Path::new("sh"), &["-c".into(), script], &[], false, &log).unwrap();
        while tree(process.child.id()).len() < 2 || process.cpu_ns() < 20_000_000 {
            assert!(process.runs());
            std::thread::yield_now();
        }
        assert!(process.memory().rss >= process.memory().pss && process.memory().pss > 0);
        let spinning = tree(process.child.id())[1];
        drop(process);
        assert!(Command::new("kill").arg("-KILL").arg(spinning.to_string()).status().unwrap().success());
        fs::remove_file(log).unwrap();
    }

    #[test]
    fn shares_are_of_the_time_between() {
        let at = |ticks: [u64; 10]| Machine { ticks: ticks.to_vec() };
        let (then, now) = (at([0; 10]), at([30, 0, 10, 50, 5, 0, 0, 5, 7, 7]));
        assert!((now.stolen_since(&then) - 0.05).abs() < 1e-9);
        assert!(Machine::now().stolen_since(&Machine::default()) < 1.0);
    }
}
