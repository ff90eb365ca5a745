//! Questions to the upstream that no request waits for: some at a time, each account in its turn.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use qm_pool::Health;
use tokio::task::{self, JoinSet};

use super::{Stopped, over, ticks};
use crate::feed;
use crate::house::House;
use crate::roster::{Entry, Made, pool_id};

/// How often accounts are looked through for what is due, unless renewals are looked for more often.
const LOOK: Duration = Duration::from_secs(10);

/// The first look at models and credits of accounts that were never asked is spread over so long.
const SPREAD_MS: u64 = 30_000;

/// How often an account is asked for its models; it asks the upstream only when its list is old.
const MODELS_EVERY_MS: u64 = 60_000;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum What {
    Renewal,
    Models,
    Credits,
    /// Whether one that was fed answers.
    Trial,
}

/// One question to one account.
type Chore = (i64, What);

pub(super) struct Chores {
    house: Arc<House>,
    queue: VecDeque<Chore>,
    /// What waits or is under way.
    taken: HashSet<Chore>,
    /// When each is due next.
    due_ms: HashMap<Chore, u64>,
    under_way: JoinSet<()>,
    which: HashMap<task::Id, Chore>,
    /// How many of those taken ask for models.
    asking_models: usize,
}

impl Chores {
    pub(super) fn new(house: Arc<House>) -> Self {
        Self {
            house,
            queue: VecDeque::new(),
            taken: HashSet::new(),
            due_ms: HashMap::new(),
            under_way: JoinSet::new(),
            which: HashMap::new(),
            asking_models: 0,
        }
    }

    /// Begins nothing new once it is time to stop; what has begun is waited for.
    pub(super) async fn keep_doing(&mut self, mut stopped: Stopped) {
        let mut ticks = ticks(LOOK.min(self.house.habits.renew_every).max(Duration::from_millis(100)));
        loop {
            tokio::select! {
                () = over(&mut stopped) => break,
                _ = ticks.tick() => {
                    self.look_through();
                    self.house.gather_models();
                }
                () = self.house.fed.notified() => self.look_through(),
                Some(done) = self.under_way.join_next_with_id() => self.done(match done {
                    Ok((id, ())) => id,
                    Err(error) => error.id(),
                }),
            }
            self.begin();
        }
        while self.under_way.join_next().await.is_some() {}
    }

    /// Notes what is due.
    fn look_through(&mut self) {
        let (house, now_ms) = (Arc::clone(&self.house), self.house.now_ms());
        let entries = house.entries();
        let here: HashSet<i64> = entries.iter().map(|entry| entry.record.number).collect();
        self.due_ms.retain(|(number, _), _| here.contains(number));
        for entry in &entries {
            let Ok(made) = &entry.made else { continue };
            let asked: &[What] = match entry.record.wishes.enabled {
                true => &[What::Renewal, What::Models, What::Credits],
                false if feed::is_pending(&entry.record) => &[What::Trial],
                false => &[],
            };
            for &what in asked {
                let chore = (entry.record.number, what);
                if !self.taken.contains(&chore) && self.is_due(entry, made, what, now_ms) {
                    self.taken.insert(chore);
                    self.asking_models += usize::from(what == What::Models);
                    self.queue.push_back(chore);
                }
            }
        }
    }

    fn is_due(&mut self, entry: &Entry, made: &Made, what: What, now_ms: u64) -> bool {
        let number = entry.record.number;
        let every_ms = match what {
            What::Renewal => None,
            What::Models => Some(MODELS_EVERY_MS),
            What::Trial => return self.is_due_again(number, now_ms),
            What::Credits => match self.house.habits.quota_every {
                Some(every) => Some(every.as_millis() as u64),
                None => return false,
            },
        };
        let due = match every_ms {
            None => made.account.tokens().due_ms().is_some_and(|due_ms| due_ms <= now_ms),
            Some(every_ms) => {
                let random = (self.house.random)() as u64;
                let due_ms = self.due_ms.entry((number, what)).or_insert_with(|| {
                    let asked_ms = entry.record.learned.usage_ms.filter(|_| what == What::Credits);
                    let first_ms = asked_ms.map_or(now_ms, |asked_ms| now_ms.max(asked_ms + every_ms));
                    // One account alone need not wait: few are asked within the first seconds.
                    first_ms + if number <= 8 { 0 } else { random % SPREAD_MS }
                });
                let due = *due_ms <= now_ms;
                if due {
                    // Within a tenth, so that accounts do not ask in step.
                    *due_ms = now_ms + every_ms + random % (every_ms / 10).max(1);
                }
                due
            }
        };
        // One that a person must see to is left alone; one whose credits are used up is asked whether they are back.
        due && self
            .house
            .pool
            .one(pool_id(number), now_ms)
            .is_some_and(|view| view.health.heals() && (what != What::Models || view.health == Health::Ready))
    }

    /// At once for the first time, and then after a while.
    fn is_due_again(&mut self, number: i64, now_ms: u64) -> bool {
        let due_ms = self.due_ms.entry((number, What::Trial)).or_insert(now_ms);
        let due = *due_ms <= now_ms;
        if due {
            *due_ms = now_ms + feed::AGAIN_MS;
        }
        due
    }

    fn begin(&mut self) {
        while self.under_way.len() < self.house.habits.at_once.max(1)
            && let Some(chore) = self.queue.pop_front()
        {
            let (house, (number, what)) = (Arc::clone(&self.house), chore);
            let handle = self.under_way.spawn(async move {
                match what {
                    What::Renewal => house.renew_ahead(number).await,
                    What::Models => house.ask_models(number).await,
                    What::Credits => house.poll_quota(number).await,
                    What::Trial => house.try_fed(number).await,
                }
            });
            self.which.insert(handle.id(), chore);
        }
    }

    fn done(&mut self, id: task::Id) {
        let Some(chore) = self.which.remove(&id) else { return };
        self.taken.remove(&chore);
        if chore.1 == What::Models {
            self.asking_models = self.asking_models.saturating_sub(1);
            // It looks at every account: once for all that were asked together.
            if self.asking_models == 0 {
                self.house.gather_models();
            }
        }
    }
}
