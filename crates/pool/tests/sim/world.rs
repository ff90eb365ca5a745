//! Clients, accounts and time.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::ops::Range;
use std::sync::Arc;

use qm_pool::{AccountId, Ailment, Lease, Outcome, Pool, Rules, Stored, Strategy, Traits, Want};

pub(crate) const SECOND: u64 = 1_000;
pub(crate) const MINUTE: u64 = 60 * SECOND;

/// 2026-11-21 13:43:45 UTC: all times of a scenario count from here.
pub(crate) const START: u64 = 1_795_268_625_000;

/// Requests a second.
pub(crate) const RATE: u64 = 200;

/// A failure takes this long, the first event of an answer twice, a whole answer up to three seconds.
const FAILURE_MS: u64 = 100;

/// How an account behaves at a time: none if it answers.
pub(crate) type Behaviour = Box<dyn Fn(AccountId, u64) -> Option<Ailment>>;

pub(crate) struct World {
    pub(crate) pool: Arc<Pool>,
    behaviour: Behaviour,
    due: BinaryHeap<Event>,
    events: u64,
    chance: u64,
    /// Times of all attempts that were answered, and of those that were not, with their accounts.
    pub(crate) answered: Vec<(u64, AccountId)>,
    pub(crate) failed: Vec<(u64, AccountId)>,
    /// Times at which a client got a failure, and whether an account that would have answered was left untried.
    pub(crate) lost: Vec<(u64, bool)>,
}

struct Event {
    at_ms: u64,
    number: u64,
    what: What,
}

enum What {
    Arrives(Vec<AccountId>),
    Begins(Lease),
    Ends(Lease),
    Fails(Lease, Ailment, Vec<AccountId>),
}

// === impl World ===

impl World {
    pub(crate) fn new(accounts: u64, traits: &Traits, behaviour: Behaviour) -> Self {
        let pool = Pool::new(Rules::default(), Strategy::default());
        for id in 1..=accounts {
            pool.add(AccountId(id), traits.clone(), Stored::default(), START);
        }
        let (due, answered, failed, lost) = (BinaryHeap::new(), Vec::new(), Vec::new(), Vec::new());
        Self { pool, behaviour, due, events: 0, chance: 1, answered, failed, lost }
    }

    /// Lets requests arrive, and everything happen, from one time to another.
    pub(crate) fn run(&mut self, minutes: Range<u64>) {
        let span = minutes.start * MINUTE..minutes.end * MINUTE;
        for number in 0..(span.end - span.start) * RATE / SECOND {
            self.will(START + span.start + number * SECOND / RATE, What::Arrives(Vec::new()));
        }
        while self.due.peek().is_some_and(|event| event.at_ms < START + span.end) {
            let Some(Event { at_ms, what, .. }) = self.due.pop() else { return };
            self.happens(at_ms, what);
        }
    }

    fn happens(&mut self, now_ms: u64, what: What) {
        match what {
            What::Arrives(tried) => self.attempt(now_ms, tried),
            What::Begins(mut lease) => {
                let _ = lease.begun(now_ms);
                self.answered.push((now_ms - START, lease.account()));
                let length_ms = self.chance() % 3_000;
                self.will(now_ms + length_ms, What::Ends(lease));
            }
            What::Ends(lease) => {
                let _ = lease.settle(&Outcome::Answered { tokens: 100 }, now_ms);
            }
            What::Fails(lease, ailment, mut tried) => {
                self.failed.push((now_ms - START, lease.account()));
                tried.push(lease.account());
                let _ = lease.settle(&Outcome::ailing(ailment), now_ms);
                self.attempt(now_ms, tried);
            }
        }
    }

    fn attempt(&mut self, now_ms: u64, tried: Vec<AccountId>) {
        let chance = self.chance();
        let Ok(lease) = self.pool.pick(&Want { tried: &tried, ..Want::default() }, now_ms, chance) else {
            let others = self.pool.snapshot(now_ms).into_iter().map(|view| view.id);
            let served =
                others.filter(|id| !tried.contains(id)).any(|id| (self.behaviour)(id, now_ms).is_none());
            return self.lost.push((now_ms - START, served));
        };
        match (self.behaviour)(lease.account(), now_ms) {
            None => self.will(now_ms + 2 * FAILURE_MS, What::Begins(lease)),
            Some(ailment) => self.will(now_ms + FAILURE_MS, What::Fails(lease, ailment, tried)),
        }
    }

    fn will(&mut self, at_ms: u64, what: What) {
        self.events += 1;
        self.due.push(Event { at_ms, number: self.events, what });
    }

    fn chance(&mut self) -> u64 {
        self.chance =
            self.chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.chance.rotate_left(31)
    }

    /// Share of the answers between two times that an account gave, in per cent.
    pub(crate) fn share(&self, id: u64, span: Range<u64>) -> f64 {
        let within = || self.answered.iter().filter(|(at_ms, _)| span.contains(at_ms));
        100.0 * within().filter(|(_, account)| *account == AccountId(id)).count() as f64
            / within().count() as f64
    }

    /// Failed attempts of an account between two times.
    pub(crate) fn failures(&self, id: u64, span: Range<u64>) -> usize {
        let within = self.failed.iter().filter(|(at_ms, _)| span.contains(at_ms));
        within.filter(|(_, account)| *account == AccountId(id)).count()
    }

    /// When an account first answered after a time, from that time on.
    pub(crate) fn back_after(&self, id: u64, from_ms: u64) -> u64 {
        let mut its = self.answered.iter().filter(|(at_ms, account)| *at_ms >= from_ms && account.0 == id);
        its.next().map_or(u64::MAX, |(at_ms, _)| at_ms - from_ms)
    }

    /// No client saw a failure.
    pub(crate) fn nothing_lost(&self) {
        assert_eq!(self.lost, [], "{} of {}", self.lost.len(), self.answered.len());
    }
}

// === impl Event ===

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Event {}

impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Event {
    /// The earliest is the greatest.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at_ms, other.number).cmp(&(self.at_ms, self.number))
    }
}
