//! Pictures that a client only points to. Whoever may use the network fetches them and fills them in; nobody else
//! passes them on.

use std::borrow::Cow;
use std::slice;

use crate::conversation::{At, Conversation, Image, MediaType, Part};
use crate::fault::Fault;

/// A picture that is to be fetched.
pub struct Remote<'a> {
    /// Where from, as the client wrote it, unchecked.
    pub url: Cow<'a, str>,
    /// Where it stood.
    pub at: At,
    /// What to answer where nothing is fetched, in the words of the client's format.
    pub refusal: Fault,
}

// === impl Conversation ===

impl<'a> Conversation<'a> {
    /// The pictures that are still to be fetched, in order, those in tool results too. Where there are none, nothing is
    /// looked at to find that out.
    pub fn remotes(&self) -> impl Iterator<Item = &Remote<'a>> {
        let turns = if self.remotes == 0 { &[] } else { self.turns() };
        turns.iter().flat_map(|turn| &turn.parts).flat_map(each).filter_map(|part| match part {
            Part::Remote(remote) => Some(&**remote),
            _ => None,
        })
    }

    /// Puts pictures in their places, in the order of [`Self::remotes`]: each its type and its base64 text.
    pub fn fill(&mut self, images: impl IntoIterator<Item = (MediaType, String)>) {
        let mut images = images.into_iter();
        for part in self.draft.turns.iter_mut().flat_map(|turn| &mut turn.parts).flat_map(each_mut) {
            let Part::Remote(remote) = part else { continue };
            let Some((media_type, base64)) = images.next() else { return };
            *part = Part::Image(Image { media_type, base64: base64.into(), at: remote.at });
            self.remotes -= 1;
        }
    }
}

/// How many pictures of this part are to be fetched.
pub(crate) fn count(part: &Part<'_>) -> usize {
    match part {
        Part::Remote(_) => 1,
        Part::ToolResult(result) => {
            result.parts.iter().filter(|part| matches!(part, Part::Remote(_))).count()
        }
        _ => 0,
    }
}

/// The part, or the parts of the tool result that it is.
fn each<'p, 'a>(part: &'p Part<'a>) -> &'p [Part<'a>] {
    match part {
        Part::ToolResult(result) => &result.parts,
        other => slice::from_ref(other),
    }
}

fn each_mut<'p, 'a>(part: &'p mut Part<'a>) -> &'p mut [Part<'a>] {
    match part {
        Part::ToolResult(result) => &mut result.parts,
        other => slice::from_mut(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Draft, Role, ToolResult, ToolUse, Turn};

    fn remote(url: &'static str, message: u32) -> Part<'static> {
        let (url, at) = (url.into(), At { message, part: 0 });
        Part::Remote(Box::new(Remote { url, at, refusal: Fault::invalid("not here") }))
    }

    fn result(id: &'static str, parts: Vec<Part<'static>>) -> Part<'static> {
        Part::ToolResult(ToolResult { id: id.into(), parts, error: false, at: At::default() })
    }

    /// One in a message, one in a tool's result, one in the result of a call that nobody made.
    fn conversation() -> Conversation<'static> {
        let input = serde_json::from_str("{}").map(Cow::Owned).expect("is JSON");
        let call = ToolUse { id: "a".into(), name: "look".into(), input, at: At::default() };
        let said = |role, parts| Turn { role, parts };
        let turns = vec![
            said(Role::User, vec![Part::Text("see".into()), remote("one", 0)]),
            said(Role::Assistant, vec![Part::ToolUse(call)]),
            said(Role::User, vec![result("orphan", vec![remote("three", 2)])]),
            said(Role::User, vec![result("a", vec![Part::Text("here".into()), remote("two", 3)])]),
        ];
        Conversation::new(Draft { turns, ..Draft::default() }).expect("a regular conversation")
    }

    #[test]
    fn they_are_found_wherever_they_stand_and_filled_in_order() {
        let mut conversation = conversation();
        let urls: Vec<&str> = conversation.remotes().map(|remote| remote.url.as_ref()).collect();
        assert_eq!(urls, ["one", "two", "three"]);
        conversation.fill([(MediaType::Png, "AAAA".to_owned()), (MediaType::Gif, "BBBB".to_owned())]);
        let left: Vec<&str> = conversation.remotes().map(|remote| remote.url.as_ref()).collect();
        assert_eq!(left, ["three"], "what nobody brought stays to be seen");
        conversation.fill([(MediaType::Webp, "CCCC".to_owned())]);
        assert_eq!(conversation.remotes().count(), 0);
        let parts = conversation.turns().iter().flat_map(|turn| &turn.parts).flat_map(each);
        let images = parts.filter_map(|part| match part {
            Part::Image(image) => Some((image.base64.as_ref(), image.media_type, image.at.message)),
            _ => None,
        });
        let expected =
            [("AAAA", MediaType::Png, 0), ("BBBB", MediaType::Gif, 3), ("CCCC", MediaType::Webp, 2)];
        assert_eq!(images.collect::<Vec<_>>(), expected);
    }
}
