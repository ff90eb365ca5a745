//! Thousands of streams arriving at once and staying open: time to the first event, and memory while all flow.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use hdrhistogram::Histogram;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::answer::Answer;
use crate::http::Response;
use crate::load::Target;
use crate::process::{Memory, Process};

/// Connections being opened at one time: the listen queue of neither program may overflow, or the kernel's own
/// one-second retry would be measured.
const OPENING: usize = 256;
/// How long all streams may take to flow.
const LIMIT: Duration = Duration::from_mins(1);

/// What the storm showed.
pub(crate) struct Storm {
    /// From the storm's begin to each stream's first text event (nanoseconds).
    pub(crate) first_ns: Histogram<u64>,
    /// CPU of the process until all flow, for each stream (microseconds).
    pub(crate) cpu_us: f64,
    /// Before the first connection.
    pub(crate) idle: Memory,
    /// While all streams flow.
    pub(crate) flowing: Memory,
    /// Some seconds after the last one was closed.
    pub(crate) rested: Memory,
}

/// How far the streams are.
#[derive(Default)]
struct Progress {
    first: Cell<usize>,
    second: Cell<usize>,
    moved: Notify,
}

/// Opens `streams` streams of `target`, waits until each has brought two text events, and measures `process`.
///
/// # Errors
/// When one stream fails or ends, or not all flow within a minute.
pub(crate) async fn run(target: &Target, process: &Process, streams: usize, rest: Duration) -> Result<Storm> {
    let idle = process.memory();
    let progress = Rc::new(Progress::default());
    let opening = Rc::new(Semaphore::new(OPENING));
    let (start, used) = (Instant::now(), process.cpu_ns());
    let mut open = JoinSet::new();
    for _ in 0..streams {
        open.spawn_local(listen(target.clone(), Rc::clone(&opening), Rc::clone(&progress)));
    }
    let mut first_ns = Histogram::new_with_bounds(1, 600_000_000_000, 3)?;
    let flowing = async {
        let mut counted = 0;
        while progress.second.get() < streams {
            tokio::select! {
                () = progress.moved.notified() => {}
                Some(ended) = open.join_next() => match ended.context("a stream's task")? {
                    Ok(()) => bail!("a stream ended while it should flow"),
                    Err(error) => return Err(error),
                },
            }
            let first = progress.first.get();
            first_ns.record_n(start.elapsed().as_nanos() as u64, (first - counted) as u64)?;
            counted = first;
        }
        Ok(())
    };
    tokio::time::timeout(LIMIT, flowing).await.with_context(|| {
        let (first, second) = (progress.first.get(), progress.second.get());
        format!("of {streams} streams {first} had one event and {second} two after {} s", LIMIT.as_secs())
    })??;
    let cpu_us = process.cpu_ns().saturating_sub(used) as f64 / 1e3 / streams as f64;
    let flowing = process.memory();
    open.shutdown().await;
    tokio::time::sleep(rest).await;
    Ok(Storm { first_ns, cpu_us, idle, flowing, rested: process.memory() })
}

/// Reads one stream for as long as it flows.
async fn listen(target: Target, opening: Rc<Semaphore>, progress: Rc<Progress>) -> Result<()> {
    let mut stream = {
        let _turn = opening.acquire().await?;
        TcpStream::connect(target.address).await.context("connecting")?
    };
    stream.write_all(&target.request).await.context("sending the request")?;
    let mut response = Response::new();
    let mut answer = Answer::new(target.form);
    let mut buffer = [0; 2048];
    loop {
        let read = stream.read(&mut buffer).await.context("reading a stream")?;
        if read == 0 {
            bail!("a stream was cut, status {}", response.status());
        }
        let before = answer.seen().texts;
        response.feed(&buffer[..read], |piece| answer.feed(piece, |_| ()))?;
        if response.status() != 200 && response.status() != 0 {
            bail!("status {}", response.status());
        }
        let after = answer.seen().texts;
        progress.count(before, after);
        if response.done() {
            return Ok(());
        }
    }
}

impl Progress {
    fn count(&self, before: u64, after: u64) {
        let mut moved = false;
        for (nth, counter) in [(1, &self.first), (2, &self.second)] {
            if before < nth && after >= nth {
                counter.set(counter.get() + 1);
                moved = true;
            }
        }
        if moved {
            self.moved.notify_one();
        }
    }
}
