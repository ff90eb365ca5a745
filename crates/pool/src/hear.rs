//! What becomes of an account by what is heard of it.

use crate::changes::Moved;
use crate::health::condition::Failing;
use crate::member::Member;
use crate::outcome::Outcome;
use crate::ring::Seat;
use crate::roster::Roster;
use crate::want::Reason;

// === impl Roster ===

impl Roster {
    /// Judges an outcome. `episode`: in which the request began; none for what is not of a request.
    pub(crate) fn hears(
        &mut self,
        slot: u32,
        outcome: &Outcome,
        episode: Option<u32>,
        now_ms: u64,
        jitter: u64,
    ) -> Option<Moved> {
        let rules = self.rules;
        match outcome {
            Outcome::ClientLeft | Outcome::RequestAtFault => None,
            Outcome::Answered { .. } => {
                self.counts_tokens(slot, outcome);
                let member = self.member_mut(slot)?;
                member.news.answered += 1;
                if member.condition.is_clean() {
                    // Nearly always: nothing to heal, nothing to place.
                    return None;
                }
                self.change(slot, now_ms, |member| member.condition.answers(episode))
            }
            Outcome::Ailing(ailment, evidence) => {
                let failing = Failing { ailment, evidence, episode, now_ms, jitter, rules: &rules };
                self.change(slot, now_ms, |member| {
                    member.news.failed += u64::from(ailment.is_counted());
                    member.condition.fails(&failing);
                })
            }
        }
    }

    pub(crate) fn counts_tokens(&mut self, slot: u32, outcome: &Outcome) {
        if let (Outcome::Answered { tokens }, Some(member)) = (outcome, self.member_mut(slot)) {
            member.news.tokens = member.news.tokens.saturating_add(*tokens);
            self.has_news(slot, false);
        }
    }

    /// One request less in flight.
    pub(crate) fn give_back(&mut self, slot: u32, trial: Option<u32>) {
        if let Some(member) = self.member_mut(slot) {
            member.in_flight = member.in_flight.saturating_sub(1);
            if trial.is_some() && member.trying == trial {
                member.trying = None;
            }
        }
    }

    /// Places an account that had no room for one more request; others stand where they stood.
    pub(crate) fn place_if_full(&mut self, slot: u32, now_ms: u64) {
        let seat = self.member(slot).and_then(|member| member.seat);
        if let Some(Seat::Out { reason: Reason::Busy | Reason::OnTrial, .. }) = seat {
            self.place(slot, now_ms);
        }
    }

    /// Changes an account, places it, and notes it for the writer if its health is another.
    pub(crate) fn change(
        &mut self,
        slot: u32,
        now_ms: u64,
        change: impl FnOnce(&mut Member),
    ) -> Option<Moved> {
        let member = self.member_mut(slot)?;
        let (from, before) = (member.health(), member.condition.stored());
        change(member);
        let (id, to, differs) = (member.id, member.health(), member.condition.stored() != before);
        self.place(slot, now_ms);
        self.has_news(slot, differs);
        (from != to).then_some(Moved { id, from, to })
    }
}
