//! The body as clients write it: flat, borrowed, lenient. Fields that mean nothing here are not listed, so they are
//! skipped; docs/MESSAGES.md says which and why.

use std::borrow::Cow;

use qm_canon::Text;
use serde::Deserialize;
use serde::de::{MapAccess, SeqAccess};
use serde_json::value::RawValue;

use super::field::{Field, Integer, Kind, List, Literal, Number, Shape, Written, as_written};

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Body<'a> {
    pub(super) model: Field<Cow<'a, str>>,
    pub(super) messages: Field<List<Message<'a>>>,
    #[serde(deserialize_with = "as_written")]
    pub(super) system: Field<Content<'a>>,
    pub(super) tools: Field<List<Tool<'a>>>,
    pub(super) tool_choice: Field<Choice<'a>>,
    pub(super) max_tokens: Field<Integer>,
    pub(super) stop_sequences: Field<List<Cow<'a, str>>>,
    pub(super) stream: Field<bool>,
    pub(super) temperature: Field<Number>,
    pub(super) top_p: Field<Number>,
    pub(super) top_k: Field<Integer>,
    pub(super) thinking: Field<Thinking<'a>>,
    pub(super) output_config: Field<OutputConfig<'a>>,
    pub(super) output_format: Field<OutputFormat<'a>>,
    pub(super) metadata: Field<Metadata<'a>>,
    #[serde(borrow)]
    pub(super) mcp_servers: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Message<'a> {
    pub(super) role: Field<Cow<'a, str>>,
    #[serde(deserialize_with = "as_written")]
    pub(super) content: Field<Content<'a>>,
    pub(super) output_config: Field<OutputConfig<'a>>,
}

/// A string, kept as it is written, or a list of blocks.
pub(super) enum Content<'a> {
    Text(Text<'a>),
    /// Behind pointers: a block is large, for it may be any kind, and passes through many hands.
    Blocks(Vec<Field<Box<Block<'a>>>>),
}

/// Any content block; which fields are there depends on `type`.
#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Block<'a> {
    #[serde(rename = "type")]
    pub(super) kind: Field<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) text: Literal<'a>,
    pub(super) thinking: Field<Cow<'a, str>>,
    pub(super) signature: Field<Cow<'a, str>>,
    pub(super) data: Field<Cow<'a, str>>,
    pub(super) id: Field<Cow<'a, str>>,
    pub(super) name: Field<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) input: Option<&'a RawValue>,
    pub(super) tool_use_id: Field<Cow<'a, str>>,
    #[serde(deserialize_with = "as_written")]
    pub(super) content: Field<Content<'a>>,
    pub(super) is_error: Field<bool>,
    pub(super) source: Field<Box<Source<'a>>>,
    pub(super) title: Field<Cow<'a, str>>,
    pub(super) context: Field<Cow<'a, str>>,
    pub(super) tool_name: Field<Cow<'a, str>>,
}

/// Where a picture or file comes from. A search result's is a string.
pub(super) enum Source<'a> {
    Named(Cow<'a, str>),
    Object(SourceObject<'a>),
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct SourceObject<'a> {
    #[serde(rename = "type")]
    pub(super) kind: Field<Cow<'a, str>>,
    pub(super) media_type: Field<Cow<'a, str>>,
    pub(super) data: Field<Cow<'a, str>>,
    pub(super) url: Field<Cow<'a, str>>,
    #[serde(deserialize_with = "as_written")]
    pub(super) content: Field<Content<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Tool<'a> {
    #[serde(rename = "type")]
    pub(super) kind: Field<Cow<'a, str>>,
    pub(super) name: Field<Cow<'a, str>>,
    pub(super) description: Field<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) input_schema: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Choice<'a> {
    #[serde(rename = "type")]
    pub(super) kind: Field<Cow<'a, str>>,
    pub(super) name: Field<Cow<'a, str>>,
    pub(super) disable_parallel_tool_use: Field<bool>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Thinking<'a> {
    #[serde(rename = "type")]
    pub(super) kind: Field<Cow<'a, str>>,
    pub(super) budget_tokens: Field<Integer>,
    pub(super) display: Field<Cow<'a, str>>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct OutputConfig<'a> {
    pub(super) effort: Field<Cow<'a, str>>,
    pub(super) format: Field<OutputFormat<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct OutputFormat<'a> {
    #[serde(rename = "type")]
    pub(super) kind: Field<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) schema: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Metadata<'a> {
    pub(super) user_id: Field<Cow<'a, str>>,
}

qm_json::object!(
    Body,
    Message,
    Block,
    SourceObject,
    Tool,
    Choice,
    Thinking,
    OutputConfig,
    OutputFormat,
    Metadata
);

impl<'a, 'de: 'a> Shape<'de> for Content<'a> {
    const KIND: Kind = Kind::Other("Input should be a valid string or list");

    fn list<A: SeqAccess<'de>>(list: A) -> Result<Option<Self>, A::Error> {
        Ok(List::list(list)?.map(|List(blocks)| Self::Blocks(blocks)))
    }
}

impl<'a, 'de: 'a> Written<'de> for Content<'a> {
    fn written(text: Text<'de>) -> Self {
        Self::Text(text)
    }
}

impl<'a, 'de: 'a> Shape<'de> for Source<'a> {
    const KIND: Kind = Kind::Object;

    fn text(text: Cow<'de, str>) -> Option<Self> {
        Some(Self::Named(text))
    }

    fn object<A: MapAccess<'de>>(object: A) -> Result<Option<Self>, A::Error> {
        Ok(SourceObject::object(object)?.map(Self::Object))
    }
}
