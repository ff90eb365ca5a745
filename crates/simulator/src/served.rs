//! What was served in all, for whoever keeps books on the other side: by how the answer ended, never cut short by the
//! bound of the record.

use serde::Serialize;

use crate::record::Outcome;

/// What all streams told of tokens and credits, by how they ended. Refusals are not among them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Served {
    /// Written to their end, as their scripts wanted it.
    pub finished: Bill,
    /// The client left before the end.
    pub client_gone: Bill,
    /// Broken off by the simulator.
    pub cut: Bill,
}

/// Streams of one kind, added up. A token or credit counts when the frame that tells it has gone out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Bill {
    /// How many.
    pub answers: u64,
    /// Tokens read, as `tokenUsage` told them; nothing for answers without it.
    pub input_tokens: u64,
    /// Tokens said, likewise.
    pub output_tokens: u64,
    /// Millionths of a credit, as metered.
    pub credits_micro: u64,
}

impl Served {
    /// Adds a stream that has ended.
    pub(crate) fn add(&mut self, outcome: Outcome, told: Bill) {
        let bill = match outcome {
            Outcome::Finished => &mut self.finished,
            Outcome::ClientGone => &mut self.client_gone,
            Outcome::Cut => &mut self.cut,
            Outcome::Open => return,
        };
        bill.answers += 1;
        bill.input_tokens += told.input_tokens;
        bill.output_tokens += told.output_tokens;
        bill.credits_micro += told.credits_micro;
    }
}
