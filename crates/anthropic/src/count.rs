//! Counting the tokens of a request, by estimate.

use bytes::BytesMut;
use qm_canon::estimate::Meter;
use qm_canon::{Document, Draft, Fault, Format, Part};

use crate::{json, request};

/// What a picture counts: Anthropic's cost of the largest it does not shrink. Its true size is in the bytes, which
/// nobody decodes for a count.
const IMAGE_TOKENS: u64 = 1_600;

/// What the frame of a turn, a call or a tool counts.
const FRAME_TOKENS: u64 = 4;

/// What a request counts.
pub struct Count {
    /// Its tokens, at least estimated.
    pub tokens: u64,
    /// What to answer instead where nothing is fetched: the request points to a picture.
    pub refusal: Option<Fault>,
}

/// Reads the body of `POST /v1/messages/count_tokens` and counts.
///
/// # Errors
/// As [`request::decode`], but `max_tokens` need not be there and the last message may be the assistant's.
pub fn decode_and_count(body: &[u8]) -> Result<Count, Fault> {
    request::decode_uncommitted(body).map(|draft| count(&draft))
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

fn count(draft: &Draft<'_>) -> Count {
    let mut meter = Meter::default();
    for text in &draft.system {
        meter.add(text);
    }
    for tool in &draft.tools {
        meter.add_tokens(FRAME_TOKENS);
        meter.add(&tool.name);
        meter.add(&tool.description);
        meter.add(tool.schema.get());
    }
    if let Format::Schema(schema) = &draft.format {
        meter.add_tokens(FRAME_TOKENS);
        meter.add(schema.get());
    }
    let mut refusal = None;
    for turn in &draft.turns {
        meter.add_tokens(FRAME_TOKENS);
        add(&mut meter, &turn.parts, &mut refusal);
    }
    Count { tokens: meter.tokens(), refusal: refusal.cloned() }
}

/// Adds what parts count. The first that points to a picture leaves its refusal.
fn add<'p>(meter: &mut Meter, parts: &'p [Part<'_>], refusal: &mut Option<&'p Fault>) {
    for part in parts {
        match part {
            Part::Text(text) => meter.add_whole(text.written()),
            Part::Redacted(text) | Part::Thinking { text, .. } => meter.add(text),
            Part::Image(_) => meter.add_tokens(IMAGE_TOKENS),
            Part::Remote(remote) => {
                meter.add_tokens(IMAGE_TOKENS);
                refusal.get_or_insert(&remote.refusal);
            }
            Part::Document(document) => meter.add_tokens(document_tokens(document)),
            Part::ToolUse(call) => {
                meter.add_tokens(FRAME_TOKENS);
                meter.add(&call.name);
                meter.add(call.input.get());
            }
            Part::ToolResult(result) => {
                meter.add_tokens(FRAME_TOKENS);
                add(meter, &result.parts, refusal);
            }
        }
    }
}

/// Plain formats are text at four bytes a token. The others are packed and hold pictures and fonts besides: a page
/// of a PDF takes some 40 KB and yields some 2,000 tokens.
fn document_tokens(document: &Document<'_>) -> u64 {
    let bytes = document.base64.len() as u64 / 4 * 3;
    bytes / if matches!(document.format.as_ref(), "csv" | "html" | "md") { 4 } else { 20 }
}
