//! What one frame says (spec/upstream.md §3.3). Unknown events are skipped, never an error.

use std::borrow::Cow;

use qm_canon::{Fault, Kind, Origin};
use qm_framing::eventstream::Frame;

use super::payload::{
    Content, ContextUsage, Metadata, Metering, Reasoning, ToolSaid, parse, plain_content, wrapped,
};
use crate::fault::{self, Context, Failure, Remedy};

pub(super) enum Said<'a> {
    /// Known, and nothing to us.
    Silent,
    /// Not known.
    Unknown,
    Text(Cow<'a, str>),
    Reasoning(Reasoning<'a>),
    Tool(ToolSaid<'a>),
    Metadata(Metadata),
    /// Percent of the model's window in use.
    WindowShare(f64),
    /// Credits billed, if the event could be read.
    Credits(Option<f64>),
    Fails(Failure),
}

/// Reads a frame.
pub(super) fn read<'a>(frame: Frame<'a>, context: &Context<'_>) -> Said<'a> {
    let payload = frame.payload;
    let [exception, message, event] = frame.strings([":exception-type", ":message-type", ":event-type"]);
    if let Some(exception) = exception {
        return Said::Fails(fault::of_exception(word(exception), payload, context));
    }
    match message {
        Some(b"error") => {
            let code = frame.string(":error-code").unwrap_or_default();
            let message = frame.string(":error-message").unwrap_or_default();
            return Said::Fails(fault::of_error_message(code, message, context));
        }
        Some(b"exception") => return Said::Fails(fault::of_exception("", payload, context)),
        _ => {}
    }
    match event {
        Some(b"assistantResponseEvent") if let Some(text) = plain_content(payload) => Said::Text(text.into()),
        Some(event) => event_said(word(event), payload, context),
        // Some relays wrap the payload in the event's name and leave the header out.
        None => match wrapped(payload) {
            Some((event, inner)) => event_said(&event, inner.get().as_bytes(), context),
            None => Said::Unknown,
        },
    }
}

/// A header's text. All are UTF-8 when a frame is handed out.
fn word(value: &[u8]) -> &str {
    std::str::from_utf8(value).unwrap_or_default()
}

fn event_said<'a>(event: &str, payload: &'a [u8], context: &Context<'_>) -> Said<'a> {
    match event {
        "assistantResponseEvent" | "codeEvent" => match parse(event, payload, Content::is_empty) {
            Some(said) => said.text().map_or(Said::Silent, Said::Text),
            None => unreadable(),
        },
        "reasoningContentEvent" => match parse(event, payload, Reasoning::is_empty) {
            Some(reasoning) => Said::Reasoning(reasoning),
            None => unreadable(),
        },
        "toolUseEvent" => match parse(event, payload, ToolSaid::is_blank).and_then(ToolSaid::unwrap_input) {
            Some(tool) if tool.is_blank() && !tool.stop() => Said::Silent,
            Some(tool) => Said::Tool(tool),
            None => unreadable(),
        },
        "metadataEvent" => Said::Metadata(Metadata::read(payload)),
        "contextUsageEvent" => {
            let usage = parse(event, payload, ContextUsage::is_empty);
            match usage.and_then(|usage| usage.context_usage_percentage) {
                Some(percent) => Said::WindowShare(percent),
                None => Said::Unknown,
            }
        }
        "meteringEvent" => {
            let metering = parse(event, payload, Metering::is_empty);
            Said::Credits(metering.and_then(|metering| metering.usage))
        }
        "invalidStateEvent" | "error" => {
            let inner =
                wrapped(payload).filter(|(name, _)| name == event).map(|(_, inner)| inner.get().as_bytes());
            let payload = inner.unwrap_or(payload);
            Said::Fails(match event {
                "error" => fault::of_exception("InternalServerException", payload, context),
                _ => fault::of_invalid_state(payload, context),
            })
        }
        _ if event.ends_with("Exception") => Said::Fails(fault::of_exception(event, payload, context)),
        "initial-response"
        | "messageMetadataEvent"
        | "codeReferenceEvent"
        | "supplementaryWebLinksEvent"
        | "citationEvent"
        | "followupPromptEvent"
        | "intentsEvent"
        | "interactionComponentsEvent"
        | "dryRunSucceedEvent"
        | "toolResultEvent" => Said::Silent,
        _ => Said::Unknown,
    }
}

/// An event of the answer that cannot be read: a part of the answer is lost.
fn unreadable<'a>() -> Said<'a> {
    let message = "The upstream sent something that cannot be read. Send the request again.";
    let fault = Fault::new(Kind::Broken, Origin::Upstream, message).code("unreadable event");
    Said::Fails(Failure { fault, remedy: Remedy::Again { after: fault::SHORT_PAUSE } })
}
