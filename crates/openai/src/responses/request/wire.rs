//! The body as clients write it: flat, borrowed, lenient. Fields that mean nothing here are not listed, so they are
//! skipped; docs/COMPATIBILITY.md says which and why.

use std::borrow::Cow;

use qm_canon::Text;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess};
use serde_json::value::RawValue;

use crate::field::{Field, Integer, Kind, List, Literal, Number, Shape, Written, as_written, object};

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Body<'a> {
    pub(super) model: Field<Cow<'a, str>>,
    pub(super) instructions: Field<Cow<'a, str>>,
    pub(super) input: Field<Input<'a>>,
    #[serde(borrow)]
    pub(super) tools: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) tool_choice: Option<&'a RawValue>,
    pub(super) parallel_tool_calls: Field<bool>,
    #[serde(borrow)]
    pub(super) reasoning: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) text: Option<&'a RawValue>,
    pub(super) include: Field<List<Cow<'a, str>>>,
    pub(super) store: Field<bool>,
    pub(super) max_output_tokens: Field<Integer>,
    pub(super) stream: Field<bool>,
    pub(super) temperature: Field<Number>,
    pub(super) top_p: Field<Number>,
    pub(super) top_logprobs: Field<Integer>,
    pub(super) truncation: Field<Cow<'a, str>>,
    pub(super) background: Field<bool>,
    pub(super) previous_response_id: Field<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) conversation: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) prompt: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) moderation: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) metadata: Option<&'a RawValue>,
    pub(super) prompt_cache_key: Field<Cow<'a, str>>,
    pub(super) safety_identifier: Field<Cow<'a, str>>,
    pub(super) user: Field<Cow<'a, str>>,
}

/// A string, or a list of items.
pub(super) enum Input<'a> {
    Text(Cow<'a, str>),
    /// Behind pointers: an item is large, for it may be any kind, and passes through many hands.
    Items(Vec<Field<Box<Item<'a>>>>),
}

/// Any input item; which fields are there depends on `type`.
#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Item<'a> {
    #[serde(rename = "type")]
    pub(super) kind: Field<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) id: Option<&'a RawValue>,
    pub(super) role: Field<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) content: Said<'a>,
    pub(super) call_id: Field<Cow<'a, str>>,
    pub(super) name: Field<Cow<'a, str>>,
    pub(super) namespace: Field<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) arguments: Option<&'a RawValue>,
    pub(super) input: Field<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) output: Said<'a>,
    pub(super) encrypted_content: Field<Cow<'a, str>>,
    pub(super) tools: Field<List<Tool<'a>>>,
    pub(super) reasoning: Field<Reasoning<'a>>,
    pub(super) text: Field<TextSettings<'a>>,
}

/// What a message or a tool says.
#[derive(Default)]
pub(super) struct Said<'a>(pub(super) Field<Content<'a>>);

/// A string, kept as it is written, or a list of parts.
pub(super) enum Content<'a> {
    Text(Text<'a>),
    Parts(Vec<Field<Part<'a>>>),
}

/// Any content part; which fields are there depends on `type`.
#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Part<'a> {
    #[serde(rename = "type")]
    pub(super) kind: Field<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) text: Literal<'a>,
    pub(super) refusal: Field<Cow<'a, str>>,
    pub(super) image_url: Field<Cow<'a, str>>,
    pub(super) file_data: Field<Cow<'a, str>>,
    pub(super) filename: Field<Cow<'a, str>>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Tool<'a> {
    #[serde(rename = "type")]
    pub(super) kind: Field<Cow<'a, str>>,
    pub(super) name: Field<Cow<'a, str>>,
    pub(super) description: Field<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) parameters: Option<&'a RawValue>,
    pub(super) format: Field<Grammar<'a>>,
    /// Those of a namespace.
    pub(super) tools: Field<List<Tool<'a>>>,
}

/// How the text that a custom tool takes must be written.
#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Grammar<'a> {
    #[serde(rename = "type")]
    pub(super) kind: Field<Cow<'a, str>>,
    pub(super) syntax: Field<Cow<'a, str>>,
    pub(super) definition: Field<Cow<'a, str>>,
}

/// A word, or an object.
pub(super) enum Choice<'a> {
    Word(Cow<'a, str>),
    Of(Chosen<'a>),
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Chosen<'a> {
    #[serde(rename = "type")]
    pub(super) kind: Field<Cow<'a, str>>,
    pub(super) name: Field<Cow<'a, str>>,
    pub(super) namespace: Field<Cow<'a, str>>,
    pub(super) mode: Field<Cow<'a, str>>,
    pub(super) tools: Field<List<Chosen<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Reasoning<'a> {
    pub(super) effort: Field<Cow<'a, str>>,
    pub(super) summary: Field<Cow<'a, str>>,
    pub(super) generate_summary: Field<Cow<'a, str>>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct TextSettings<'a> {
    pub(super) format: Field<Format<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Format<'a> {
    #[serde(rename = "type")]
    pub(super) kind: Field<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) schema: Option<&'a RawValue>,
}

object!(Body, Item, Part, Tool, Grammar, Chosen, Reasoning, TextSettings, Format);

impl<'a, 'de: 'a> Shape<'de> for Input<'a> {
    const KIND: Kind = Kind::Other("a string or an array of items");

    fn text(text: Cow<'de, str>) -> Option<Self> {
        Some(Self::Text(text))
    }

    fn list<A: SeqAccess<'de>>(list: A) -> Result<Option<Self>, A::Error> {
        Ok(List::list(list)?.map(|List(items)| Self::Items(items)))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Said<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        as_written(deserializer).map(Self)
    }
}

impl<'a, 'de: 'a> Shape<'de> for Content<'a> {
    const KIND: Kind = Kind::Other("a string or an array of content parts");

    fn list<A: SeqAccess<'de>>(list: A) -> Result<Option<Self>, A::Error> {
        Ok(List::list(list)?.map(|List(parts)| Self::Parts(parts)))
    }
}

impl<'a, 'de: 'a> Written<'de> for Content<'a> {
    fn written(text: Text<'de>) -> Self {
        Self::Text(text)
    }
}

impl<'a, 'de: 'a> Shape<'de> for Choice<'a> {
    const KIND: Kind = Kind::Other("a string or an object");

    fn text(text: Cow<'de, str>) -> Option<Self> {
        Some(Self::Word(text))
    }

    fn object<A: MapAccess<'de>>(object: A) -> Result<Option<Self>, A::Error> {
        Ok(Chosen::object(object)?.map(Self::Of))
    }
}
