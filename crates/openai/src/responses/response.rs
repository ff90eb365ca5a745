//! What a streamed and a whole response have in common: the answer as far as it has come, and the response object.

use bytes::BytesMut;
use qm_canon::estimate::Meter;
use qm_canon::{Block, Fault, Finish, Kind as FaultKind, Origin, Stop};

use super::item::{Item, Kind, Seal};
use super::note::Reply;
use crate::fault::{self, Api};
use crate::json;

/// An answer in the making.
pub(super) struct Answer {
    pub(super) reply: Reply,
    /// The item that is open, unless its block is not shown.
    pub(super) open: Option<Item>,
    /// Items that are complete, as JSON with commas between.
    items: BytesMut,
    /// How many.
    pub(super) count: u64,
    reasoning: Meter,
    /// Whether a call was cut short; such a call is none.
    cut: bool,
}

/// How far a response has come.
#[derive(Clone, Copy)]
pub(super) enum State<'s> {
    InProgress,
    Finished(&'s Finish),
    Failed(&'s Fault),
}

// === impl Answer ===

impl Answer {
    pub(super) fn to(reply: Reply) -> Self {
        let (items, reasoning) = (BytesMut::new(), Meter::default());
        Self { reply, open: None, items, count: 0, reasoning, cut: false }
    }

    pub(super) fn begin(&mut self, block: Block<'_>) {
        self.open = Item::of(block, self.count, &self.reply);
    }

    pub(super) fn add(&mut self, text: &str) {
        if let Some(item) = &mut self.open {
            item.said.push_str(text);
        }
    }

    pub(super) fn seal(&mut self, seal: &str) {
        if let Some(Item { kind: Kind::Reasoning(reasoning), .. }) = &mut self.open {
            reasoning.seal = Seal::Signed(seal.to_owned());
        }
    }

    /// Completes the open item; returns it with its JSON. A call cut short leaves no item.
    pub(super) fn complete(&mut self) -> Option<(Item, &[u8])> {
        let item = self.open.take()?;
        if !item.is_whole() {
            self.cut = true;
            return None;
        }
        if matches!(item.kind, Kind::Reasoning(_)) {
            self.reasoning.add(&item.said);
        }
        if self.count > 0 {
            self.items.extend_from_slice(b",");
        }
        let start = self.items.len();
        item.write(&mut self.items);
        self.count += 1;
        Some((item, &self.items[start..]))
    }

    /// Hands the complete response to who keeps it, if anybody does.
    pub(super) fn keep(&self, finish: &Finish) {
        if let (Some(keeper), Ok(output)) = (&self.reply.note.keeper, str::from_utf8(&self.items)) {
            let mut response = BytesMut::with_capacity(self.items.len() + 2048);
            self.write(&mut response, State::Finished(finish));
            keeper.keep(&self.reply.id, response.freeze(), output);
        }
    }

    /// Why the answer cannot end as it says it does, if so: never a made-up input, and never a call that is none.
    pub(super) fn breach(&self, finish: &Finish) -> Option<Fault> {
        (self.cut && finish.stop != Stop::MaxTokens).then(|| {
            let words = "The upstream's tool call was not complete. Try again.";
            Fault::new(FaultKind::Broken, Origin::Upstream, words).code("unfinished-tool-input")
        })
    }

    /// Writes the response object.
    pub(super) fn write(&self, out: &mut BytesMut, state: State<'_>) {
        let reply = &self.reply;
        out.extend_from_slice(b"{\"id\":");
        json::string(out, &reply.id);
        out.extend_from_slice(b",\"object\":\"response\",\"created_at\":");
        json::number(out, reply.created);
        out.extend_from_slice(b",\"status\":\"");
        out.extend_from_slice(state.word().as_bytes());
        out.extend_from_slice(b"\",\"error\":");
        match state {
            State::Failed(fault) => {
                out.extend_from_slice(b"{\"code\":");
                json::string(out, code(fault));
                out.extend_from_slice(b",\"message\":");
                json::string(out, &message(fault));
                out.extend_from_slice(b"}");
            }
            _ => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b",\"incomplete_details\":");
        match state.incomplete() {
            Some(reason) => {
                out.extend_from_slice(b"{\"reason\":\"");
                out.extend_from_slice(reason.as_bytes());
                out.extend_from_slice(b"\"}");
            }
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b",\"model\":");
        json::string(out, &reply.model);
        out.extend_from_slice(b",\"output\":[");
        out.extend_from_slice(&self.items);
        out.extend_from_slice(b"],\"usage\":");
        match state {
            State::Finished(finish) => self.usage(out, finish),
            _ => out.extend_from_slice(b"null"),
        }
        if !reply.note.echo.is_empty() {
            out.extend_from_slice(b",");
            out.extend_from_slice(reply.note.echo.as_bytes());
        }
        out.extend_from_slice(b"}");
    }

    /// Writes the usage. Codex takes no usage without a total and compacts by its figures; the SDKs read both
    /// details without asking (spec/clients.md §2.2, §3.3). The upstream does not count reasoning by itself, so that
    /// figure is an estimate.
    fn usage(&self, out: &mut BytesMut, finish: &Finish) {
        let usage = &finish.usage;
        let cached = usage.cache_read.unwrap_or(0);
        let reported = usage.input.saturating_add(cached).saturating_add(usage.cache_write.unwrap_or(0));
        let input = if reported == 0 { self.reply.input_tokens } else { reported };
        out.extend_from_slice(b"{\"input_tokens\":");
        json::number(out, input);
        out.extend_from_slice(b",\"input_tokens_details\":{\"cached_tokens\":");
        json::number(out, cached);
        if let Some(written) = usage.cache_write {
            out.extend_from_slice(b",\"cache_write_tokens\":");
            json::number(out, written);
        }
        out.extend_from_slice(b"},\"output_tokens\":");
        json::number(out, usage.output);
        out.extend_from_slice(b",\"output_tokens_details\":{\"reasoning_tokens\":");
        json::number(out, self.reasoning.tokens().min(usage.output));
        out.extend_from_slice(b"},\"total_tokens\":");
        json::number(out, input.saturating_add(usage.output));
        out.extend_from_slice(b"}");
    }
}

// === impl State ===

impl State<'_> {
    /// The status.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::Finished(_) if self.incomplete().is_some() => "incomplete",
            Self::Finished(_) => "completed",
            Self::Failed(_) => "failed",
        }
    }

    /// Why the answer is incomplete, if it is.
    fn incomplete(self) -> Option<&'static str> {
        let Self::Finished(finish) = self else { return None };
        match finish.stop {
            Stop::MaxTokens | Stop::WindowFull => Some("max_output_tokens"),
            Stop::Refusal => Some("content_filter"),
            Stop::EndTurn | Stop::ToolUse | Stop::Sequence(_) | Stop::Pause => None,
        }
    }
}

/// The code of a response that failed. Codex ends its turn on `invalid_prompt`, `context_length_exceeded`,
/// `insufficient_quota` and `server_is_overloaded`, and asks again on the rest (spec/clients.md §2.2).
pub(super) fn code(fault: &Fault) -> &str {
    match fault.kind {
        FaultKind::Invalid
        | FaultKind::TooLarge
        | FaultKind::Unauthenticated
        | FaultKind::Forbidden
        | FaultKind::NotFound => "invalid_prompt",
        _ => fault::code(fault).unwrap_or("server_error"),
    }
}

/// The message of a response that failed. When asking again makes sense later only, it says when in words that Codex
/// reads the number out of.
pub(super) fn message(fault: &Fault) -> String {
    let message = fault::message(fault, Api::Responses);
    match fault.retry_after {
        Some(after) if fault.kind == FaultKind::Throttled => {
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            format!("{message} Please try again in {}s.", seconds.max(1))
        }
        _ => message.into_owned(),
    }
}
