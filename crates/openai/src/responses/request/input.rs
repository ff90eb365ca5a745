//! Input items, by type.

use qm_canon::{At, Draft, Fault, Part, Role, ToolResult, ToolUse, Turn};

use super::tool::Tools;
use super::wire::Item;
use super::{content, settings, word};
use crate::call::{self, Calls};
use crate::custom;
use crate::field::Field;
use crate::path::Path;
use crate::responses::item::Seal;

/// Calls of tools that only OpenAI runs, and what comes of them. The gateway never issues one, so they come from a
/// conversation held elsewhere, which would lose a part of its meaning without them.
const HOSTED: [&str; 17] = [
    "file_search_call",
    "code_interpreter_call",
    "computer_call",
    "computer_call_output",
    "image_generation_call",
    "mcp_list_tools",
    "mcp_approval_request",
    "mcp_approval_response",
    "mcp_call",
    "local_shell_call",
    "local_shell_call_output",
    "shell_call",
    "shell_call_output",
    "apply_patch_call",
    "apply_patch_call_output",
    "program",
    "program_output",
];

/// Adds items to a draft, in order.
pub(super) struct Reader<'d, 'a> {
    pub(super) draft: &'d mut Draft<'a>,
    pub(super) tools: &'d Tools<'a>,
    pub(super) calls: Calls<'a>,
}

/// What an item is, whether it says so or not.
pub(super) fn kind<'i>(item: &'i Item<'_>, path: &Path<'_>) -> Result<&'i str, Fault> {
    match (&item.kind, &item.role) {
        (Field::Absent, Field::Is(_)) => Ok("message"),
        // Only a reference has nothing but an id.
        (Field::Absent, _) if item.id.is_some() => Ok("item_reference"),
        (kind, _) => word(kind, &path.key("type")),
    }
}

// === impl Reader ===

impl<'a> Reader<'_, 'a> {
    /// Adds one item.
    pub(super) fn add(&mut self, item: Box<Item<'a>>, index: usize, path: &Path<'_>) -> Result<(), Fault> {
        let at = At { message: u32::try_from(index).unwrap_or(u32::MAX), part: 0 };
        match kind(&item, path)? {
            "message" => self.message(item, at, path),
            "function_call" | "custom_tool_call" => self.call(item, at, path),
            "function_call_output" | "custom_tool_call_output" => self.output(item, at, path),
            "reasoning" => self.reasoning(item, path),
            "configuration_update" => self.configure(item, path),
            // Tools were read before; a search for tools has no other trace worth keeping, and a search of the web
            // is followed by the answer that came of it.
            "additional_tools" | "tool_search_call" | "tool_search_output" | "web_search_call" => Ok(()),
            "item_reference" => Err(path.unsupported_value(
                "an `item_reference` names a stored item, and this gateway stores none; send the item itself.",
            )),
            kind @ ("compaction_trigger" | "compaction") => Err(path.unsupported_value(format_args!(
                "`{kind}` needs a server that compacts, which this gateway does not; let the client compact the \
                 conversation."
            ))),
            kind if HOSTED.contains(&kind) => {
                Err(path.key("type").unsupported_value(format_args!(
                    "`{kind}` is of a hosted tool, and none is available at this gateway; leave it out of the \
                     conversation."
                )))
            }
            other => Err(path.key("type").unknown(
                other,
                "'message', 'function_call', 'function_call_output', 'custom_tool_call', 'custom_tool_call_output' \
                 and 'reasoning'",
            )),
        }
    }

    fn message(&mut self, item: Box<Item<'a>>, at: At, path: &Path<'_>) -> Result<(), Fault> {
        let content_path = path.key("content");
        let content = item.content.0.optional(&content_path)?;
        let role_path = path.key("role");
        let role = match word(&item.role, &role_path)? {
            "user" => Role::User,
            "assistant" => Role::Assistant,
            "system" | "developer" => {
                let texts =
                    content.map_or(Ok(Vec::new()), |content| content::texts(content, &content_path))?;
                if self.draft.turns.is_empty() {
                    self.draft.system.extend(texts);
                } else {
                    // The upstream has no place for it mid-conversation; said at its place, it keeps its order.
                    self.say(Role::User, texts.into_iter().map(|text| Part::Text(text.into())).collect());
                }
                return Ok(());
            }
            other => return Err(role_path.unknown(other, "'assistant', 'system', 'developer' and 'user'")),
        };
        if let Some(content) = content {
            let parts = content::parts(content, role, at, &content_path)?;
            self.say(role, parts);
        }
        Ok(())
    }

    fn call(&mut self, item: Box<Item<'a>>, at: At, path: &Path<'_>) -> Result<(), Fault> {
        let custom = word(&item.kind, &path.key("type"))? == "custom_tool_call";
        let id = item.call_id.required(&path.key("call_id"))?;
        let name = item.name.required(&path.key("name"))?;
        let namespace = item.namespace.optional(&path.key("namespace"))?;
        let input = if custom {
            custom::wrap(&item.input.optional(&path.key("input"))?.unwrap_or_default())?
        } else {
            call::arguments(item.arguments, &path.key("arguments"))?
        };
        let name = self.tools.called(name, namespace.as_deref());
        let id = self.calls.call(id);
        self.say(Role::Assistant, vec![Part::ToolUse(ToolUse { id, name, input, at })]);
        Ok(())
    }

    fn output(&mut self, item: Box<Item<'a>>, at: At, path: &Path<'_>) -> Result<(), Fault> {
        let id = item.call_id.required(&path.key("call_id"))?;
        let output_path = path.key("output");
        let parts = match item.output.0.optional(&output_path)? {
            None => Vec::new(),
            Some(output) => content::parts(output, Role::User, at, &output_path)?,
        };
        let id = self.calls.result(id);
        self.say(Role::User, vec![Part::ToolResult(ToolResult { id, parts, error: false, at })]);
        Ok(())
    }

    /// Reasoning that this gateway issued goes back as it came; that of others is sealed for them alone.
    fn reasoning(&mut self, item: Box<Item<'a>>, path: &Path<'_>) -> Result<(), Fault> {
        let sealed = item.encrypted_content.optional(&path.key("encrypted_content"))?;
        if let Some(part) = sealed.as_ref().and_then(Seal::open) {
            self.say(Role::Assistant, vec![part]);
        }
        Ok(())
    }

    /// Settings that hold from here on; the last say counts, since there is one answer.
    fn configure(&mut self, item: Box<Item<'a>>, path: &Path<'_>) -> Result<(), Fault> {
        if matches!(item.reasoning, Field::Is(_)) {
            let (_, effort) = settings::reasoning(item.reasoning, &path.key("reasoning"))?;
            self.draft.effort = effort.or(self.draft.effort);
        }
        if matches!(item.text, Field::Is(_)) {
            self.draft.format = settings::format(item.text, &path.key("text"))?;
        }
        Ok(())
    }

    fn say(&mut self, role: Role, parts: Vec<Part<'a>>) {
        self.draft.turns.push(Turn { role, parts });
    }
}
