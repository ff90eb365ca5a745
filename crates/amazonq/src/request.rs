//! Conversation → request body.

use std::collections::HashMap;

use qm_canon::{Conversation, Fault};

use crate::model::Model;
use crate::surface::Surface;

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
/// [`qm_canon::Kind::Invalid`], naming the place, for what the upstream would refuse and no repair can mend.
pub fn encode(_conversation: &Conversation<'_>, _profile: &Profile<'_>) -> Result<(Vec<u8>, Note), Fault> {
    Err(Fault::internal("unfinished"))
}
