//! The payloads of events (spec/upstream.md §3.3).

use std::borrow::Cow;
use std::collections::BTreeMap;

use qm_json::write::plain;
use serde::Deserialize;
use serde_json::value::RawValue;

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
pub(super) struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// An `assistantResponseEvent` or a `codeEvent`.
#[derive(Deserialize, Default)]
pub(super) struct Content<'a> {
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

/// A `contextUsageEvent`.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct ContextUsage {
    pub(super) context_usage_percentage: Option<f64>,
}

/// A `meteringEvent`.
#[derive(Deserialize, Default)]
pub(super) struct Metering {
    pub(super) usage: Option<f64>,
}

// === impl Content ===

impl<'a> Content<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.content.is_none()
    }

    pub(super) fn text(self) -> Option<Cow<'a, str>> {
        self.content.map(|Text(text)| text)
    }
}

// === impl ContextUsage ===

impl ContextUsage {
    pub(super) fn is_empty(&self) -> bool {
        self.context_usage_percentage.is_none()
    }
}

// === impl Metering ===

impl Metering {
    pub(super) fn is_empty(&self) -> bool {
        self.usage.is_none()
    }
}

// === impl Metadata ===

impl Metadata {
    pub(super) fn read(payload: &[u8]) -> Self {
        let blank = |wire: &MetadataWire<'_>| wire.stop_reason.is_none() && wire.token_usage.is_none();
        // Whatever it holds, it came: the model has finished.
        let wire: MetadataWire<'_> = parse("metadataEvent", payload, blank).unwrap_or_default();
        Self {
            reason: wire.stop_reason.map(|Text(reason)| Reason::named(&reason)),
            usage: wire
                .token_usage
                .and_then(|usage| serde_json::from_str(usage.get()).ok())
                .map(|usage| TokenUsage::of(&usage)),
        }
    }
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
    pub(super) fn is_blank(&self) -> bool {
        self.tool_use_id.is_none() && self.name.is_none() && self.input.is_none()
    }

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
    pub(super) fn unwrap_input(mut self) -> Option<Self> {
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

/// The text of a [`Content`] that is written as the upstream writes nearly all, without blanks or escapes: what a reader of
/// JSON would find in it, at a fraction of the cost. `None` says nothing.
pub(super) fn plain_content(payload: &[u8]) -> Option<&str> {
    let value = payload.strip_prefix(b"{\"content\":\"")?;
    let (text, behind) = value.split_at(plain(value));
    let is_end = match behind.strip_prefix(b"\",\"modelId\":\"") {
        Some(model) => &model[plain(model)..] == b"\"}" && model.is_ascii(),
        None => behind == b"\"}",
    };
    if is_end { std::str::from_utf8(text).ok() } else { None }
}

/// Reads a payload, bare or wrapped in the event's name; `blank` tells that a bare reading found nothing.
pub(super) fn parse<'a, T: Deserialize<'a>>(
    event: &str,
    payload: &'a [u8],
    blank: impl Fn(&T) -> bool,
) -> Option<T> {
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
pub(super) fn wrapped(payload: &[u8]) -> Option<(Cow<'_, str>, &RawValue)> {
    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Object<'a>(#[serde(borrow)] BTreeMap<Text<'a>, &'a RawValue>);

    let mut members = serde_json::from_slice::<Object<'_>>(payload).ok()?.0.into_iter();
    match (members.next(), members.next()) {
        (Some((Text(name), value)), None) if value.get().starts_with('{') => Some((name, value)),
        _ => None,
    }
}

fn filled<'t>(text: Option<&'t Text<'_>>) -> Option<&'t str> {
    text.map(|Text(text)| text.as_ref()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn plain_content_is_what_a_reader_of_json_finds(
            text in "[a-z \u{e9}\u{1f600}\"\\\\\n]{0,40}",
            model in prop::option::of("[a-z\u{e9}\"\\\\.-]{0,20}"),
            end in "(|\\}|\"\\}|,|\"\u{7f})",
        ) {
            let model = model.map(|model| format!("\",\"modelId\":\"{model}")).unwrap_or_default();
            let payload = format!("{{\"content\":\"{text}{model}{end}");
            if let Some(plain) = plain_content(payload.as_bytes()) {
                let Content { content: Some(Text(read)) } = serde_json::from_str(&payload).unwrap() else {
                    panic!("{payload} has no content");
                };
                prop_assert_eq!(plain, read);
            }
        }
    }

    #[test]
    fn content_without_escapes_is_plain_and_all_else_is_left_to_the_reader() {
        let plain = ["", "a", "sixteen or more bytes of text, then an \u{fc} and \u{1f600}"];
        for text in plain {
            let bare = format!("{{\"content\":\"{text}\"}}");
            let named = format!("{{\"content\":\"{text}\",\"modelId\":\"claude-sonnet-4.5\"}}");
            assert_eq!([&bare, &named].map(|payload| plain_content(payload.as_bytes())), [Some(text); 2]);
        }
        let others = [
            "{\"content\":\"a\\nb\"}",
            "{\"content\":\"a\tb\"}",
            "{ \"content\":\"a\"}",
            "{\"content\":\"a\" }",
            "{\"content\":\"a\",\"content\":\"b\"}",
            "{\"content\":\"a\",\"modelId\":\"b\",\"c\":1}",
            "{\"content\":\"a\",\"modelId\":\"b\\\"}",
            "{\"content\":\"a",
            "{\"content\":\"a\"",
            "{\"content\":\"a\"}}",
        ];
        for payload in others {
            assert_eq!(plain_content(payload.as_bytes()), None, "{payload}");
        }
        assert_eq!(plain_content(b"{\"content\":\"\xff\"}"), None);
    }
}
