//! By which rule the next account is chosen among those that can serve.

/// Eligibility, tiers and licence policy come first under every strategy; this orders what is left.
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
