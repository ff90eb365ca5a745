//! Tools on offer, and the choice among them.

use std::borrow::Cow;

use qm_canon::{Choice, Fault, Tool};

use super::field::{Field, List};
use super::path::{self, Path};
use super::wire;

/// What becomes of a kind of tool.
#[derive(Clone, Copy)]
enum Kind {
    /// The client runs it and describes it itself.
    Custom,
    /// It loads deferred tools on demand. All tools are sent at once here, so there is nothing to search for.
    Search,
    /// Anthropic runs it.
    Server,
    /// The client runs it, but only Anthropic's models know its schema.
    Predefined,
    Unknown,
}

/// Adds the tools to `tools`; returns the index of each in the client's list.
pub(super) fn tools<'a>(
    field: Field<List<wire::Tool<'a>>>,
    tools: &mut Vec<Tool<'a>>,
) -> Result<Vec<usize>, Fault> {
    let path = Path::Top("tools");
    let List(items) = field.optional(&path)?.unwrap_or(List(Vec::new()));
    let mut places = Vec::with_capacity(items.len());
    tools.reserve(items.len());
    for (index, item) in items.into_iter().enumerate() {
        let path = path.index(index);
        let tool = item.required(&path)?;
        let kind_path = path.key("type");
        let kind = match &tool.kind {
            Field::Absent => "custom",
            Field::Is(kind) => kind.as_ref(),
            Field::Wrong => return Err(kind_path.fault("Input should be a valid string")),
        };
        match Kind::of(kind) {
            Kind::Custom => {}
            Kind::Search => continue,
            Kind::Server => {
                return Err(path.fault(format_args!(
                    "`{}` is not supported by this gateway yet; remove it from `tools`",
                    path::word(kind)
                )));
            }
            Kind::Predefined => {
                return Err(path.fault(format_args!(
                    "`{}` is defined by Anthropic and not supported by this gateway; declare a custom tool with a \
                     description and an input_schema instead",
                    path::word(kind)
                )));
            }
            Kind::Unknown => {
                return Err(path.fault(format_args!(
                    "Input tag '{}' found using 'type' does not match any of the expected tags: 'custom'",
                    path::word(kind)
                )));
            }
        }
        tools.push(custom(tool, &path)?);
        places.push(index);
    }
    Ok(places)
}

/// The choice, and whether one answer may hold only one call.
pub(super) fn choice(field: Field<wire::Choice<'_>>) -> Result<(Choice<'_>, bool), Fault> {
    let path = Path::Top("tool_choice");
    let Some(choice) = field.optional(&path)? else { return Ok((Choice::Auto, false)) };
    let kind = choice.kind.required(&path.key("type"))?;
    let single =
        choice.disable_parallel_tool_use.optional(&path.key("disable_parallel_tool_use"))?.unwrap_or(false);
    let choice = match kind.as_ref() {
        "auto" => Choice::Auto,
        "any" => Choice::Any,
        "none" => Choice::None,
        "tool" => Choice::Tool(choice.name.required(&path.key("tool").key("name"))?),
        other => {
            return Err(path.fault(format_args!(
                "Input tag '{}' found using 'type' does not match any of the expected tags: 'auto', 'any', 'tool', \
                 'none'",
                path::word(other)
            )));
        }
    };
    Ok((choice, single))
}

fn custom<'a>(tool: wire::Tool<'a>, path: &Path<'_>) -> Result<Tool<'a>, Fault> {
    let path = path.key("custom");
    let name = tool.name.required(&path.key("name"))?;
    let description = tool.description.optional(&path.key("description"))?.unwrap_or_default();
    let schema_path = path.key("input_schema");
    let schema = tool.input_schema.ok_or_else(|| schema_path.required())?;
    if !schema.get().starts_with('{') {
        return Err(schema_path.fault("Input should be a valid dictionary"));
    }
    Ok(Tool { name, description, schema: Cow::Borrowed(schema) })
}

// === impl Kind ===

impl Kind {
    fn of(kind: &str) -> Self {
        /// By how the name begins: what follows is a date.
        const TABLE: [(&str, Kind); 11] = [
            ("tool_search_tool_", Kind::Search),
            ("web_search_", Kind::Server),
            ("web_fetch_", Kind::Server),
            ("code_execution_", Kind::Server),
            ("mcp_toolset", Kind::Server),
            ("advisor_", Kind::Server),
            ("bash_", Kind::Predefined),
            ("text_editor_", Kind::Predefined),
            ("str_replace_", Kind::Predefined),
            ("computer_", Kind::Predefined),
            ("memory_", Kind::Predefined),
        ];
        if kind == "custom" {
            return Self::Custom;
        }
        TABLE.iter().find(|(prefix, _)| kind.starts_with(prefix)).map_or(Self::Unknown, |&(_, kind)| kind)
    }
}
