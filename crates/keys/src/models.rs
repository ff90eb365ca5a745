//! Which models a key may use.

/// The name of a model, or of many: `*` stands for any letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelPattern(Box<str>);

impl ModelPattern {
    /// From how it is written. Case does not count, nor whether a version has dots or dashes: people write both.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(
            text.chars()
                .map(|letter| if letter == '.' { '-' } else { letter.to_ascii_lowercase() })
                .collect(),
        )
    }

    /// Whether it lets this request through.
    ///
    /// `served` is the model that would answer, `asked` the client's name for it. A pattern with a `*` is held against
    /// the former alone: the client chooses the latter, and an unknown name may be served by the default model, so it
    /// could always find one that fits. A plain name may be either; what it leads to is the operator's doing.
    #[must_use]
    pub fn allows(&self, asked: &str, served: &str) -> bool {
        self.matches(served) || (!self.0.contains('*') && self.matches(asked))
    }

    fn matches(&self, name: &str) -> bool {
        glob(self.0.as_bytes(), name.as_bytes())
    }
}

fn plain(letter: u8) -> u8 {
    if letter == b'.' { b'-' } else { letter.to_ascii_lowercase() }
}

/// Goes back only to the last star, so it takes at most the product of both lengths.
fn glob(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while let Some(letter) = name.get(n) {
        match pattern.get(p) {
            Some(b'*') => {
                back = Some((p, n));
                p += 1;
            }
            Some(wanted) if *wanted == plain(*letter) => (p, n) = (p + 1, n + 1),
            _ => {
                let Some((star, from)) = back else { return false };
                back = Some((star, from + 1));
                (p, n) = (star + 1, from + 1);
            }
        }
    }
    pattern.get(p..).is_some_and(|rest| rest.iter().all(|letter| *letter == b'*'))
}

#[cfg(test)]
mod tests {
    use super::ModelPattern;

    #[test]
    fn stars_stand_for_any_letters() {
        for (pattern, name, matches) in [
            ("claude-sonnet-4.5", "claude-sonnet-4.5", true),
            ("Claude-Sonnet-4-5", "claude-sonnet-4.5", true),
            ("claude-sonnet-4", "claude-sonnet-4.5", false),
            ("claude-*", "claude-haiku-4.5", true),
            ("*haiku*", "claude-haiku-4.5", true),
            ("*-4.5", "claude-haiku-4.5", true),
            ("*-4.5", "claude-haiku-4.5.1", false),
            ("c*4*5", "claude-4-4-5", true),
            ("*", "", true),
            ("**", "auto", true),
            ("", "auto", false),
            ("a*b", "ab", true),
            ("a*b", "a", false),
        ] {
            assert_eq!(ModelPattern::new(pattern).matches(name), matches, "{pattern} {name}");
        }
    }

    #[test]
    fn a_name_that_the_client_invents_opens_nothing() {
        let haiku = ModelPattern::new("claude-haiku-*");
        assert!(!haiku.allows("claude-haiku-invented", "claude-opus-4.8"));
        assert!(haiku.allows("anything", "claude-haiku-4.5"));
        // The operator lists the name, so what stands behind it is his choice.
        assert!(ModelPattern::new("gpt-4").allows("gpt-4", "claude-sonnet-4.5"));
    }

    #[test]
    fn many_stars_do_not_take_for_ever() {
        let pattern = ModelPattern::new(&"*a".repeat(60));
        assert!(!pattern.matches(&"a".repeat(59)));
        assert!(!pattern.matches(&("a".repeat(5_000) + "b")));
    }
}
