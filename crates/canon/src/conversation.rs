//! The canonical conversation: what a client asks, in no vendor's words.
//!
//! A front fills a [`Draft`] from its own format and calls [`Conversation::new`], which makes it regular or
//! refuses. After that nobody checks again. Everything is borrowed from the request's bytes where it can be.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::fault::Fault;
use crate::regular;
use crate::remote::Remote;
use crate::text::Text;

/// Who speaks. System text is not a turn: a front puts it into [`Draft::system`] or, mid-conversation, into the
/// user turn at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The person or program that asks.
    User,
    /// The model.
    Assistant,
}

/// Where in the client's request something stood, so that a fault can name it. Indexes count from zero in the
/// client's own lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct At {
    /// Index of the message.
    pub message: u32,
    /// Index of the content part within it.
    pub part: u32,
}

/// A conversation as a front decoded it, not yet regular. Fields mean what the same fields of [`Conversation`] do.
#[derive(Default)]
pub struct Draft<'a> {
    /// The model as the client named it.
    pub model: Cow<'a, str>,
    /// System text, in paragraphs.
    pub system: Vec<Cow<'a, str>>,
    /// Messages in order; neighbours may share a role.
    pub turns: Vec<Turn<'a>>,
    /// Tools on offer.
    pub tools: Vec<Tool<'a>>,
    /// How the model must choose among them.
    pub choice: Choice<'a>,
    /// Whether one answer may hold only one tool call.
    pub single_tool: bool,
    /// What bounds the answer.
    pub sampling: Sampling<'a>,
    /// What is asked of the model's reasoning.
    pub thinking: Thinking,
    /// How hard the model is to work, where the client says so.
    pub effort: Option<Effort>,
    /// What form the answer's text must have.
    pub format: Format<'a>,
    /// What makes two requests parts of one session (opaque; never sent upstream as it is).
    pub affinity: Option<Cow<'a, str>>,
}

/// A regular conversation. Holds by construction:
///
/// * there is at least one turn, the last one is the user's, and roles alternate;
/// * no turn is without parts;
/// * every tool use is answered, once, in the turn right after it, in the order of the uses; a tool result answers
///   a use of the turn right before it (an orphan has become text, a missing one an error result);
/// * tool use ids are unique, tool names are not blank and unique.
pub struct Conversation<'a> {
    pub(crate) draft: Draft<'a>,
    /// How many pictures are still to be fetched.
    pub(crate) remotes: usize,
}

/// One speaker's contribution.
pub struct Turn<'a> {
    /// Who speaks.
    pub role: Role,
    /// What is said, in order.
    pub parts: Vec<Part<'a>>,
}

/// A piece of a turn.
pub enum Part<'a> {
    /// Plain text.
    Text(Text<'a>),
    /// A picture.
    Image(Image<'a>),
    /// A picture that is only pointed to. Rare, and so behind a pointer itself.
    Remote(Box<Remote<'a>>),
    /// A file.
    Document(Document<'a>),
    /// The model calls a tool.
    ToolUse(ToolUse<'a>),
    /// The answer to such a call.
    ToolResult(ToolResult<'a>),
    /// Reasoning of an earlier answer; `signature` is what the upstream issued with it, empty if nothing.
    Thinking {
        /// The reasoning text; may be empty when it was withheld.
        text: Cow<'a, str>,
        /// The upstream's seal on it.
        signature: Cow<'a, str>,
    },
    /// Reasoning the upstream gave only in encrypted form.
    Redacted(Cow<'a, str>),
}

/// A picture in base64 (standard alphabet).
#[derive(Clone)]
pub struct Image<'a> {
    /// What the client says it is.
    pub media_type: MediaType,
    /// The base64 text, unchecked.
    pub base64: Cow<'a, str>,
    /// Where it stood.
    pub at: At,
}

/// The picture types that clients and upstream have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaType {
    /// image/png
    Png,
    /// image/jpeg
    Jpeg,
    /// image/gif
    Gif,
    /// image/webp
    Webp,
}

/// A file in base64. Files that are plain text come as [`Part::Text`] instead.
#[derive(Clone)]
pub struct Document<'a> {
    /// File name extension of its format, lower case: `pdf`, `docx`, `csv` …
    pub format: Cow<'a, str>,
    /// Title or file name, if the client gave one.
    pub name: Option<Cow<'a, str>>,
    /// The base64 text, unchecked.
    pub base64: Cow<'a, str>,
    /// Where it stood.
    pub at: At,
}

/// A call of a tool by the model.
pub struct ToolUse<'a> {
    /// Id as the upstream knows it; the front has taken its own prefix off.
    pub id: Cow<'a, str>,
    /// The tool's name as the client declared it.
    pub name: Cow<'a, str>,
    /// The arguments: JSON text of an object.
    pub input: Cow<'a, RawValue>,
    /// Where it stood.
    pub at: At,
}

/// What a tool answered.
pub struct ToolResult<'a> {
    /// Id of the use it answers.
    pub id: Cow<'a, str>,
    /// Text, images (remote ones too) and documents; nothing else. May be empty.
    pub parts: Vec<Part<'a>>,
    /// Whether the tool failed.
    pub error: bool,
    /// Where it stood.
    pub at: At,
}

/// A tool on offer.
pub struct Tool<'a> {
    /// Its name, as the client wants to see it in a call.
    pub name: Cow<'a, str>,
    /// What it is for; may be empty.
    pub description: Cow<'a, str>,
    /// JSON Schema of its arguments: JSON text of an object.
    pub schema: Cow<'a, RawValue>,
}

/// How the model must choose among the tools.
#[derive(Default)]
pub enum Choice<'a> {
    /// As it likes.
    #[default]
    Auto,
    /// No tool at all.
    None,
    /// At least one, any.
    Any,
    /// This one.
    Tool(Cow<'a, str>),
}

/// What form the answer's text must have. The upstream has no field for it: the schema reaches the model beside the
/// system text, and the answer is held against it before it may end well.
#[derive(Default)]
pub enum Format<'a> {
    /// As the model likes.
    #[default]
    Free,
    /// One JSON object.
    Json,
    /// One JSON value that fits this schema: JSON text of an object.
    Schema(Cow<'a, RawValue>),
}

/// What bounds the answer. The gateway enforces both itself; the upstream has no such fields in general.
#[derive(Default)]
pub struct Sampling<'a> {
    /// Most tokens the answer may have, reasoning included.
    pub max_tokens: Option<u32>,
    /// Texts that end the answer and are not part of it; none is empty.
    pub stop: Vec<Cow<'a, str>>,
}

/// What is asked of the model's reasoning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Thinking {
    /// Nothing was said: the model's default, and the client does not expect to see any.
    #[default]
    Unasked,
    /// The client wants none.
    Off,
    /// The client wants it, within a budget of tokens.
    Budget(u32, Display),
    /// The client wants it, as much as the model finds fit.
    Adaptive(Display),
}

/// How reasoning is to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Display {
    /// Its text (or a summary of it).
    #[default]
    Shown,
    /// Only that there was some, with the upstream's seal.
    Omitted,
}

/// How hard the model is to work, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    /// Not at all.
    None,
    /// Less than low.
    Minimal,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
    /// Extra high.
    XHigh,
    /// As hard as it can.
    Max,
}

impl<'a> Conversation<'a> {
    /// Makes a draft regular, repairing what can be repaired without changing its meaning.
    ///
    /// # Errors
    /// [`crate::Kind::Invalid`], with the place at fault, when it cannot: no turn at all, the assistant has the last
    /// word, a tool without a name, two tools of one name, two uses of one id, or a choice of a tool that is not on
    /// offer.
    pub fn new(draft: Draft<'a>) -> Result<Self, Fault> {
        regular::make(draft).map(|(draft, remotes)| Self { draft, remotes })
    }

    /// The model as the client named it.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.draft.model
    }

    /// System text, in paragraphs; none is blank.
    #[must_use]
    pub fn system(&self) -> &[Cow<'a, str>] {
        &self.draft.system
    }

    /// The turns, oldest first.
    #[must_use]
    pub fn turns(&self) -> &[Turn<'a>] {
        &self.draft.turns
    }

    /// The tools on offer.
    #[must_use]
    pub fn tools(&self) -> &[Tool<'a>] {
        &self.draft.tools
    }

    /// How the model must choose among them.
    #[must_use]
    pub fn choice(&self) -> &Choice<'a> {
        &self.draft.choice
    }

    /// Whether one answer may hold only one tool call.
    #[must_use]
    pub fn single_tool(&self) -> bool {
        self.draft.single_tool
    }

    /// What bounds the answer.
    #[must_use]
    pub fn sampling(&self) -> &Sampling<'a> {
        &self.draft.sampling
    }

    /// What is asked of the model's reasoning.
    #[must_use]
    pub fn thinking(&self) -> Thinking {
        self.draft.thinking
    }

    /// How hard the model is to work.
    #[must_use]
    pub fn effort(&self) -> Option<Effort> {
        self.draft.effort
    }

    /// What form the answer's text must have.
    #[must_use]
    pub fn format(&self) -> &Format<'a> {
        &self.draft.format
    }

    /// What makes two requests parts of one session.
    #[must_use]
    pub fn affinity(&self) -> Option<&str> {
        self.draft.affinity.as_deref()
    }
}

impl Thinking {
    /// How reasoning is to be shown, or `None` when the client does not expect any.
    #[must_use]
    pub fn display(self) -> Option<Display> {
        match self {
            Self::Unasked | Self::Off => None,
            Self::Budget(_, display) | Self::Adaptive(display) => Some(display),
        }
    }
}

impl MediaType {
    /// The type that these first bytes of a file show, if it is one of ours.
    #[must_use]
    pub fn sniff(head: &[u8]) -> Option<Self> {
        match head {
            [0x89, b'P', b'N', b'G', ..] => Some(Self::Png),
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [b'G', b'I', b'F', b'8', ..] => Some(Self::Gif),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::Webp),
            _ => None,
        }
    }
}
