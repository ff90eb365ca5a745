//! Conversation → request body.
//!
//! ```text
//! tools      which are declared, and their names upstream       (the turns must know the names)
//! turns      history, then the current message with the tools   (system text before the first user's words)
//! fields     what the model's own schema lists
//! ```
//!
//! The rules are those of spec/upstream.md §2.7 (R1 to R15). What the canon guarantees is not checked again: roles
//! alternate, the last turn is the user's, results answer the calls right before them, in order.

mod fields;
pub(crate) mod json;
mod media;
mod tools;
mod turns;

use std::collections::HashMap;

use qm_canon::{Conversation, Fault, Format, Part};

use self::json::Body;
use self::tools::Tools;
use self::turns::{System, Turns};
use crate::model::Model;
use crate::surface::{AgentMode, Surface};

/// What a request depends on besides the conversation.
pub struct Profile<'a> {
    /// The face it goes to.
    pub surface: &'static Surface,
    /// The account's profile, where it has one.
    pub arn: Option<&'a str>,
    /// The model to ask.
    pub model: &'a Model,
    /// Id of the session upstream: a UUID, the same for all requests of one session.
    pub conversation_id: &'a str,
    /// Whether to replay sealed reasoning of earlier turns. Off after the upstream refused a seal.
    pub replay_reasoning: bool,
    /// Whether to send `additionalModelRequestFields`. Off after the upstream refused them.
    pub model_fields: bool,
}

/// What the answer's decoder must remember of the request.
#[derive(Clone, Default)]
pub struct Note {
    /// Upstream tool name → the client's name and its renamed properties, for tools where either differs.
    pub tools: HashMap<String, Renamed>,
    /// Whether reasoning comes as `<thinking>` tags in the text.
    pub thinking_tags: bool,
    /// Whether the client wants to see reasoning, and how; `None`: it is dropped.
    pub show_thinking: Option<qm_canon::Display>,
    /// The model's window in tokens, to read context percentages by.
    pub window: u64,
    /// Estimate of the tokens of this request.
    pub input_tokens: u64,
}

/// A tool that goes under another name upstream.
#[derive(Clone, Default)]
pub struct Renamed {
    /// The client's name of the tool.
    pub name: String,
    /// Upstream property name → the client's, for top-level properties that had to be renamed.
    pub properties: Vec<(String, String)>,
}

/// Writes the body.
///
/// # Errors
/// [`qm_canon::Kind::Invalid`], naming the place, for what the upstream would refuse and no repair can mend, and for a
/// picture that has not been fetched.
pub fn encode(conversation: &Conversation<'_>, profile: &Profile<'_>) -> Result<(Vec<u8>, Note), Fault> {
    let Some((current, history)) = conversation.turns().split_last() else {
        return Err(Fault::internal("conversation without a turn"));
    };
    // The upstream fetches nothing. Left out, the model would answer about a picture that it never saw.
    if let Some(remote) = conversation.remotes().next() {
        return Err(remote.refusal.clone());
    }
    let tools = Tools::of(conversation)?;
    let tags = fields::tags(conversation, &profile.model.controls);
    let thinking_tags = tags.is_some();
    let format = format_block(conversation.format());
    let system = System { tags, paragraphs: conversation.system(), overflow: &tools.overflow, format };

    let mut body = Body::with_capacity(size(conversation) + tools.specs.len());
    body.meter = tools.meter;
    body.raw(r#"{"conversationState":{"conversationId":"#);
    body.label(profile.conversation_id);
    body.raw(r#","chatTriggerType":"MANUAL""#);
    if profile.surface.agent_mode == AgentMode::TaskType {
        body.raw(r#","agentTaskType":"vibe""#);
    }
    let mut turns = Turns::new(body, &tools, profile);
    turns.history(history, &system)?;
    turns.current(current, if history.is_empty() { Some(&system) } else { None })?;
    let mut body = turns.body;
    body.raw("}");
    if profile.surface.agent_mode == AgentMode::Body {
        body.raw(r#","agentMode":"vibe""#);
    }
    if let Some(arn) = profile.arn {
        body.raw(r#","profileArn":"#);
        body.label(arn);
    }
    fields::write(&mut body, conversation, profile);
    body.raw("}");

    let mut note = Note {
        tools: HashMap::new(),
        thinking_tags,
        show_thinking: conversation.thinking().display(),
        window: profile.model.window,
        input_tokens: body.meter.tokens(),
    };
    tools.note(&mut note);
    Ok((body.text.into_bytes(), note))
}

/// The form that the answer must have, said in the client's own words and a label: the upstream has no field for it.
fn format_block(format: &Format<'_>) -> Option<String> {
    match format {
        Format::Free => None,
        Format::Json => Some(r#"<response_format type="json_object"/>"#.to_owned()),
        Format::Schema(schema) => {
            Some(format!(r#"<response_format type="json_schema">{schema}</response_format>"#))
        }
    }
}

/// Bytes the turns and the system text will take, about: what is there, and a twelfth for escapes.
fn size(conversation: &Conversation<'_>) -> usize {
    fn part_size(part: &Part<'_>) -> usize {
        60 + match part {
            Part::Text(text) => text.len(),
            Part::Redacted(text) => text.len(),
            Part::Image(image) => image.base64.len(),
            Part::Remote(_) => 0,
            Part::Document(document) => document.base64.len(),
            Part::ToolUse(call) => call.id.len() + call.name.len() + call.input.get().len(),
            Part::ToolResult(result) => result.id.len() + result.parts.iter().map(part_size).sum::<usize>(),
            Part::Thinking { text, signature } => text.len() + signature.len(),
        }
    }
    let system: usize = conversation.system().iter().map(|text| text.len()).sum();
    let turns: usize =
        conversation.turns().iter().map(|turn| 60 + turn.parts.iter().map(part_size).sum::<usize>()).sum();
    let format = if let Format::Schema(schema) = conversation.format() { schema.get().len() } else { 0 };
    let plain = system + turns + format + 1024;
    plain + plain / 12
}
