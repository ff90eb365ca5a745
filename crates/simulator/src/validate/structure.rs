//! How messages follow each other and how tool calls and results pair (spec/upstream.md §2.7).

use serde_json::Value;

use super::tools::well_named;
use super::{Conversation, Refusal, improper, invalid, list};
use crate::knobs::Knobs;

/// Step 7.
pub(super) fn check(
    conversation: &Conversation<'_>,
    declared: &[String],
    knobs: &Knobs,
) -> Result<(), Refusal> {
    turns(conversation, knobs)?;
    let mut before: Option<&Value> = None;
    for (index, message) in conversation.messages.iter().enumerate() {
        if let Some(user) = message.get("userInputMessage") {
            results(user, index)?;
            paired(before, user, index)?;
        }
        before = message.get("assistantResponseMessage");
        if let Some(assistant) = before {
            uses(assistant)?;
            reasoning(assistant, knobs)?;
        }
    }
    tools_declared(conversation, declared)
}

/// R1 to R4 and R10: who speaks when, and that users say something.
fn turns(conversation: &Conversation<'_>, knobs: &Knobs) -> Result<(), Refusal> {
    let mut last_was_user: Option<bool> = None;
    for message in &conversation.messages {
        let user = message.get("userInputMessage");
        match (last_was_user, user.is_some()) {
            (None | Some(false), false) => return Err(improper()),
            (Some(true), true) if !knobs.user_after_user => return Err(improper()),
            _ => {}
        }
        if let Some(user) = user {
            let results = !tool_results(user).is_empty();
            let blank = user["content"].as_str().is_none_or(|text| text.trim().is_empty());
            if blank && !results {
                return Err(improper());
            }
            if blank && !list(&user["documents"]).is_empty() {
                return Err(invalid("A text block must be included when using documents."));
            }
            if results && last_was_user.is_none() {
                return Err(improper());
            }
        }
        last_was_user = Some(user.is_some());
    }
    Ok(())
}

/// The results of one user message, each for itself.
fn results(user: &Value, index: usize) -> Result<(), Refusal> {
    let results = tool_results(user);
    for (place, result) in results.iter().enumerate() {
        let id = result["toolUseId"].as_str().ok_or_else(improper)?;
        if !well_named(id) {
            return Err(bad_id());
        }
        if !matches!(result["status"].as_str(), Some("success" | "error")) {
            return Err(improper());
        }
        let blocks = result["content"].as_array().filter(|blocks| !blocks.is_empty()).ok_or_else(improper)?;
        for block in blocks {
            let text =
                block.get("text").is_some_and(|text| text.as_str().is_some_and(|text| !text.is_empty()));
            if !text && !block.get("json").is_some_and(Value::is_object) {
                return Err(improper());
            }
        }
        if results[..place].iter().any(|other| other["toolUseId"] == id) {
            return Err(mismatch(&format!("messages.{index} answers the tool use {id} more than once.")));
        }
    }
    Ok(())
}

/// R6 and R7: the results are those of the calls right before, all of them and no others.
fn paired(before: Option<&Value>, user: &Value, index: usize) -> Result<(), Refusal> {
    let calls = before.map_or(&[][..], |assistant| list(&assistant["toolUses"]));
    let results = tool_results(user);
    let answered = |id: &Value| results.iter().any(|result| result["toolUseId"] == *id);
    let asked = |id: &Value| calls.iter().any(|call| call["toolUseId"] == *id);
    if let Some(open) = calls.iter().find(|call| !answered(&call["toolUseId"])) {
        let id = open["toolUseId"].as_str().unwrap_or_default();
        return Err(mismatch(&format!(
            "Expected toolResult blocks at messages.{index}.content for the Ids: {id}"
        )));
    }
    if results.iter().any(|result| !asked(&result["toolUseId"])) {
        return Err(mismatch(&format!(
            "The number of toolResult blocks at messages.{index}.content exceeds the number of toolUse blocks of \
             previous turn."
        )));
    }
    Ok(())
}

/// The calls of one assistant message, each for itself.
fn uses(assistant: &Value) -> Result<(), Refusal> {
    let uses = list(&assistant["toolUses"]);
    if assistant["content"] == "" && uses.is_empty() {
        return Err(improper());
    }
    for (place, call) in uses.iter().enumerate() {
        let id = call["toolUseId"].as_str().ok_or_else(improper)?;
        let name = call["name"].as_str().ok_or_else(improper)?;
        if !well_named(id) {
            return Err(bad_id());
        }
        if !well_named(name) || !call["input"].is_object() {
            return Err(invalid("Invalid tool use format."));
        }
        if uses[..place].iter().any(|other| other["toolUseId"] == id) {
            return Err(mismatch(&format!("The tool use {id} appears more than once.")));
        }
    }
    Ok(())
}

/// Thinking that is sent back: whole pairs only, and signatures this account was given.
fn reasoning(assistant: &Value, knobs: &Knobs) -> Result<(), Refusal> {
    let content = &assistant["reasoningContent"];
    if content.is_null() || content["redactedContent"].is_string() {
        return Ok(());
    }
    let text = &content["reasoningText"];
    let signature = text["signature"].as_str().filter(|signature| !signature.is_empty());
    let (Some(_), Some(signature)) = (text["text"].as_str(), signature) else {
        return Err(improper());
    };
    let known = knobs.known_signatures.as_ref().is_none_or(|known| known.iter().any(|one| one == signature));
    if known {
        return Ok(());
    }
    let reason = Some("THINKING_SIGNATURE_INVALID");
    Err(Refusal::new(400, "ValidationException", "Invalid signature in thinking block", reason))
}

/// R9 and R15: what was called is declared.
fn tools_declared(conversation: &Conversation<'_>, declared: &[String]) -> Result<(), Refusal> {
    for message in &conversation.messages {
        let uses = list(&message["assistantResponseMessage"]["toolUses"]);
        let results = tool_results(&message["userInputMessage"]);
        if declared.is_empty() && !(uses.is_empty() && results.is_empty()) {
            let message =
                "The toolConfig field must be defined when using toolUse and toolResult content blocks.";
            return Err(Refusal::new(400, "ValidationException", message, Some("TOOL_CONFIG_MISSING")));
        }
        let name = |call: &Value| call["name"].as_str().unwrap_or_default().to_lowercase();
        if uses.iter().any(|call| !declared.contains(&name(call))) {
            return Err(improper());
        }
    }
    Ok(())
}

fn tool_results(user: &Value) -> &[Value] {
    list(&user["userInputMessageContext"]["toolResults"])
}

fn bad_id() -> Refusal {
    invalid("tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$' and have at most 64 characters")
}

fn mismatch(message: &str) -> Refusal {
    Refusal::new(400, "ValidationException", message, Some("TOOL_USE_RESULT_MISMATCH"))
}
