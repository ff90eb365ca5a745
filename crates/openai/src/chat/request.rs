//! Reading a Chat Completions request.

mod content;
mod message;
mod settings;
mod tool;
mod wire;

use std::mem;

use qm_canon::{Conversation, Draft, Fault, Place};

use self::message::History;
use self::tool::Offer;
use self::wire::Body;
use super::Note;
use crate::field::List;
use crate::path::Path;
use crate::{body, setting};

/// A Chat Completions request, understood.
pub struct Ask<'a> {
    conversation: Conversation<'a>,
    stream: bool,
    note: Note,
}

/// Reads the body of `POST /v1/chat/completions`.
///
/// # Errors
/// [`qm_canon::Kind::Invalid`], in `OpenAI`'s wording and with the parameter at fault, for everything that is
/// malformed or that the gateway cannot honour (docs/COMPATIBILITY.md has the list).
pub fn decode(body: &[u8]) -> Result<Ask<'_>, Fault> {
    let mut body: Body<'_> = body::parse(body)?;
    let stream = mem::take(&mut body.stream).optional(&Path::Top("stream"))?.unwrap_or(false);
    let path = Path::Top("stream_options");
    let include_usage = match mem::take(&mut body.stream_options).optional(&path)? {
        None => false,
        Some(options) => options.include_usage.optional(&path.key("include_usage"))?.unwrap_or(false),
    };
    settings::check(&mut body)?;
    let offer = tool::offer(&mut body)?;
    let (places, legacy) = (offer.places.clone(), offer.legacy);
    let note = Note { include_usage, custom: offer.custom.clone(), legacy };
    let conversation =
        Conversation::new(draft(body, offer)?).map_err(|fault| located(fault, &places, legacy))?;
    Ok(Ask { conversation, stream, note })
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

    /// What the answer must remember of the request.
    #[must_use]
    pub fn reply_note(&self) -> Note {
        self.note.clone()
    }
}

fn draft<'a>(mut body: Body<'a>, offer: Offer<'a>) -> Result<Draft<'a>, Fault> {
    let path = Path::Top("model");
    let model = mem::take(&mut body.model).required(&path)?;
    if model.trim().is_empty() {
        return Err(path.invalid("empty_string", "empty string. Expected the id of a model."));
    }
    let Offer { tools, choice, single, .. } = offer;
    let mut draft = Draft { model, tools, choice, single_tool: single, ..Draft::default() };
    draft.sampling = settings::sampling(&mut body)?;
    draft.format = settings::format(body.response_format)?;
    (draft.effort, draft.thinking) = setting::effort(body.reasoning_effort, &Path::Top("reasoning_effort"))?;
    draft.affinity = setting::affinity([
        ("prompt_cache_key", body.prompt_cache_key),
        ("safety_identifier", body.safety_identifier),
        ("user", body.user),
    ])?;
    let path = Path::Top("messages");
    let List(messages) = body.messages.required(&path)?;
    draft.turns.reserve(messages.len());
    let mut history = History::default();
    for (index, message) in messages.into_iter().enumerate() {
        let path = path.index(index);
        history.add(&mut draft, index, message.required(&path)?, &path)?;
    }
    Ok(draft)
}

/// Names the client's own places in a fault of the canon's.
fn located(mut fault: Fault, places: &[usize], legacy: bool) -> Fault {
    let field = match fault.place.take() {
        Some(Place::Tool(index)) => {
            let index = places.get(index).copied().unwrap_or(index);
            if !legacy {
                return fault.at(Place::Tool(index));
            }
            format!("functions[{index}]")
        }
        Some(place) => return fault.at(place),
        None if fault.message.starts_with("tool_choice") && legacy => "function_call".to_owned(),
        None if fault.message.starts_with("tool_choice") => "tool_choice".to_owned(),
        None => "messages".to_owned(),
    };
    fault.at(Place::Field(field.into())).code("invalid_value")
}
