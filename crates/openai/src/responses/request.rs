//! Reading a Responses request.

mod content;
mod echo;
mod input;
mod settings;
mod tool;
mod wire;

use std::borrow::Cow;
use std::mem;

use qm_canon::{Conversation, Draft, Fault, Part, Role, Turn};
use serde_json::value::RawValue;

use self::input::Reader;
use self::tool::{Again, Tools};
use self::wire::{Body, Input, Item};
use super::note::Note;
use super::thread::Past;
use crate::call::Calls;
use crate::field::{Field, List, Shape};
use crate::path::Path;
use crate::{body, setting};

/// A Responses request, understood.
pub struct Ask<'a> {
    conversation: Conversation<'a>,
    stream: bool,
    note: Note,
}

/// Reads the body of `POST /v1/responses`.
///
/// # Errors
/// [`qm_canon::Kind::Invalid`], in `OpenAI`'s wording and with the parameter at fault, for everything that is malformed
/// or that the gateway cannot honour.
pub fn decode(body: &[u8]) -> Result<Ask<'_>, Fault> {
    decode_after(body, None)
}

/// The same for a gateway that keeps responses, with what went before this request.
///
/// # Errors
/// As [`decode`].
pub fn decode_after<'a>(body: &'a [u8], past: Option<Past<'a>>) -> Result<Ask<'a>, Fault> {
    let mut body: Body<'_> = body::parse(body)?;
    let path = Path::Top("model");
    let model = mem::take(&mut body.model).required(&path)?;
    if model.trim().is_empty() {
        return Err(path.invalid("invalid_value", "expected the id of a model."));
    }
    let stream = mem::take(&mut body.stream).optional(&Path::Top("stream"))?.unwrap_or(false);
    let previous = settings::previous(mem::take(&mut body.previous_response_id), past)?;
    settings::refuse_unsupported(&mut body)?;
    setting::tuning(mem::take(&mut body.temperature), &(0.0..=2.0), &Path::Top("temperature"))?;
    setting::tuning(mem::take(&mut body.top_p), &(0.0..=1.0), &Path::Top("top_p"))?;
    let sealed = settings::sealed(mem::take(&mut body.include), mem::take(&mut body.store))?;
    let path = Path::Top("parallel_tool_calls");
    let parallel = mem::take(&mut body.parallel_tool_calls).optional(&path)?.unwrap_or(true);
    let stored = past.is_some_and(|past| past.kept);
    let echo = echo::echo(&body, parallel, previous.as_deref(), stored);
    let mut note = Note { echo, named: Vec::new(), sealed, keeper: None };

    let mut draft = Draft { model, single_tool: !parallel, ..Draft::default() };
    draft.sampling.max_tokens = setting::whole(body.max_output_tokens, 1, &Path::Top("max_output_tokens"))?;
    (draft.thinking, draft.effort) = settings::reasoning(within(body.reasoning)?, &Path::Top("reasoning"))?;
    draft.format = settings::format(within(body.text)?, &Path::Top("text"))?;
    draft.affinity = setting::affinity([
        ("prompt_cache_key", body.prompt_cache_key),
        ("safety_identifier", body.safety_identifier),
        ("user", body.user),
    ])?;
    draft.system.extend(body.instructions.optional(&Path::Top("instructions"))?);
    let mut tools = Tools::default();
    tools.add(within(body.tools)?, Again::Refused, &Path::Top("tools"))?;
    let before = earlier(past)?;
    input(&mut draft, &mut tools, before, body.input.required(&Path::Top("input"))?)?;
    if draft.turns.is_empty() {
        return Err(
            Path::Top("input").invalid("invalid_value", "expected at least one message of the user's.")
        );
    }
    (draft.tools, note.named, draft.choice) = tools.chosen_among(within(body.tool_choice)?)?;
    Ok(Ask { conversation: Conversation::new(draft)?, stream, note })
}

// === impl Ask ===

impl<'a> Ask<'a> {
    /// What is asked.
    #[must_use]
    pub fn conversation(&self) -> &Conversation<'a> {
        &self.conversation
    }

    /// The same, to fill in what was fetched.
    pub fn conversation_mut(&mut self) -> &mut Conversation<'a> {
        &mut self.conversation
    }

    /// Whether the answer is to come as server-sent events.
    #[must_use]
    pub fn stream(&self) -> bool {
        self.stream
    }

    /// The model as the client named it.
    #[must_use]
    pub fn model(&self) -> &str {
        self.conversation.model()
    }

    /// What the reply must know of it.
    #[must_use]
    pub fn reply_note(&self) -> Note {
        self.note.clone()
    }
}

/// The items that went before: those of requests that were understood in their time, and those of their answers.
fn earlier(past: Option<Past<'_>>) -> Result<Vec<Field<Box<Item<'_>>>>, Fault> {
    let Some(items) = past.map(|past| past.items).filter(|items| !items.is_empty()) else {
        return Ok(Vec::new());
    };
    match qm_json::read::from_str(items) {
        Ok(Field::Is(List(items))) => Ok(items),
        _ => Err(Fault::internal("responses/kept-items")),
    }
}

/// Reads the input and what went before it, the tools in them first: calls may name tools that stand after them.
fn input<'a>(
    draft: &mut Draft<'a>,
    tools: &mut Tools<'a>,
    before: Vec<Field<Box<Item<'a>>>>,
    input: Input<'a>,
) -> Result<(), Fault> {
    let (items, text) = match input {
        Input::Text(text) => (Vec::new(), Some(text)),
        Input::Items(items) => (items, None),
    };
    let before = declared(tools, before, &Path::Top("previous_response_id"))?;
    let items = declared(tools, items, &Path::Top("input"))?;
    draft.turns.reserve(before.len() + items.len() + 1);
    let mut reader = Reader { draft, tools, calls: Calls::default() };
    for (items, path) in [(before, Path::Top("previous_response_id")), (items, Path::Top("input"))] {
        for (index, item) in items.into_iter().enumerate() {
            reader.add(item, index, &path.index(index))?;
        }
    }
    if let Some(text) = text {
        draft.turns.push(Turn { role: Role::User, parts: vec![Part::Text(text.into())] });
    }
    Ok(())
}

/// The items of a list, once the tools that stand among them are on offer.
fn declared<'a>(
    tools: &mut Tools<'a>,
    items: Vec<Field<Box<Item<'a>>>>,
    path: &Path<'_>,
) -> Result<Vec<Box<Item<'a>>>, Fault> {
    let items = items.into_iter().enumerate().map(|(index, item)| {
        let path = path.index(index);
        let mut item: Box<Item<'_>> = item.required(&path)?;
        if matches!(input::kind(&item, &path)?, "additional_tools" | "tool_search_output") {
            tools.add(mem::take(&mut item.tools), Again::Replaces, &path.key("tools"))?;
        }
        Ok(item)
    });
    items.collect()
}

/// Reads a field that was kept as the client wrote it.
fn within<'a, T: Shape<'a>>(raw: Option<&'a RawValue>) -> Result<Field<T>, Fault> {
    match raw {
        None => Ok(Field::Absent),
        // Its syntax was checked with the body's; a string may still hold half a character.
        Some(raw) => qm_json::read::from_str(raw.get()).map_err(|error| {
            Fault::invalid(format!("We could not parse the JSON body of your request: {error}."))
        }),
    }
}

/// The word in a field that must hold one.
fn word<'f>(field: &'f Field<Cow<'_, str>>, path: &Path<'_>) -> Result<&'f str, Fault> {
    match field {
        Field::Is(word) => Ok(word),
        Field::Absent => Err(path.missing()),
        Field::Wrong => Err(path.wrong_type("a string")),
    }
}
