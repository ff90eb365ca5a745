//! What a streamed and a whole answer have in common: the head, a call's beginning, the usage, the reason it ended.

use bytes::BytesMut;
use qm_canon::{Finish, Stop};

use super::Reply;
use crate::{id, json};

/// How a tool call is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `{"type":"function","function":{"name","arguments"}}`
    Function,
    /// `{"type":"custom","custom":{"name","input"}}`
    Custom,
    /// `"function_call":{"name","arguments"}`, outside the list of calls.
    Legacy,
}

// === impl Form ===

impl Form {
    /// The form in which this reply calls this tool.
    pub(super) fn of(name: &str, reply: &Reply) -> Self {
        if reply.note.legacy {
            Self::Legacy
        } else if reply.note.custom.iter().any(|custom| custom == name) {
            Self::Custom
        } else {
            Self::Function
        }
    }

    /// The key of what is called, and the key of what it is given.
    pub(super) fn keys(self) -> (&'static str, &'static str) {
        match self {
            Self::Function => ("function", "arguments"),
            Self::Custom => ("custom", "input"),
            Self::Legacy => ("function_call", "arguments"),
        }
    }

    /// Writes a call from its id up to where the text of its arguments begins, the quote included. The braces it
    /// leaves open are two, or one for [`Form::Legacy`], which has no id.
    pub(super) fn head(self, out: &mut BytesMut, id: &str, name: &str) {
        let (called, given) = self.keys();
        if self != Self::Legacy {
            out.extend_from_slice(b"\"id\":");
            id::outward(out, id);
            out.extend_from_slice(b",\"type\":");
            json::string(out, called);
            out.extend_from_slice(b",");
        }
        json::string(out, called);
        out.extend_from_slice(b":{\"name\":");
        json::string(out, name);
        out.extend_from_slice(b",");
        json::string(out, given);
        out.extend_from_slice(b":\"");
    }
}

/// Writes `"id":…,"object":…,"created":…,"model":…`, without braces.
pub(super) fn head(out: &mut BytesMut, reply: &Reply, object: &str) {
    out.extend_from_slice(b"\"id\":");
    json::string(out, &reply.id);
    out.extend_from_slice(b",\"object\":");
    json::string(out, object);
    out.extend_from_slice(b",\"created\":");
    json::number(out, reply.created);
    out.extend_from_slice(b",\"model\":");
    json::string(out, &reply.model);
}

/// Why the answer ended. Only known words: on any other the AI SDK does not run the tool (spec/clients.md §3.2).
pub(super) fn reason(stop: &Stop, legacy: bool) -> &'static str {
    match stop {
        Stop::ToolUse if legacy => "function_call",
        Stop::ToolUse => "tool_calls",
        Stop::MaxTokens | Stop::WindowFull => "length",
        Stop::Refusal => "content_filter",
        Stop::EndTurn | Stop::Sequence(_) | Stop::Pause => "stop",
    }
}

/// Writes the usage object. `OpenAI` counts cached tokens among the prompt's. Details are there only if the upstream
/// reported them: a client that bills or tunes by them must not be told a zero that nobody measured.
pub(super) fn usage(out: &mut BytesMut, finish: &Finish, reply: &Reply) {
    let usage = &finish.usage;
    let reported = usage
        .input
        .saturating_add(usage.cache_read.unwrap_or(0))
        .saturating_add(usage.cache_write.unwrap_or(0));
    // Some upstreams report no input at all, and then the estimate is the best there is.
    let prompt = if reported == 0 { reply.input_tokens } else { reported };
    let figures = [
        ("{\"prompt_tokens\":", prompt),
        (",\"completion_tokens\":", usage.output),
        (",\"total_tokens\":", prompt.saturating_add(usage.output)),
    ];
    for (key, value) in figures {
        out.extend_from_slice(key.as_bytes());
        json::number(out, value);
    }
    if usage.cache_read.is_some() || usage.cache_write.is_some() {
        let details = [("cached_tokens", usage.cache_read), ("cache_write_tokens", usage.cache_write)];
        let mut before = ",\"prompt_tokens_details\":{\"";
        for (key, tokens) in details {
            let Some(tokens) = tokens else { continue };
            out.extend_from_slice(before.as_bytes());
            out.extend_from_slice(key.as_bytes());
            out.extend_from_slice(b"\":");
            json::number(out, tokens);
            before = ",\"";
        }
        out.extend_from_slice(b"}");
    }
    out.extend_from_slice(b"}");
}
