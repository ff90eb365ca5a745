//! What one frame says (spec/upstream.md §3.3). Unknown events are skipped, never an error.

use std::borrow::Cow;

use qm_canon::{Fault, Kind, Origin};
use qm_framing::eventstream::Frame;
use serde::Deserialize;
use serde_json::value::RawValue;

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

/// A `reasoningContentEvent`.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct Reasoning<'a> {
    #[serde(borrow)]
    text: Option<Text<'a>>,
    signature: Option<Text<'a>>,
    redacted_content: Option<Text<'a>>,
}

/// A `toolUseEvent`.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToolSaid<'a> {
    #[serde(borrow)]
    tool_use_id: Option<Text<'a>>,
    name: Option<Text<'a>>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    stop: Option<bool>,
    /// `input`, read.
    #[serde(skip)]
    fragment: Option<Cow<'a, str>>,
}

/// What a tool event says of the input.
pub(super) enum Input<'a> {
    Nothing,
    /// A piece of its JSON text.
    Fragment(&'a str),
    /// All of it.
    Object(&'a str),
}

/// A `metadataEvent`.
pub(super) struct Metadata {
    pub(super) reason: Option<Reason>,
    pub(super) usage: Option<TokenUsage>,
}

/// The upstream's `stopReason`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    EndTurn,
    ToolUse,
    MaxTokens,
    Sequence,
    Filtered,
    Pause,
    WindowFull,
    Other,
}

/// The upstream's `tokenUsage`.
#[derive(Clone, Copy)]
pub(super) struct TokenUsage {
    pub(super) uncached_input: u64,
    pub(super) output: u64,
    pub(super) cache_read: Option<u64>,
    pub(super) cache_write: Option<u64>,
    pub(super) share: Option<f64>,
}

/// Borrowed where it holds no escapes; serde borrows a `Cow` only as a field of its own, not inside an `Option`.
#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize, Default)]
struct Content<'a> {
    #[serde(borrow)]
    content: Option<Text<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct MetadataWire<'a> {
    #[serde(borrow)]
    stop_reason: Option<Text<'a>>,
    #[serde(borrow)]
    token_usage: Option<&'a RawValue>,
}

/// Counts are read as floats, so that `12.0` is no reason to lose them.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct TokenUsageWire {
    uncached_input_tokens: Option<f64>,
    output_tokens: Option<f64>,
    cache_read_input_tokens: Option<f64>,
    cache_write_input_tokens: Option<f64>,
    context_usage_percentage: Option<f64>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct ContextUsage {
    context_usage_percentage: Option<f64>,
}

#[derive(Deserialize, Default)]
struct Metering {
    usage: Option<f64>,
}

/// Reads a frame.
pub(super) fn read<'a>(frame: Frame<'a>, context: &Context<'_>) -> Said<'a> {
    let payload = frame.payload;
    if let Some(exception) = frame.string(":exception-type") {
        return Said::Fails(fault::of_exception(exception, payload, context));
    }
    match frame.string(":message-type") {
        Some("error") => {
            let code = frame.string(":error-code").unwrap_or_default();
            let message = frame.string(":error-message").unwrap_or_default();
            return Said::Fails(fault::of_error_message(code, message, context));
        }
        Some("exception") => return Said::Fails(fault::of_exception("", payload, context)),
        _ => {}
    }
    match frame.string(":event-type") {
        Some(event) => event_said(event, payload, context),
        // Some relays wrap the payload in the event's name and leave the header out.
        None => match wrapped(payload) {
            Some((event, inner)) => event_said(&event, inner.get().as_bytes(), context),
            None => Said::Unknown,
        },
    }
}

fn event_said<'a>(event: &str, payload: &'a [u8], context: &Context<'_>) -> Said<'a> {
    match event {
        "assistantResponseEvent" | "codeEvent" => {
            match parse(event, payload, |content: &Content<'_>| content.content.is_none()) {
                Some(Content { content: Some(Text(text)) }) => Said::Text(text),
                Some(Content { content: None }) => Said::Silent,
                None => unreadable(),
            }
        }
        "reasoningContentEvent" => match parse(event, payload, Reasoning::is_empty) {
            Some(reasoning) => Said::Reasoning(reasoning),
            None => unreadable(),
        },
        "toolUseEvent" => {
            let blank = |said: &ToolSaid<'_>| {
                said.tool_use_id.is_none() && said.name.is_none() && said.input.is_none()
            };
            match parse(event, payload, blank).and_then(ToolSaid::unwrap_input) {
                Some(tool) if blank(&tool) && !tool.stop() => Said::Silent,
                Some(tool) => Said::Tool(tool),
                None => unreadable(),
            }
        }
        "metadataEvent" => Said::Metadata(metadata(payload)),
        "contextUsageEvent" => {
            let usage =
                parse(event, payload, |usage: &ContextUsage| usage.context_usage_percentage.is_none());
            match usage.and_then(|usage| usage.context_usage_percentage) {
                Some(percent) => Said::WindowShare(percent),
                None => Said::Unknown,
            }
        }
        "meteringEvent" => {
            let metering = parse(event, payload, |metering: &Metering| metering.usage.is_none());
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

/// Reads a payload, bare or wrapped in the event's name; `blank` tells that a bare reading found nothing.
fn parse<'a, T: Deserialize<'a>>(event: &str, payload: &'a [u8], blank: impl Fn(&T) -> bool) -> Option<T> {
    let bare = serde_json::from_slice::<T>(payload).ok()?;
    if !blank(&bare) {
        return Some(bare);
    }
    match wrapped(payload) {
        Some((name, inner)) if name == event => serde_json::from_str(inner.get()).ok(),
        _ => Some(bare),
    }
}

/// The one member of an object, if it has just one and that is an object.
fn wrapped(payload: &[u8]) -> Option<(Cow<'_, str>, &RawValue)> {
    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Object<'a>(#[serde(borrow)] std::collections::BTreeMap<Text<'a>, &'a RawValue>);

    let mut members = serde_json::from_slice::<Object<'_>>(payload).ok()?.0.into_iter();
    match (members.next(), members.next()) {
        (Some((Text(name), value)), None) if value.get().starts_with('{') => Some((name, value)),
        _ => None,
    }
}

fn metadata(payload: &[u8]) -> Metadata {
    let blank = |wire: &MetadataWire<'_>| wire.stop_reason.is_none() && wire.token_usage.is_none();
    // Whatever it holds, it came: the model has finished.
    let wire: MetadataWire<'_> = parse("metadataEvent", payload, blank).unwrap_or_default();
    Metadata {
        reason: wire.stop_reason.map(|Text(reason)| Reason::named(&reason)),
        usage: wire
            .token_usage
            .and_then(|usage| serde_json::from_str(usage.get()).ok())
            .map(|usage| TokenUsage::of(&usage)),
    }
}

/// An event of the answer that cannot be read: a part of the answer is lost.
fn unreadable<'a>() -> Said<'a> {
    let message = "The upstream sent something that cannot be read. Send the request again.";
    let fault = Fault::new(Kind::Broken, Origin::Upstream, message).code("unreadable event");
    Said::Fails(Failure { fault, remedy: Remedy::Again { after: fault::SHORT_PAUSE } })
}

// === impl Reasoning ===

impl Reasoning<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.text().is_none() && self.signature().is_none() && self.redacted().is_none()
    }

    pub(super) fn text(&self) -> Option<&str> {
        filled(self.text.as_ref())
    }

    pub(super) fn signature(&self) -> Option<&str> {
        filled(self.signature.as_ref())
    }

    pub(super) fn redacted(&self) -> Option<&str> {
        filled(self.redacted_content.as_ref())
    }
}

// === impl ToolSaid ===

impl<'a> ToolSaid<'a> {
    pub(super) fn id(&self) -> Option<&str> {
        filled(self.tool_use_id.as_ref())
    }

    pub(super) fn name(&self) -> Option<&str> {
        filled(self.name.as_ref())
    }

    pub(super) fn stop(&self) -> bool {
        self.stop.unwrap_or(false)
    }

    pub(super) fn has_input(&self) -> bool {
        !matches!(self.input(), Input::Nothing)
    }

    pub(super) fn input(&self) -> Input<'_> {
        match (&self.fragment, self.input) {
            (Some(text), _) if text.is_empty() => Input::Nothing,
            (Some(text), _) => Input::Fragment(text),
            (None, Some(object)) => Input::Object(object.get()),
            (None, None) => Input::Nothing,
        }
    }

    /// Reads `input`: text, an object, or nothing. An empty object says no more than nothing does, and may come
    /// before the fragments.
    fn unwrap_input(mut self) -> Option<Self> {
        let Some(raw) = self.input else { return Some(self) };
        match raw.get().as_bytes().first() {
            Some(b'"') => {
                let Text(text) = serde_json::from_str::<Text<'a>>(raw.get()).ok()?;
                self.fragment = Some(text);
            }
            Some(b'{') if raw.get()[1..].trim_ascii_start() == "}" => self.input = None,
            Some(b'{') => {}
            Some(b'n') => self.input = None,
            _ => return None,
        }
        Some(self)
    }
}

// === impl Reason ===

impl Reason {
    fn named(name: &str) -> Self {
        match name {
            "END_TURN" => Self::EndTurn,
            "TOOL_USE" => Self::ToolUse,
            "MAX_TOKENS" => Self::MaxTokens,
            "STOP_SEQUENCE" => Self::Sequence,
            "CONTENT_FILTERED" => Self::Filtered,
            "PAUSE_TURN" => Self::Pause,
            "MODEL_CONTEXT_WINDOW_EXCEEDED" => Self::WindowFull,
            _ => Self::Other,
        }
    }
}

// === impl TokenUsage ===

impl TokenUsage {
    pub(super) fn is_zero(self) -> bool {
        let counts =
            [self.uncached_input, self.output, self.cache_read.unwrap_or(0), self.cache_write.unwrap_or(0)];
        counts == [0; 4]
    }

    fn of(wire: &TokenUsageWire) -> Self {
        // `as` saturates: a negative count is none.
        let whole = |count: f64| count as u64;
        Self {
            uncached_input: wire.uncached_input_tokens.map_or(0, whole),
            output: wire.output_tokens.map_or(0, whole),
            cache_read: wire.cache_read_input_tokens.map(whole),
            cache_write: wire.cache_write_input_tokens.map(whole),
            share: wire.context_usage_percentage,
        }
    }
}

fn filled<'t>(text: Option<&'t Text<'_>>) -> Option<&'t str> {
    text.map(|Text(text)| text.as_ref()).filter(|text| !text.is_empty())
}
