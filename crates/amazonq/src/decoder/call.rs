//! Tool calls, put together from their fragments (spec/upstream.md §3.4).

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use qm_canon::{Block, Event, Sink};
use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use super::payload::{Input, ToolSaid};
use super::tally::Tally;
use crate::request::Note;

/// Most bytes of one call's input.
const MAX_INPUT_BYTES: usize = 16 * 1024 * 1024;

/// Most calls in one answer; no model comes near, so more is a stream gone wrong.
const MAX_CALLS: usize = 4096;

/// What JSON takes for space: less than Rust does, which counts the form feed.
const JSON_SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

/// The calls of one answer: at most one is open.
#[derive(Default)]
pub(super) struct Calls {
    open: Option<Call>,
    /// Ids of the calls that are complete, and whether they had arguments.
    closed: HashMap<String, bool>,
}

/// Where a tool event belongs.
pub(super) enum Place {
    /// To the open call.
    Open,
    /// It begins a call.
    New,
    /// To a call that is complete: it repeats what was said.
    Ignored,
}

/// Whether a call's input is a whole JSON object.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Whole {
    Yes,
    No,
}

struct Call {
    id: String,
    /// The input so far.
    json: String,
    /// Upstream property → the client's. Where there are any, the input is sent only when it is whole.
    properties: Vec<(String, String)>,
    /// The upstream has said that the call is complete.
    stopped: bool,
}

// === impl Calls ===

impl Calls {
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Whether any call was completed.
    pub(super) fn any_whole(&self) -> bool {
        !self.closed.is_empty()
    }

    /// Where this event belongs; an error if that cannot be known.
    pub(super) fn place(&self, said: &ToolSaid<'_>) -> Result<Place, &'static str> {
        let open = self.open.as_ref();
        let Some(id) = said.id() else {
            return match open {
                Some(_) => Ok(Place::Open),
                None if !said.has_input() => Ok(Place::Ignored),
                None => Err("tool event without an id"),
            };
        };
        if open.is_some_and(|call| call.id == id) {
            return Ok(Place::Open);
        }
        match self.closed.get(id) {
            // The client was told `{}` and now there are arguments: what it was told is wrong.
            Some(false) if said.has_input() => Err("tool input after its end"),
            Some(_) => Ok(Place::Ignored),
            None if said.name().is_none() => Err("tool event without a name"),
            None if self.closed.len() >= MAX_CALLS => Err("too many tool calls"),
            None => Ok(Place::New),
        }
    }

    /// Begins the call that was found [`Place::New`].
    pub(super) fn begin(&mut self, said: &ToolSaid<'_>, note: &Note, sink: &mut impl Sink) {
        let (Some(id), Some(name)) = (said.id(), said.name()) else { return };
        let renamed = note.tools.get(name);
        let name = renamed.map_or(name, |renamed| renamed.name.as_str());
        sink.event(Event::Open(Block::Tool { id, name }));
        self.open = Some(Call {
            id: id.to_owned(),
            json: String::new(),
            properties: renamed.map(|renamed| renamed.properties.clone()).unwrap_or_default(),
            stopped: false,
        });
    }

    /// Adds to the open call what this event says, and closes it if it says so.
    pub(super) fn extend(
        &mut self,
        said: &ToolSaid<'_>,
        tally: &mut Tally,
        sink: &mut impl Sink,
    ) -> Result<(), &'static str> {
        let Some(call) = &mut self.open else { return Ok(()) };
        match said.input() {
            Input::Nothing => {}
            Input::Fragment(text) => call.push(text, tally, sink)?,
            Input::Object(text) if call.json.is_empty() => call.push(text, tally, sink)?,
            Input::Object(_) => return Err("tool input given twice"),
        }
        call.stopped |= said.stop();
        // A stopped call without input stays open until something else comes: the upstream may repeat it with its
        // arguments. One whose input is not whole does too: the metadata may yet say that the bound cut it.
        if call.stopped && call.is_whole() {
            self.close(false, tally, sink);
        }
        Ok(())
    }

    /// Closes the open call, if there is one. A call that was cut at the answer's bound closes as it is.
    pub(super) fn close(&mut self, cut_at_bound: bool, tally: &mut Tally, sink: &mut impl Sink) -> Whole {
        let Some(call) = self.open.take() else { return Whole::Yes };
        let empty = call.json.trim_matches(JSON_SPACE).is_empty();
        if empty && (call.stopped || !cut_at_bound) {
            // An empty input is how the upstream writes a call without arguments.
            tally.output("{}");
            sink.event(Event::Delta("{}"));
        } else if !call.is_whole() {
            if cut_at_bound {
                sink.event(Event::Close);
                return Whole::Yes;
            }
            return Whole::No;
        } else if !call.properties.is_empty() {
            match restore(&call.json, &call.properties) {
                Some(json) => sink.event(Event::Delta(&json)),
                None => return Whole::No,
            }
        }
        sink.event(Event::Close);
        self.closed.insert(call.id, !empty);
        Whole::Yes
    }
}

// === impl Call ===

impl Call {
    fn push(&mut self, text: &str, tally: &mut Tally, sink: &mut impl Sink) -> Result<(), &'static str> {
        if text.is_empty() {
            return Ok(());
        }
        if self.json.len() + text.len() > MAX_INPUT_BYTES {
            return Err("tool input too long");
        }
        self.json.push_str(text);
        tally.output(text);
        if self.properties.is_empty() {
            sink.event(Event::Delta(text));
        }
        Ok(())
    }

    /// Whether the input is one whole JSON object.
    fn is_whole(&self) -> bool {
        self.json.trim_start_matches(JSON_SPACE).starts_with('{')
            && serde_json::from_str::<&RawValue>(&self.json).is_ok()
    }
}

/// The object with its top-level keys as the client named them.
fn restore(json: &str, properties: &[(String, String)]) -> Option<String> {
    let members = serde_json::Deserializer::from_str(json).deserialize_map(Members).ok()?;
    let mut out = String::with_capacity(json.len() + 64);
    out.push('{');
    for (index, (key, value)) in members.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        let client =
            properties.iter().find(|(upstream, _)| upstream == key).map(|(_, client)| client.as_str());
        out.push_str(&serde_json::to_string(client.unwrap_or(key)).ok()?);
        out.push(':');
        out.push_str(value.get());
    }
    out.push('}');
    Some(out)
}

/// Reads the members of an object in their order.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}
