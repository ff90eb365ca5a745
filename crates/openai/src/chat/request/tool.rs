//! Tools on offer, legacy functions among them, and the choice.

use std::borrow::Cow;

use qm_canon::{Choice, Fault, Tool};

use super::wire::{self, AllowedTool, Body, ChoiceObject, Custom, Function, Named};
use crate::field::{Field, List};
use crate::path::Path;
use crate::{custom, setting};

/// What a request offers.
#[derive(Default)]
pub(super) struct Offer<'a> {
    pub(super) tools: Vec<Tool<'a>>,
    /// For each tool, its index in the client's list.
    pub(super) places: Vec<usize>,
    pub(super) choice: Choice<'a>,
    /// Whether one answer may hold only one call.
    pub(super) single: bool,
    /// Names of the tools that take text.
    pub(super) custom: Vec<String>,
    /// Whether they came as `functions`, so that calls must go out as `function_call`.
    pub(super) legacy: bool,
}

const WORDS: &str = "'none', 'auto', and 'required'";

/// Reads the tools and the choice.
pub(super) fn offer<'a>(body: &mut Body<'a>) -> Result<Offer<'a>, Fault> {
    use std::mem::take;
    let mut offer = Offer::default();
    let parallel = take(&mut body.parallel_tool_calls).optional(&Path::Top("parallel_tool_calls"))?;
    offer.single = parallel == Some(false);
    let path = Path::Top("tools");
    let List(tools) = take(&mut body.tools).optional(&path)?.unwrap_or(List(Vec::new()));
    for (index, tool) in tools.into_iter().enumerate() {
        let path = path.index(index);
        offer.add(tool.required(&path)?, &path)?;
    }
    let path = Path::Top("functions");
    let List(functions) = take(&mut body.functions).optional(&path)?.unwrap_or(List(Vec::new()));
    if offer.tools.is_empty() && !functions.is_empty() {
        // One call an answer is all that the old form can say.
        (offer.legacy, offer.single) = (true, true);
        for (index, function) in functions.into_iter().enumerate() {
            let path = path.index(index);
            offer.tools.push(self::function(function.required(&path)?, &path)?);
        }
    }
    offer.places = (0..offer.tools.len()).collect();
    let (key, choice) = if offer.legacy {
        ("function_call", take(&mut body.function_call))
    } else {
        ("tool_choice", take(&mut body.tool_choice))
    };
    offer.choose(choice, &Path::Top(key))?;
    Ok(offer)
}

// === impl Offer ===

impl<'a> Offer<'a> {
    fn add(&mut self, tool: wire::Tool<'a>, path: &Path<'_>) -> Result<(), Fault> {
        let kind_path = path.key("type");
        let kind = tool.kind.optional(&kind_path)?;
        let tool = match kind.as_deref() {
            Some("function") | None => {
                let path = path.key("function");
                function(tool.function.required(&path)?, &path)?
            }
            Some("custom") => {
                let path = path.key("custom");
                let tool = self::custom(tool.custom.required(&path)?, &path)?;
                self.custom.push(tool.name.to_string());
                tool
            }
            Some(other) => return Err(kind_path.unknown(other, "'function' and 'custom'")),
        };
        self.tools.push(tool);
        Ok(())
    }

    fn choose(&mut self, choice: Field<wire::Choice<'a>>, path: &Path<'_>) -> Result<(), Fault> {
        self.choice = match choice.optional(path)? {
            None => Choice::Auto,
            Some(wire::Choice::Word(word)) => mode(&word, path, WORDS)?,
            Some(wire::Choice::Object(object)) if self.legacy => {
                Choice::Tool(object.name.required(&path.key("name"))?)
            }
            Some(wire::Choice::Object(object)) => self.object(*object, path)?,
        };
        Ok(())
    }

    fn object(&mut self, object: ChoiceObject<'a>, path: &Path<'_>) -> Result<Choice<'a>, Fault> {
        let kind_path = path.key("type");
        let kind = object.kind.required(&kind_path)?;
        match kind.as_ref() {
            "function" => named(object.function, &path.key("function")).map(Choice::Tool),
            "custom" => named(object.custom, &path.key("custom")).map(Choice::Tool),
            "allowed_tools" => {
                let path = path.key("allowed_tools");
                let allowed = object.allowed_tools.required(&path)?;
                let mode_path = path.key("mode");
                let known = "'auto' and 'required'";
                let choice = match allowed.mode.required(&mode_path)?.as_ref() {
                    "none" => return Err(mode_path.unknown("none", known)),
                    word => mode(word, &mode_path, known)?,
                };
                let path = path.key("tools");
                self.allow(allowed.tools.required(&path)?, &path)?;
                Ok(choice)
            }
            other => Err(kind_path.unknown(other, "'function', 'custom', and 'allowed_tools'")),
        }
    }

    /// Takes all tools off the offer but these.
    fn allow(&mut self, List(allowed): List<AllowedTool<'a>>, path: &Path<'_>) -> Result<(), Fault> {
        let mut names = Vec::with_capacity(allowed.len());
        for (index, tool) in allowed.into_iter().enumerate() {
            let path = path.index(index);
            let tool = tool.required(&path)?;
            let name = match tool.custom {
                Field::Absent => named(tool.function, &path.key("function"))?,
                custom => named(custom, &path.key("custom"))?,
            };
            if !self.tools.iter().any(|tool| tool.name == name) {
                return Err(path.invalid("invalid_value", "the tool is not in 'tools'."));
            }
            names.push(name);
        }
        let mut index = 0;
        let kept: Vec<bool> = self.tools.iter().map(|tool| names.contains(&tool.name)).collect();
        self.places.retain(|&place| kept[place]);
        self.tools.retain(|_| {
            index += 1;
            kept[index - 1]
        });
        Ok(())
    }
}

fn function<'a>(function: Function<'a>, path: &Path<'_>) -> Result<Tool<'a>, Fault> {
    let name = function.name.required(&path.key("name"))?;
    let description = function.description.optional(&path.key("description"))?.unwrap_or_default();
    let schema = setting::schema(function.parameters, &path.key("parameters"))?;
    Ok(Tool { name, description, schema })
}

fn custom<'a>(tool: Custom<'a>, path: &Path<'_>) -> Result<Tool<'a>, Fault> {
    let name = tool.name.required(&path.key("name"))?;
    let description = tool.description.optional(&path.key("description"))?.unwrap_or_default();
    let path = path.key("format");
    let Some(format) = tool.format.optional(&path)? else {
        return Ok(Tool { name, description, schema: custom::schema()? });
    };
    let kind_path = path.key("type");
    let kind = format.kind.required(&kind_path)?;
    let description = match kind.as_ref() {
        "text" => description,
        "grammar" => {
            let path = path.key("grammar");
            let grammar = format.grammar.required(&path)?;
            let syntax = grammar.syntax.required(&path.key("syntax"))?;
            let definition = grammar.definition.required(&path.key("definition"))?;
            custom::description(description, Some((&syntax, &definition)))
        }
        other => return Err(kind_path.unknown(other, "'text' and 'grammar'")),
    };
    Ok(Tool { name, description, schema: custom::schema()? })
}

fn mode<'a>(word: &str, path: &Path<'_>, known: &str) -> Result<Choice<'a>, Fault> {
    match word {
        "auto" => Ok(Choice::Auto),
        "none" => Ok(Choice::None),
        // `any` is what other gateways' clients write.
        "required" | "any" => Ok(Choice::Any),
        other => Err(path.unknown(other, known)),
    }
}

fn named<'a>(field: Field<Named<'a>>, path: &Path<'_>) -> Result<Cow<'a, str>, Fault> {
    field.required(path)?.name.required(&path.key("name"))
}
