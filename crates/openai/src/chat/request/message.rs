//! Messages, by role.

use std::borrow::Cow;

use qm_canon::{At, Draft, Fault, Part, Role, ToolResult, ToolUse, Turn};

use super::content::{self, May};
use super::wire::{Call, FunctionCall, Message};
use crate::call::{self, Calls};
use crate::custom;
use crate::field::List;
use crate::path::Path;

/// What messages leave behind for those after them.
#[derive(Default)]
pub(super) struct History<'a> {
    calls: Calls<'a>,
    /// Id of the last legacy function call, which has none of its own.
    function: Option<Cow<'a, str>>,
}

const ROLES: &str = "'system', 'developer', 'user', 'assistant', 'tool', and 'function'";

// === impl History ===

impl<'a> History<'a> {
    /// Adds one message to the draft.
    pub(super) fn add(
        &mut self,
        draft: &mut Draft<'a>,
        index: usize,
        mut message: Message<'a>,
        path: &Path<'_>,
    ) -> Result<(), Fault> {
        let at = At { message: u32::try_from(index).unwrap_or(u32::MAX), part: 0 };
        let role_path = path.key("role");
        let role = std::mem::take(&mut message.role).required(&role_path)?;
        let content_path = path.key("content");
        let content = std::mem::take(&mut message.content).0.optional(&content_path)?;
        let turn = match role.as_ref() {
            "system" | "developer" => {
                let texts = content::texts(content, &content_path)?;
                if draft.turns.is_empty() {
                    draft.system.extend(texts);
                    return Ok(());
                }
                // The upstream has no place for it mid-conversation; said at its place, it keeps its order.
                Turn { role: Role::User, parts: texts.into_iter().map(content::words).collect() }
            }
            "user" => Turn {
                role: Role::User,
                parts: content::parts(content, May::Any, at.message, &content_path)?,
            },
            "assistant" => {
                let mut parts = content::parts(content, May::Answer, at.message, &content_path)?;
                self.answer(&mut parts, message, at, path)?;
                Turn { role: Role::Assistant, parts }
            }
            "tool" | "function" => {
                let parts = content::parts(content, May::Any, at.message, &content_path)?;
                let id = if role == "tool" {
                    let path = path.key("tool_call_id");
                    self.calls.result(message.tool_call_id.required(&path)?)
                } else {
                    // Without a call before it, it answers nothing, and the canon makes it text.
                    self.function.clone().unwrap_or_default()
                };
                let result = Part::ToolResult(ToolResult { id, parts, error: false, at });
                Turn { role: Role::User, parts: vec![result] }
            }
            other => return Err(role_path.unknown(other, ROLES)),
        };
        draft.turns.push(turn);
        Ok(())
    }

    /// What an assistant's message has besides its content.
    fn answer(
        &mut self,
        parts: &mut Vec<Part<'a>>,
        message: Message<'a>,
        at: At,
        path: &Path<'_>,
    ) -> Result<(), Fault> {
        if message.audio.is_some() {
            return Err(path.key("audio").unsupported("is not supported: send the transcript as 'content'."));
        }
        parts.extend(message.refusal.optional(&path.key("refusal"))?.map(content::words));
        let calls_path = path.key("tool_calls");
        let List(calls) = message.tool_calls.optional(&calls_path)?.unwrap_or(List(Vec::new()));
        for (index, call) in calls.into_iter().enumerate() {
            let path = calls_path.index(index);
            parts.push(Part::ToolUse(self.call(call.required(&path)?, at, &path)?));
        }
        let path = path.key("function_call");
        if let Some(function) = message.function_call.optional(&path)? {
            let id = Cow::from(format!("function_{}", at.message));
            self.function = Some(id.clone());
            parts.push(Part::ToolUse(use_of(function, id, at, &path)?));
        }
        Ok(())
    }

    fn call(&mut self, call: Call<'a>, at: At, path: &Path<'_>) -> Result<ToolUse<'a>, Fault> {
        let id_path = path.key("id");
        let id = self.calls.call(filled(call.id.required(&id_path)?, &id_path)?);
        let kind_path = path.key("type");
        match call.kind.optional(&kind_path)?.as_deref() {
            Some("function") | None => {
                let path = path.key("function");
                use_of(call.function.required(&path)?, id, at, &path)
            }
            Some("custom") => {
                let path = path.key("custom");
                let call = call.custom.required(&path)?;
                let name_path = path.key("name");
                let name = filled(call.name.required(&name_path)?, &name_path)?;
                let input = custom::wrap(&call.input.optional(&path.key("input"))?.unwrap_or_default())?;
                Ok(ToolUse { id, name, input, at })
            }
            Some(other) => Err(kind_path.unknown(other, "'function' and 'custom'")),
        }
    }
}

fn use_of<'a>(
    function: FunctionCall<'a>,
    id: Cow<'a, str>,
    at: At,
    path: &Path<'_>,
) -> Result<ToolUse<'a>, Fault> {
    let name_path = path.key("name");
    let name = filled(function.name.required(&name_path)?, &name_path)?;
    let input = call::arguments(function.arguments, &path.key("arguments"))?;
    Ok(ToolUse { id, name, input, at })
}

fn filled<'a>(text: Cow<'a, str>, path: &Path<'_>) -> Result<Cow<'a, str>, Fault> {
    if text.is_empty() {
        return Err(path.invalid("empty_string", "empty string. Expected a string with minimum length 1."));
    }
    Ok(text)
}
