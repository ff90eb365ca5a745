//! An upstream's stream, as a fuzzer would like to write one: mostly well-formed frames, with anything in them.

use arbitrary::Arbitrary;

/// A stream, and where the network cuts it.
#[derive(Arbitrary, Debug)]
pub struct Stream<'a> {
    /// What it is made of.
    pub pieces: Vec<Piece<'a>>,
    /// Sizes of the chunks it arrives in, used round and round.
    pub cuts: Vec<u8>,
    /// Whether its last bytes are lost.
    pub lost: u8,
}

/// A piece of a stream.
#[derive(Arbitrary, Debug)]
pub enum Piece<'a> {
    /// An event whose payload is anything.
    Event(Kind, &'a [u8]),
    /// Text or reasoning.
    Said { kind: Kind, text: &'a str, signature: Option<&'a str>, wrapped: bool },
    /// A part of a tool call.
    Tool { id: Option<u8>, name: Option<&'a str>, input: Option<&'a str>, stop: Option<bool> },
    /// A whole tool call.
    WholeTool { id: u8, name: Option<&'a str>, key: &'a str, value: i32 },
    /// What comes at the end of a good answer.
    Tail { stop_reason: Option<&'a str>, percentage: Option<f32>, credits: bool, tokens: Option<(u32, u32)> },
    /// An exception of this name.
    Exception { kind: Exception, message: &'a str, reason: Option<&'a str> },
    /// An error frame.
    Error { code: &'a str, message: &'a str },
    /// A frame with these header bytes.
    Frame { headers: &'a [u8], payload: &'a [u8] },
    /// Bytes that are no frame.
    Raw(&'a [u8]),
}

macro_rules! names {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Arbitrary, Clone, Copy, Debug)]
        pub enum $name { $($variant),* }
        impl $name {
            /// Its name on the wire.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
        }
    };
}

names! {
    /// Events the upstream is known to send, and one it is not.
    Kind {
        Assistant = "assistantResponseEvent",
        Code = "codeEvent",
        Reasoning = "reasoningContentEvent",
        Tool = "toolUseEvent",
        ToolResult = "toolResultEvent",
        Metadata = "metadataEvent",
        MessageMetadata = "messageMetadataEvent",
        ContextUsage = "contextUsageEvent",
        Metering = "meteringEvent",
        InvalidState = "invalidStateEvent",
        Initial = "initial-response",
        Citation = "citationEvent",
        References = "codeReferenceEvent",
        Followup = "followupPromptEvent",
        Web = "supplementaryWebLinksEvent",
        Unknown = "somethingNewEvent",
    }
}

names! {
    /// Exceptions the upstream throws in a stream.
    Exception {
        Validation = "ValidationException",
        Throttling = "ThrottlingException",
        Internal = "InternalServerException",
        TooLong = "ContentLengthExceededException",
        Denied = "AccessDeniedException",
        Quota = "ServiceQuotaExceededException",
        Unknown = "SomethingNewException",
    }
}

impl Stream<'_> {
    /// Its bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for piece in self.pieces.iter().take(64) {
            piece.write(&mut bytes);
        }
        bytes.truncate(bytes.len().saturating_sub(usize::from(self.lost)));
        bytes
    }

    /// The same bytes as the network brings them.
    pub fn chunks<'b>(&self, mut bytes: &'b [u8]) -> Vec<&'b [u8]> {
        let mut chunks = Vec::new();
        let mut cuts = self.cuts.iter().cycle();
        while !bytes.is_empty() {
            let cut = cuts.next().map_or(bytes.len(), |cut| usize::from(*cut) + 1).min(bytes.len());
            let (chunk, rest) = bytes.split_at(cut);
            chunks.push(chunk);
            bytes = rest;
        }
        chunks
    }
}

impl Piece<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Event(kind, payload) => event(out, kind.name(), payload),
            Self::Said { kind, text, signature, wrapped } => {
                let key = if matches!(kind, Kind::Reasoning) { "text" } else { "content" };
                let mut payload = format!("{{\"{key}\":{}", json(text));
                if let Some(signature) = signature {
                    payload += &format!(",\"signature\":{}", json(signature));
                }
                payload.push('}');
                if wrapped {
                    payload = format!("{{\"{}\":{payload}}}", kind.name());
                }
                event(out, kind.name(), payload.as_bytes());
            }
            Self::Tool { id, name, input, stop } => {
                let mut fields = Vec::new();
                fields.extend(id.map(|id| format!("\"toolUseId\":\"tooluse_{id}\"")));
                fields.extend(name.map(|name| format!("\"name\":{}", json(name))));
                fields.extend(input.map(|input| format!("\"input\":{}", json(input))));
                fields.extend(stop.map(|stop| format!("\"stop\":{stop}")));
                event(out, "toolUseEvent", format!("{{{}}}", fields.join(",")).as_bytes());
            }
            Self::WholeTool { id, name, key, value } => {
                let input = format!("{{{}:{value}}}", json(key));
                let head =
                    format!("\"toolUseId\":\"tooluse_{id}\",\"name\":{}", json(name.unwrap_or("read")));
                let half = input.floor_char_boundary(input.len() / 2);
                for fragment in [&input[..half], &input[half..]] {
                    event(out, "toolUseEvent", format!("{{{head},\"input\":{}}}", json(fragment)).as_bytes());
                }
                event(out, "toolUseEvent", format!("{{{head},\"stop\":true}}").as_bytes());
            }
            Self::Tail { stop_reason, percentage, credits, tokens } => {
                tail(out, stop_reason, percentage, credits, tokens);
            }
            Self::Exception { kind, message, reason } => {
                let reason = reason.map_or(String::new(), |reason| format!(",\"reason\":{}", json(reason)));
                let payload = format!("{{\"message\":{}{reason}}}", json(message));
                let headers = headers(&[(":message-type", "exception"), (":exception-type", kind.name())]);
                frame(out, &headers, payload.as_bytes());
            }
            Self::Error { code, message } => {
                let fields = [(":message-type", "error"), (":error-code", code), (":error-message", message)];
                frame(out, &headers(&fields), b"");
            }
            Self::Frame { headers, payload } => frame(out, headers, payload),
            Self::Raw(bytes) => out.extend_from_slice(bytes),
        }
    }
}

fn tail(
    out: &mut Vec<u8>,
    stop_reason: Option<&str>,
    percentage: Option<f32>,
    credits: bool,
    tokens: Option<(u32, u32)>,
) {
    let mut fields = Vec::new();
    fields.extend(stop_reason.map(|reason| format!("\"stopReason\":{}", json(reason))));
    fields.extend(tokens.map(|(input, output)| {
        format!("\"tokenUsage\":{{\"uncachedInputTokens\":{input},\"outputTokens\":{output},\"totalTokens\":{output}}}")
    }));
    event(out, "metadataEvent", format!("{{{}}}", fields.join(",")).as_bytes());
    if let Some(percentage) = percentage {
        event(out, "contextUsageEvent", format!("{{\"contextUsagePercentage\":{percentage:?}}}").as_bytes());
    }
    if credits {
        event(out, "meteringEvent", br#"{"unit":"credit","unitPlural":"credits","usage":0.5}"#);
    }
}

fn event(out: &mut Vec<u8>, kind: &str, payload: &[u8]) {
    let fields = [(":event-type", kind), (":content-type", "application/json"), (":message-type", "event")];
    frame(out, &headers(&fields), payload);
}

fn headers(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in fields {
        bytes.push(name.len() as u8);
        bytes.extend_from_slice(name.as_bytes());
        bytes.push(7);
        let value = &value.as_bytes()[..value.len().min(usize::from(u16::MAX))];
        bytes.extend_from_slice(&(value.len() as u16).to_be_bytes());
        bytes.extend_from_slice(value);
    }
    bytes
}

fn frame(out: &mut Vec<u8>, headers: &[u8], payload: &[u8]) {
    let start = out.len();
    let total = 16 + headers.len() + payload.len();
    out.extend_from_slice(&(total as u32).to_be_bytes());
    out.extend_from_slice(&(headers.len() as u32).to_be_bytes());
    out.extend_from_slice(&crc32fast::hash(&out[start..]).to_be_bytes());
    out.extend_from_slice(headers);
    out.extend_from_slice(payload);
    out.extend_from_slice(&crc32fast::hash(&out[start..]).to_be_bytes());
}

/// A JSON string, written by hand: this side must not lean on what it tests.
fn json(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c < ' ' => out += &format!("\\u{:04x}", c as u32),
            c => out.push(c),
        }
    }
    out + "\""
}
