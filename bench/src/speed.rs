//! How fast this machine is beside the one on which the floors were set.
//!
//! Floors for CPU are ratios, measured in the same run. That for an event's delay is a time: so many milliseconds while 600
//! streams run. A machine that takes twice as long for the same system calls has twice as busy a core with
//! them, and a queue before it that nobody set a floor for.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::time::Instant;

/// What is sent to and fro (bytes): an event.
const EVENT: [u8; 150] = [b'x'; 150];
/// One write and one read of it over loopback, by one thread, where the floors were set.
pub(crate) const THERE: Duration = Duration::from_nanos(5_730);
/// Streams that the floors speak of.
pub(crate) const STREAMS: usize = 600;

/// One write and one read of an event over loopback, by one thread: the fastest of several medians, for what slows one of
/// them down is not the machine's own.
///
/// # Errors
/// When the machine has no loopback.
pub(crate) async fn write_and_read() -> Result<Duration> {
    const PROBES: usize = 10;
    let mut fastest = Duration::MAX;
    for _ in 0..PROBES {
        fastest = fastest.min(probe()?);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(fastest)
}

fn probe() -> Result<Duration> {
    const BATCHES: usize = 51;
    const BATCH: u32 = 200;
    let listener = TcpListener::bind("127.0.0.1:0").context("listening on loopback")?;
    let mut near = TcpStream::connect(listener.local_addr()?)?;
    let (mut far, _) = listener.accept()?;
    near.set_nodelay(true)?;
    let mut batches = Vec::with_capacity(BATCHES);
    let mut read = [0; EVENT.len()];
    for _ in 0..BATCHES {
        let start = Instant::now();
        for _ in 0..BATCH {
            near.write_all(&EVENT)?;
            far.read_exact(&mut read)?;
        }
        batches.push(start.elapsed() / BATCH);
    }
    batches.sort_unstable();
    Ok(batches[BATCHES / 2])
}

/// As many streams as keep a core of this machine as busy as 600 kept one there; never more.
pub(crate) fn streams(here: Duration) -> usize {
    let scale = THERE.as_secs_f64() / here.as_secs_f64();
    ((STREAMS as f64 * scale / 10.0).round() as usize * 10).clamp(10, STREAMS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slower_machine_gets_fewer_streams() {
        let micros = |micros: f64| Duration::from_secs_f64(micros / 1e6);
        assert_eq!(streams(micros(5.73)), 600);
        assert_eq!(streams(micros(11.46)), 300);
        assert_eq!(streams(micros(3.0)), 600);
        assert_eq!(streams(micros(1e6)), 10);
        assert!(probe().unwrap() > Duration::ZERO);
    }
}
