//! A JSON value of the form that the conversation asks for: the least that a schema lets pass.

use serde_json::{Map, Value};

/// Schemas within schemas that are followed; deeper, the value is null.
const MAX_DEPTH: u32 = 32;

const SCHEMA: &str = r#"<response_format type="json_schema">"#;
const SCHEMA_END: &str = "</response_format>";
const ANY_OBJECT: &str = r#"<response_format type="json_object"/>"#;

/// The answer in the form that one of these texts asks for, if one does. Strings in it say `said`.
pub(super) fn answer<'t>(mut texts: impl Iterator<Item = &'t str>, said: &str) -> Option<String> {
    let schema = texts.find_map(asked)?;
    // In a first message the form stands before the user's own words.
    let said = [SCHEMA_END, ANY_OBJECT]
        .iter()
        .find_map(|end| said.rsplit_once(end))
        .map_or(said, |(_, after)| after);
    let said = said.trim();
    Some(Form { root: &schema, said }.value(&schema, 0).to_string())
}

/// The schema that the text asks for.
fn asked(text: &str) -> Option<Value> {
    if text.contains(ANY_OBJECT) {
        return Some(
            serde_json::json!({"type": "object", "required": ["answer"], "properties": {"answer": {}}}),
        );
    }
    let (_, rest) = text.split_once(SCHEMA)?;
    let (schema, _) = rest.split_once(SCHEMA_END)?;
    serde_json::from_str(schema).ok()
}

struct Form<'s> {
    root: &'s Value,
    said: &'s str,
}

impl Form<'_> {
    fn value(&self, schema: &Value, depth: u32) -> Value {
        if depth > MAX_DEPTH {
            return Value::Null;
        }
        if let Some(value) = schema.get("const").or_else(|| schema.pointer("/enum/0")) {
            return value.clone();
        }
        let target = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix('#'));
        if let Some(target) = target.and_then(|path| self.root.pointer(path)) {
            return self.value(target, depth + 1);
        }
        if let Some(first) = schema.pointer("/anyOf/0").or_else(|| schema.pointer("/oneOf/0")) {
            return self.value(first, depth + 1);
        }
        if let Some(all) = schema.get("allOf").and_then(Value::as_array) {
            let mut merged = Map::new();
            for part in all {
                match self.value(part, depth + 1) {
                    Value::Object(fields) => merged.extend(fields),
                    other => return other,
                }
            }
            return Value::Object(merged);
        }
        let kind = schema.pointer("/type/0").or_else(|| schema.get("type")).and_then(Value::as_str);
        match kind {
            Some("object") => self.object(schema, depth),
            None if schema.get("properties").is_some() => self.object(schema, depth),
            Some("array") => self.array(schema, depth),
            Some("number") => Value::from(schema["minimum"].as_f64().unwrap_or(1.5)),
            Some("integer") => Value::from(schema["minimum"].as_i64().unwrap_or(1)),
            Some("boolean") => Value::from(true),
            Some("null") => Value::Null,
            _ => self.text(schema),
        }
    }

    fn object(&self, schema: &Value, depth: u32) -> Value {
        let required = schema["required"].as_array().map_or(&[][..], Vec::as_slice);
        let fields = required.iter().filter_map(Value::as_str).map(|name| {
            let value = self.value(&schema["properties"][name], depth + 1);
            (name.to_owned(), value)
        });
        Value::Object(fields.collect())
    }

    fn array(&self, schema: &Value, depth: u32) -> Value {
        let least = schema["minItems"].as_u64().unwrap_or(1).min(16);
        (0..least).map(|_| self.value(&schema["items"], depth + 1)).collect()
    }

    fn text(&self, schema: &Value) -> Value {
        let bound = |name: &str| schema[name].as_u64().and_then(|bound| usize::try_from(bound).ok());
        let mut text: String = self.said.chars().take(bound("maxLength").unwrap_or(200)).collect();
        let missing = bound("minLength").unwrap_or(0).min(1000).saturating_sub(text.chars().count());
        text.extend(std::iter::repeat_n('.', missing));
        Value::from(text)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_value_has_what_the_schema_requires_and_no_more() {
        let schema = json!({
            "type": "object", "additionalProperties": false,
            "required": ["name", "age", "kind", "tags", "next", "maybe", "flag", "share"],
            "$defs": {"next": {"type": "object", "required": ["word"], "properties": {"word": {"const": "w"}}}},
            "properties": {
                "name": {"type": "string", "maxLength": 5}, "age": {"type": "integer", "minimum": 3},
                "kind": {"enum": ["a", "b"]}, "tags": {"type": "array", "minItems": 2, "items": {"type": "null"}},
                "next": {"$ref": "#/$defs/next"}, "maybe": {"anyOf": [{"type": "string", "minLength": 9}, {"type": "null"}]},
                "flag": {"type": ["boolean", "null"]}, "share": {"type": "number"}, "other": {"type": "string"}
            }
        });
        let text = format!(r#"Be kind.<response_format type="json_schema">{schema}</response_format>hi"#);
        let said: Value =
            serde_json::from_str(&answer(["x", &text].into_iter(), "simulated").unwrap()).unwrap();
        let expected = json!({"name": "simul", "age": 3, "kind": "a", "tags": [null, null], "next": {"word": "w"},
            "maybe": "simulated", "flag": true, "share": 1.5});
        assert_eq!(said, expected);
    }

    #[test]
    fn only_who_asks_for_json_gets_it() {
        assert_eq!(answer(["response_format"].into_iter(), "x"), None);
        let text = r#"<response_format type="json_object"/>"#;
        assert_eq!(answer([text].into_iter(), "x").as_deref(), Some(r#"{"answer":"x"}"#));
        let asked = r#"<response_format type="json_schema">{"type":"string"}</response_format>

hi there"#;
        assert_eq!(answer([asked].into_iter(), asked).as_deref(), Some(r#""hi there""#));
        let endless = r##"<response_format type="json_schema">{"$ref":"#"}</response_format>"##;
        assert_eq!(answer([endless].into_iter(), "x").as_deref(), Some("null"));
    }
}
