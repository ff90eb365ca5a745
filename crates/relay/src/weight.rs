//! What a conversation weighs before it is asked of anybody, for limits on tokens. What the upstream reads is estimated
//! anew where its request is written.

use qm_canon::estimate::Meter;
use qm_canon::{Conversation, Format, Part, Written};

/// What a picture, a turn, a call or a tool counts beside its text.
const IMAGE_TOKENS: u64 = 1_600;
const FRAME_TOKENS: u64 = 4;

/// Bytes of base64 of a file for one of its tokens: packed formats hold much that is not text.
const BASE64_FOR_TOKEN: usize = 27;

/// Estimate of its tokens.
pub(crate) fn tokens(conversation: &Conversation<'_>) -> u64 {
    let mut meter = Meter::default();
    for text in conversation.system() {
        meter.add_whole(Written::Plain(text));
    }
    for tool in conversation.tools() {
        meter.add_tokens(FRAME_TOKENS);
        for text in [&*tool.name, &*tool.description, tool.schema.get()] {
            meter.add_whole(Written::Plain(text));
        }
    }
    if let Format::Schema(schema) = conversation.format() {
        meter.add_whole(Written::Plain(schema.get()));
    }
    for turn in conversation.turns() {
        meter.add_tokens(FRAME_TOKENS);
        add(&mut meter, &turn.parts);
    }
    meter.tokens()
}

fn add(meter: &mut Meter, parts: &[Part<'_>]) {
    for part in parts {
        match part {
            Part::Text(text) => meter.add_whole(text.written()),
            Part::Redacted(text) | Part::Thinking { text, .. } => meter.add_whole(Written::Plain(text)),
            Part::Image(_) | Part::Remote(_) => meter.add_tokens(IMAGE_TOKENS),
            Part::Document(document) => meter.add_tokens((document.base64.len() / BASE64_FOR_TOKEN) as u64),
            Part::ToolUse(call) => {
                meter.add_tokens(FRAME_TOKENS);
                meter.add_whole(Written::Plain(call.input.get()));
            }
            Part::ToolResult(result) => {
                meter.add_tokens(FRAME_TOKENS);
                add(meter, &result.parts);
            }
        }
    }
}
