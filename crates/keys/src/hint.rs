//! What may be shown of a key after it was made: enough for its owner to know it again.

use crate::token;

/// Both ends of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The first eight characters: `amq-AbCd`.
    pub prefix: String,
    /// The last four.
    pub last4: String,
}

impl Hint {
    /// That of a key of our making: of its 384 bits it tells 48. Nothing of another key, which may be too short to
    /// show any of it.
    #[must_use]
    pub fn of(key: &str) -> Option<Self> {
        if !token::is_minted(key) {
            return None;
        }
        let last = key.len().checked_sub(4)?;
        Some(Self { prefix: key.get(..8)?.to_owned(), last4: key.get(last..)?.to_owned() })
    }

    /// Both with dots between them.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}…{}", self.prefix, self.last4)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::Hint;
    use crate::token::mint_key;

    #[test]
    fn both_ends_are_shown_and_no_more() {
        let key = mint_key(std::array::from_fn(|n| n as u8));
        assert_eq!(Hint::of(key.expose_secret()).unwrap().text(), "amq-AAEC…LS4v");
    }

    #[test]
    fn a_key_of_somebodys_own_making_is_not_shown() {
        assert_eq!(Hint::of("sk-short-key"), None);
        assert_eq!(Hint::of(""), None);
    }
}
