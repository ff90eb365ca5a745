//! Replies as data: what the upstream says to one chat call, step by step.

mod embedded;
mod tool;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use embedded::EMBEDDED;

pub use tool::{ToolCall, ToolForm};

/// One reply. Without explicit tail steps it ends as captures do: metadata, context usage, metering
/// (spec/upstream.md §3.2).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Script(pub Vec<Step>);

/// One step of a reply. In JSON: `{"say":{"text":"Hi"}}`, or the bare name for steps without fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// Text, as `assistantResponseEvent` deltas of `chars` characters each (all at once when absent).
    Say {
        /// What is said.
        text: String,
        /// Characters per frame.
        #[serde(default)]
        chars: Option<usize>,
        /// Pause after each frame, in milliseconds.
        #[serde(default)]
        pace_ms: u64,
    },
    /// Native thinking: `reasoningContentEvent` text deltas, then the signature if there is one.
    Think {
        /// What is thought.
        text: String,
        /// The signature frame; absent means none is sent.
        #[serde(default)]
        signature: Option<String>,
        /// Characters per frame.
        #[serde(default)]
        chars: Option<usize>,
        /// Pause after each frame, in milliseconds.
        #[serde(default)]
        pace_ms: u64,
    },
    /// Encrypted thinking: `reasoningContentEvent` with `redactedContent` (base64).
    RedactedThink {
        /// The opaque base64 text.
        data: String,
    },
    /// A tool call.
    CallTool(ToolCall),
    /// Several tool calls whose frames alternate, which no capture shows but a client must survive.
    Interleave {
        /// The calls.
        calls: Vec<ToolCall>,
    },
    /// Nothing for this long.
    Pause {
        /// Milliseconds.
        ms: u64,
    },
    /// The response head without any event yet.
    Headers,
    /// The model's end: stop reason and, rarely, token counts.
    Metadata {
        /// `END_TURN`, `TOOL_USE` …; absent leaves the field out.
        #[serde(default)]
        stop_reason: Option<String>,
        /// The `tokenUsage` object.
        #[serde(default)]
        token_usage: Option<Value>,
    },
    /// How full the context is, in per cent.
    ContextUsage {
        /// 0 to 100 and more.
        percent: f64,
    },
    /// What the call cost.
    Metering {
        /// Credits.
        credits: f64,
    },
    /// Which automatic tail events are sent.
    Tail {
        /// `metadataEvent`.
        #[serde(default = "yes")]
        metadata: bool,
        /// `contextUsageEvent`.
        #[serde(default = "yes")]
        context_usage: bool,
        /// `meteringEvent`.
        #[serde(default = "yes")]
        metering: bool,
    },
    /// `initial-response`, wherever it stands.
    InitialResponse {
        /// Usually empty.
        #[serde(default)]
        conversation_id: String,
    },
    /// `messageMetadataEvent`.
    MessageMetadata {
        /// The conversation.
        #[serde(default)]
        conversation_id: String,
        /// The answer's id.
        #[serde(default)]
        utterance_id: String,
    },
    /// Any modelled event by name (`citationEvent`, `codeReferenceEvent` …).
    Event {
        /// The `:event-type`.
        name: String,
        /// The payload.
        payload: Value,
    },
    /// An event no client knows.
    UnknownEvent,
    /// `codeEvent`.
    CodeEvent {
        /// The code.
        content: String,
    },
    /// `citationEvent`.
    Citation {
        /// Where it points.
        link: String,
        /// What is cited.
        text: String,
    },
    /// `followupPromptEvent`.
    FollowupPrompt {
        /// The proposed prompt.
        content: String,
    },
    /// A modelled exception frame in the stream; the reply ends with it.
    Exception {
        /// The `:exception-type`.
        #[serde(rename = "type")]
        kind: String,
        /// The message.
        message: String,
        /// The reason, if any.
        #[serde(default)]
        reason: Option<String>,
    },
    /// An unmodelled error frame; the reply ends with it.
    ErrorMessage {
        /// `:error-code`.
        code: String,
        /// `:error-message`.
        message: String,
    },
    /// `invalidStateEvent`; the reply ends with it.
    InvalidState {
        /// The reason.
        reason: String,
        /// The message.
        message: String,
    },
    /// Half a frame, then the regular end of the HTTP body.
    CutMidFrame,
    /// Half a frame, then the connection is closed without the end of the HTTP body.
    Drop,
    /// Half a frame, then a TCP reset.
    Reset,
    /// A text frame whose checksum is wrong; the reply goes on.
    BadCrc,
    /// A text frame that also carries headers of all ten value types.
    OddHeaders,
    /// Silence with the head sent, until the client leaves.
    Stall,
    /// Silence before the head, until the client leaves.
    StallBeforeHeaders,
    /// The stream ends here without metadata, context usage or metering.
    EndClean,
    /// A plain HTTP answer instead of a stream.
    Reply {
        /// The status.
        status: u16,
        /// Header lines.
        #[serde(default)]
        headers: Map<String, Value>,
        /// JSON, or a string sent as it is.
        #[serde(default)]
        body: Value,
    },
    /// `200` with `content-type: application/json`: an error in disguise (spec/upstream.md §3.5).
    #[serde(rename = "json_on_200")]
    JsonOn200 {
        /// The body.
        body: Value,
    },
    /// A TCP reset before any byte of an answer.
    RstBeforeHeaders,
    /// These bytes as they are.
    Raw {
        /// Hexadecimal.
        hex: String,
    },
    /// From here on each write carries at most this many bytes, across frame borders; 0 ends it.
    Split {
        /// Bytes per write.
        bytes: usize,
    },
    /// From here on this many frames go out in one write; 0 and 1 mean one by one.
    Burst {
        /// Frames per write.
        frames: usize,
    },
}

impl Script {
    /// The embedded script of this name; see `scripts/`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let (_, text) = EMBEDDED.iter().find(|(known, _)| *known == name)?;
        serde_json::from_str(text).ok()
    }

    /// The names of the embedded scripts.
    pub fn names() -> impl Iterator<Item = &'static str> {
        EMBEDDED.iter().map(|(name, _)| *name)
    }

    /// A reply that says this in one frame.
    #[must_use]
    pub fn say(text: &str) -> Self {
        Self(vec![Step::Say { text: text.to_owned(), chars: None, pace_ms: 0 }])
    }

    /// A refusal in the upstream's error shape (spec/upstream.md §4.1).
    #[must_use]
    pub fn refuse(status: u16, kind: &str, message: &str, reason: Option<&str>) -> Self {
        let mut headers = Map::new();
        headers.insert("x-amzn-errortype".to_owned(), Value::from(kind));
        let body = serde_json::json!({
            "__type": format!("com.amazon.aws.codewhisperer#{kind}"), "message": message, "reason": reason });
        Self(vec![Step::Reply { status, headers, body }])
    }
}

const fn yes() -> bool {
    true
}
