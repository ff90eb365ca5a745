//! Counting the tokens of a request, by estimate.

use bytes::BytesMut;
use qm_canon::estimate::Meter;
use qm_canon::{Conversation, Fault, Part, Tool, Turn};

use crate::{json, request};

/// What a picture counts: Anthropic's cost of the largest it does not shrink. Its true size is in the bytes, which
/// nobody decodes for a count.
const IMAGE_TOKENS: u64 = 1_600;

/// Base64 bytes of a document for one token: a page of PDF has about 60 KB and about 2,000 tokens.
const DOCUMENT_BYTES_PER_TOKEN: u64 = 40;

/// What the frame of a turn, a call or a tool counts.
const FRAME_TOKENS: u64 = 4;

/// Reads the body of `POST /v1/messages/count_tokens` and counts.
///
/// # Errors
/// As [`request::decode`], but `max_tokens` need not be there and the last message may be the assistant's.
pub fn decode_and_count(body: &[u8]) -> Result<u64, Fault> {
    let draft = request::decode_uncommitted(body)?;
    Ok(count(draft.system.iter().map(AsRef::as_ref), &draft.turns, &draft.tools))
}

/// Tokens of a conversation: the figure that [`decode_and_count`] gives for the same request, up to the repairs that
/// made it regular.
#[must_use]
pub fn tokens(conversation: &Conversation<'_>) -> u64 {
    count(conversation.system().iter().map(AsRef::as_ref), conversation.turns(), conversation.tools())
}

/// The answer to a count.
#[must_use]
pub fn render(tokens: u64) -> Vec<u8> {
    let mut out = BytesMut::with_capacity(40);
    out.extend_from_slice(b"{\"input_tokens\":");
    json::number(&mut out, tokens);
    out.extend_from_slice(b"}");
    out.into()
}

fn count<'t>(system: impl Iterator<Item = &'t str>, turns: &[Turn<'_>], tools: &[Tool<'_>]) -> u64 {
    let mut meter = Meter::default();
    for text in system {
        meter.add(text);
    }
    for tool in tools {
        meter.add_tokens(FRAME_TOKENS);
        meter.add(&tool.name);
        meter.add(&tool.description);
        meter.add(tool.schema.get());
    }
    let mut speaker = None;
    for turn in turns {
        // Neighbours of one role will be one turn.
        if speaker.replace(turn.role) != Some(turn.role) {
            meter.add_tokens(FRAME_TOKENS);
        }
        add(&mut meter, &turn.parts);
    }
    meter.tokens()
}

fn add(meter: &mut Meter, parts: &[Part<'_>]) {
    for part in parts {
        match part {
            Part::Text(text) | Part::Redacted(text) | Part::Thinking { text, .. } => meter.add(text),
            Part::Image(_) => meter.add_tokens(IMAGE_TOKENS),
            Part::Document(document) => {
                meter.add_tokens(document.base64.len() as u64 / DOCUMENT_BYTES_PER_TOKEN);
            }
            Part::ToolUse(call) => {
                meter.add_tokens(FRAME_TOKENS);
                meter.add(&call.name);
                meter.add(call.input.get());
            }
            Part::ToolResult(result) => {
                meter.add_tokens(FRAME_TOKENS);
                add(meter, &result.parts);
            }
        }
    }
}
