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
