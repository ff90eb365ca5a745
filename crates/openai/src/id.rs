//! Tool call ids, outward and inward.
//!
//! Every id goes out with exactly one `call_` more than the upstream's, and one is taken off again, so the upstream
//! gets back what it issued. `OpenAI` bounds ids at 64 bytes: an id that the prefix would carry beyond goes out bare,
//! unless taking `call_` off it would change it.

use std::borrow::Cow;

use bytes::BytesMut;

use crate::json;

/// What `OpenAI`'s own ids begin with.
const PREFIX: &str = "call_";

/// The longest id that `OpenAI` takes, in bytes.
const LONGEST_BYTES: usize = 64;

/// The id as the upstream knows it.
pub(crate) fn inward(id: Cow<'_, str>) -> Cow<'_, str> {
    let prefixed = |id: &str| id.strip_prefix(PREFIX).is_some_and(|rest| !rest.is_empty());
    match id {
        Cow::Borrowed(text) if prefixed(text) => Cow::Borrowed(&text[PREFIX.len()..]),
        Cow::Owned(mut text) if prefixed(&text) => {
            text.drain(..PREFIX.len());
            Cow::Owned(text)
        }
        other => other,
    }
}

/// Writes the id as the client shall know it: a JSON string, quotes included.
pub(crate) fn outward(out: &mut BytesMut, id: &str) {
    out.extend_from_slice(b"\"");
    if id.len() + PREFIX.len() <= LONGEST_BYTES || id.starts_with(PREFIX) {
        out.extend_from_slice(PREFIX.as_bytes());
    }
    json::fragment(out, id);
    out.extend_from_slice(b"\"");
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use bytes::BytesMut;
    use proptest::prelude::*;

    use super::{LONGEST_BYTES, inward, outward};

    fn sent(id: &str) -> String {
        let mut out = BytesMut::new();
        outward(&mut out, id);
        serde_json::from_slice(&out).unwrap()
    }

    proptest! {
        #[test]
        fn the_upstream_gets_back_the_id_it_gave(id in "(call_){0,2}[a-zA-Z0-9_-]{1,64}") {
            let outward = sent(&id);
            prop_assert_eq!(inward(Cow::Borrowed(&outward)), id.as_str());
            prop_assert_eq!(inward(Cow::Owned(outward.clone())), id.as_str());
            prop_assert!(outward.len() <= LONGEST_BYTES || id.len() > LONGEST_BYTES || id.starts_with("call_"));
        }
    }

    #[test]
    fn an_id_of_another_making_passes() {
        for id in ["toolu_1", "tooluse_x", "call", "call_", "0"] {
            assert_eq!(inward(id.into()), id);
        }
        assert_eq!(sent("tooluse_A"), "call_tooluse_A");
    }
}
