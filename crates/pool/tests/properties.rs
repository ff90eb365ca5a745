//! Whatever happens in whatever order: limits hold, leases are counted, and what is chosen is what may be chosen.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::collections::HashMap;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::strategy::Strategy as Strategy_;
use qm_pool::{
    AccountId, Ailment, Lease, LicencePolicy, Outcome, Pool, Quota, Reason, Rules, Says, Stored, Strategy,
    Traits, Verdict, Want,
};

const NOW: u64 = 1_795_268_625_000;
const MODELS: [&str; 3] = ["haiku", "opus", "sonnet"];
const OWNERS: [&str; 2] = ["ann", "bob"];

#[derive(Clone, Debug)]
enum Act {
    Pick {
        model: Option<usize>,
        owner: Option<usize>,
        affinity: Option<u64>,
        pinned: Option<u64>,
        tried: Vec<u64>,
    },
    Begin(usize),
    Settle(usize, Outcome),
    Drop(usize),
    Pass(u64),
    Report(u64, Outcome),
    Enable(u64),
    Disable(u64),
    Models(u64, Option<Vec<usize>>),
    Credits(u64, Option<u8>),
    Remove(u64),
    Add(u64, Traits),
    Choose(Strategy),
}

/// The pool, and what a bystander has seen of it.
struct World {
    pool: Arc<Pool>,
    now_ms: u64,
    chance: u64,
    leases: Vec<Lease>,
    traits: HashMap<AccountId, Traits>,
    begun_ms: HashMap<AccountId, Vec<u64>>,
}

fn outcome() -> impl Strategy_<Value = Outcome> {
    let model = || (0..MODELS.len()).prop_map(|at| Box::<str>::from(MODELS[at]));
    let ailment = prop_oneof![
        Just(Ailment::Network),
        Just(Ailment::Failed),
        Just(Ailment::Refused),
        Just(Ailment::Suspected),
        Just(Ailment::Suspended),
        Just(Ailment::LoginDead),
        Just(Ailment::ExhaustedToday),
        proptest::option::of(0..100_000_u64).prop_map(|retry_after_ms| Ailment::Throttled { retry_after_ms }),
        (0..100_000_u64).prop_map(|ahead| Ailment::Exhausted { resets_ms: Some(NOW + ahead) }),
        model().prop_map(|model| Ailment::ModelBusy { model, retry_after_ms: None }),
        model().prop_map(|model| Ailment::LacksModel { model }),
    ];
    prop_oneof![
        4 => (0..9_u64).prop_map(|tokens| Outcome::Answered { tokens }),
        1 => Just(Outcome::ClientLeft),
        1 => Just(Outcome::RequestAtFault),
        6 => ailment.prop_map(Outcome::ailing),
    ]
}

fn traits() -> impl Strategy_<Value = Traits> {
    let limit = |most: u32| proptest::option::of(0..most);
    let policy =
        prop_oneof![Just(LicencePolicy::Own), Just(LicencePolicy::OwnThenPool), Just(LicencePolicy::Pool)];
    let owner = proptest::option::of((0..OWNERS.len()).prop_map(|at| Box::<str>::from(OWNERS[at])));
    (owner, policy, 1..20_u32, -2..2_i32, limit(6), limit(9), limit(4)).prop_map(
        |(owner, policy, weight, priority, rpm, per_hour, concurrency)| Traits {
            enabled: true,
            owner,
            weight,
            priority,
            rpm,
            per_hour,
            concurrency,
            policy,
        },
    )
}

fn act() -> impl Strategy_<Value = Act> {
    let id = || 0..6_u64;
    let some = proptest::option::of::<std::ops::Range<usize>>;
    let pick = (
        some(0..MODELS.len()),
        some(0..OWNERS.len()),
        proptest::option::of(0..3_u64),
        proptest::option::weighted(0.1, 0..7_u64),
        proptest::collection::vec(0..7_u64, 0..3),
    );
    prop_oneof![
        12 => pick.prop_map(|(model, owner, affinity, pinned, tried)| Act::Pick { model, owner, affinity, pinned, tried }),
        2 => any::<usize>().prop_map(Act::Begin),
        6 => (any::<usize>(), outcome()).prop_map(|(at, outcome)| Act::Settle(at, outcome)),
        2 => any::<usize>().prop_map(Act::Drop),
        4 => prop_oneof![0..2_000_u64, 0..120_000_u64, 0..4_000_000_u64].prop_map(Act::Pass),
        1 => (id(), outcome()).prop_map(|(id, outcome)| Act::Report(id, outcome)),
        1 => id().prop_map(Act::Enable),
        1 => id().prop_map(Act::Disable),
        1 => (id(), proptest::option::of(proptest::collection::vec(0..MODELS.len(), 0..3))).prop_map(|(id, models)| Act::Models(id, models)),
        1 => (id(), proptest::option::of(0..101_u8)).prop_map(|(id, used)| Act::Credits(id, used)),
        1 => id().prop_map(Act::Remove),
        2 => (id(), traits()).prop_map(|(id, traits)| Act::Add(id, traits)),
        1 => strategy().prop_map(Act::Choose),
    ]
}

fn strategy() -> impl Strategy_<Value = Strategy> {
    use Strategy::{LeastUsed, Priority, Random, RoundRobin, Sticky, Weighted};
    prop_oneof![Just(RoundRobin), Just(Random), Just(LeastUsed), Just(Weighted), Just(Priority), Just(Sticky)]
}

impl World {
    fn act(&mut self, act: Act) {
        let now_ms = self.now_ms;
        match act {
            Act::Pick { model, owner, affinity, pinned, tried } => {
                let tried: Vec<AccountId> = tried.into_iter().map(AccountId).collect();
                let want = Want {
                    model: model.map(|at| MODELS[at]),
                    owner: owner.map(|at| OWNERS[at]),
                    affinity,
                    pinned: pinned.map(AccountId),
                    tried: &tried,
                };
                self.pick(&want);
            }
            Act::Begin(at) if !self.leases.is_empty() => {
                let at = at % self.leases.len();
                let _ = self.leases[at].begun(now_ms);
            }
            Act::Settle(at, outcome) if !self.leases.is_empty() => {
                let lease = self.leases.swap_remove(at % self.leases.len());
                let _ = lease.settle(&outcome, now_ms);
            }
            Act::Drop(at) if !self.leases.is_empty() => {
                let lease = self.leases.swap_remove(at % self.leases.len());
                let (id, state) = (lease.account(), |pool: &Pool, id| {
                    pool.one(id, now_ms).map(|view| (view.health, view.errors, view.resting, view.cause))
                });
                let before = state(&self.pool, id);
                drop(lease);
                assert_eq!(state(&self.pool, id), before, "dropping a lease says nothing");
            }
            Act::Begin(_) | Act::Settle(..) | Act::Drop(_) => {}
            Act::Pass(ms) => self.now_ms += ms,
            Act::Report(id, outcome) => {
                let _ = self.pool.report(AccountId(id), &outcome, now_ms);
            }
            Act::Enable(id) => {
                let _ = self.pool.enable(AccountId(id), now_ms);
            }
            Act::Disable(id) => {
                let _ = self.pool.disable(AccountId(id), now_ms);
            }
            Act::Models(id, models) => {
                let models = models.map(|models| models.into_iter().map(|at| MODELS[at].into()).collect());
                self.pool.set_models(AccountId(id), models, now_ms);
            }
            Act::Credits(id, used) => {
                let quota = used.map(|used| Quota {
                    used: used.into(),
                    limit: 100.0,
                    resets_ms: Some(NOW + 500_000),
                    overage: false,
                });
                let _ = self.pool.set_quota(AccountId(id), quota, now_ms);
            }
            Act::Remove(id) => {
                let id = AccountId(id);
                assert_eq!(self.pool.remove(id), self.traits.remove(&id).is_some());
                // Its leases are nobody's now: a number is never used again, but here it is.
                self.leases.retain(|lease| lease.account() != id);
                self.begun_ms.remove(&id);
            }
            Act::Add(id, traits) => {
                let id = AccountId(id);
                // Limits stay what they were, so that a bystander can check them.
                let limits =
                    self.traits.get(&id).map_or((traits.rpm, traits.per_hour, traits.concurrency), |old| {
                        (old.rpm, old.per_hour, old.concurrency)
                    });
                let (rpm, per_hour, concurrency) = limits;
                let traits = Traits { rpm, per_hour, concurrency, ..traits };
                self.traits.insert(id, traits.clone());
                self.pool.add(id, traits, Stored::default(), now_ms);
            }
            Act::Choose(strategy) => {
                self.pool.set_strategy(strategy, now_ms);
                assert_eq!(self.pool.strategy(), strategy);
            }
        }
    }

    fn pick(&mut self, want: &Want<'_>) {
        self.chance = self.chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let verdicts = self.pool.explain(want, self.now_ms, self.chance);
        match self.pool.pick(want, self.now_ms, self.chance) {
            Ok(lease) => {
                let first = verdicts.first().unwrap();
                assert!(first.chosen && matches!(first.says, Says::Able { .. }), "{verdicts:?}");
                assert_eq!(first.id, lease.account(), "explain and pick agree: {verdicts:?}");
                assert!(!want.tried.contains(&first.id));
                self.keeps_limits(lease.account());
                self.leases.push(lease);
            }
            Err(refusal) => {
                assert!(
                    verdicts.iter().all(|verdict| matches!(verdict.says, Says::Unable { .. })),
                    "{verdicts:?}"
                );
                if verdicts.is_empty() {
                    return;
                }
                for reason in Reason::ALL {
                    let said = verdicts.iter().filter(|verdict| reason_of(verdict) == Some(reason)).count();
                    assert_eq!(refusal.why.of(reason) as usize, said, "{reason:?}: {refusal:?} {verdicts:?}");
                }
                let soonest = verdicts.iter().filter_map(free_ms).min();
                assert!(refusal.soonest_ms.is_none_or(|soonest_ms| soonest_ms > self.now_ms));
                if want.model.is_none() {
                    assert_eq!(refusal.soonest_ms, soonest, "{verdicts:?}");
                }
            }
        }
    }

    fn keeps_limits(&mut self, id: AccountId) {
        let (now_ms, traits) = (self.now_ms, &self.traits[&id]);
        let begun_ms = self.begun_ms.entry(id).or_default();
        begun_ms.push(now_ms);
        for (limit, span_ms) in [(traits.rpm, 60_000), (traits.per_hour, 3_600_000)] {
            let within = begun_ms.iter().filter(|at_ms| **at_ms + span_ms > now_ms).count();
            assert!(
                limit.is_none_or(|limit| within <= limit as usize),
                "{within} within {span_ms} ms of {limit:?}"
            );
        }
        let in_flight = self.leases.iter().filter(|lease| lease.account() == id).count() + 1;
        assert!(traits.concurrency.is_none_or(|most| in_flight <= most as usize));
    }

    fn counts_leases(&self) {
        for view in self.pool.snapshot(self.now_ms) {
            let held = self.leases.iter().filter(|lease| lease.account() == view.id).count();
            assert_eq!(view.in_flight as usize, held, "{:?}", view.id);
        }
    }
}

fn reason_of(verdict: &Verdict) -> Option<Reason> {
    match verdict.says {
        Says::Unable { reason, .. } => Some(reason),
        Says::Able { .. } => None,
    }
}

fn free_ms(verdict: &Verdict) -> Option<u64> {
    match verdict.says {
        Says::Unable { free_ms, .. } => free_ms,
        Says::Able { .. } => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn limits_hold_and_explain_agrees_with_pick(
        strategy in strategy(),
        first in proptest::collection::vec(traits(), 1..6),
        acts in proptest::collection::vec(act(), 1..120),
        chance: u64,
    ) {
        let pool = Pool::new(Rules::default(), strategy);
        let mut world = World { pool, now_ms: NOW, chance, leases: Vec::new(), traits: HashMap::new(), begun_ms: HashMap::new() };
        for (id, traits) in (0..).zip(first) {
            world.act(Act::Add(id, traits));
        }
        for act in acts {
            world.act(act);
            world.counts_leases();
        }
    }
}

#[test]
fn limits_hold_when_threads_race_for_them() {
    for (rpm, concurrency, each) in [(Some(50), None, 50), (None, Some(30), 30)] {
        let pool = Pool::new(Rules::default(), Strategy::RoundRobin);
        for id in 0..4 {
            pool.add(AccountId(id), Traits { rpm, concurrency, ..Traits::default() }, Stored::default(), NOW);
        }
        let greedy =
            || (0..100).filter_map(|at| pool.pick(&Want::default(), NOW, at).ok()).collect::<Vec<_>>();
        let held: Vec<Lease> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(greedy)).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(held.len(), 4 * each, "each of four accounts its share, whoever came first");
        drop(held);
        assert!(pool.snapshot(NOW).iter().all(|view| view.in_flight == 0));
    }
}
