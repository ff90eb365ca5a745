//! The rules the service enforces on a chat call, in the order of spec/upstream.md §12.2; the first hit wins.

mod account;
mod envelope;
mod media;
mod model;
mod structure;
mod tools;

use serde_json::{Value, json};

use crate::catalogue;
use crate::http::{Answer, Head};
use crate::knobs::Knobs;
use crate::route::{Face, Operation};
use crate::world::World;

/// A chat call as far as the rules look at it.
pub(crate) struct Call<'a> {
    pub(crate) head: &'a Head,
    pub(crate) face: Face,
    pub(crate) operation: Operation,
    pub(crate) body: Option<&'a Value>,
    pub(crate) knobs: &'a Knobs,
}

/// A refusal in the service's own words.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) kind: &'static str,
    pub(crate) message: String,
    pub(crate) reason: Option<String>,
}

impl Refusal {
    pub(crate) fn new(status: u16, kind: &'static str, message: &str, reason: Option<&str>) -> Self {
        Self { status, kind, message: message.to_owned(), reason: reason.map(str::to_owned) }
    }

    /// The error as this face tells it: REST has the type in the header only.
    pub(crate) fn answer(&self, face: Face) -> Answer {
        let mut body = json!({ "message": self.message, "reason": self.reason });
        if face == Face::Rpc {
            body["__type"] = json!(format!("com.amazon.aws.codewhisperer#{}", self.kind));
        }
        let mut answer = Answer::json(self.status, &body);
        if face == Face::Rpc {
            answer.headers = vec![("content-type".into(), "application/x-amz-json-1.0".into())];
        }
        answer.with("x-amzn-errortype", self.kind)
    }
}

/// Every rule for a chat call.
pub(crate) fn chat(world: &World, call: &Call<'_>) -> Result<(), Refusal> {
    envelope::media_type(call)?;
    let account = bearer(world, call.head)?;
    account::standing(world, account, call.knobs)?;
    let body = call.body.ok_or_else(|| malformed("The request body is not valid JSON.", call.knobs))?;
    rules(world, account, call, body).map_err(|refusal| legacy(refusal, call.knobs))?;
    account::pace(world, account)
}

fn rules(world: &World, account: usize, call: &Call<'_>, body: &Value) -> Result<(), Refusal> {
    envelope::shape(call, body)?;
    account::arn(world, account, call, body)?;
    model::check(call.knobs, body)?;
    let conversation = Conversation::of(body);
    let declared = tools::check(conversation.tools, call.knobs)?;
    structure::check(&conversation, &declared, call.knobs)?;
    let images = model_id(body).and_then(catalogue::find).is_none_or(catalogue::Model::takes_images);
    media::check(&conversation, images)?;
    size(call.knobs, body)
}

/// The messages of a request, oldest first, the current one last.
pub(crate) struct Conversation<'a> {
    pub(crate) messages: Vec<&'a Value>,
    pub(crate) tools: &'a [Value],
}

impl<'a> Conversation<'a> {
    fn of(body: &'a Value) -> Self {
        let state = &body["conversationState"];
        let messages = list(&state["history"]).iter().chain([&state["currentMessage"]]).collect();
        let context = &state["currentMessage"]["userInputMessage"]["userInputMessageContext"];
        Self { messages, tools: list(&context["tools"]) }
    }
}

/// The items of an optional array.
fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn size(knobs: &Knobs, body: &Value) -> Result<(), Refusal> {
    let bytes = text_bytes(body);
    let window_tokens = knobs.window_tokens.unwrap_or_else(|| window_of(body));
    if bytes > knobs.text_limit_bytes || bytes / 4 > window_tokens {
        let reason = Some("CONTENT_LENGTH_EXCEEDS_THRESHOLD");
        return Err(Refusal::new(400, "ValidationException", "Input is too long.", reason));
    }
    Ok(())
}

/// A request whose form is wrong.
fn malformed(message: &str, knobs: &Knobs) -> Refusal {
    legacy(invalid(message), knobs)
}

fn invalid(message: &str) -> Refusal {
    Refusal::new(400, "ValidationException", message, Some("REQUEST_BODY_INVALID"))
}

fn improper() -> Refusal {
    invalid("Improperly formed request.")
}

/// Older hosts give no reason with a malformed request.
fn legacy(mut refusal: Refusal, knobs: &Knobs) -> Refusal {
    if knobs.legacy_reason && refusal.reason.as_deref() == Some("REQUEST_BODY_INVALID") {
        refusal.reason = None;
    }
    refusal
}

/// The account behind the bearer token.
pub(crate) fn bearer(world: &World, head: &Head) -> Result<usize, Refusal> {
    let token =
        head.header("authorization").and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    if token.starts_with("ksk_") && head.header("tokentype") != Some("API_KEY") {
        return Err(Refusal::new(
            400,
            "ValidationException",
            "profileArn is required for this request",
            None,
        ));
    }
    world.auth().account_of(token).ok_or_else(|| {
        Refusal::new(
            403,
            "AccessDeniedException",
            "The bearer token included in the request is invalid.",
            None,
        )
    })
}

/// The window of the model a body asks for, in tokens.
pub(crate) fn window_of(body: &Value) -> u64 {
    catalogue::find(model_id(body).unwrap_or("auto")).map_or(200_000, |model| model.window_tokens)
}

/// The bytes of text in a body: contents, tool inputs and results, tool specifications; images not counted.
pub(crate) fn text_bytes(body: &Value) -> u64 {
    fn count(value: &Value) -> u64 {
        match value {
            Value::String(text) => text.len() as u64,
            Value::Array(items) => items.iter().map(count).sum(),
            Value::Object(fields) => fields
                .iter()
                .filter(|(name, _)| !matches!(name.as_str(), "images" | "documents"))
                .map(|(_, value)| count(value))
                .sum(),
            Value::Number(_) | Value::Bool(_) => 4,
            Value::Null => 0,
        }
    }
    count(&body["conversationState"])
}

fn model_id(body: &Value) -> Option<&str> {
    body.pointer("/conversationState/currentMessage/userInputMessage/modelId").and_then(Value::as_str)
}
