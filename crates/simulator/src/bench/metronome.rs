//! One beat for many paced streams, finer than the runtime's clock where somebody wants it.
//!
//! Tokio wakes at whole milliseconds. Of 600 streams with an event each 20 ms it would write 30 in one go, every
//! millisecond: a queue that independent streams do not form, and what is measured behind it is mostly that queue. A timer
//! of the system's that beats as often as this must is an interrupt each time, which costs more than the events do; so
//! who wants it finer has the clock looked at all the time.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Poll, Waker};
use std::time::Duration;

use tokio::time::{Instant, Interval};

/// A beat that is slept between.
const SLEPT: Duration = Duration::from_millis(1);
/// A beat that is polled for.
const POLLED: Duration = Duration::from_micros(10);

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
    /// Starts counting, on the runtime it is called in: at whole milliseconds, or finer and without ever letting the thread sleep.
    pub(super) fn start(pace: Duration, poll: bool) -> Arc<Self> {
        let beat = if poll { POLLED } else { SLEPT };
        let pace = (pace.as_nanos() / beat.as_nanos()).max(1) as u64;
        let metronome = Arc::new(Self { state: Mutex::default(), pace });
        #[expect(
            clippy::disallowed_methods,
            reason = "it beats for all streams and ends with the last holder"
        )]
        tokio::spawn(count(Ticks::every(beat, poll), Arc::downgrade(&metronome)));
        metronome
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
        let reached = state.beat;
        let mut due = Vec::new();
        while let Some(first) = state.waiting.first_entry().filter(|first| *first.key() <= reached) {
            due.append(&mut first.remove());
        }
        drop(state);
        due.into_iter().for_each(Waker::wake);
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
    loop {
        let beats = ticks.passed().await;
        let Some(metronome) = metronome.upgrade() else { return };
        metronome.advance(beats);
    }
}

/// Counts beats as they pass.
struct Ticks {
    /// Between two looks at the clock; nothing looks all the time.
    pause: Option<Interval>,
    beat: Duration,
    since: Instant,
    counted: u64,
}

impl Ticks {
    fn every(beat: Duration, poll: bool) -> Self {
        let pause = (!poll).then(|| tokio::time::interval(beat));
        Self { pause, beat, since: Instant::now(), counted: 0 }
    }

    /// How many passed since the last call, at least one.
    async fn passed(&mut self) -> u64 {
        loop {
            match &mut self.pause {
                Some(pause) => drop(pause.tick().await),
                None => tokio::task::yield_now().await,
            }
            let passed = (self.since.elapsed().as_nanos() / self.beat.as_nanos()) as u64;
            if passed > self.counted {
                return passed - std::mem::replace(&mut self.counted, passed);
            }
        }
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
        for (poll, pace) in [(false, 2), (true, 200)] {
            let metronome = Metronome::start(Duration::from_millis(2), poll);
            assert_eq!(metronome.pace, pace);
            let mut beats = metronome.join();
            let first = beats.due;
            beats.next().await;
            beats.next().await;
            assert!(metronome.state().beat >= first + pace);
        }
    }
}
