//! Settings that both APIs have.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use qm_canon::{Display, Effort, Fault, Format, Thinking};
use serde_json::value::RawValue;

use crate::field::{Field, Integer, Number};
use crate::path::Path;

/// Checks a number that tunes the answer. The upstream has no field for it; it does not change what is asked, so it
/// is not sent, and refusing it would shut out clients that always send one.
pub(crate) fn tuning(
    field: Field<Number>,
    range: &RangeInclusive<f64>,
    path: &Path<'_>,
) -> Result<(), Fault> {
    let (least, most) = (range.start(), range.end());
    match field.optional(path)? {
        Some(Number(value)) if value < *least => Err(path.invalid(
            "decimal_below_min_value",
            format_args!("decimal below minimum value. Expected a value >= {least}."),
        )),
        Some(Number(value)) if value > *most => Err(path.invalid(
            "decimal_above_max_value",
            format_args!("decimal above maximum value. Expected a value <= {most}."),
        )),
        _ => Ok(()),
    }
}

/// A whole number of at least `least`; more than fits is as much as fits.
pub(crate) fn whole(field: Field<Integer>, least: u32, path: &Path<'_>) -> Result<Option<u32>, Fault> {
    match field.optional(path)? {
        Some(Integer(value)) if value < f64::from(least) => Err(path.invalid(
            "integer_below_min_value",
            format_args!("integer below minimum value. Expected a value >= {least}."),
        )),
        value => Ok(value.map(|Integer(value)| value as u32)),
    }
}

/// How hard the model is to work. Who names an effort may see the reasoning; who names none does not expect any.
pub(crate) fn effort(
    field: Field<Cow<'_, str>>,
    path: &Path<'_>,
) -> Result<(Option<Effort>, Thinking), Fault> {
    let Some(word) = field.optional(path)? else { return Ok((None, Thinking::Unasked)) };
    let effort = match word.as_ref() {
        "none" => return Ok((Some(Effort::None), Thinking::Off)),
        "minimal" => Effort::Minimal,
        "low" => Effort::Low,
        "medium" => Effort::Medium,
        "high" => Effort::High,
        "xhigh" => Effort::XHigh,
        "max" => Effort::Max,
        _ => {
            let known = "'none', 'minimal', 'low', 'medium', 'high', 'xhigh', and 'max'";
            return Err(path.unknown(&word, known));
        }
    };
    Ok((Some(effort), Thinking::Adaptive(Display::Shown)))
}

/// The form asked of the answer: its type, and where its schema stands.
pub(crate) fn format<'a>(
    kind: Field<Cow<'a, str>>,
    schema: Option<&'a RawValue>,
    (path, schema_path): (&Path<'_>, &Path<'_>),
) -> Result<Format<'a>, Fault> {
    let kind_path = path.key("type");
    let kind = kind.required(&kind_path)?;
    match (kind.as_ref(), schema) {
        ("text", _) => Ok(Format::Free),
        ("json_object", _) => Ok(Format::Json),
        ("json_schema", None) => Err(schema_path.missing()),
        ("json_schema", Some(schema)) => Ok(Format::Schema(Cow::Borrowed(object(schema, schema_path)?))),
        _ => Err(kind_path.unknown(&kind, "'text', 'json_object', and 'json_schema'")),
    }
}

/// A tool's schema; a tool without one takes no arguments.
pub(crate) fn schema<'a>(schema: Option<&'a RawValue>, path: &Path<'_>) -> Result<Cow<'a, RawValue>, Fault> {
    match schema {
        Some(schema) => object(schema, path).map(Cow::Borrowed),
        None => RawValue::from_string(r#"{"type":"object","properties":{}}"#.to_owned())
            .map(Cow::Owned)
            .map_err(|_| Fault::internal("empty-schema")),
    }
}

/// The first of these that says something.
pub(crate) fn affinity<'a, const N: usize>(
    fields: [(&'static str, Field<Cow<'a, str>>); N],
) -> Result<Option<Cow<'a, str>>, Fault> {
    let mut found = None;
    for (key, field) in fields {
        let value = field.optional(&Path::Top(key))?.filter(|value| !value.is_empty());
        found = found.or(value);
    }
    Ok(found)
}

fn object<'a>(value: &'a RawValue, path: &Path<'_>) -> Result<&'a RawValue, Fault> {
    if value.get().starts_with('{') { Ok(value) } else { Err(path.wrong_type("an object")) }
}
