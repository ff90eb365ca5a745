//! A key's limits as counters: what each is called, how it counts, what a request takes of it.

use qm_coord::{Ask, Meter, Slot};
use qm_keys::{Budget, Limits, Period, Unit};

/// Requests are counted to the millisecond: exact.
const REQUESTS: Meter = Meter::Window { span_ms: 60_000, step_ms: 1 };

/// Tokens are counted by the second: never too many, and room comes back up to a second late.
const TOKENS: Meter = Meter::Window { span_ms: 60_000, step_ms: 1_000 };

/// One counted limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    PerMinute(u64),
    PerDay(u64),
    TokensPerMinute(u64),
    AtOnce(u64),
    Spending(Budget),
}

/// What a request is going to take, or has taken.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Load {
    /// Tokens that are read.
    pub(crate) input: u64,
    /// Tokens that are produced.
    pub(crate) output: u64,
    /// Millionths of a credit.
    pub(crate) credits_micro: u64,
}

impl Measure {
    /// Those of these limits. What holds for a moment comes first, what holds for a month last.
    pub(crate) fn all(limits: &Limits) -> Vec<Self> {
        let single = [
            limits.concurrency.map(Self::AtOnce),
            limits.rpm.map(Self::PerMinute),
            limits.tpm.map(Self::TokensPerMinute),
            limits.rpd.map(Self::PerDay),
        ];
        single.into_iter().flatten().chain(limits.budgets.iter().copied().map(Self::Spending)).collect()
    }

    /// The counter's name.
    pub(crate) fn slot(self) -> Slot {
        match self {
            Self::PerMinute(_) => "rpm",
            Self::PerDay(_) => "rpd",
            Self::TokensPerMinute(_) => "tpm",
            Self::AtOnce(_) => "concurrency",
            Self::Spending(Budget { unit, period, .. }) => match (unit, period) {
                (Unit::Credits, Period::Day) => "credits/day",
                (Unit::Credits, Period::Month) => "credits/month",
                (Unit::Tokens, Period::Day) => "tokens/day",
                (Unit::Tokens, Period::Month) => "tokens/month",
            },
        }
    }

    /// The most there may be. A budget without a hard end is only counted.
    pub(crate) fn limit(self) -> u64 {
        match self {
            Self::PerMinute(most) | Self::PerDay(most) | Self::TokensPerMinute(most) | Self::AtOnce(most) => {
                most
            }
            Self::Spending(budget) => budget.hard.unwrap_or(u64::MAX),
        }
    }

    /// The period it runs over, if it does.
    pub(crate) fn period(self) -> Option<Period> {
        match self {
            Self::PerDay(_) => Some(Period::Day),
            Self::Spending(budget) => Some(budget.period),
            Self::PerMinute(_) | Self::TokensPerMinute(_) | Self::AtOnce(_) => None,
        }
    }

    /// Whether it must be known beforehand how large a request is.
    pub(crate) fn weighs(self) -> bool {
        matches!(self, Self::TokensPerMinute(_) | Self::Spending(Budget { unit: Unit::Tokens, .. }))
    }

    /// Whether it counts what the upstream bills.
    pub(crate) fn is_of_credits(self) -> bool {
        matches!(self, Self::Spending(Budget { unit: Unit::Credits, .. }))
    }

    pub(crate) fn meter(self, now_ms: u64) -> Meter {
        match (self, self.period()) {
            (_, Some(period)) => {
                let span = period.at(now_ms);
                Meter::Period { start_ms: span.start_ms, end_ms: span.end_ms }
            }
            (Self::TokensPerMinute(_), None) => TOKENS,
            (Self::AtOnce(_), None) => Meter::Held,
            (_, None) => REQUESTS,
        }
    }

    /// What a request of this size asks for.
    pub(crate) fn ask(self, load: &Load, now_ms: u64) -> Ask {
        let limit = self.limit();
        // A limit of tokens or credits is never too small for an estimate of what may come: what has to be read must
        // fit, the rest is taken as far as there is room in an unused limit.
        let sure = !self.is_estimated();
        let (amount, least) = match self {
            Self::PerMinute(_) | Self::PerDay(_) | Self::AtOnce(_) => (1, 1),
            Self::TokensPerMinute(_) | Self::Spending(Budget { unit: Unit::Tokens, .. }) => {
                (load.input.saturating_add(load.output), load.input)
            }
            Self::Spending(Budget { unit: Unit::Credits, .. }) => (load.credits_micro, 0),
        };
        // At least one: where nothing is left, nothing gets through.
        let amount = amount.min(limit.max(least)).max(1);
        Ask { slot: self.slot(), meter: self.meter(now_ms), limit, amount, sure }
    }

    /// Whether what a request takes is only known when it has ended.
    fn is_estimated(self) -> bool {
        matches!(self, Self::TokensPerMinute(_) | Self::Spending(_))
    }

    /// What a request has taken, where that is not what it asked for.
    pub(crate) fn real(self, load: &Load) -> Option<u64> {
        match self {
            Self::PerMinute(_) | Self::PerDay(_) | Self::AtOnce(_) => None,
            Self::TokensPerMinute(_) | Self::Spending(Budget { unit: Unit::Tokens, .. }) => {
                Some(load.input.saturating_add(load.output))
            }
            Self::Spending(Budget { unit: Unit::Credits, .. }) => Some(load.credits_micro),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Load, Measure};
    use qm_keys::Limits;

    const NOW: u64 = 1_795_268_625_000;

    fn measures(json: &str) -> Vec<Measure> {
        Measure::all(&serde_json::from_str::<Limits>(json).unwrap())
    }

    #[test]
    fn each_limit_is_one_counter() {
        let all = measures(
            r#"{"rpm":60,"rpd":1000,"tpm":5000,"concurrency":5,"max_output":10,"models":["a"],"budgets":[
            {"unit":"credits","period":"day","hard":1},{"unit":"credits","period":"month","soft":1},
            {"unit":"tokens","period":"day","hard":1},{"unit":"tokens","period":"month","hard":1}]}"#,
        );
        let mut slots: Vec<_> = all.iter().map(|measure| measure.slot()).collect();
        assert_eq!(slots.len(), 8);
        slots.sort_unstable();
        slots.dedup();
        assert_eq!(slots.len(), 8, "none is counted into another");
        assert!(measures("{}").is_empty());
    }

    #[test]
    fn an_estimate_is_cut_to_the_limit_and_what_must_be_read_is_not() {
        let load = Load { input: 800, output: 32_000, credits_micro: 0 };
        let ask = |json: &str| {
            let ask = measures(json)[0].ask(&load, NOW);
            (ask.amount, ask.limit)
        };
        assert_eq!(ask(r#"{"tpm":100000}"#), (32_800, 100_000));
        assert_eq!(ask(r#"{"tpm":1000}"#), (1_000, 1_000));
        assert_eq!(ask(r#"{"tpm":500}"#), (800, 500));
        assert_eq!(ask(r#"{"budgets":[{"unit":"credits","period":"day","hard":1}]}"#), (1, 1_000_000));
        assert_eq!(ask(r#"{"budgets":[{"unit":"tokens","period":"day","soft":1}]}"#), (32_800, u64::MAX));
    }
}
