//! By which rule the next account is chosen among those that can serve.

use crate::load::Load;

/// Health, limits, tiers and licence policy come first under every strategy; this orders what is left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// The lowest recent rate, which among equals is a round; of accounts within one request of each other the one
    /// with fewest requests in flight.
    #[default]
    RoundRobin,
    /// By chance, evenly.
    Random,
    /// Fewest requests within about a day.
    LeastUsed,
    /// Recent rates in proportion to weights.
    Weighted,
    /// The lowest number in `priority` for as long as it can serve; a round among equals.
    Priority,
    /// The same account until it cannot serve.
    Sticky,
}

/// What a strategy reckons with when an account is chosen.
pub(crate) struct Chosen {
    /// The account's load so far.
    pub(crate) load: Load,
    pub(crate) ln_weight: f64,
    pub(crate) now_ms: u64,
    pub(crate) random: u64,
    /// Counts the choices.
    pub(crate) turn: u64,
}

/// How long a request is held against an account that is chosen by its recent rate.
const RATE_SPAN_MS: u64 = 60_000;

/// And by its use.
const USE_SPAN_MS: u64 = 24 * 60 * 60 * 1000;

// === impl Strategy ===

impl Strategy {
    const WORDS: [(&'static str, Self); 8] = [
        ("round_robin", Self::RoundRobin),
        ("random", Self::Random),
        ("least_used", Self::LeastUsed),
        ("weighted", Self::Weighted),
        ("priority", Self::Priority),
        ("sticky", Self::Sticky),
        // What earlier systems called the same.
        ("lowest_rpm", Self::RoundRobin),
        ("weighted_round_robin", Self::Weighted),
    ];

    /// Its word in configuration.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, strategy)| *strategy == self).map_or("round_robin", |(word, _)| word)
    }

    /// The strategy of that word; `-` is as good as `_`.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        let word = word.trim().to_ascii_lowercase().replace('-', "_");
        Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, strategy)| *strategy)
    }

    /// The load of an account after it was chosen.
    pub(crate) fn load(self, chosen: &Chosen) -> Load {
        let Chosen { load, ln_weight, now_ms, random, turn } = *chosen;
        match self {
            Self::RoundRobin | Self::Priority => load.with_one(now_ms, RATE_SPAN_MS, 0.0),
            Self::Weighted => load.with_one(now_ms, RATE_SPAN_MS, ln_weight),
            Self::LeastUsed => load.with_one(now_ms, USE_SPAN_MS, 0.0),
            // A new place on the circle: each choice begins at a random point of it.
            Self::Random => Load(random),
            // The last chosen is the first.
            Self::Sticky => Load(u64::MAX - turn),
        }
    }

    /// Where on the circle a choice begins.
    pub(crate) fn start(self, random: u64) -> u64 {
        if self == Self::Random { random } else { 0 }
    }

    /// The load of an account that has never been chosen.
    pub(crate) fn fresh(self, random: u64) -> Load {
        match self {
            Self::Random => Load(random),
            Self::Sticky => Load(u64::MAX),
            _ => Load::default(),
        }
    }

    /// Whether loads are rates: then an account that is new or back begins where the others are, not at nothing, or it
    /// would get every request until it has had as many.
    pub(crate) fn by_rate(self) -> bool {
        !matches!(self, Self::Random | Self::Sticky)
    }

    /// Whether requests in flight decide between accounts whose rates are the same.
    pub(crate) fn evens_out(self) -> bool {
        matches!(self, Self::RoundRobin | Self::Priority)
    }

    /// Loads up to this are within one request of the given one.
    pub(crate) fn bound(self, load: Load, now_ms: u64) -> Load {
        self.load(&Chosen { load, ln_weight: 0.0, now_ms, random: 0, turn: 0 })
    }

    /// All words that [`Self::of_word`] knows, for messages.
    pub fn words() -> impl Iterator<Item = &'static str> {
        Self::WORDS.iter().map(|(word, _)| *word)
    }
}

#[cfg(test)]
mod tests {
    use super::Strategy;

    #[test]
    fn strategies_are_found_by_their_words() {
        for word in Strategy::words() {
            let strategy = Strategy::of_word(word).unwrap();
            assert_eq!(Strategy::of_word(strategy.word()), Some(strategy), "{word}");
        }
        assert_eq!(Strategy::of_word("Lowest-RPM"), Some(Strategy::RoundRobin));
        assert_eq!(Strategy::of_word("fastest"), None);
    }
}
