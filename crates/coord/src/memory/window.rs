//! A sliding window: amounts in steps of time, oldest first.

use std::collections::VecDeque;

use crate::Room;

/// Room for more steps than these is given back when the window is empty.
const MODEST: usize = 256;

/// What was taken within a span.
pub(super) struct Window {
    span_ms: u64,
    step_ms: u64,
    /// Number of the step, counted from 1970, and what was taken in it.
    steps: VecDeque<(u64, u64)>,
    sum: u64,
}

impl Window {
    pub(super) fn new(span_ms: u64, step_ms: u64) -> Self {
        Self { span_ms, step_ms: step_ms.max(1), steps: VecDeque::new(), sum: 0 }
    }

    pub(super) fn is_of(&self, span_ms: u64, step_ms: u64) -> bool {
        (self.span_ms, self.step_ms) == (span_ms, step_ms.max(1))
    }

    pub(super) fn sum(&self) -> u64 {
        self.sum
    }

    /// Forgets the steps that are wholly older than the span.
    pub(super) fn expire(&mut self, now_ms: u64) {
        let was_ahead =
            |(step, _): &(u64, u64)| step.saturating_mul(self.step_ms) > now_ms.saturating_add(self.span_ms);
        // A clock that had run far ahead and was set right: else nothing would be let through until that time.
        if self.steps.back().is_some_and(was_ahead) {
            self.steps.clear();
            self.sum = 0;
        }
        while let Some(&(step, amount)) = self.steps.front() {
            if self.gone_ms(step) > now_ms {
                break;
            }
            self.sum = self.sum.saturating_sub(amount);
            self.steps.pop_front();
        }
        if self.steps.is_empty() && self.steps.capacity() > MODEST {
            self.steps = VecDeque::new();
        }
    }

    /// Counts. The step it was counted in.
    pub(super) fn add(&mut self, amount: u64, now_ms: u64) -> u64 {
        // A clock that was set back must not put the steps out of order.
        let step = self.steps.back().map_or(0, |(last, _)| *last).max(now_ms / self.step_ms);
        if amount == 0 {
            return step;
        }
        // What could not be summed could not be taken from the sum again.
        let amount = amount.min(u64::MAX - self.sum);
        match self.steps.back_mut() {
            Some((last, taken)) if *last == step => *taken = taken.saturating_add(amount),
            _ => self.steps.push_back((step, amount)),
        }
        self.sum = self.sum.saturating_add(amount);
        step
    }

    /// Takes back some of what was counted in this step, if it still counts.
    pub(super) fn take_back(&mut self, step: u64, amount: u64) {
        if amount == 0 {
            return;
        }
        let Ok(at) = self.steps.binary_search_by_key(&step, |(step, _)| *step) else { return };
        if let Some((_, taken)) = self.steps.get_mut(at) {
            let back = amount.min(*taken);
            *taken -= back;
            self.sum = self.sum.saturating_sub(back);
        }
    }

    /// When no more than `most` counts; never without a number.
    pub(super) fn room(&self, most: Option<u64>) -> Room {
        let Some(most) = most else { return Room::Never };
        let mut sum = self.sum;
        for (step, amount) in &self.steps {
            sum = sum.saturating_sub(*amount);
            if sum <= most {
                return Room::At(self.gone_ms(*step));
            }
        }
        Room::Never
    }

    /// When nothing counts any more.
    pub(super) fn empty_ms(&self) -> Option<u64> {
        self.steps.back().map(|(step, _)| self.gone_ms(*step))
    }

    /// The first millisecond at which a step does not count: its last one is then a span ago.
    fn gone_ms(&self, step: u64) -> u64 {
        let last_ms = step.saturating_mul(self.step_ms).saturating_add(self.step_ms - 1);
        last_ms.saturating_add(self.span_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::Window;
    use crate::Room;

    #[test]
    fn steps_of_a_millisecond_are_exact() {
        let mut window = Window::new(60_000, 1);
        for now_ms in [5, 5, 10_000] {
            window.add(1, now_ms);
        }
        assert_eq!((window.sum(), window.steps.len()), (3, 2));
        assert_eq!(window.room(Some(2)), Room::At(60_005));
        assert_eq!(window.room(Some(0)), Room::At(70_000));
        window.expire(60_004);
        assert_eq!(window.sum(), 3);
        window.expire(60_005);
        assert_eq!((window.sum(), window.empty_ms()), (1, Some(70_000)));
    }

    #[test]
    fn a_longer_step_counts_until_its_end_is_a_span_ago() {
        let mut window = Window::new(60_000, 1_000);
        window.add(7, 500);
        window.expire(60_998);
        assert_eq!(window.sum(), 7);
        window.expire(60_999);
        assert_eq!(window.sum(), 0);
    }

    #[test]
    fn what_is_taken_back_is_of_its_step_and_no_more_than_was_in_it() {
        let mut window = Window::new(60_000, 1_000);
        let (first, second) = (window.add(10, 0), window.add(10, 5_000));
        window.take_back(first, 4);
        window.take_back(first, 100);
        assert_eq!(window.sum(), 10);
        window.expire(60_999);
        window.take_back(first, 1);
        window.take_back(second, 3);
        assert_eq!(window.sum(), 7);
    }

    #[test]
    fn a_clock_that_is_set_back_neither_opens_nor_blocks_for_long() {
        let mut window = Window::new(60_000, 1);
        window.add(1, 100_000);
        window.expire(50_000);
        window.add(1, 50_000);
        assert_eq!((window.sum(), window.empty_ms()), (2, Some(160_000)));
        // Ahead by an hour: that was no time at all.
        window.add(1, 3_700_000);
        window.expire(100_000);
        assert_eq!(window.sum(), 0);
    }

    #[test]
    fn a_full_sum_stays_one() {
        let mut window = Window::new(60_000, 1_000);
        let step = window.add(u64::MAX, 0);
        window.add(5, 0);
        window.take_back(step, 1);
        assert_eq!(window.sum(), u64::MAX - 1);
    }
}
