//! Which account served a conversation last: remembered for a while, and never for more than so many.

use std::collections::HashMap;
use std::mem;

use crate::account::AccountId;
use crate::mixed::Mixed;

/// Two generations of memory: what is used stays in the young one, what is not used falls with the old one. That bounds
/// size and age without a list of either.
#[derive(Debug, Default)]
pub(crate) struct Affinity {
    young: HashMap<u64, AccountId, Mixed>,
    old: HashMap<u64, AccountId, Mixed>,
    born_ms: u64,
}

/// Conversations in one generation.
const MOST: usize = 32_768;

/// A conversation is remembered for one to two of these; the upstream's caches last no longer.
const GENERATION_MS: u64 = 60 * 60 * 1000;

// === impl Affinity ===

impl Affinity {
    pub(crate) fn account(&mut self, conversation: u64, now_ms: u64) -> Option<AccountId> {
        self.age(now_ms);
        self.young.get(&conversation).or_else(|| self.old.get(&conversation)).copied()
    }

    pub(crate) fn remember(&mut self, conversation: u64, account: AccountId, now_ms: u64) {
        self.age(now_ms);
        if self.young.len() >= MOST && !self.young.contains_key(&conversation) {
            self.turn(now_ms);
        }
        self.young.insert(conversation, account);
    }

    fn age(&mut self, now_ms: u64) {
        let age_ms = now_ms.saturating_sub(self.born_ms);
        if age_ms >= GENERATION_MS {
            self.turn(now_ms);
        }
        if age_ms >= 2 * GENERATION_MS {
            self.old = HashMap::default();
        }
    }

    fn turn(&mut self, now_ms: u64) {
        self.old = mem::take(&mut self.young);
        self.born_ms = now_ms;
    }
}

#[cfg(test)]
mod tests {
    use super::{Affinity, GENERATION_MS, MOST};
    use crate::account::AccountId;

    const ONE: AccountId = AccountId(1);

    #[test]
    fn what_is_used_is_kept_and_what_is_not_is_forgotten() {
        let mut affinity = Affinity::default();
        affinity.remember(7, ONE, 0);
        affinity.remember(8, ONE, 0);
        assert_eq!(affinity.account(7, GENERATION_MS), Some(ONE));
        affinity.remember(7, ONE, GENERATION_MS);
        assert_eq!(affinity.account(7, 2 * GENERATION_MS), Some(ONE));
        assert_eq!(affinity.account(8, 2 * GENERATION_MS), None);
        assert_eq!(affinity.account(7, 9 * GENERATION_MS), None, "after a long silence nothing is left");
    }

    #[test]
    fn it_never_grows_beyond_its_bound() {
        let mut affinity = Affinity::default();
        for conversation in 0..MOST as u64 * 5 {
            affinity.remember(conversation, ONE, 1);
        }
        assert!(affinity.young.len() + affinity.old.len() <= 2 * MOST);
        assert_eq!(affinity.account(MOST as u64 * 5 - 1, 1), Some(ONE));
    }
}
