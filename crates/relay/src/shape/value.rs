//! What JSON Schema says of single values.

use serde_json::{Map, Value};

/// Whether the value is of this type, or of one of these.
pub(super) fn is_of(wanted: &Value, value: &Value) -> bool {
    let is = |name: &Value| match (name.as_str(), value) {
        (Some("array"), Value::Array(_))
        | (Some("boolean"), Value::Bool(_))
        | (Some("null"), Value::Null)
        | (Some("number"), Value::Number(_))
        | (Some("object"), Value::Object(_))
        | (Some("string"), Value::String(_)) => true,
        (Some("integer"), Value::Number(number)) => {
            number.as_f64().is_some_and(|number| number.fract() == 0.0)
        }
        _ => false,
    };
    wanted.as_array().map_or_else(|| is(wanted), |names| names.iter().any(is))
}

/// Whether all of these names are there.
pub(super) fn has_all(names: &Value, fields: &Map<String, Value>) -> bool {
    let mut names = names.as_array().into_iter().flatten().filter_map(Value::as_str);
    names.all(|name| fields.contains_key(name))
}

/// Whether a number keeps to a bound.
pub(super) fn is_within(keyword: &str, wanted: &Value, number: f64) -> bool {
    let Some(bound) = wanted.as_f64() else { return true };
    match keyword {
        "minimum" => number >= bound,
        "maximum" => number <= bound,
        "exclusiveMinimum" => number > bound,
        "exclusiveMaximum" => number < bound,
        "multipleOf" => {
            // 0.3 is a multiple of 0.1, whatever the floating point says.
            let times = number / bound;
            (times - times.round()).abs() <= 1e-9 * times.abs().max(1.0)
        }
        _ => true,
    }
}
