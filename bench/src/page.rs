//! The page of results: what was measured where, how, and what came out.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::plan::Results;
use crate::speed;

/// Where and of what the numbers are.
pub(crate) struct Facts {
    build: String,
    date: String,
    kernel: String,
    processor: String,
    nginx: String,
}

impl Facts {
    /// Asks the machine; what it does not say stays "unknown".
    pub(crate) fn gather(build: &str, nginx: &Path) -> Self {
        let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = processor.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let cores = processor.lines().filter(|line| line.starts_with("processor")).count();
        Self {
            build: build.to_owned(),
            date: output(Command::new("date").args(["-u", "+%Y-%m-%d"])),
            kernel: output(Command::new("uname").arg("-sr")),
            processor: format!("{cores} × {}", model.map_or("unknown", |(_, model)| model)),
            nginx: output(Command::new(nginx).arg("-v")).replace("nginx version: ", ""),
        }
    }
}

/// The whole page in Markdown.
pub(crate) fn render(facts: &Facts, results: &Results, table: &str, rig_table: &str) -> String {
    let Facts { build, date, kernel, processor, nginx } = facts;
    let [here, there] = [results.write_and_read, speed::THERE].map(|time| time.as_secs_f64() * 1e6);
    let streams = speed::streams(results.write_and_read);
    let (small, large) = (results.small_bytes, results.large_bytes);
    format!(
        "# Benchmarks\n\n\
         Written by `cargo xtask bench`; run it to get your own. All numbers are of one run on one machine, and \
         only the ratios mean something elsewhere.\n\n\
         {date}, {build}, {kernel}, {processor}, {nginx}.\n\n\
         ## Results\n\n{table}\n\
         ## The rig in this run\n\n{rig_table}\n\
         {METHOD}\n\
         One write and one read of 150 bytes over loopback take {here:.1} µs here and took {there:.2} µs where the floors \
         were set: {streams} streams are as many as keep a core as busy as 600 did there, or 600 if that is less.\n\n\
         The small body has {small} bytes, the conversation {large} (18 tools, turns of tool use and results).\n"
    )
}

const METHOD: &str = "\
## Method

* One simulator of the upstream answers both arms with the same bytes: 50 text events of 32 bytes and the events
  around them. **nginx** (one worker, `proxy_buffering off`, kept connections, no log) passes the upstream's own
  request and event stream through unread; **the gateway** (as shipped, keys checked) gets an Anthropic request and
  answers with server-sent events. The upstream's request that nginx passes is what the gateway made of the client's.
* nginx passes a request's body on as it comes (`proxy_request_buffering off`), as a proxy that reads nothing would,
  through a buffer of 128 KB. For the 200 KB body the buffer's size matters more than the streaming. Against taking the
  whole body into memory first, in the same short run each, streaming cost 1.33× with 16 KB (nginx's default), 1.28×
  with 64 KB, 0.91 – 1.05× with 128 KB, 1.04× with 256 KB, 0.91× with 1 MB: so 128 KB, where nginx is about at its
  cheapest. An earlier run under other load had 238 µs streamed, 59 – 79 µs whole in memory, and
  496 µs with nginx's defaults, where the body goes through a file. The form that waits for the whole body has a row
  without a floor.
* The program measured has core 0 to itself; simulator and client are one thread on core 1. CPU is the scheduler's account
  of the whole process tree over thousands of answers, with what is done behind them (400 ms are waited for it), memory
  the sum over the tree.
* Both cores are kept awake: core 1 polls without sleeping, core 0 has a loop that runs when nothing else wants to
  (`SCHED_IDLE`). A virtual machine gives an idle core back and may wait long for it: without the loop, up to 40 % of
  the time was stolen in workloads that are half asleep, and the stolen time was in both arms' delays and CPU.
* Each round has programs of its own: how its memory happens to lie makes one process of nginx cost half as much again as the
  next, which rounds with one process never showed. The arms take turns within a round, and every second round runs
  backwards. A ratio is taken within a round,
  against the mean of nginx's two windows; the table has the median of the rounds. How far nginx's two windows are
  apart says what the rig can not resolve.
* Closed loop on kept connections. Every answer is read to its end and must hold all its events; before a workload the
  text is compared byte for byte. One lost event, and there is no number.
* Delay: each event of a paced stream begins with the time of its writing, the client notes its arrival, and \"added\"
  is the median less that of asking the simulator directly. The streams begin evenly over the length of an answer and
  stand evenly in the 20 ms between two events of each, to 10 µs: on a clock of whole milliseconds they would come 30 at
  a time, and the queue would be measured. Delays and CPU of paced streams are those of the time in which every
  stream runs: not before the last has begun, not after the first was done.
* 600 streams are 30,000 events a second. Where the floors were set these were 30 % of a core for nginx; on a machine
  whose system calls take longer they are more, and the delay is a queue before a busy core. The floors for CPU are
  ratios and that for the delay is a time, so there are rows with fewer streams too: as many as keep a core of this
  machine as busy as 600 kept one there.
* What the ledger costs is the ratio of one gateway to itself while it is told to keep none, six windows each in turns, in
  each round: it is less than one process and the next differ by.
* The 5,000 streams arrive at once at freshly started programs. Their first event comes as soon as they are heard, the
  others at one a second; memory is read when each has brought two.
";

fn output(command: &mut Command) -> String {
    let unknown = || "unknown".to_owned();
    let Ok(output) = command.output() else { return unknown() };
    // nginx says its version on the error stream.
    let said = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    String::from_utf8(said).map_or_else(|_| unknown(), |said| said.trim().to_owned())
}
