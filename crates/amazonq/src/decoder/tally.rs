//! What the end of a stream says: why it ended and what it took (spec/upstream.md §3.5, §8).

use qm_canon::estimate::Meter;
use qm_canon::{Basis, Finish, Stop, Usage};

use super::payload::{Metadata, Reason, TokenUsage};
use crate::request::Note;

#[derive(Default)]
pub(super) struct Tally {
    meter: Meter,
    reported: Option<TokenUsage>,
    reason: Option<Reason>,
    /// Percent of the window in use.
    share: Option<f64>,
    credits: Option<f64>,
    /// Metadata, context usage or metering has come.
    closed: bool,
}

// === impl Tally ===

impl Tally {
    /// Counts what the model produced.
    pub(super) fn output(&mut self, text: &str) {
        self.meter.add(text);
    }

    /// What has been counted so far.
    pub(super) fn produced(&self) -> Meter {
        self.meter
    }

    pub(super) fn metadata(&mut self, metadata: &Metadata) {
        self.closed = true;
        self.reason = metadata.reason.or(self.reason);
        if let Some(usage) = metadata.usage {
            self.share = usage.share.or(self.share);
            // All zero means that it was not counted (spec/upstream.md §8.1).
            if !usage.is_zero() {
                self.reported = Some(usage);
            }
        }
    }

    pub(super) fn window_share(&mut self, percent: f64) {
        self.closed = true;
        self.share = Some(percent);
    }

    pub(super) fn credits(&mut self, credits: Option<f64>) {
        self.closed = true;
        self.credits = credits.or(self.credits);
    }

    /// Whether anything has come that only comes at the end of an answer.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Whether the upstream cut the answer at its bound.
    pub(super) fn is_cut_at_bound(&self) -> bool {
        self.reason == Some(Reason::MaxTokens)
    }

    /// Whether an answer that ended for this reason must have said something.
    pub(super) fn needs_content(&self) -> bool {
        matches!(self.stop(false), Stop::EndTurn)
    }

    pub(super) fn finish(&self, note: &Note, called: bool) -> Finish {
        Finish { stop: self.stop(called), usage: self.usage(note) }
    }

    fn stop(&self, called: bool) -> Stop {
        match self.reason {
            Some(Reason::MaxTokens) => Stop::MaxTokens,
            _ if called => Stop::ToolUse,
            Some(Reason::Filtered) => Stop::Refusal,
            Some(Reason::Pause) => Stop::Pause,
            Some(Reason::WindowFull) => Stop::WindowFull,
            // Which sequence it was, the upstream does not say, and none was sent to it; and a tool use without
            // any call is none. Both are the end of the turn.
            Some(Reason::EndTurn | Reason::Sequence | Reason::ToolUse | Reason::Other) | None => {
                if self.share.is_some_and(|share| share >= 100.0) { Stop::WindowFull } else { Stop::EndTurn }
            }
        }
    }

    fn usage(&self, note: &Note) -> Usage {
        if let Some(reported) = self.reported {
            return Usage {
                input: reported.uncached_input,
                output: reported.output,
                cache_read: reported.cache_read,
                cache_write: reported.cache_write,
                credits: self.credits,
                basis: Basis::Reported,
            };
        }
        let output = self.meter.tokens();
        let in_window = self.share.map_or(0, |share| (share / 100.0 * note.window as f64) as u64);
        let (input, basis) = match in_window.checked_sub(output) {
            Some(input) if input > 0 => (input, Basis::Window),
            _ => (note.input_tokens, Basis::Estimated),
        };
        Usage { input, output, cache_read: None, cache_write: None, credits: self.credits, basis }
    }
}
