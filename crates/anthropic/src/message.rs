//! What a streamed and a whole message have in common: the head, the usage, the reason it stopped.

use bytes::BytesMut;
use qm_canon::{Display, Finish, Stop, Usage};

use crate::json;

/// What a message says of itself besides what the upstream said.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Its id, `msg_…`; the front makes it.
    pub message_id: String,
    /// The model, as the client named it.
    pub model: String,
    /// Estimated input tokens, for clients that want a figure before there is one.
    pub input_tokens: u64,
    /// How reasoning is shown; `None` leaves it out (see [`qm_canon::Thinking::display`]).
    pub display: Option<Display>,
    /// Named in an error that comes after the stream began; left out if empty.
    pub request_id: String,
}

impl Reply {
    /// Writes `"id":…,"type":"message","role":"assistant","model":…`, without braces.
    pub(crate) fn head(&self, out: &mut BytesMut) {
        out.extend_from_slice(b"\"id\":");
        json::string(out, &self.message_id);
        out.extend_from_slice(b",\"type\":\"message\",\"role\":\"assistant\",\"model\":");
        json::string(out, &self.model);
    }
}

/// Writes `"stop_reason":…,"stop_sequence":…`, without braces.
pub(crate) fn stop(out: &mut BytesMut, stop: &Stop) {
    let (reason, sequence) = match stop {
        Stop::EndTurn => ("end_turn", None),
        Stop::ToolUse => ("tool_use", None),
        Stop::MaxTokens => ("max_tokens", None),
        Stop::Sequence(text) => ("stop_sequence", Some(text)),
        Stop::Refusal => ("refusal", None),
        Stop::WindowFull => ("model_context_window_exceeded", None),
        Stop::Pause => ("pause_turn", None),
    };
    out.extend_from_slice(b"\"stop_reason\":");
    json::string(out, reason);
    out.extend_from_slice(b",\"stop_sequence\":");
    match sequence {
        Some(text) => json::string(out, text),
        None => out.extend_from_slice(b"null"),
    }
}

/// Writes the usage object. Cache figures are there only if the upstream reported them: a client that bills or
/// tunes by them must not be told a zero that nobody measured.
pub(crate) fn usage(out: &mut BytesMut, usage: &Usage) {
    out.extend_from_slice(b"{\"input_tokens\":");
    json::number(out, usage.input);
    if let Some(tokens) = usage.cache_write {
        out.extend_from_slice(b",\"cache_creation_input_tokens\":");
        json::number(out, tokens);
    }
    if let Some(tokens) = usage.cache_read {
        out.extend_from_slice(b",\"cache_read_input_tokens\":");
        json::number(out, tokens);
    }
    out.extend_from_slice(b",\"output_tokens\":");
    json::number(out, usage.output);
    out.extend_from_slice(b"}");
}

/// The usage to show: some upstreams report no input at all, and then the estimate is the best there is.
pub(crate) fn shown(finish: &Finish, reply: &Reply) -> Usage {
    let mut usage = finish.usage;
    let cached = usage.cache_read.unwrap_or(0) + usage.cache_write.unwrap_or(0);
    if usage.input == 0 && cached == 0 {
        usage.input = reply.input_tokens;
    }
    usage
}
