//! Conversations and profiles in few words.

use std::borrow::Cow;

use qm_amazonq::model::Controls;
use qm_amazonq::{Model, Note, Profile, Surface, encode};
use qm_canon::{
    At, Conversation, Document, Draft, Effort, Fault, Image, MediaType, Part, Role, Tool, ToolResult,
    ToolUse, Turn,
};
use serde_json::Value;
use serde_json::value::RawValue;

pub(crate) const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB";

pub(crate) fn user(parts: Vec<Part<'static>>) -> Turn<'static> {
    Turn { role: Role::User, parts }
}

pub(crate) fn assistant(parts: Vec<Part<'static>>) -> Turn<'static> {
    Turn { role: Role::Assistant, parts }
}

pub(crate) fn text(text: &str) -> Part<'static> {
    Part::Text(text.to_owned().into())
}

pub(crate) fn thinking(text: &str, signature: &str) -> Part<'static> {
    Part::Thinking { text: text.to_owned().into(), signature: signature.to_owned().into() }
}

pub(crate) fn call(id: &str, name: &str, input: &str) -> Part<'static> {
    let (id, name) = (id.to_owned().into(), name.to_owned().into());
    Part::ToolUse(ToolUse { id, name, input: json(input), at: At { message: 1, part: 2 } })
}

pub(crate) fn result(id: &str, parts: Vec<Part<'static>>) -> Part<'static> {
    Part::ToolResult(ToolResult { id: id.to_owned().into(), parts, error: false, at: At::default() })
}

pub(crate) fn image(base64: &str) -> Part<'static> {
    let at = At { message: 0, part: 1 };
    Part::Image(Image { media_type: MediaType::Png, base64: base64.to_owned().into(), at })
}

pub(crate) fn document(name: Option<&str>, format: &str, base64: &str) -> Part<'static> {
    Part::Document(Document {
        format: format.to_owned().into(),
        name: name.map(|name| name.to_owned().into()),
        base64: base64.to_owned().into(),
        at: At { message: 0, part: 3 },
    })
}

pub(crate) fn tool(name: &str, description: &str, schema: &str) -> Tool<'static> {
    Tool { name: name.to_owned().into(), description: description.to_owned().into(), schema: json(schema) }
}

pub(crate) fn draft(turns: Vec<Turn<'static>>) -> Draft<'static> {
    Draft { turns, ..Draft::default() }
}

/// A model without fields of its own.
pub(crate) fn plain_model() -> Model {
    Model {
        id: "claude-sonnet-4.5".to_owned(),
        name: "Claude Sonnet 4.5".to_owned(),
        window: 200_000,
        max_output: 64_000,
        images: true,
        rate: Some(1.3),
        controls: Controls::default(),
    }
}

/// A model whose reasoning is asked for by fields.
pub(crate) fn claude_model() -> Model {
    let effort = vec![Effort::Low, Effort::Medium, Effort::High, Effort::Max];
    let controls = Controls {
        effort,
        adaptive: true,
        disabled: true,
        display: true,
        max_tokens: Some((1, 64_000)),
        ..Controls::default()
    };
    Model { id: "claude-opus-4.8".to_owned(), controls, ..plain_model() }
}

pub(crate) fn gpt_model() -> Model {
    let reasoning = vec![Effort::None, Effort::Low, Effort::Medium, Effort::High, Effort::XHigh];
    Model {
        id: "gpt-5.6-sol".to_owned(),
        controls: Controls { reasoning, ..Controls::default() },
        ..plain_model()
    }
}

pub(crate) fn profile<'a>(model: &'a Model, surface: &str) -> Profile<'a> {
    Profile {
        surface: Surface::named(surface).expect("a known surface"),
        arn: None,
        model,
        conversation_id: "5b0e6c1e-0a53-4a51-9b9a-6d0f1a2b3c4d",
        replay_reasoning: true,
        model_fields: true,
    }
}

/// Encodes for the default surface; the body is read back.
pub(crate) fn body(draft: Draft<'static>, model: &Model) -> (Value, Note) {
    let conversation = Conversation::new(draft).expect("a conversation that can be made regular");
    let (body, note) =
        encode(&conversation, &profile(model, "runtime")).expect("a conversation that can be encoded");
    (serde_json::from_slice(&body).expect("the body is JSON"), note)
}

pub(crate) fn refused(draft: Draft<'static>, model: &Model) -> Fault {
    let conversation = Conversation::new(draft).expect("a conversation that can be made regular");
    match encode(&conversation, &profile(model, "runtime")) {
        Err(fault) => fault,
        Ok(_) => panic!("it was encoded"),
    }
}

fn json(text: &str) -> Cow<'static, RawValue> {
    Cow::Owned(RawValue::from_string(text.to_owned()).expect("valid JSON"))
}
