//! What to do after a failed attempt: a pure judgement (spec/upstream.md §4.3).

use std::time::Duration;

use qm_amazonq::Remedy;
use qm_amazonq::fault::{Ailment, Failure};
use qm_canon::Kind;

/// Tries at one account for passing failures.
const MAX_TRIES: u32 = 3;

/// Attempts of one request over all accounts (spec/upstream.md §4.3, budgets of the field).
const MAX_ATTEMPTS: u32 = 9;

/// Longest pause between two tries; a longer one is another account's chance, or the client's business.
const MAX_PAUSE: Duration = Duration::from_secs(10);

/// Rate limits and lacks of capacity that one request may run into, over all accounts: rotating a throttle
/// multiplies the load (spec/upstream.md §10, no. 11).
const MAX_THROTTLES: u32 = 2;

/// Faces that may be tried on one account: as many as the longest ladder has, and some.
const MAX_FACES: u32 = 10;

/// What has been tried for one request so far.
#[derive(Default)]
pub(crate) struct History {
    attempts: u32,
    throttles: u32,
    without_reasoning: bool,
    without_fields: bool,
    new_conversation: bool,
    here: Here,
}

/// What has been tried on the account that is being asked now.
#[derive(Default)]
struct Here {
    again: u32,
    faces: u32,
    refreshed: bool,
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
    /// Another account, if there is one.
    Elsewhere,
    /// End with the fault.
    GiveUp,
}

impl History {
    /// Judges; `jitter` is in 0..1.
    pub(crate) fn judge(&mut self, failure: &Failure, jitter: f64) -> Verdict {
        if failure.remedy == Remedy::OtherFace {
            // A refusal at the door, which is no attempt yet.
            self.here.faces += 1;
            return if self.here.faces <= MAX_FACES { Verdict::OtherFace } else { self.elsewhere(false) };
        }
        self.attempts += 1;
        let crowded = matches!(failure.fault.kind, Kind::Overloaded)
            || failure.remedy == Remedy::Elsewhere(Ailment::Throttled);
        let verdict = match failure.remedy {
            Remedy::None => Verdict::GiveUp,
            Remedy::Again { after } => self.again(after, jitter),
            Remedy::Elsewhere(_) | Remedy::OtherFace => Verdict::Elsewhere,
            // A token that is refused twice is not the trouble: the account is.
            Remedy::Refresh if self.here.refreshed => Verdict::Elsewhere,
            Remedy::Refresh => once(&mut self.here.refreshed, Verdict::Refresh),
            Remedy::WithoutReasoning => once(&mut self.without_reasoning, Verdict::WithoutReasoning),
            Remedy::WithoutModelFields => once(&mut self.without_fields, Verdict::WithoutModelFields),
            Remedy::NewConversation => once(&mut self.new_conversation, Verdict::NewConversation),
        };
        match verdict {
            Verdict::Elsewhere => self.elsewhere(crowded),
            verdict if self.attempts < MAX_ATTEMPTS => verdict,
            _ => Verdict::GiveUp,
        }
    }

    pub(crate) fn replay_reasoning(&self) -> bool {
        !self.without_reasoning
    }

    pub(crate) fn model_fields(&self) -> bool {
        !self.without_fields
    }

    fn again(&mut self, after: Duration, jitter: f64) -> Verdict {
        self.here.again += 1;
        if self.here.again >= MAX_TRIES || after > MAX_PAUSE {
            return Verdict::Elsewhere;
        }
        let pause = after * 2_u32.pow(self.here.again - 1);
        Verdict::Again(pause.mul_f64(1.0 + jitter / 2.0).min(MAX_PAUSE))
    }

    /// Another account starts afresh, save that reasoning is signed for the account that wrote it.
    fn elsewhere(&mut self, crowded: bool) -> Verdict {
        self.throttles += u32::from(crowded);
        if self.throttles >= MAX_THROTTLES || self.attempts >= MAX_ATTEMPTS {
            return Verdict::GiveUp;
        }
        self.here = Here::default();
        self.without_reasoning = true;
        Verdict::Elsewhere
    }
}

fn once(done: &mut bool, verdict: Verdict) -> Verdict {
    if std::mem::replace(done, true) { Verdict::GiveUp } else { verdict }
}

#[cfg(test)]
mod tests {
    use qm_canon::{Fault, Origin};

    use super::*;

    const SOON: Remedy = Remedy::Again { after: Duration::from_millis(200) };

    fn judged(history: &mut History, remedy: Remedy, jitter: f64) -> Verdict {
        let fault = Fault::new(Kind::Unavailable, Origin::Upstream, "");
        history.judge(&Failure { fault, remedy }, jitter)
    }

    #[test]
    fn passing_failures_get_three_tries_further_and_further_apart_and_then_another_account() {
        let mut history = History::default();
        assert_eq!(judged(&mut history, SOON, 0.0), Verdict::Again(Duration::from_millis(200)));
        assert_eq!(judged(&mut history, SOON, 1.0), Verdict::Again(Duration::from_millis(600)));
        assert_eq!(judged(&mut history, SOON, 0.0), Verdict::Elsewhere);
        assert_eq!(judged(&mut history, SOON, 0.0), Verdict::Again(Duration::from_millis(200)));
    }

    #[test]
    fn nine_attempts_are_the_end_whatever_they_were() {
        let mut history = History::default();
        let verdicts: Vec<_> = (0..9).map(|_| judged(&mut history, SOON, 0.0)).collect();
        assert_eq!(verdicts.iter().filter(|verdict| **verdict == Verdict::Elsewhere).count(), 2);
        assert_eq!(verdicts.last(), Some(&Verdict::GiveUp));
        assert!(!verdicts[..8].contains(&Verdict::GiveUp));
    }

    #[test]
    fn a_long_pause_is_another_accounts_chance() {
        let mut history = History::default();
        let later = Remedy::Again { after: Duration::from_secs(11) };
        assert_eq!(judged(&mut history, later, 0.0), Verdict::Elsewhere);
    }

    #[test]
    fn a_token_is_refreshed_once_on_each_account() {
        let mut history = History::default();
        for _ in 0..2 {
            assert_eq!(judged(&mut history, Remedy::Refresh, 0.0), Verdict::Refresh);
            assert_eq!(judged(&mut history, Remedy::Refresh, 0.0), Verdict::Elsewhere);
        }
    }

    #[test]
    fn faces_are_tried_as_long_as_there_can_be_any() {
        let mut history = History::default();
        for _ in 0..MAX_FACES {
            assert_eq!(judged(&mut history, Remedy::OtherFace, 0.0), Verdict::OtherFace);
        }
        assert_eq!(judged(&mut history, Remedy::OtherFace, 0.0), Verdict::Elsewhere);
    }

    #[test]
    fn each_concession_is_made_once() {
        for (remedy, verdict) in [
            (Remedy::WithoutReasoning, Verdict::WithoutReasoning),
            (Remedy::WithoutModelFields, Verdict::WithoutModelFields),
            (Remedy::NewConversation, Verdict::NewConversation),
        ] {
            let mut history = History::default();
            assert_eq!(judged(&mut history, remedy, 0.0), verdict);
            assert_eq!(judged(&mut history, remedy, 0.0), Verdict::GiveUp);
        }
    }

    #[test]
    fn throttles_do_not_spread_over_the_pool() {
        let mut history = History::default();
        let throttled = Remedy::Elsewhere(Ailment::Throttled);
        assert_eq!(judged(&mut history, throttled, 0.0), Verdict::Elsewhere);
        assert_eq!(judged(&mut history, throttled, 0.0), Verdict::GiveUp);
        let mut history = History::default();
        for _ in 0..8 {
            assert_eq!(judged(&mut history, Remedy::Elsewhere(Ailment::Exhausted), 0.0), Verdict::Elsewhere);
        }
    }

    #[test]
    fn reasoning_stays_with_the_account_that_wrote_it() {
        let mut history = History::default();
        assert!(history.replay_reasoning());
        judged(&mut history, Remedy::Elsewhere(Ailment::Exhausted), 0.0);
        assert!(!history.replay_reasoning());
    }

    #[test]
    fn a_request_at_fault_is_never_repeated() {
        assert_eq!(judged(&mut History::default(), Remedy::None, 0.0), Verdict::GiveUp);
    }
}
