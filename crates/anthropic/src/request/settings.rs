//! What a request says besides the conversation: bounds, thinking, effort, metadata.

use std::borrow::Cow;

use qm_canon::{Display, Draft, Effort, Fault, Format, Thinking};
use serde_json::value::RawValue;

use super::field::{Field, Integer, List, Number};
use super::path::Path;
use super::wire;

/// Bounds of our own on stop sequences: each is looked for in every piece of the answer.
const MOST_STOP_SEQUENCES: usize = 64;
const LONGEST_STOP_SEQUENCE_BYTES: usize = 1024;

/// The smallest thinking budget that Anthropic takes.
const LEAST_BUDGET_TOKENS: f64 = 1024.0;

/// What `output_config` says; what it does not say stays as it is.
pub(super) struct Output<'a> {
    effort: Option<Effort>,
    format: Option<Format<'a>>,
}

pub(super) fn max_tokens(field: Field<Integer>) -> Result<u32, Fault> {
    let path = Path::Top("max_tokens");
    whole(field.required(&path)?, 1.0, &path)
}

/// The upstream has no field for any of these. They tune, they do not change what is asked, so they are checked and
/// not sent; refusing them would shut out clients that always send one (aider, llm).
pub(super) fn check_sampling(
    temperature: Field<Number>,
    top_p: Field<Number>,
    top_k: Field<Integer>,
) -> Result<(), Fault> {
    for (key, field) in [("temperature", temperature), ("top_p", top_p)] {
        let path = Path::Top(key);
        match field.optional(&path)? {
            Some(Number(value)) if value < 0.0 => {
                return Err(path.fault("Input should be greater than or equal to 0"));
            }
            Some(Number(value)) if value > 1.0 => {
                return Err(path.fault("Input should be less than or equal to 1"));
            }
            _ => {}
        }
    }
    let path = Path::Top("top_k");
    top_k.optional(&path)?.map(|value| whole(value, 0.0, &path)).transpose()?;
    Ok(())
}

/// Fields that change what is asked and that the gateway cannot honour.
pub(super) fn refuse_unsupported(mcp_servers: Option<&RawValue>) -> Result<(), Fault> {
    let empty = |list: &RawValue| {
        list.get()
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .is_some_and(|rest| rest.trim().is_empty())
    };
    if mcp_servers.is_some_and(|list| !empty(list)) {
        let path = Path::Top("mcp_servers");
        return Err(
            path.fault("MCP servers are not supported by this gateway yet; connect to them in the client")
        );
    }
    Ok(())
}

pub(super) fn stop_sequences(field: Field<List<Cow<'_, str>>>) -> Result<Vec<Cow<'_, str>>, Fault> {
    let path = Path::Top("stop_sequences");
    let List(items) = field.optional(&path)?.unwrap_or(List(Vec::new()));
    if items.len() > MOST_STOP_SEQUENCES {
        let count = items.len();
        return Err(path.fault(format_args!(
            "List should have at most {MOST_STOP_SEQUENCES} items after validation, not {count}"
        )));
    }
    let mut stops = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        let at = path.index(index);
        let text = item.required(&at)?;
        if text.trim().is_empty() {
            return Err(path.fault("each stop sequence must contain non-whitespace"));
        }
        if text.len() > LONGEST_STOP_SEQUENCE_BYTES {
            return Err(at.fault(format_args!(
                "String should have at most {LONGEST_STOP_SEQUENCE_BYTES} bytes at this gateway"
            )));
        }
        stops.push(text);
    }
    Ok(stops)
}

pub(super) fn thinking(field: Field<wire::Thinking<'_>>) -> Result<Thinking, Fault> {
    let path = Path::Top("thinking");
    let Some(thinking) = field.optional(&path)? else { return Ok(Thinking::Unasked) };
    let kind_path = path.key("type");
    let kind = thinking.kind.required(&kind_path)?;
    // Forms of showing it that are not known here show more than nothing, so the text is what comes nearest.
    let display = match thinking.display.optional(&path.key("display"))?.as_deref() {
        Some("omitted") => Display::Omitted,
        _ => Display::Shown,
    };
    match kind.as_ref() {
        "disabled" => Ok(Thinking::Off),
        "adaptive" => Ok(Thinking::Adaptive(display)),
        "enabled" => {
            let tag = path.key("enabled");
            let path = tag.key("budget_tokens");
            let budget = whole(thinking.budget_tokens.required(&path)?, LEAST_BUDGET_TOKENS, &path)?;
            Ok(Thinking::Budget(budget, display))
        }
        _ => Err(kind_path.fault("Input should be 'enabled', 'adaptive' or 'disabled'")),
    }
}

pub(super) fn output<'a>(field: Field<wire::OutputConfig<'a>>, path: &Path<'_>) -> Result<Output<'a>, Fault> {
    let Some(config) = field.optional(path)? else { return Ok(Output { effort: None, format: None }) };
    let format = format(config.format, &path.key("format"))?;
    let effort = effort(config.effort, &path.key("effort"))?;
    Ok(Output { effort, format })
}

/// The format of `output_config`, and of the older `output_format` at the top.
pub(super) fn format<'a>(
    field: Field<wire::OutputFormat<'a>>,
    path: &Path<'_>,
) -> Result<Option<Format<'a>>, Fault> {
    let Some(format) = field.optional(path)? else { return Ok(None) };
    let kind_path = path.key("type");
    if format.kind.required(&kind_path)? != "json_schema" {
        return Err(kind_path.fault("Input should be 'json_schema'"));
    }
    let path = path.key("schema");
    let schema = format.schema.ok_or_else(|| path.required())?;
    if !schema.get().starts_with('{') {
        return Err(path.fault("Input should be a valid dictionary"));
    }
    Ok(Some(Format::Schema(Cow::Borrowed(schema))))
}

fn effort(field: Field<Cow<'_, str>>, path: &Path<'_>) -> Result<Option<Effort>, Fault> {
    let Some(effort) = field.optional(path)? else { return Ok(None) };
    Ok(Some(match effort.as_ref() {
        "none" => Effort::None,
        "minimal" => Effort::Minimal,
        "low" => Effort::Low,
        "medium" => Effort::Medium,
        "high" => Effort::High,
        "xhigh" => Effort::XHigh,
        "max" => Effort::Max,
        _ => return Err(path.fault("Input should be 'low', 'medium', 'high', 'xhigh' or 'max'")),
    }))
}

pub(super) fn affinity(field: Field<wire::Metadata<'_>>) -> Result<Option<Cow<'_, str>>, Fault> {
    let path = Path::Top("metadata");
    let Some(metadata) = field.optional(&path)? else { return Ok(None) };
    let user_id = metadata.user_id.optional(&path.key("user_id"))?;
    Ok(user_id.filter(|id| !id.is_empty()))
}

// === impl Output ===

impl<'a> Output<'a> {
    pub(super) fn set(self, draft: &mut Draft<'a>) {
        draft.effort = self.effort.or(draft.effort);
        if let Some(format) = self.format {
            draft.format = format;
        }
    }
}

/// A number of at least `least`; more than fits is as much as fits.
fn whole(Integer(value): Integer, least: f64, path: &Path<'_>) -> Result<u32, Fault> {
    if value < least {
        return Err(path.fault(format_args!("Input should be greater than or equal to {least}")));
    }
    Ok(value as u32)
}
