//! The model asked for and its own request fields (spec/upstream-2026.md §3.3).

use serde_json::Value;

use super::{Refusal, invalid, model_id};
use crate::catalogue;
use crate::knobs::Knobs;

/// Step 5.
pub(super) fn check(knobs: &Knobs, body: &Value) -> Result<(), Refusal> {
    let id = model_id(body).unwrap_or("auto");
    let missing = knobs.missing_models.iter().any(|missing| missing == id);
    let Some(model) = catalogue::find(id).filter(|_| !missing) else {
        return Err(invalid_model());
    };
    let fields = &body["additionalModelRequestFields"];
    if fields.is_null() {
        return Ok(());
    }
    let Some(schema) = model.schema() else {
        return Err(invalid("additionalModelRequestFields is not supported for this model"));
    };
    fits(fields, &schema)
}

/// A model that does not exist, or not for this account: the service does not tell the two apart.
pub(super) fn invalid_model() -> Refusal {
    let message = "Invalid model. Please select a different model to continue.";
    Refusal::new(400, "ValidationException", message, Some("INVALID_MODEL_ID"))
}

/// Whether the value fits the schema, as far as the catalogue's schemas go.
fn fits(value: &Value, schema: &Value) -> Result<(), Refusal> {
    let wrong = || invalid("Invalid additionalModelRequestFields");
    let typed = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        _ => true,
    };
    let listed = schema["enum"].as_array().is_none_or(|values| values.contains(value));
    let number = value.as_f64().unwrap_or_default();
    let in_range = schema["minimum"].as_f64().is_none_or(|least| number >= least)
        && schema["maximum"].as_f64().is_none_or(|most| number <= most);
    if !typed || !listed || !in_range {
        return Err(wrong());
    }
    let Some(fields) = value.as_object() else { return Ok(()) };
    for required in schema["required"].as_array().into_iter().flatten() {
        if required.as_str().is_none_or(|name| !fields.contains_key(name)) {
            return Err(wrong());
        }
    }
    for (name, field) in fields {
        let Some(inner) = schema["properties"].get(name) else {
            return Err(invalid(&format!("property '{name}' is not defined in the schema")));
        };
        fits(field, inner)?;
    }
    Ok(())
}
