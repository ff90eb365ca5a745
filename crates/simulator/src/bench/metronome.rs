//! One beat for many paced streams, finer than the runtime's clock.
//!
//! Tokio wakes at whole milliseconds. Of 600 streams with an event each 20 ms it would write 30 in one go, every
//! millisecond: a queue that independent streams do not form, and what is measured behind it is mostly that queue.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Poll, Waker};
use std::time::Duration;

/// Beats in each pace, as long as they are not shorter than [`SHORTEST`] or longer than [`LONGEST`].
const FINENESS: u32 = 200;
const SHORTEST: Duration = Duration::from_micros(100);
const LONGEST: Duration = Duration::from_millis(1);

/// Counts beats while anybody holds it, and wakes those whose beat has come.
#[derive(Debug)]
pub(super) struct Metronome {
    state: Mutex<State>,
    /// How many beats one pace has.
    pace: u64,
}

#[derive(Debug, Default)]
struct State {
    beat: u64,
    started: u64,
    waiting: BTreeMap<u64, Vec<Waker>>,
}

/// The beats of one stream: a pace apart, and evenly spread among those of the other streams.
#[derive(Debug)]
pub(super) struct Beats {
    metronome: Arc<Metronome>,
    due: u64,
}

impl Metronome {
    /// Starts counting, on the runtime it is called in.
    ///
    /// # Errors
    /// When the system grants no timer.
    pub(super) fn start(pace: Duration) -> io::Result<Arc<Self>> {
        let beat = (pace / FINENESS).clamp(SHORTEST, LONGEST);
        let pace = (pace.as_nanos() / beat.as_nanos()).max(1) as u64;
        let metronome = Arc::new(Self { state: Mutex::default(), pace });
        #[expect(
            clippy::disallowed_methods,
            reason = "it beats for all streams and ends with the last holder"
        )]
        tokio::spawn(count(Ticks::every(beat)?, Arc::downgrade(&metronome)));
        Ok(metronome)
    }

    /// The beats of one more stream. The first comes within two paces.
    pub(super) fn join(self: &Arc<Self>) -> Beats {
        let mut state = self.state();
        state.started += 1;
        let due = (state.beat / self.pace + 1) * self.pace + phase(state.started, self.pace);
        drop(state);
        Beats { metronome: Arc::clone(self), due }
    }

    fn advance(&self, beats: u64) {
        let mut state = self.state();
        state.beat += beats;
        let next = state.beat + 1;
        let later = state.waiting.split_off(&next);
        let due = std::mem::replace(&mut state.waiting, later);
        drop(state);
        due.into_values().flatten().for_each(Waker::wake);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Beats {
    /// Waits for the next. A stream that comes too late keeps its place between the others and waits a pace more.
    pub(super) async fn next(&mut self) {
        let (metronome, due) = (&self.metronome, self.due);
        let reached = poll_fn(|context| {
            let mut state = metronome.state();
            if state.beat >= due {
                return Poll::Ready(state.beat);
            }
            state.waiting.entry(due).or_default().push(context.waker().clone());
            Poll::Pending
        });
        let reached = reached.await;
        self.due += metronome.pace * ((reached - due) / metronome.pace + 1);
    }
}

/// Where the `nth` stream stands within a pace: steps of the golden ratio, which leave no gap and no crowd however
/// many there are.
fn phase(nth: u64, pace: u64) -> u64 {
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    ((u128::from(nth.wrapping_mul(GOLDEN)) * u128::from(pace)) >> 64) as u64
}

async fn count(mut ticks: Ticks, metronome: Weak<Metronome>) {
    while let Ok(beats) = ticks.passed().await {
        let Some(metronome) = metronome.upgrade() else { return };
        metronome.advance(beats);
    }
}

/// The system's own timer: a file from which the number of beats is read, waited for as a pipe is.
#[cfg(target_os = "linux")]
struct Ticks(tokio::net::unix::pipe::Receiver);

#[cfg(target_os = "linux")]
impl Ticks {
    fn every(beat: Duration) -> io::Result<Self> {
        use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?;
        timer.set(Expiration::Interval(beat.into()), TimerSetTimeFlags::empty())?;
        tokio::net::unix::pipe::Receiver::from_owned_fd_unchecked(timer.into()).map(Self)
    }

    /// How many beats passed since the last call, at least one.
    async fn passed(&mut self) -> io::Result<u64> {
        let mut beats = [0; 8];
        tokio::io::AsyncReadExt::read_exact(&mut self.0, &mut beats).await?;
        Ok(u64::from_ne_bytes(beats))
    }
}

/// Elsewhere the runtime's clock, and its whole milliseconds.
#[cfg(not(target_os = "linux"))]
struct Ticks {
    interval: tokio::time::Interval,
    beat: Duration,
    counted: u64,
    since: tokio::time::Instant,
}

#[cfg(not(target_os = "linux"))]
impl Ticks {
    fn every(beat: Duration) -> io::Result<Self> {
        let interval = tokio::time::interval(beat.max(Duration::from_millis(1)));
        Ok(Self { interval, beat, counted: 0, since: tokio::time::Instant::now() })
    }

    /// How many beats passed since the last call.
    async fn passed(&mut self) -> io::Result<u64> {
        let now = self.interval.tick().await;
        let counted = (now.duration_since(self.since).as_nanos() / self.beat.as_nanos()) as u64;
        Ok(counted - std::mem::replace(&mut self.counted, counted))
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::{Context, Wake};

    use super::*;

    fn silent(pace: u64) -> Arc<Metronome> {
        Arc::new(Metronome { state: Mutex::default(), pace })
    }

    #[test]
    fn streams_are_spread_over_the_pace() {
        let metronome = silent(200);
        let mut beats: Vec<Beats> = (0..600).map(|_| metronome.join()).collect();
        let mut crowd = vec![0; 600];
        for stream in &mut beats {
            assert!((200..400).contains(&stream.due));
            crowd[stream.due as usize] += 1;
        }
        assert!(crowd[200..400].iter().all(|streams| (1..=5).contains(streams)), "{crowd:?}");
    }

    #[tokio::test]
    async fn a_late_stream_keeps_its_phase() {
        let metronome = silent(10);
        let mut beats = metronome.join();
        let first = beats.due;
        metronome.advance(first);
        beats.next().await;
        assert_eq!(beats.due, first + 10);
        metronome.advance(34);
        beats.next().await;
        assert_eq!(beats.due, first + 40);
    }

    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    #[test]
    fn each_is_woken_at_its_beat() {
        let (metronome, woken) = (silent(4), Arc::new(Woken(AtomicBool::new(false))));
        let mut beats = metronome.join();
        let due = beats.due;
        let waker = Waker::from(Arc::clone(&woken));
        let mut next = pin!(beats.next());
        assert!(next.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        metronome.advance(due - 1);
        assert!(!woken.0.load(Ordering::Relaxed));
        metronome.advance(1);
        assert!(woken.0.load(Ordering::Relaxed) && metronome.state().waiting.is_empty());
        assert!(next.poll(&mut Context::from_waker(&waker)).is_ready());
    }

    #[tokio::test]
    async fn beats_come_by_themselves() {
        let metronome = Metronome::start(Duration::from_millis(2)).unwrap();
        assert_eq!(metronome.pace, 20);
        let mut beats = metronome.join();
        let first = beats.due;
        beats.next().await;
        beats.next().await;
        assert!(metronome.state().beat >= first + 20);
    }
}
