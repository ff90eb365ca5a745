//! The rules the service enforces on a chat call, in the order of spec/upstream.md §12.2; the first hit wins.

mod account;
mod bearer;
mod envelope;
mod media;
mod model;
mod profile;
mod structure;
mod tools;

use serde_json::{Value, json};

use crate::catalogue;
use crate::http::{Answer, Head};
use crate::knobs::Knobs;
use crate::route::place::Place;
use crate::route::{Face, Operation};
use crate::world::World;

pub(crate) use bearer::{Caller, bearer};
pub(crate) use profile::of_control as control_profile;

/// A chat call as far as the rules look at it.
pub(crate) struct Call<'a> {
    pub(crate) head: &'a Head,
    pub(crate) face: Face,
    pub(crate) place: Place,
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
    /// The header `retry-after`, in seconds.
    retry_after_s: Option<u64>,
}

impl Refusal {
    pub(crate) fn new(status: u16, kind: &'static str, message: &str, reason: Option<&str>) -> Self {
        let reason = reason.map(str::to_owned);
        Self { status, kind, message: message.to_owned(), reason, retry_after_s: None }
    }

    /// An operation that does not exist here.
    pub(crate) fn unknown_operation() -> Self {
        Self::new(404, "UnknownOperationException", "There is no such operation.", None)
    }

    /// A refusal for a time; where it is none of those, nothing changes.
    fn retry_after(mut self, seconds: Option<u64>) -> Self {
        self.retry_after_s = seconds.filter(|_| self.status == 429);
        self
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
        if let Some(seconds) = self.retry_after_s {
            answer = answer.with("retry-after", &seconds.to_string());
        }
        answer.with("x-amzn-errortype", self.kind)
    }
}

/// Every rule for a chat call; what comes in with a good bearer token is counted.
pub(crate) fn chat(world: &World, call: &Call<'_>) -> Result<Caller, Refusal> {
    envelope::media_type(call)?;
    let caller = bearer(world, call.head)?;
    world.auth().tally(caller.account, |counts| counts.chats += 1);
    let checked = checked(world, caller, call);
    if checked.is_err() {
        world.auth().tally(caller.account, |counts| counts.refused += 1);
    }
    checked.map(|()| caller)
}

fn checked(world: &World, caller: Caller, call: &Call<'_>) -> Result<(), Refusal> {
    caller.typed()?;
    account::standing(world, caller, call.knobs)?;
    let body = call.body.ok_or_else(|| malformed("The request body is not valid JSON.", call.knobs))?;
    rules(world, caller, call, body).map_err(|refusal| legacy(refusal, call.knobs))?;
    account::pace(world, caller)
}

fn rules(world: &World, caller: Caller, call: &Call<'_>, body: &Value) -> Result<(), Refusal> {
    envelope::shape(call, body)?;
    profile::check(world, caller, call, body)?;
    model::check(call.knobs, body)?;
    account::model(world, caller, body)?;
    let conversation = Conversation::of(body);
    let declared = tools::check(conversation.tools, call.knobs)?;
    structure::check(&conversation, &declared, call.knobs)?;
    let images = model_id(body).and_then(catalogue::find).is_none_or(catalogue::Model::takes_images);
    media::check(&conversation, images)?;
    size(call.knobs, body)
}

/// The rules for a call of the control plane that come before what it asks for.
pub(crate) fn control(
    world: &World,
    head: &Head,
    (place, face): (&Place, Face),
    knobs: &Knobs,
) -> Result<Caller, Refusal> {
    let caller = bearer(world, head)?;
    account::locked(world, caller, knobs)?;
    match profile::rule(knobs, caller, place, face, false).and_then(|rule| rule.refuse) {
        Some(refusal) => Err(profile::refused(refusal)),
        None => Ok(caller),
    }
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
