//! Output items: what an answer consists of, and how reasoning is sealed for its way back.

use std::borrow::Cow;

use bytes::BytesMut;
use qm_canon::{Block, Display, Part};
use serde::de::IgnoredAny;

use super::note::Reply;
use crate::{custom, id, json};

/// An output item, as far as it has come.
pub(super) struct Item {
    /// The same in all its events (spec/clients.md §3.3).
    pub(super) id: String,
    /// Its text, reasoning, or arguments, so far.
    pub(super) said: String,
    pub(super) kind: Kind,
}

/// What an item is.
pub(super) enum Kind {
    Message,
    Reasoning(Reasoning),
    Call(Call),
}

pub(super) struct Reasoning {
    /// Whether its text is for the client to see.
    pub(super) shown: bool,
    /// Whether it comes with its seal.
    pub(super) sealed: bool,
    pub(super) seal: Seal<String>,
}

pub(super) struct Call {
    /// The upstream's id of it.
    pub(super) id: String,
    pub(super) name: String,
    pub(super) namespace: Option<String>,
    /// Whether the tool takes text instead of JSON.
    pub(super) custom: bool,
}

/// What the model needs to read its own reasoning again.
pub(super) enum Seal<T> {
    /// The upstream's signature; the text stands beside it, since clients may drop or change what they show.
    Signed(T),
    /// The reasoning itself, which only the upstream can read.
    Redacted(T),
}

/// How a reasoning item's `encrypted_content` begins: what is sealed by others does not begin so.
const SIGNED: &str = "qm1s.";
const REDACTED: &str = "qm1r.";

// === impl Item ===

impl Item {
    /// The item that a block becomes, at this place in the output; `None` if it is not shown at all.
    pub(super) fn of(block: Block<'_>, index: u64, reply: &Reply) -> Option<Self> {
        let (prefix, kind) = match block {
            Block::Text => ("msg", Kind::Message),
            Block::Thinking => {
                let seal = Seal::Signed(String::new());
                ("rs", Kind::Reasoning(Reasoning::of(reply.display?, seal, reply)))
            }
            Block::Redacted(data) => {
                let seal = Seal::Redacted(data.to_owned());
                ("rs", Kind::Reasoning(Reasoning::of(reply.display?, seal, reply)))
            }
            Block::Tool { id, name } => {
                let call = Call::of(id, name, reply);
                (if call.custom { "ctc" } else { "fc" }, Kind::Call(call))
            }
        };
        let own = reply.id.strip_prefix("resp_").unwrap_or(&reply.id);
        Some(Self { id: format!("{prefix}_{own}_{index}"), said: String::new(), kind })
    }

    /// Whether it makes sense as it is: a call does with whole arguments only.
    pub(super) fn is_whole(&self) -> bool {
        !matches!(self.kind, Kind::Call(_))
            || (self.said.trim_start().starts_with('{')
                && serde_json::from_str::<IgnoredAny>(&self.said).is_ok())
    }

    /// What a custom tool is given: its text, out of the arguments.
    pub(super) fn custom_input(&self) -> Cow<'_, str> {
        custom::unwrap(&self.said)
    }

    /// Writes it as it begins, without what it says.
    pub(super) fn write_begun(&self, out: &mut BytesMut) {
        self.head(out);
        out.extend_from_slice(match &self.kind {
            Kind::Message => b",\"status\":\"in_progress\",\"role\":\"assistant\",\"content\":[]}".as_slice(),
            Kind::Reasoning(_) => b",\"summary\":[]}",
            Kind::Call(Call { custom: true, .. }) => b",\"status\":\"in_progress\",\"input\":\"\"}",
            Kind::Call(_) => b",\"status\":\"in_progress\",\"arguments\":\"\"}",
        });
    }

    /// Writes it as it is in the end.
    pub(super) fn write(&self, out: &mut BytesMut) {
        self.head(out);
        match &self.kind {
            Kind::Message => {
                out.extend_from_slice(b",\"status\":\"completed\",\"role\":\"assistant\",\"content\":[");
                write_text(out, &self.said);
                out.extend_from_slice(b"]}");
            }
            Kind::Reasoning(reasoning) => {
                out.extend_from_slice(b",\"summary\":[");
                if reasoning.shown && !self.said.is_empty() {
                    write_summary(out, &self.said);
                }
                out.extend_from_slice(b"]");
                if reasoning.sealed {
                    out.extend_from_slice(b",\"encrypted_content\":");
                    reasoning.seal.write(out, &self.said);
                }
                out.extend_from_slice(b"}");
            }
            Kind::Call(call) => {
                out.extend_from_slice(b",\"status\":\"completed\",");
                if call.custom {
                    out.extend_from_slice(b"\"input\":");
                    json::string(out, &self.custom_input());
                } else {
                    out.extend_from_slice(b"\"arguments\":");
                    json::string(out, &self.said);
                }
                out.extend_from_slice(b"}");
            }
        }
    }

    /// Writes what does not change.
    fn head(&self, out: &mut BytesMut) {
        out.extend_from_slice(b"{\"id\":");
        json::string(out, &self.id);
        out.extend_from_slice(match &self.kind {
            Kind::Message => b",\"type\":\"message\"".as_slice(),
            Kind::Reasoning(_) => b",\"type\":\"reasoning\"",
            Kind::Call(Call { custom: true, .. }) => b",\"type\":\"custom_tool_call\"",
            Kind::Call(_) => b",\"type\":\"function_call\"",
        });
        if let Kind::Call(call) = &self.kind {
            out.extend_from_slice(b",\"call_id\":");
            id::outward(out, &call.id);
            out.extend_from_slice(b",\"name\":");
            json::string(out, &call.name);
            if let Some(namespace) = &call.namespace {
                out.extend_from_slice(b",\"namespace\":");
                json::string(out, namespace);
            }
        }
    }
}

// === impl Reasoning ===

impl Reasoning {
    fn of(display: Display, seal: Seal<String>, reply: &Reply) -> Self {
        Self { shown: display == Display::Shown, sealed: reply.note.sealed, seal }
    }
}

// === impl Call ===

impl Call {
    /// A call of the tool as the client declared it.
    fn of(id: &str, name: &str, reply: &Reply) -> Self {
        let id = id.to_owned();
        match reply.note.tool(name) {
            None => Self { id, name: name.to_owned(), namespace: None, custom: false },
            Some(tool) => Self {
                id,
                name: tool.name.to_string(),
                namespace: tool.namespace.as_deref().map(str::to_owned),
                custom: tool.custom,
            },
        }
    }
}

// === impl Seal ===

impl Seal<String> {
    /// Writes it as a JSON string.
    fn write(&self, out: &mut BytesMut, text: &str) {
        out.extend_from_slice(b"\"");
        match self {
            Self::Redacted(data) => {
                out.extend_from_slice(REDACTED.as_bytes());
                json::fragment(out, data);
            }
            Self::Signed(signature) => {
                out.extend_from_slice(SIGNED.as_bytes());
                json::number(out, signature.len() as u64);
                out.extend_from_slice(b".");
                json::fragment(out, signature);
                json::fragment(out, text);
            }
        }
        out.extend_from_slice(b"\"");
    }
}

impl<'a> Seal<Cow<'a, str>> {
    /// The reasoning under a seal that this gateway wrote; `None` for any other, and when there is nothing under it.
    pub(super) fn open(sealed: &Cow<'a, str>) -> Option<Part<'a>> {
        if sealed.starts_with(REDACTED) {
            return Some(Part::Redacted(piece(sealed, REDACTED.len(), sealed.len())?));
        }
        let (length, _) = sealed.strip_prefix(SIGNED)?.split_once('.')?;
        let start = SIGNED.len() + length.len() + 1;
        let end = start.checked_add(length.parse().ok()?)?;
        let signature = piece(sealed, start, end)?;
        let text = piece(sealed, end, sealed.len())?;
        let empty = text.is_empty() && signature.is_empty();
        (!empty).then_some(Part::Thinking { text, signature })
    }
}

/// A text part of a message.
pub(super) fn write_text(out: &mut BytesMut, text: &str) {
    out.extend_from_slice(b"{\"type\":\"output_text\",\"annotations\":[],\"logprobs\":[],\"text\":");
    json::string(out, text);
    out.extend_from_slice(b"}");
}

/// A part of a reasoning item's summary.
pub(super) fn write_summary(out: &mut BytesMut, text: &str) {
    out.extend_from_slice(b"{\"type\":\"summary_text\",\"text\":");
    json::string(out, text);
    out.extend_from_slice(b"}");
}

/// A piece of a text, borrowed if the text is.
fn piece<'a>(text: &Cow<'a, str>, start: usize, end: usize) -> Option<Cow<'a, str>> {
    Some(match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(start..end)?),
        Cow::Owned(text) => Cow::Owned(text.get(start..end)?.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use bytes::BytesMut;
    use proptest::prelude::*;
    use qm_canon::Part;

    use super::Seal;

    fn sealed(seal: &Seal<String>, text: &str) -> String {
        let mut out = BytesMut::new();
        seal.write(&mut out, text);
        serde_json::from_slice(&out).unwrap()
    }

    proptest! {
        #[test]
        fn a_seal_opens_to_what_was_under_it(signature in any::<String>(), text in any::<String>()) {
            let signed = sealed(&Seal::Signed(signature.clone()), &text);
            for signed in [Cow::Borrowed(signed.as_str()), Cow::Owned(signed.clone())] {
                if text.is_empty() && signature.is_empty() {
                    prop_assert!(Seal::open(&signed).is_none());
                    continue;
                }
                let Some(Part::Thinking { text: read, signature: seal }) = Seal::open(&signed) else {
                    return Err(TestCaseError::fail("not opened"));
                };
                prop_assert_eq!((read.as_ref(), seal.as_ref()), (text.as_str(), signature.as_str()));
            }
            let redacted = sealed(&Seal::Redacted(text.clone()), "");
            let Some(Part::Redacted(data)) = Seal::open(&redacted.into()) else {
                return Err(TestCaseError::fail("not opened"));
            };
            prop_assert_eq!(data.as_ref(), text.as_str());
        }

        #[test]
        fn what_others_sealed_stays_shut(text in any::<String>(), number in any::<u64>()) {
            for foreign in [text.clone(), format!("qm1s.{number}"), format!("qm1s.{}.{text}", text.len() + 1)] {
                prop_assert!(Seal::open(&foreign.into()).is_none());
            }
        }
    }
}
