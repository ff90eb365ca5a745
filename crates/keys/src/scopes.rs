//! What a key opens.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One thing that a key opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// The routes of models: chats, listings, counting.
    Inference,
    /// Whatever management shows, but no secrets and no exports.
    Read,
    /// Everything.
    Admin,
}

/// What a key opens, at least one thing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Scopes(u8);

/// A word is no scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected one or more of `inference`, `read`, `admin`")]
pub struct UnknownScope;

impl Scope {
    const ALL: [Self; 3] = [Self::Inference, Self::Read, Self::Admin];

    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Inference => "inference",
            Self::Read => "read",
            Self::Admin => "admin",
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Inference => 1,
            Self::Read => 2,
            Self::Admin => 4,
        }
    }
}

impl Scopes {
    /// Of a client.
    pub const INFERENCE: Self = Self(Scope::Inference.bit());

    /// Of an admin.
    pub const ADMIN: Self = Self(Scope::Admin.bit());

    /// From words.
    ///
    /// # Errors
    /// [`UnknownScope`] for another word, or without any.
    pub fn of_words<W: AsRef<str>>(words: impl IntoIterator<Item = W>) -> Result<Self, UnknownScope> {
        let mut bits = 0;
        for word in words {
            let scope = Scope::ALL.into_iter().find(|scope| scope.word() == word.as_ref());
            bits |= scope.ok_or(UnknownScope)?.bit();
        }
        if bits == 0 { Err(UnknownScope) } else { Ok(Self(bits)) }
    }

    /// Its words, in order.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        Scope::ALL.into_iter().filter(move |scope| self.0 & scope.bit() != 0).map(Scope::word)
    }

    /// Whether these open that. Those of an admin open everything.
    #[must_use]
    pub const fn open(self, scope: Scope) -> bool {
        self.0 & (scope.bit() | Scope::Admin.bit()) != 0
    }

    /// What both of these open; nothing if there is nothing.
    #[must_use]
    pub const fn within(self, other: Self) -> Option<Self> {
        // An admin's open everything without naming it.
        const EVERYTHING: u8 = Scope::Inference.bit() | Scope::Read.bit() | Scope::Admin.bit();
        let mine = if self.are_admin() { EVERYTHING } else { self.0 };
        let theirs = if other.are_admin() { EVERYTHING } else { other.0 };
        match mine & theirs {
            0 => None,
            bits => Some(Self(bits)),
        }
    }

    /// Whether these are an admin's.
    #[must_use]
    pub const fn are_admin(self) -> bool {
        self.open(Scope::Admin)
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.words()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::{Scope, Scopes, UnknownScope};

    #[test]
    fn an_admin_may_everything_and_others_what_they_were_given() {
        for (words, opened) in [
            (&["inference"][..], [true, false, false]),
            (&["read"], [false, true, false]),
            (&["read", "inference"], [true, true, false]),
            (&["admin"], [true, true, true]),
        ] {
            let scopes = Scopes::of_words(words).unwrap();
            assert_eq!(Scope::ALL.map(|scope| scopes.open(scope)), opened, "{words:?}");
        }
    }

    #[test]
    fn what_two_have_in_common_is_no_more_than_either() {
        let of = |words: &[&str]| Scopes::of_words(words).unwrap();
        assert_eq!(of(&["admin"]).within(of(&["read"])), Some(of(&["read"])));
        assert_eq!(of(&["read", "inference"]).within(of(&["admin"])), Some(of(&["inference", "read"])));
        assert_eq!(of(&["read"]).within(of(&["inference"])), None);
        assert!(Scopes::ADMIN.within(Scopes::ADMIN).is_some_and(Scopes::are_admin));
    }

    #[test]
    fn words_are_known_or_refused_and_come_back_in_order() {
        let scopes = Scopes::of_words(["admin", "inference", "admin"]).unwrap();
        assert_eq!(scopes.words().collect::<Vec<_>>(), ["inference", "admin"]);
        assert_eq!(Scopes::of_words(["Admin"]), Err(UnknownScope));
        assert_eq!(Scopes::of_words::<&str>([]), Err(UnknownScope));
    }
}
