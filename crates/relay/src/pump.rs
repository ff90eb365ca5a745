//! The answer on its way: upstream chunks in, the client's bytes out, one write per chunk, no task and no channel.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use qm_amazonq::Decoder;
use qm_canon::{Checked, Encoder, Fault, Kind, Origin, Sink as _};
use qm_framing::eventstream::Frames;
use qm_upstream::AnswerBody;
use tokio::task::coop::unconstrained;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::Deadlines;
use crate::attempt::Begun;
use crate::draft::Metered;
use crate::enforce::{Enforce, Limits};
use crate::shape::{Form, Shape};

/// Bytes that are taken from the upstream before the client gets a write, if they are there already.
const MAX_BATCH: usize = 64 << 10;

/// An answer as a response body. Each poll takes in what has arrived and gives out what it became. When it is
/// dropped early, because the client left, the upstream's connection is closed with it.
pub struct Pump<E> {
    /// `None` once the answer has ended.
    upstream: Option<AnswerBody>,
    frames: Frames,
    decoder: Decoder,
    sinks: Enforce<Shape<Checked<Metered<E>>>>,
    clock: Clock,
}

/// The deadlines of one answer, on one timer. The timer is not moved with every chunk, only looked at when it fires.
struct Clock {
    timer: Pin<Box<Sleep>>,
    /// Whom the timer wakes: nobody unless it is pending.
    sleeper: Waker,
    heard: Instant,
    spoke: Instant,
    end: Instant,
    deadlines: Deadlines,
}

enum Alarm {
    Ping,
    Late(&'static str),
}

// === impl Pump ===

impl<E: Encoder> Pump<E> {
    pub(crate) fn new(
        begun: Begun,
        limits: Limits,
        form: Option<Form>,
        metered: Metered<E>,
        deadlines: Deadlines,
    ) -> Self {
        Self {
            upstream: Some(begun.body),
            frames: begun.frames,
            decoder: begun.decoder,
            sinks: Enforce::new(limits, Shape::new(form, Checked::new(metered))),
            clock: Clock::new(deadlines),
        }
    }

    fn metered(&mut self) -> &mut Metered<E> {
        self.sinks.inner().inner().inner()
    }

    /// Takes the whole answer in and gives the encoder back.
    pub(crate) async fn run(mut self) -> E {
        poll_fn(|cx| self.poll_end(cx)).await;
        self.sinks.into_inner().into_inner().into_inner().inner
    }

    /// Ready once the answer has ended.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.upstream.is_some() {
            ready!(self.poll_progress(cx));
        }
        Poll::Ready(())
    }

    /// Takes in all that is there, up to a batch. Ready when there may be something to give out.
    fn poll_progress(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut taken = 0;
        let mut progress = self.take_frames();
        while let Some(upstream) = &mut self.upstream {
            let frames = &mut self.frames;
            let came = upstream.poll_pieces(cx, |piece| {
                taken += piece.len();
                frames.feed(piece);
            });
            match came {
                Poll::Ready(Some(Ok(()))) => {
                    self.clock.heard = Instant::now();
                    progress |= self.take_frames();
                    // Whoever asks again registers for more; to ask here as well would be one look too many.
                    if progress && self.upstream.as_ref().is_some_and(AnswerBody::is_drained) {
                        break;
                    }
                }
                Poll::Ready(Some(Err(_))) => self.fail("stream/transport"),
                Poll::Ready(None) => self.finish(),
                Poll::Pending if progress => break,
                Poll::Pending => match ready!(self.clock.poll_alarm(cx)) {
                    Alarm::Ping => {
                        self.sinks.idle();
                        break;
                    }
                    Alarm::Late(code) => self.fail(code),
                },
            }
            if taken >= MAX_BATCH {
                break;
            }
        }
        Poll::Ready(())
    }

    /// Passes on the whole frames that are there. True if there were any.
    fn take_frames(&mut self) -> bool {
        let mut any = false;
        while self.upstream.is_some() {
            match self.frames.next() {
                Ok(Some(frame)) => {
                    self.decoder.frame(frame, &mut self.sinks);
                    let produced = self.decoder.produced();
                    self.sinks.produced(produced);
                    self.metered().draft.produced(produced);
                }
                Ok(None) => break,
                Err(_) => self.fail("stream/not-frames"),
            }
            any = true;
            if self.sinks.done() || self.sinks.inner().done() {
                self.stop();
            }
        }
        any
    }

    /// The upstream has closed the stream.
    fn finish(&mut self) {
        if self.frames.is_partial() {
            return self.fail("stream/cut-in-frame");
        }
        self.decoder.end(&mut self.sinks);
        self.stop();
    }

    /// The stream broke: the client is told, in its format, that this is no good end.
    fn fail(&mut self, code: &'static str) {
        self.decoder.fail(&broken_off(code), &mut self.sinks);
        self.stop();
    }

    fn stop(&mut self) {
        self.upstream = None;
        if let Some(violation) = self.sinks.inner().inner().violation() {
            tracing::error!(?violation, "an answer broke the grammar of events: a defect of the gateway");
        }
    }
}

impl<E: Encoder + Unpin> Body for Pump<E> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let pump = self.get_mut();
        loop {
            let bytes = pump.metered().take();
            if !bytes.is_empty() {
                // As good as now, for what was heard is what is said.
                pump.clock.spoke = pump.clock.spoke.max(pump.clock.heard);
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            if pump.upstream.is_none() {
                return Poll::Ready(None);
            }
            ready!(pump.poll_progress(cx));
        }
    }

    fn is_end_stream(&self) -> bool {
        false
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

// === impl Clock ===

impl Clock {
    fn new(deadlines: Deadlines) -> Self {
        let now = Instant::now();
        let (heard, spoke, end) = (now, now, now + deadlines.total);
        let mut clock = Self {
            timer: Box::pin(sleep_until(now)),
            sleeper: Waker::noop().clone(),
            heard,
            spoke,
            end,
            deadlines,
        };
        let next = clock.next();
        clock.timer.as_mut().reset(next);
        clock
    }

    fn next(&self) -> Instant {
        let ping = self.spoke + self.deadlines.ping;
        let idle = self.heard + self.deadlines.idle;
        ping.min(idle).min(self.end)
    }

    fn poll_alarm(&mut self, cx: &mut Context<'_>) -> Poll<Alarm> {
        // Asked at every event: to say again who asks costs more than to see that it is the same.
        if !self.timer.is_elapsed() && self.sleeper.will_wake(cx.waker()) {
            return Poll::Pending;
        }
        self.sleeper.clone_from(Waker::noop());
        loop {
            // Whom it wakes is known only if it was asked: a task that has done much in this turn would not get that far.
            if pin!(unconstrained(self.timer.as_mut())).poll(cx).is_pending() {
                self.sleeper.clone_from(cx.waker());
                return Poll::Pending;
            }
            let now = Instant::now();
            if now >= self.end {
                return Poll::Ready(Alarm::Late("deadline/total"));
            }
            if now >= self.heard + self.deadlines.idle {
                return Poll::Ready(Alarm::Late("deadline/idle"));
            }
            let pinged = now >= self.spoke + self.deadlines.ping;
            if pinged {
                self.spoke = now;
            }
            let next = self.next();
            self.timer.as_mut().reset(next);
            if pinged {
                return Poll::Ready(Alarm::Ping);
            }
        }
    }
}

fn broken_off(code: &'static str) -> Fault {
    let (kind, message) = if code.starts_with("deadline/") {
        (
            Kind::Timeout,
            "The upstream fell silent in the middle of its answer. What came so far is incomplete; try again.",
        )
    } else {
        (Kind::Broken, "The upstream's answer broke off. What came so far is incomplete; try again.")
    };
    Fault::new(kind, Origin::Upstream, message).code(code)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::task::consume_budget;
    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_alarm_rings_for_a_task_that_had_done_much_before_it_asked() {
        let [ping, idle, total] = [5, 12, 100].map(Duration::from_secs);
        let mut clock = Clock::new(Deadlines { first_event: total, idle, total, ping });
        let mut rung = Vec::new();
        for _ in 0..3 {
            let mut fresh = true;
            let alarm = poll_fn(|cx| {
                // Nothing is left of this turn when the alarm is asked for.
                while fresh && pin!(consume_budget()).poll(cx).is_ready() {}
                fresh = false;
                clock.poll_alarm(cx)
            });
            rung.push(match timeout(idle, alarm).await.expect("it rings") {
                Alarm::Ping => "ping",
                Alarm::Late(code) => code,
            });
        }
        assert_eq!(rung, ["ping", "ping", "deadline/idle"]);
    }
}
