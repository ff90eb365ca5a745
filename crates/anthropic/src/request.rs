//! Reading a Messages request.

mod block;
mod field;
mod path;
mod settings;
mod tool;
mod wire;

use std::borrow::Cow;

use qm_canon::{At, Conversation, Draft, Fault, Part, Place, Role, Turn};

use self::field::{Field, List};
use self::path::Path;
use self::wire::{Body, Content, Message};

/// How Claude Code marks a line of accounting metadata at the head of its system blocks.
const BILLING_LINE: &str = "x-anthropic-billing-header:";

/// A Messages request, understood.
pub struct Ask<'a> {
    conversation: Conversation<'a>,
    stream: bool,
}

/// Reads the body of `POST /v1/messages`.
///
/// # Errors
/// [`qm_canon::Kind::Invalid`], in Anthropic's wording and with the path at fault, for everything that is malformed
/// or that the gateway cannot honour (docs/MESSAGES.md has the list).
pub fn decode(body: &[u8]) -> Result<Ask<'_>, Fault> {
    let mut body = parse(body)?;
    let stream = std::mem::take(&mut body.stream).optional(&Path::Top("stream"))?.unwrap_or(false);
    let max_tokens = settings::max_tokens(std::mem::take(&mut body.max_tokens))?;
    let (mut draft, places) = draft(body)?;
    draft.sampling.max_tokens = Some(max_tokens);
    let conversation = Conversation::new(draft).map_err(|mut fault| {
        if let Some(Place::Tool(index)) = &mut fault.place {
            *index = places.get(*index).copied().unwrap_or(*index);
        }
        fault
    })?;
    Ok(Ask { conversation, stream })
}

/// Reads the body of `POST /v1/messages/count_tokens`: the same, but nothing need be said of the answer, and the
/// conversation need not be one that can be answered.
pub(crate) fn decode_uncommitted(body: &[u8]) -> Result<Draft<'_>, Fault> {
    let (draft, _) = draft(parse(body)?)?;
    if draft.turns.is_empty() {
        return Err(Fault::invalid("messages: at least one message is required"));
    }
    Ok(draft)
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
}

fn parse(body: &[u8]) -> Result<Body<'_>, Fault> {
    // Checked once here, so that the parser need not check every string again.
    let text = qm_json::read::text(body).map_err(|at| {
        Fault::invalid(format!("The request body is not valid JSON: not UTF-8 at byte {at}"))
    })?;
    // The parser's words name what it expected and where, never what it found: no field here has a shape that it
    // could quote.
    match qm_json::read::from_str::<Field<Body<'_>>>(text) {
        Ok(Field::Is(body)) => Ok(body),
        Ok(Field::Absent | Field::Wrong) => {
            Err(Fault::invalid("The request body is not valid JSON: it should be an object"))
        }
        Err(error) => Err(Fault::invalid(format!("The request body is not valid JSON: {error}"))),
    }
}

/// The draft, and for each of its tools the index in the client's list.
fn draft(body: Body<'_>) -> Result<(Draft<'_>, Vec<usize>), Fault> {
    let model = body.model.required(&Path::Top("model"))?;
    if model.trim().is_empty() {
        return Err(Fault::invalid("model: String should have at least 1 character"));
    }
    settings::check_sampling(body.temperature, body.top_p, body.top_k)?;
    settings::refuse_unsupported(body.mcp_servers)?;
    let mut draft = Draft { model, ..Draft::default() };
    draft.format = settings::format(body.output_format, &Path::Top("output_format"))?.unwrap_or_default();
    settings::output(body.output_config, &Path::Top("output_config"))?.set(&mut draft);
    draft.thinking = settings::thinking(body.thinking)?;
    draft.affinity = settings::affinity(body.metadata)?;
    draft.sampling.stop = settings::stop_sequences(body.stop_sequences)?;
    let places = tool::tools(body.tools, &mut draft.tools)?;
    (draft.choice, draft.single_tool) = tool::choice(body.tool_choice)?;
    draft.system = system(body.system)?;
    let List(messages) = body.messages.required(&Path::Top("messages"))?;
    draft.turns.reserve(messages.len());
    for (index, message) in messages.into_iter().enumerate() {
        let path = Path::Top("messages");
        let path = path.index(index);
        self::message(&mut draft, index, message.required(&path)?, &path)?;
    }
    Ok((draft, places))
}

fn system(system: Field<Content<'_>>) -> Result<Vec<Cow<'_, str>>, Fault> {
    let path = Path::Top("system");
    let mut texts = match system.optional(&path)? {
        None => return Ok(Vec::new()),
        Some(content) => block::texts(content, &path)?,
    };
    // It is for Anthropic's books, not for the model, and it changes with every conversation: passed on, it would be
    // the first thing the upstream reads and so the end of all prefix caching (spec/clients.md §2.1).
    if texts.first().is_some_and(|text| text.starts_with(BILLING_LINE)) {
        texts.remove(0);
    }
    Ok(texts)
}

/// Adds one message to the draft, and what it sets from there on.
fn message<'a>(
    draft: &mut Draft<'a>,
    index: usize,
    message: Message<'a>,
    path: &Path<'_>,
) -> Result<(), Fault> {
    let role_path = path.key("role");
    let role = message.role.required(&role_path)?;
    let content_path = path.key("content");
    let content = message.content.optional(&content_path)?;
    settings::output(message.output_config, &path.key("output_config"))?.set(draft);
    let at = At { message: u32::try_from(index).unwrap_or(u32::MAX), part: 0 };
    let role = match role.as_ref() {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => {
            let texts = content.map_or(Ok(Vec::new()), |content| block::texts(content, &content_path))?;
            if draft.turns.is_empty() {
                draft.system.extend(texts);
            } else {
                // The upstream has no place for it mid-conversation; said at its place, it keeps its order.
                let parts = texts.into_iter().map(|text| Part::Text(text.into())).collect();
                draft.turns.push(Turn { role: Role::User, parts });
            }
            return Ok(());
        }
        _ => return Err(role_path.fault("Input should be 'user', 'assistant' or 'system'")),
    };
    let mut parts = Vec::new();
    match content {
        None => {}
        Some(Content::Text(text)) => parts.push(Part::Text(text)),
        Some(Content::Blocks(blocks)) => {
            parts.reserve(blocks.len());
            for (index, block) in blocks.into_iter().enumerate() {
                let path = content_path.index(index);
                let at = At { part: u32::try_from(index).unwrap_or(u32::MAX), ..at };
                block::add(&mut parts, block.required(&path)?, role, at, &path)?;
            }
        }
    }
    draft.turns.push(Turn { role, parts });
    Ok(())
}
