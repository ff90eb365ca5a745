//! The outer form of a chat call: media type, fields, enums (spec/upstream.md §1.2, §2.1–2.5).

use serde_json::Value;

use super::{Call, Refusal, improper, invalid, list};
use crate::route::{Face, Operation};

const TOP: &[&str] =
    &["conversationState", "profileArn", "agentMode", "additionalModelRequestFields", "inferenceConfig"];
const TOP_SEND_MESSAGE: &[&str] = &["source", "dryRun"];
const STATE: &[&str] = &[
    "conversationId",
    "chatTriggerType",
    "agentTaskType",
    "agentContinuationId",
    "currentMessage",
    "history",
    "workspaceId",
    "customizationArn",
];
const USER: &[&str] = &[
    "content",
    "origin",
    "modelId",
    "userInputMessageContext",
    "images",
    "documents",
    "userIntent",
    "cachePoint",
    "clientCacheConfig",
];
const CONTEXT: &[&str] = &[
    "envState",
    "tools",
    "toolResults",
    "additionalContext",
    "editorState",
    "shellState",
    "gitState",
    "diagnostic",
    "consoleState",
    "userSettings",
    "appStudioContext",
];
const ASSISTANT: &[&str] = &[
    "content",
    "messageId",
    "toolUses",
    "reasoningContent",
    "supplementaryWebLinks",
    "references",
    "followupPrompt",
    "cachePoint",
];
const ORIGINS: &[&str] = &[
    "CLI",
    "KIRO_CLI",
    "AI_EDITOR",
    "CHATBOT",
    "CONSOLE",
    "DOCUMENTATION",
    "GITLAB",
    "IDE",
    "INLINE_CHAT",
    "MARKETING",
    "MD",
    "MD_CE",
    "MD_IDE",
    "MOBILE",
    "OPENSEARCH_DASHBOARD",
    "Q_DEV_BEXT",
    "SAGE_MAKER",
    "SERVICE_INTERNAL",
    "SM_AI_STUDIO_IDE",
    "UNIFIED_SEARCH",
    "UNKNOWN",
];

/// The media type of the face, exactly: a charset suffix is not the protocol (spec/upstream-2026.md §1.3).
pub(super) fn media_type(call: &Call<'_>) -> Result<(), Refusal> {
    let expected = match call.face {
        Face::Rpc => "application/x-amz-json-1.0",
        Face::Rest => "application/json",
    };
    if call.head.header("content-type") == Some(expected) {
        return Ok(());
    }
    let message = format!("This face takes content-type {expected} only.");
    Err(Refusal::new(415, "UnsupportedMediaTypeException", &message, None))
}

/// Step 3: what must be there, and nothing that the service does not know.
pub(super) fn shape(call: &Call<'_>, body: &Value) -> Result<(), Refusal> {
    let state = body.get("conversationState").filter(|state| state.is_object()).ok_or_else(improper)?;
    if call.knobs.strict_fields {
        let extra = if call.operation == Operation::SendMessage { TOP_SEND_MESSAGE } else { &[] };
        known_fields(body, &[TOP, extra])?;
        known_fields(state, &[STATE])?;
    }
    if !matches!(state["chatTriggerType"].as_str(), Some("MANUAL" | "DIAGNOSTIC" | "INLINE_CHAT")) {
        return Err(improper());
    }
    if state.get("agentTaskType").is_some_and(|kind| !kind.is_null() && kind != "vibe") {
        return Err(improper());
    }
    if !matches!(&body["profileArn"], Value::Null | Value::String(_)) {
        return Err(improper());
    }
    conversation_id(&state["conversationId"])?;
    let current = &state["currentMessage"];
    if !current["userInputMessage"].is_object() {
        return Err(improper());
    }
    if !matches!(&state["history"], Value::Null | Value::Array(_)) {
        return Err(improper());
    }
    for message in list(&state["history"]) {
        self::message(message, call.knobs.strict_fields, false)?;
    }
    message(current, call.knobs.strict_fields, true)
}

fn conversation_id(id: &Value) -> Result<(), Refusal> {
    match id {
        Value::Null => Ok(()),
        Value::String(id) if id.len() <= 128 && id.chars().all(|c| c.is_ascii_graphic()) => Ok(()),
        _ => {
            let reason = Some("INVALID_CONVERSATION_ID");
            Err(Refusal::new(400, "ValidationException", "Invalid conversation id.", reason))
        }
    }
}

/// A message is a union with exactly one member.
fn message(message: &Value, strict: bool, current: bool) -> Result<(), Refusal> {
    let members = message.as_object().filter(|members| members.len() == 1).ok_or_else(improper)?;
    if let Some(user) = members.get("userInputMessage") {
        return self::user(user, strict, current);
    }
    let assistant = members.get("assistantResponseMessage").ok_or_else(improper)?;
    if strict {
        known_fields(assistant, &[ASSISTANT])?;
    }
    if !assistant["content"].is_string() || !matches!(&assistant["toolUses"], Value::Null | Value::Array(_)) {
        return Err(improper());
    }
    if assistant["messageId"].as_str().is_some_and(|id| id.len() > 128) {
        return Err(improper());
    }
    Ok(())
}

fn user(user: &Value, strict: bool, current: bool) -> Result<(), Refusal> {
    let context = &user["userInputMessageContext"];
    if strict {
        known_fields(user, &[USER])?;
        if !context.is_null() {
            known_fields(context, &[CONTEXT])?;
        }
    }
    if !user["content"].is_string() {
        return Err(improper());
    }
    if user["origin"].as_str().is_some_and(|origin| !ORIGINS.contains(&origin)) {
        return Err(improper());
    }
    for field in [&context["tools"], &context["toolResults"], &user["images"], &user["documents"]] {
        if !matches!(field, Value::Null | Value::Array(_)) {
            return Err(improper());
        }
    }
    if !current && !context["tools"].is_null() {
        return Err(invalid("Tools belong to the current message only."));
    }
    Ok(())
}

fn known_fields(value: &Value, known: &[&[&str]]) -> Result<(), Refusal> {
    let fields = value.as_object().ok_or_else(improper)?;
    if fields.keys().all(|field| known.iter().any(|names| names.contains(&field.as_str()))) {
        Ok(())
    } else {
        Err(improper())
    }
}
