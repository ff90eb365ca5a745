//! A line about long work, for whoever sits there: on standard error, and only where that is a terminal.

use std::sync::Arc;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};

/// How far the work is. Gone when it is dropped, however the work has ended.
pub(crate) struct Progress(ProgressBar);

/// Of an account or two people need not be told.
const MOST_UNTOLD: usize = 2;

impl Progress {
    /// Of this many accounts, if it is known how many; `what` is done to each.
    pub(crate) fn of(what: &'static str, total: usize) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{msg}: {pos} of {len} ({elapsed})");
        let bar = bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self(bar.with_message(what).with_finish(ProgressFinish::AndClear))
    }

    /// Tells it: so many are done, of so many.
    pub(crate) fn tell(&self, done: usize, total: usize) {
        if total > MOST_UNTOLD {
            self.0.set_length(total as u64);
            self.0.set_position(done as u64);
        }
    }

    /// The same as what an import wants.
    pub(crate) fn told(self) -> Arc<dyn Fn(usize, usize) + Send + Sync> {
        Arc::new(move |done, total| self.tell(done, total))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_what_is_worth_a_line() {
        for (done, total, position) in [(1, 2, 0), (1, 3, 1), (7, 1_000, 7)] {
            let progress = Progress::of("Importing", 0);
            progress.tell(done, total);
            assert_eq!(progress.0.position(), position, "{done} of {total}");
        }
    }
}
