//! A tool call in a reply.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One tool call and how it is told (spec/upstream.md §3.4).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolCall {
    /// The tool.
    pub name: String,
    /// Its arguments.
    #[serde(default)]
    pub input: Value,
    /// The call's id; absent makes one in the upstream's form.
    #[serde(default)]
    pub id: Option<String>,
    /// Characters of input per fragment; absent means 16.
    #[serde(default)]
    pub fragment: Option<usize>,
    /// How it is told.
    #[serde(default)]
    pub form: ToolForm,
}

/// How a tool call is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolForm {
    /// As captured: a frame without input, fragments, a stop frame.
    #[default]
    Captured,
    /// The stop frame is missing.
    MissingStop,
    /// Half the input, then the stop frame.
    TruncatedJson,
    /// Half the input and no stop frame.
    Cut,
    /// The input is a JSON object in one frame, then the stop frame.
    ObjectInput,
    /// Everything in one frame.
    SingleFrame,
    /// No input at all, then the stop frame.
    EmptyInput,
    /// The call twice, the second time without input.
    Duplicate,
    /// Only the first frame names the call.
    Nameless,
}
