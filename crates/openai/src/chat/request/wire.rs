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
    pub(super) messages: Field<List<Message<'a>>>,
    pub(super) stream: Field<bool>,
    pub(super) stream_options: Field<StreamOptions>,
    pub(super) tools: Field<List<Tool<'a>>>,
    pub(super) tool_choice: Field<Choice<'a>>,
    pub(super) functions: Field<List<Function<'a>>>,
    pub(super) function_call: Field<Choice<'a>>,
    pub(super) parallel_tool_calls: Field<bool>,
    pub(super) max_tokens: Field<Integer>,
    pub(super) max_completion_tokens: Field<Integer>,
    pub(super) stop: Field<Stop<'a>>,
    pub(super) reasoning_effort: Field<Cow<'a, str>>,
    pub(super) response_format: Field<ResponseFormat<'a>>,
    pub(super) prompt_cache_key: Field<Cow<'a, str>>,
    pub(super) safety_identifier: Field<Cow<'a, str>>,
    pub(super) user: Field<Cow<'a, str>>,
    pub(super) temperature: Field<Number>,
    pub(super) top_p: Field<Number>,
    pub(super) frequency_penalty: Field<Number>,
    pub(super) presence_penalty: Field<Number>,
    pub(super) n: Field<Integer>,
    pub(super) logprobs: Field<bool>,
    pub(super) top_logprobs: Field<Integer>,
    pub(super) modalities: Field<List<Cow<'a, str>>>,
    #[serde(borrow)]
    pub(super) audio: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) prediction: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) moderation: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) web_search_options: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct StreamOptions {
    pub(super) include_usage: Field<bool>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Message<'a> {
    pub(super) role: Field<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) content: Said<'a>,
    pub(super) refusal: Field<Cow<'a, str>>,
    pub(super) tool_calls: Field<List<Call<'a>>>,
    pub(super) function_call: Field<FunctionCall<'a>>,
    pub(super) tool_call_id: Field<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) audio: Option<&'a RawValue>,
}

/// What a message says.
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
    pub(super) image_url: Field<ImageUrl<'a>>,
    pub(super) file: Field<File<'a>>,
}

/// `{"url": …}`, or the URL alone, as some clients write it.
pub(super) enum ImageUrl<'a> {
    Bare(Cow<'a, str>),
    Object(ImageObject<'a>),
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct ImageObject<'a> {
    pub(super) url: Field<Cow<'a, str>>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct File<'a> {
    #[serde(rename = "file_data")]
    pub(super) data: Field<Cow<'a, str>>,
    #[serde(rename = "filename")]
    pub(super) name: Field<Cow<'a, str>>,
    #[serde(rename = "file_id")]
    pub(super) id: Field<Cow<'a, str>>,
}

/// A tool call of an earlier answer.
#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Call<'a> {
    pub(super) id: Field<Cow<'a, str>>,
    #[serde(rename = "type")]
    pub(super) kind: Field<Cow<'a, str>>,
    pub(super) function: Field<FunctionCall<'a>>,
    pub(super) custom: Field<CustomCall<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct FunctionCall<'a> {
    pub(super) name: Field<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) arguments: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct CustomCall<'a> {
    pub(super) name: Field<Cow<'a, str>>,
    pub(super) input: Field<Cow<'a, str>>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Tool<'a> {
    #[serde(rename = "type")]
    pub(super) kind: Field<Cow<'a, str>>,
    pub(super) function: Field<Function<'a>>,
    pub(super) custom: Field<Custom<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Function<'a> {
    pub(super) name: Field<Cow<'a, str>>,
    pub(super) description: Field<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) parameters: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Custom<'a> {
    pub(super) name: Field<Cow<'a, str>>,
    pub(super) description: Field<Cow<'a, str>>,
    pub(super) format: Field<CustomFormat<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct CustomFormat<'a> {
    #[serde(rename = "type")]
    pub(super) kind: Field<Cow<'a, str>>,
    pub(super) grammar: Field<Grammar<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Grammar<'a> {
    pub(super) syntax: Field<Cow<'a, str>>,
    pub(super) definition: Field<Cow<'a, str>>,
}

/// A word, or an object that names a tool or several.
pub(super) enum Choice<'a> {
    Word(Cow<'a, str>),
    Object(Box<ChoiceObject<'a>>),
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct ChoiceObject<'a> {
    #[serde(rename = "type")]
    pub(super) kind: Field<Cow<'a, str>>,
    /// Of the legacy `function_call`.
    pub(super) name: Field<Cow<'a, str>>,
    pub(super) function: Field<Named<'a>>,
    pub(super) custom: Field<Named<'a>>,
    pub(super) allowed_tools: Field<Allowed<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Named<'a> {
    pub(super) name: Field<Cow<'a, str>>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Allowed<'a> {
    pub(super) mode: Field<Cow<'a, str>>,
    pub(super) tools: Field<List<AllowedTool<'a>>>,
}

/// A tool that is named, in the form of its declaration.
#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct AllowedTool<'a> {
    pub(super) function: Field<Named<'a>>,
    pub(super) custom: Field<Named<'a>>,
}

/// A string, or a list of them.
pub(super) enum Stop<'a> {
    One(Cow<'a, str>),
    Several(Vec<Field<Cow<'a, str>>>),
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct ResponseFormat<'a> {
    #[serde(rename = "type")]
    pub(super) kind: Field<Cow<'a, str>>,
    pub(super) json_schema: Field<JsonSchema<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct JsonSchema<'a> {
    #[serde(borrow)]
    pub(super) schema: Option<&'a RawValue>,
}

object!(
    Body,
    Message,
    Part,
    ImageObject,
    File,
    Call,
    FunctionCall,
    CustomCall,
    Tool,
    Function,
    Custom,
    CustomFormat,
    Grammar,
    ChoiceObject,
    Named,
    Allowed,
    AllowedTool,
    ResponseFormat,
    JsonSchema,
);

impl<'de> Shape<'de> for StreamOptions {
    const KIND: Kind = Kind::Object;

    fn object<A: MapAccess<'de>>(object: A) -> Result<Option<Self>, A::Error> {
        Self::deserialize(serde::de::value::MapAccessDeserializer::new(object)).map(Some)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Said<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        as_written(deserializer).map(Self)
    }
}

impl<'a, 'de: 'a> Shape<'de> for Content<'a> {
    const KIND: Kind = Kind::Other("a string or an array of parts");

    fn list<A: SeqAccess<'de>>(list: A) -> Result<Option<Self>, A::Error> {
        Ok(List::list(list)?.map(|List(parts)| Self::Parts(parts)))
    }
}

impl<'a, 'de: 'a> Written<'de> for Content<'a> {
    fn written(text: Text<'de>) -> Self {
        Self::Text(text)
    }
}

impl<'a, 'de: 'a> Shape<'de> for ImageUrl<'a> {
    const KIND: Kind = Kind::Object;

    fn text(text: Cow<'de, str>) -> Option<Self> {
        Some(Self::Bare(text))
    }

    fn object<A: MapAccess<'de>>(object: A) -> Result<Option<Self>, A::Error> {
        Ok(ImageObject::object(object)?.map(Self::Object))
    }
}

impl<'a, 'de: 'a> Shape<'de> for Choice<'a> {
    const KIND: Kind = Kind::Other("a string or an object");

    fn text(text: Cow<'de, str>) -> Option<Self> {
        Some(Self::Word(text))
    }

    fn object<A: MapAccess<'de>>(object: A) -> Result<Option<Self>, A::Error> {
        Ok(ChoiceObject::object(object)?.map(|object| Self::Object(Box::new(object))))
    }
}

impl<'a, 'de: 'a> Shape<'de> for Stop<'a> {
    const KIND: Kind = Kind::Other("a string or an array of strings");

    fn text(text: Cow<'de, str>) -> Option<Self> {
        Some(Self::One(text))
    }

    fn list<A: SeqAccess<'de>>(list: A) -> Result<Option<Self>, A::Error> {
        Ok(List::list(list)?.map(|List(items)| Self::Several(items)))
    }
}
