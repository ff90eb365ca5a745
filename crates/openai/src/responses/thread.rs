//! What a gateway that keeps responses needs of this format: which one a request goes on from, what of the request and
//! its reply a later one goes on from, and the words about those that are not there.
//!
//! A conversation is kept as the JSON list of its items: those of the requests as their clients wrote them, and those
//! of the replies as they were answered. `instructions` and tools are no part of it; every request brings its own.

use std::borrow::Cow;

use bytes::{Bytes, BytesMut};
use qm_canon::{Fault, Kind, Origin};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::field::{Field, object};
use crate::path::{self, Path};
use crate::{body, json};

/// Takes a response that is to be kept, once it is complete.
pub trait Keeper: Send + Sync {
    /// Keeps it: its id, the response as JSON, and its output items as JSON with commas between.
    fn keep(&self, id: &str, response: Bytes, output: &str);
}

/// What a request says that matters to a gateway that keeps responses.
pub struct Thread<'a> {
    previous: Option<Cow<'a, str>>,
    stored: bool,
    items: Cow<'a, str>,
}

/// What went before a request, for one that a gateway reads which keeps responses.
#[derive(Clone, Copy)]
pub struct Past<'a> {
    /// The items of the conversation that the request goes on from, a JSON list; empty if it begins one.
    pub items: &'a str,
    /// Whether its response is going to be kept.
    pub kept: bool,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Body<'a> {
    previous_response_id: Field<Cow<'a, str>>,
    store: Field<bool>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
}

object!(Body);

// === impl Thread ===

impl<'a> Thread<'a> {
    /// Reads it out of a request's body. `None` if that is nothing that could be answered; decoding it says why.
    #[must_use]
    pub fn of(body: &'a [u8]) -> Option<Self> {
        let Body { previous_response_id, store, input } = body::parse(body).ok()?;
        let previous = match previous_response_id {
            Field::Absent => None,
            Field::Is(id) => Some(id).filter(|id| !id.is_empty()),
            Field::Wrong => return None,
        };
        let stored = match store {
            Field::Absent => true,
            Field::Is(stored) => stored,
            Field::Wrong => return None,
        };
        let input = input?.get();
        let items = match input.as_bytes().first()? {
            b'[' => Cow::Borrowed(within(input)),
            b'"' => format!(r#"{{"type":"message","role":"user","content":{input}}}"#).into(),
            _ => return None,
        };
        Some(Self { previous, stored, items })
    }

    /// The id of the response it goes on from.
    #[must_use]
    pub fn previous(&self) -> Option<&str> {
        self.previous.as_deref()
    }

    /// Whether the client lets its response be kept.
    #[must_use]
    pub fn stored(&self) -> bool {
        self.stored
    }

    /// Its own input items, as JSON with commas between.
    #[must_use]
    pub fn items(&self) -> &str {
        &self.items
    }
}

/// A conversation as it goes on: the JSON list of its items before, of those that a request brought, and of those that
/// were answered. The first is such a list or empty, the others are items with commas between.
#[must_use]
pub fn join(before: &str, asked: &str, answered: &str) -> String {
    let before = within(before);
    let mut list = String::with_capacity(before.len() + asked.len() + answered.len() + 4);
    list.push('[');
    for items in [before, asked, answered] {
        if !items.is_empty() {
            if list.len() > 1 {
                list.push(',');
            }
            list.push_str(items);
        }
    }
    list.push(']');
    list
}

/// What is said when a kept response has been deleted.
#[must_use]
pub fn deleted(id: &str) -> Bytes {
    let mut out = BytesMut::with_capacity(128);
    out.extend_from_slice(b"{\"id\":");
    json::string(&mut out, id);
    out.extend_from_slice(b",\"object\":\"response.deleted\",\"deleted\":true}");
    out.freeze()
}

/// The response that a request goes on from is not kept.
#[must_use]
pub fn no_such_previous(id: &str) -> Fault {
    let message = format!(
        "Previous response with id '{}' not found. It may have made room for newer ones: send the whole conversation \
         as `input`.",
        path::word(id)
    );
    Path::Top("previous_response_id").fault("previous_response_not_found", message)
}

/// The response that is asked for is not kept.
#[must_use]
pub fn no_such_response(id: &str) -> Fault {
    let message = format!(
        "Response with id '{}' not found. It was not stored, or it has made room for newer ones.",
        path::word(id)
    );
    let fault = Path::Top("id").fault("", message);
    Fault { kind: Kind::NotFound, origin: Origin::Client, ..fault }
}

/// What stands between the brackets of a list.
fn within(list: &str) -> &str {
    list.strip_prefix('[').and_then(|list| list.strip_suffix(']')).unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_of_either_form_becomes_items() {
        let read = |body: &str| {
            let thread = Thread::of(body.as_bytes())?;
            Some((thread.previous().map(str::to_owned), thread.stored(), thread.items().to_owned()))
        };
        let said = r#"{"type":"message","role":"user","content":"a \"b\""}"#;
        assert_eq!(read(r#"{"input":"a \"b\""}"#), Some((None, true, said.to_owned())));
        let body = r#"{"store":false,"previous_response_id":"resp_1","input": [ {"a":1}, 2 ]}"#;
        assert_eq!(read(body), Some((Some("resp_1".to_owned()), false, r#"{"a":1}, 2"#.to_owned())));
        let body = r#"{"store":null,"previous_response_id":"","input":[]}"#;
        assert_eq!(read(body), Some((None, true, String::new())));
        for body in ["", "[]", "{}", r#"{"input":1}"#, r#"{"input":"a","store":1}"#, r#"{"input":null}"#] {
            assert_eq!(read(body), None, "{body}");
        }
    }

    #[test]
    fn lists_are_joined_whatever_is_empty() {
        for (parts, whole) in [
            (["", "", ""], "[]"),
            (["[]", "", "1"], "[1]"),
            (["[1,2]", "3", ""], "[1,2,3]"),
            (["", "3", "4,5"], "[3,4,5]"),
            (["[1]", "", "4"], "[1,4]"),
        ] {
            let [before, asked, answered] = parts;
            assert_eq!(join(before, asked, answered), whole, "{parts:?}");
        }
    }
}
