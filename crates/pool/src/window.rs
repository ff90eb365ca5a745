//! Requests within the last minute and hour: exact where a limit holds, in steps of a twelfth for show.

use std::collections::VecDeque;

/// Times of the requests within a span, kept only for as long as there is a limit; no more of them than its bound.
#[derive(Debug)]
pub(crate) struct Window {
    span_ms: u64,
    times_ms: VecDeque<u64>,
}

/// Whether one more request keeps the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    Now,
    From(u64),
    Never,
}

/// Roughly how many requests there were within a span: of those older than eleven twelfths of it some are left out.
#[derive(Debug)]
pub(crate) struct Recent {
    step_ms: u64,
    counts: [u32; STEPS],
    /// The latest step that was counted into.
    step: u64,
}

const STEPS: usize = 12;

// === impl Window ===

impl Window {
    pub(crate) fn new(span_ms: u64) -> Self {
        Self { span_ms, times_ms: VecDeque::new() }
    }

    /// Whether there is room for one more.
    pub(crate) fn room(&mut self, limit: Option<u32>, now_ms: u64) -> Room {
        let Some(limit) = limit else { return Room::Now };
        self.expire(now_ms);
        let limit = limit as usize;
        if self.times_ms.len() < limit {
            return Room::Now;
        }
        // The limit may have been lowered: then more than one must leave.
        let leaver = self.times_ms.get(self.times_ms.len() - limit);
        leaver.map_or(Room::Never, |at_ms| Room::From(at_ms.saturating_add(self.span_ms)))
    }

    /// Counts one.
    pub(crate) fn take(&mut self, limit: Option<u32>, now_ms: u64) {
        if limit.is_none() {
            self.times_ms = VecDeque::new();
            return;
        }
        self.expire(now_ms);
        // A clock that was set back must not put them out of order.
        let at_ms = self.times_ms.back().map_or(now_ms, |last| now_ms.max(*last));
        self.times_ms.push_back(at_ms);
    }

    fn expire(&mut self, now_ms: u64) {
        while self.times_ms.front().is_some_and(|at_ms| at_ms.saturating_add(self.span_ms) <= now_ms) {
            self.times_ms.pop_front();
        }
    }
}

// === impl Recent ===

impl Recent {
    pub(crate) fn new(span_ms: u64) -> Self {
        Self { step_ms: (span_ms / STEPS as u64).max(1), counts: [0; STEPS], step: 0 }
    }

    pub(crate) fn take(&mut self, now_ms: u64) {
        self.turn(now_ms);
        if let Some(count) = self.counts.get_mut((self.step % STEPS as u64) as usize) {
            *count = count.saturating_add(1);
        }
    }

    pub(crate) fn count(&mut self, now_ms: u64) -> u32 {
        self.turn(now_ms);
        self.counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    fn turn(&mut self, now_ms: u64) {
        let step = (now_ms / self.step_ms).max(self.step);
        for passed in (self.step + 1..=step).take(STEPS) {
            if let Some(count) = self.counts.get_mut((passed % STEPS as u64) as usize) {
                *count = 0;
            }
        }
        self.step = step;
    }
}

#[cfg(test)]
mod tests {
    use super::{Recent, Room, Window};

    #[test]
    fn a_window_slides() {
        let mut window = Window::new(60_000);
        for at_ms in [0, 10_000, 20_000] {
            assert_eq!(window.room(Some(3), at_ms), Room::Now);
            window.take(Some(3), at_ms);
        }
        assert_eq!(window.room(Some(3), 59_999), Room::From(60_000));
        assert_eq!(window.room(Some(3), 60_000), Room::Now);
        window.take(Some(3), 60_000);
        assert_eq!(window.room(Some(3), 60_001), Room::From(70_000));
    }

    #[test]
    fn limits_may_change() {
        let mut window = Window::new(60_000);
        for at_ms in 0..10 {
            window.take(Some(10), at_ms);
        }
        assert_eq!(window.room(Some(2), 100), Room::From(60_008), "nine must leave");
        assert_eq!(window.room(Some(11), 100), Room::Now);
        assert_eq!(window.room(Some(0), 100), Room::Never);
        assert_eq!(window.room(None, 100), Room::Now);
        window.take(None, 100);
        assert_eq!(window.times_ms.len(), 0, "nothing is kept without a limit");
    }

    #[test]
    fn a_clock_set_back_keeps_the_limit() {
        let mut window = Window::new(60_000);
        window.take(Some(2), 100_000);
        window.take(Some(2), 50_000);
        assert_eq!(window.room(Some(2), 120_000), Room::From(160_000));
    }

    #[test]
    fn what_is_recent_is_counted() {
        for span_ms in [60_000, 3_600_000] {
            let mut recent = Recent::new(span_ms);
            for at_ms in (0..span_ms).step_by(span_ms as usize / 60) {
                recent.take(at_ms);
            }
            assert_eq!(recent.count(span_ms - 1), 60);
            assert_eq!(recent.count(span_ms * 3 / 2), 25, "of steps that are wholly within the span");
            assert_eq!(recent.count(span_ms * 100), 0);
        }
    }
}
