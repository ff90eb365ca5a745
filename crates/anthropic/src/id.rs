//! Tool call ids, outward and inward.
//!
//! Some clients put `toolu_` before ids that lack it and then answer an id the upstream never gave (spec/upstream.md
//! §3, ids). So every id goes out with exactly one such prefix more than the upstream's, and one is taken off again.

use std::borrow::Cow;

/// What Anthropic's own ids begin with.
pub(crate) const PREFIX: &str = "toolu_";

/// The id as the upstream knows it.
pub(crate) fn inward(id: Cow<'_, str>) -> Cow<'_, str> {
    let bare = |id: &str| id.strip_prefix(PREFIX).is_some_and(|rest| !rest.is_empty());
    match id {
        Cow::Borrowed(text) if bare(text) => Cow::Borrowed(&text[PREFIX.len()..]),
        Cow::Owned(mut text) if bare(&text) => {
            text.drain(..PREFIX.len());
            Cow::Owned(text)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;

    use super::{PREFIX, inward};

    proptest! {
        #[test]
        fn the_upstream_gets_back_the_id_it_gave(id in "(toolu_){0,2}[a-zA-Z0-9_-]{1,30}") {
            let outward = format!("{PREFIX}{id}");
            prop_assert_eq!(inward(Cow::Borrowed(&outward)), id.as_str());
            prop_assert_eq!(inward(Cow::Owned(outward.clone())), id.as_str());
        }
    }

    #[test]
    fn an_id_of_another_making_passes() {
        for id in ["call_1", "tooluse_x", "toolu", "toolu_"] {
            assert_eq!(inward(id.into()), id);
        }
    }
}
