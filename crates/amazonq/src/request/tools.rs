//! Which tools are declared, under which names, and what becomes of calls of tools that are not
//! (spec/upstream.md §2.6, §2.7 R8, R9, R15).

use std::borrow::Cow;
use std::collections::HashMap;

use qm_canon::estimate::Meter;
use qm_canon::text::mended;
use qm_canon::{Choice, Conversation, Fault, Part, Place, Tool};

use super::json::Body;
use super::{Note, Renamed};
use crate::limits::DESCRIPTION_CHARS;
use crate::names::ToolNames;
use crate::schema::{self, Properties, Trouble};

/// The tools of a request.
pub(super) struct Tools<'c> {
    /// The JSON list for the current message; empty when no tools are declared, and then calls and results of the
    /// history are told as text.
    pub(super) specs: String,
    /// What `specs` weighs.
    pub(super) meter: Meter,
    /// Full descriptions that were too long, for the system text.
    pub(super) overflow: Vec<String>,
    /// The client's name → what is upstream.
    names: HashMap<&'c str, Upstream<'c>>,
}

/// A tool as it is called upstream.
pub(super) struct Upstream<'c> {
    pub(super) name: Cow<'c, str>,
    pub(super) properties: Properties,
}

impl<'c> Tools<'c> {
    /// Decides on the tools and writes their declarations.
    pub(super) fn of(conversation: &'c Conversation<'_>) -> Result<Self, Fault> {
        let mut tools = Self {
            specs: String::new(),
            meter: Meter::default(),
            overflow: Vec::new(),
            names: HashMap::with_capacity(conversation.tools().len()),
        };
        if matches!(conversation.choice(), Choice::None) || conversation.tools().is_empty() {
            return Ok(tools);
        }
        let size: usize = conversation.tools().iter().map(weight).sum();
        let mut body = Body::with_capacity(size);
        let mut taken = ToolNames::default();
        let mut open = false;
        for (index, tool) in conversation.tools().iter().enumerate() {
            if let Choice::Tool(only) = conversation.choice()
                && *only != tool.name
            {
                continue;
            }
            body.element(&mut open, "[");
            let name = taken.claim(&tool.name);
            let properties =
                tools.declare(&mut body, tool, &name).map_err(|trouble| fault(trouble, index))?;
            tools.names.insert(&tool.name, Upstream { name, properties });
        }
        for called in called(conversation) {
            // A call in the history must not name a tool that is not declared (R9).
            if !tools.names.contains_key(called) {
                let name = taken.claim(called);
                body.element(&mut open, "[");
                body.raw(r#"{"toolSpecification":{"name":"#);
                body.string(name.as_ref());
                body.raw(r#","description":"#);
                body.string(name.as_ref());
                body.raw(r#","inputSchema":{"json":{"type":"object"}}}}"#);
                tools.names.insert(called, Upstream { name, properties: Properties::new() });
            }
        }
        body.raw("]");
        (tools.specs, tools.meter) = (body.text, body.meter);
        Ok(tools)
    }

    /// Whether any tool is declared.
    pub(super) fn any(&self) -> bool {
        !self.specs.is_empty()
    }

    /// A tool under its upstream name; `None` if no tool is declared.
    pub(super) fn upstream(&self, name: &str) -> Option<&Upstream<'c>> {
        self.names.get(name)
    }

    /// Notes what the answer's decoder must translate back.
    pub(super) fn note(&self, note: &mut Note) {
        for (&name, upstream) in &self.names {
            if upstream.name != name || !upstream.properties.is_empty() {
                let renamed = Renamed { name: name.to_owned(), properties: upstream.properties.clone() };
                note.tools.insert(upstream.name.clone().into_owned(), renamed);
            }
        }
    }

    fn declare(&mut self, body: &mut Body, tool: &Tool<'_>, name: &str) -> Result<Properties, Trouble> {
        body.raw(r#"{"toolSpecification":{"name":"#);
        body.string(name);
        body.raw(r#","description":"#);
        body.string(self.description(tool, name));
        body.raw(r#","inputSchema":{"json":"#);
        let start = body.text.len();
        let properties = schema::write(&mended(tool.schema.get()), &mut body.text)?;
        body.meter.add(body.text.get(start..).unwrap_or_default());
        body.raw("}}}");
        Ok(properties)
    }

    /// What to say the tool is for: never nothing, never more than the upstream takes. The whole of a longer text
    /// goes into the system text.
    fn description<'t>(&mut self, tool: &'t Tool<'_>, name: &'t str) -> &'t str {
        let text = tool.description.as_ref();
        if text.trim_start().is_empty() {
            return name;
        }
        // Bytes bound characters from above, and counting bytes is free.
        if text.len() <= DESCRIPTION_CHARS {
            return text;
        }
        match text.char_indices().nth(DESCRIPTION_CHARS) {
            None => text,
            Some((end, _)) => {
                self.overflow.push(format!("<tool_description name=\"{name}\">{text}</tool_description>"));
                let cut = text.get(..end).unwrap_or_default();
                // A text that begins with ten thousand blanks would be blank now.
                if cut.trim_start().is_empty() { name } else { cut }
            }
        }
    }
}

/// Bytes that a tool's declaration will take, about.
fn weight(tool: &Tool<'_>) -> usize {
    tool.name.len() + tool.description.len() + tool.schema.get().len() + 120
}

/// The tools that are called in the conversation, by the client's names, in order and as often as they are.
fn called<'c>(conversation: &'c Conversation<'_>) -> impl Iterator<Item = &'c str> {
    conversation.turns().iter().flat_map(|turn| &turn.parts).filter_map(|part| match part {
        Part::ToolUse(call) => Some(call.name.as_ref()),
        _ => None,
    })
}

fn fault(trouble: Trouble, index: usize) -> Fault {
    let message = match trouble {
        Trouble::TooDeep => "input_schema: nests deeper than 128 levels; flatten it",
        Trouble::TooWide => "input_schema: its root refers to too many variants; write it as one object",
        Trouble::Malformed | Trouble::NeedsMerging => "input_schema: is not valid JSON",
    };
    Fault::invalid(message).at(Place::Tool(index))
}
