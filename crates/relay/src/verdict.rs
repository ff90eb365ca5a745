//! What to do after a failed attempt: a pure judgement (spec/upstream.md §4.3).

use std::time::Duration;

use qm_amazonq::Remedy;
use qm_amazonq::fault::Ailment;

/// Tries at one account for passing failures.
const MAX_TRIES: u32 = 3;

/// Longest pause between two tries; a longer one is the client's business.
const MAX_PAUSE: Duration = Duration::from_secs(10);

/// Rate limits that one request may run into, over all accounts: rotating a throttle multiplies the load
/// (spec/upstream.md §10, no. 11).
const MAX_THROTTLES: u32 = 2;

/// Faces that one request may try, over all accounts: as many as the longest ladder has, and some.
const MAX_FACES: u32 = 10;

/// What has been tried for one request so far.
#[derive(Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says that one concession has been made; they are independent"
)]
pub(crate) struct History {
    again: u32,
    throttles: u32,
    faces: u32,
    refreshed: bool,
    without_reasoning: bool,
    without_fields: bool,
    new_conversation: bool,
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The same account, after a pause.
    Again(Duration),
    /// The same account with a fresh token.
    Refresh,
    /// The same account, on another face.
    OtherFace,
    /// The same account, without replayed reasoning.
    WithoutReasoning,
    /// The same account, without the model's fields.
    WithoutModelFields,
    /// The same account, under a new conversation id.
    NewConversation,
    /// Another account.
    Elsewhere(Ailment),
    /// End with the fault.
    GiveUp,
}

impl History {
    /// Judges; `jitter` is in 0..1.
    pub(crate) fn judge(&mut self, remedy: Remedy, jitter: f64) -> Verdict {
        match remedy {
            Remedy::None => Verdict::GiveUp,
            Remedy::Again { after } => self.again(after, jitter),
            Remedy::Elsewhere(ailment) => {
                self.throttles += u32::from(ailment == Ailment::Throttled);
                if self.throttles >= MAX_THROTTLES { Verdict::GiveUp } else { Verdict::Elsewhere(ailment) }
            }
            Remedy::OtherFace if self.faces >= MAX_FACES => Verdict::Elsewhere(Ailment::Refused),
            Remedy::OtherFace => {
                self.faces += 1;
                Verdict::OtherFace
            }
            // A token that is refused twice is not the trouble: the account is.
            Remedy::Refresh if self.refreshed => Verdict::Elsewhere(Ailment::Refused),
            Remedy::Refresh => once(&mut self.refreshed, Verdict::Refresh),
            Remedy::WithoutReasoning => once(&mut self.without_reasoning, Verdict::WithoutReasoning),
            Remedy::WithoutModelFields => once(&mut self.without_fields, Verdict::WithoutModelFields),
            Remedy::NewConversation => once(&mut self.new_conversation, Verdict::NewConversation),
        }
    }

    pub(crate) fn replay_reasoning(&self) -> bool {
        !self.without_reasoning
    }

    pub(crate) fn model_fields(&self) -> bool {
        !self.without_fields
    }

    fn again(&mut self, after: Duration, jitter: f64) -> Verdict {
        self.again += 1;
        if self.again >= MAX_TRIES || after > MAX_PAUSE {
            return Verdict::GiveUp;
        }
        let pause = after * 2_u32.pow(self.again - 1);
        Verdict::Again(pause.mul_f64(1.0 + jitter / 2.0).min(MAX_PAUSE))
    }
}

fn once(done: &mut bool, verdict: Verdict) -> Verdict {
    if std::mem::replace(done, true) { Verdict::GiveUp } else { verdict }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Remedy = Remedy::Again { after: Duration::from_millis(200) };

    #[test]
    fn passing_failures_get_three_tries_further_and_further_apart() {
        let mut history = History::default();
        assert_eq!(history.judge(SOON, 0.0), Verdict::Again(Duration::from_millis(200)));
        assert_eq!(history.judge(SOON, 1.0), Verdict::Again(Duration::from_millis(600)));
        assert_eq!(history.judge(SOON, 0.0), Verdict::GiveUp);
    }

    #[test]
    fn a_long_pause_is_the_clients_business() {
        let mut history = History::default();
        assert_eq!(history.judge(Remedy::Again { after: Duration::from_secs(11) }, 0.0), Verdict::GiveUp);
    }

    #[test]
    fn a_token_is_refreshed_once() {
        let mut history = History::default();
        assert_eq!(history.judge(Remedy::Refresh, 0.0), Verdict::Refresh);
        assert_eq!(history.judge(Remedy::Refresh, 0.0), Verdict::Elsewhere(Ailment::Refused));
    }

    #[test]
    fn faces_are_tried_as_long_as_there_can_be_any() {
        let mut history = History::default();
        for _ in 0..MAX_FACES {
            assert_eq!(history.judge(Remedy::OtherFace, 0.0), Verdict::OtherFace);
        }
        assert_eq!(history.judge(Remedy::OtherFace, 0.0), Verdict::Elsewhere(Ailment::Refused));
    }

    #[test]
    fn each_concession_is_made_once() {
        for (remedy, verdict) in [
            (Remedy::WithoutReasoning, Verdict::WithoutReasoning),
            (Remedy::WithoutModelFields, Verdict::WithoutModelFields),
            (Remedy::NewConversation, Verdict::NewConversation),
        ] {
            let mut history = History::default();
            assert_eq!(history.judge(remedy, 0.0), verdict);
            assert_eq!(history.judge(remedy, 0.0), Verdict::GiveUp);
        }
    }

    #[test]
    fn throttles_do_not_spread_over_the_pool() {
        let mut history = History::default();
        let throttled = Remedy::Elsewhere(Ailment::Throttled);
        assert_eq!(history.judge(throttled, 0.0), Verdict::Elsewhere(Ailment::Throttled));
        assert_eq!(history.judge(throttled, 0.0), Verdict::GiveUp);
        let exhausted = Remedy::Elsewhere(Ailment::Exhausted);
        assert_eq!(History::default().judge(exhausted, 0.0), Verdict::Elsewhere(Ailment::Exhausted));
    }

    #[test]
    fn a_request_at_fault_is_never_repeated() {
        assert_eq!(History::default().judge(Remedy::None, 0.0), Verdict::GiveUp);
    }
}
