//! The tools of a request (spec/upstream.md §2.6).

use serde_json::Value;

use super::{Refusal, improper, invalid};
use crate::knobs::Knobs;

/// Keywords that some hosts are said to refuse; refused here only when the knob asks for it.
const DOUBTFUL: &[&str] = &[
    "pattern",
    "format",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "uniqueItems",
    "default",
    "propertyNames",
    "if",
    "then",
    "else",
    "$schema",
];

/// Step 6. Gives back the names declared, in lower case: upstream compares them without case.
pub(super) fn check(tools: &[Value], knobs: &Knobs) -> Result<Vec<String>, Refusal> {
    let mut declared = Vec::new();
    for tool in tools {
        let members = tool.as_object().filter(|members| members.len() == 1).ok_or_else(improper)?;
        if members.get("cachePoint").is_some_and(|point| point["type"] == "default") {
            continue;
        }
        let spec = members.get("toolSpecification").ok_or_else(improper)?;
        let name = spec["name"].as_str().ok_or_else(improper)?;
        if !well_named(name) {
            return Err(invalid("Invalid tool use format."));
        }
        let description = spec["description"].as_str().unwrap_or_default();
        if description.trim().is_empty() || description.chars().count() > 10_240 {
            return Err(improper());
        }
        schema(&spec["inputSchema"]["json"], name, knobs.strict_schemas)?;
        let lower = name.to_lowercase();
        if declared.contains(&lower) {
            let message = format!("The tool {name} is declared more than once.");
            return Err(Refusal::new(400, "ValidationException", &message, Some("TOOL_DUPLICATE")));
        }
        declared.push(lower);
    }
    Ok(declared)
}

/// Whether a tool name or tool call id is one: `[a-zA-Z0-9_-]{1,64}`.
pub(super) fn well_named(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

fn schema(schema: &Value, tool: &str, strict: bool) -> Result<(), Refusal> {
    let wrong = |what: &str| {
        let message = format!("tools.{tool}.toolSpec.inputSchema.json{what}");
        Refusal::new(400, "ValidationException", &message, Some("TOOL_SCHEMA_INVALID"))
    };
    let fields = schema.as_object().ok_or_else(improper)?;
    if schema["type"] != "object" {
        return Err(wrong(".type must be one of the following: object."));
    }
    if ["oneOf", "anyOf", "allOf"].iter().any(|root| fields.contains_key(*root)) {
        return Err(wrong(" must not combine schemas at its root."));
    }
    for name in ["properties", "required"] {
        if fields.get(name).is_some_and(Value::is_null) {
            return Err(improper());
        }
    }
    if let Some(properties) = fields.get("properties") {
        let properties = properties.as_object().ok_or_else(improper)?;
        let proper = |name: &String| {
            (1..=64).contains(&name.len())
                && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
        };
        if !properties.keys().all(proper) {
            return Err(wrong(".properties: names should match pattern '^[a-zA-Z0-9_.-]{1,64}$'."));
        }
    }
    if strict && has_doubtful(schema) {
        return Err(invalid("Invalid tool use format."));
    }
    Ok(())
}

/// Whether a doubtful keyword stands anywhere but as a property's name.
fn has_doubtful(schema: &Value) -> bool {
    match schema {
        Value::Object(fields) => fields.iter().any(|(name, value)| match name.as_str() {
            "properties" | "$defs" | "definitions" => {
                value.as_object().is_some_and(|named| named.values().any(has_doubtful))
            }
            "enum" | "const" | "required" | "description" => false,
            keyword => DOUBTFUL.contains(&keyword) || has_doubtful(value),
        }),
        Value::Array(items) => items.iter().any(has_doubtful),
        _ => false,
    }
}
