//! Tools on offer, wherever they stand, and the choice among them.
//!
//! Codex declares tools in `tools`, in namespaces within it, and in items of the conversation. Upstream there is one
//! flat list, so a tool of a namespace goes by `namespace__name`; those of the namespace `functions`, which is
//! OpenAI's name for having none, by their own name.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use qm_canon::{Choice, Fault, Tool};

use super::{wire, word};
use crate::custom;
use crate::field::{Field, List};
use crate::path::{self, Path};
use crate::responses::note::Named;
use crate::setting;

/// OpenAI's name for the namespace of tools that have none.
const NO_NAMESPACE: &str = "functions";

/// Tools that only OpenAI runs, or whose form only its models know.
const HOSTED: [&str; 10] = [
    "file_search",
    "code_interpreter",
    "computer_use_preview",
    "computer",
    "image_generation",
    "mcp",
    "local_shell",
    "shell",
    "apply_patch",
    "programmatic_tool_calling",
];

const KINDS: &str = "'function', 'custom' and 'namespace'";

/// The tools of a request.
#[derive(Default)]
pub(super) struct Tools<'a> {
    offered: Vec<Offered<'a>>,
    /// Upstream name to place in `offered`.
    by_flat: HashMap<Cow<'a, str>, usize>,
    /// Own name of a tool in a namespace to place in `offered`, for calls that do not name the namespace.
    by_name: HashMap<Cow<'a, str>, usize>,
}

struct Offered<'a> {
    tool: Tool<'a>,
    name: Cow<'a, str>,
    namespace: Option<Cow<'a, str>>,
    custom: bool,
}

/// What a tool of a name already taken means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// A mistake.
    Refused,
    /// A newer definition.
    Replaces,
}

// === impl Tools ===

impl<'a> Tools<'a> {
    /// Adds a list of tools.
    pub(super) fn add(
        &mut self,
        field: Field<List<wire::Tool<'a>>>,
        again: Again,
        path: &Path<'_>,
    ) -> Result<(), Fault> {
        let List(items) = field.optional(path)?.unwrap_or(List(Vec::new()));
        for (index, item) in items.into_iter().enumerate() {
            let path = path.index(index);
            let tool = item.required(&path)?;
            match word(&tool.kind, &path.key("type"))? {
                "namespace" => self.add_namespace(tool, again, &path)?,
                kind @ ("function" | "custom") => {
                    let custom = kind == "custom";
                    self.offer(tool, None, custom, again, &path)?;
                }
                // Codex always sends these. The first finds tools that are deferred; none is here. The second is run
                // by OpenAI; without it the model answers from what it knows.
                kind if kind == "tool_search" || kind.starts_with("web_search") => {}
                kind if HOSTED.contains(&kind) => {
                    return Err(path.key("type").unsupported_value(format_args!(
                        "`{kind}` is a hosted tool, and none is available at this gateway; declare a function tool \
                         instead."
                    )));
                }
                other => return Err(path.key("type").unknown(other, KINDS)),
            }
        }
        Ok(())
    }

    fn add_namespace(&mut self, tool: wire::Tool<'a>, again: Again, path: &Path<'_>) -> Result<(), Fault> {
        let namespace = named(tool.name, path)?;
        let path = path.key("tools");
        let List(items) = tool.tools.optional(&path)?.unwrap_or(List(Vec::new()));
        for (index, item) in items.into_iter().enumerate() {
            let path = path.index(index);
            let tool = item.required(&path)?;
            let custom = match word(&tool.kind, &path.key("type"))? {
                "function" => false,
                "custom" => true,
                other => return Err(path.key("type").unknown(other, "'function' and 'custom'")),
            };
            self.offer(tool, Some(namespace.clone()), custom, again, &path)?;
        }
        Ok(())
    }

    fn offer(
        &mut self,
        tool: wire::Tool<'a>,
        namespace: Option<Cow<'a, str>>,
        custom: bool,
        again: Again,
        path: &Path<'_>,
    ) -> Result<(), Fault> {
        let name = named(tool.name, path)?;
        let description = tool.description.optional(&path.key("description"))?.unwrap_or_default();
        let (description, schema) = if custom {
            (described(description, tool.format, &path.key("format"))?, custom::schema()?)
        } else {
            (description, setting::schema(tool.parameters, &path.key("parameters"))?)
        };
        let flat = flat(name.clone(), namespace.as_deref());
        let tool = Tool { name: flat.clone(), description, schema };
        let offered = Offered { tool, name, namespace, custom };
        match self.by_flat.get(&flat) {
            Some(_) if again == Again::Refused => {
                Err(path.key("name").invalid("invalid_value", "tool names must be unique."))
            }
            Some(&at) => {
                self.offered[at] = offered;
                Ok(())
            }
            None => {
                let at = self.offered.len();
                if offered.namespace.is_some() {
                    self.by_name.entry(offered.name.clone()).or_insert(at);
                }
                self.by_flat.insert(flat, at);
                self.offered.push(offered);
                Ok(())
            }
        }
    }

    /// The upstream name of a tool that a call names.
    pub(super) fn called(&self, name: Cow<'a, str>, namespace: Option<&str>) -> Cow<'a, str> {
        let flat = flat(name, namespace);
        if self.by_flat.contains_key(&flat) {
            return flat;
        }
        self.by_name.get(&flat).map_or(flat, |&at| self.offered[at].tool.name.clone())
    }

    /// The tools for the conversation, those that the reply must know, and the choice among them. What the choice
    /// excludes is not on offer.
    pub(super) fn chosen_among(
        mut self,
        field: Field<wire::Choice<'a>>,
    ) -> Result<(Vec<Tool<'a>>, Vec<Named>, Choice<'a>), Fault> {
        let path = Path::Top("tool_choice");
        let choice = match field.optional(&path)? {
            None => Choice::Auto,
            Some(wire::Choice::Word(word)) => by_word(&word, &path)?,
            Some(wire::Choice::Of(chosen)) => self.choose(chosen, &path)?,
        };
        let (tools, named) = self.into_parts();
        Ok((tools, named, choice))
    }

    fn choose(&mut self, chosen: wire::Chosen<'a>, path: &Path<'_>) -> Result<Choice<'a>, Fault> {
        let kind_path = path.key("type");
        match word(&chosen.kind, &kind_path)? {
            "function" | "custom" => Ok(Choice::Tool(self.chosen(chosen, path)?)),
            "allowed_tools" => {
                let mode_path = path.key("mode");
                let choice = match chosen.mode.optional(&mode_path)?.as_deref() {
                    None | Some("auto") => Choice::Auto,
                    Some("required") => Choice::Any,
                    Some(other) => return Err(mode_path.unknown(other, "'auto' and 'required'")),
                };
                let path = path.key("tools");
                let List(items) = chosen.tools.required(&path)?;
                let mut allowed = HashSet::with_capacity(items.len());
                for (index, item) in items.into_iter().enumerate() {
                    let path = path.index(index);
                    let item = item.required(&path)?;
                    // Hosted tools are not on offer anyway.
                    if matches!(word(&item.kind, &path.key("type"))?, "function" | "custom") {
                        allowed.insert(self.chosen(item, &path)?);
                    }
                }
                self.offered.retain(|offered| allowed.contains(&offered.tool.name));
                Ok(choice)
            }
            _ => Err(kind_path.unsupported_value(
                "hosted tools are not available at this gateway; choose a function tool.",
            )),
        }
    }

    fn chosen(&self, chosen: wire::Chosen<'a>, path: &Path<'_>) -> Result<Cow<'a, str>, Fault> {
        let name = named(chosen.name, path)?;
        let namespace = chosen.namespace.optional(&path.key("namespace"))?;
        let flat = self.called(name, namespace.as_deref());
        if self.by_flat.contains_key(&flat) {
            Ok(flat)
        } else {
            Err(path.key("name").invalid("invalid_value", "the named tool is not among the tools."))
        }
    }

    fn into_parts(self) -> (Vec<Tool<'a>>, Vec<Named>) {
        let mut tools = Vec::with_capacity(self.offered.len());
        let mut named = Vec::new();
        for Offered { tool, name, namespace, custom } in self.offered {
            if custom || namespace.is_some() {
                named.push(Named {
                    flat: tool.name.as_ref().into(),
                    name: name.as_ref().into(),
                    namespace: namespace.map(|namespace| namespace.as_ref().into()),
                    custom,
                });
            }
            tools.push(tool);
        }
        (tools, named)
    }
}

fn by_word<'a>(word: &str, path: &Path<'_>) -> Result<Choice<'a>, Fault> {
    match word {
        "auto" => Ok(Choice::Auto),
        "none" => Ok(Choice::None),
        "required" => Ok(Choice::Any),
        other => Err(path.unknown(other, "'none', 'auto' and 'required'")),
    }
}

/// A tool's name in the one list there is upstream.
fn flat<'a>(name: Cow<'a, str>, namespace: Option<&str>) -> Cow<'a, str> {
    match namespace {
        None | Some("" | NO_NAMESPACE) => name,
        Some(namespace) => format!("{}__{name}", namespace.trim_end_matches('_')).into(),
    }
}

fn named<'a>(field: Field<Cow<'a, str>>, path: &Path<'_>) -> Result<Cow<'a, str>, Fault> {
    let path = path.key("name");
    let name = field.required(&path)?;
    if name.trim().is_empty() {
        return Err(path.invalid("invalid_value", "expected a name."));
    }
    Ok(name)
}

fn described<'a>(
    description: Cow<'a, str>,
    format: Field<wire::Grammar<'a>>,
    path: &Path<'_>,
) -> Result<Cow<'a, str>, Fault> {
    let Some(format) = format.optional(path)? else { return Ok(description) };
    match word(&format.kind, &path.key("type"))? {
        "text" => Ok(description),
        "grammar" => {
            let syntax = format.syntax.required(&path.key("syntax"))?;
            let syntax = path::word(&syntax);
            let definition = format.definition.required(&path.key("definition"))?;
            Ok(custom::description(description, Some((syntax, &definition))))
        }
        other => Err(path.key("type").unknown(other, "'text' and 'grammar'")),
    }
}
