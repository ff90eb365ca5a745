//! A JSON Schema that is safe to hold a value against: read once, of bounded size, with references only to itself.
//!
//! Our own and not a crate's: a schema comes from the client, and one of three kilobytes whose references double at
//! every level keeps a validator without a bound on its work busy without end. Held: the assertions of draft 2020-12 and
//! their older spellings, but for those of [`UNSUPPORTED`], which are refused; annotations, `format` among them, are
//! not asserted.

use std::collections::{HashMap, HashSet};

use qm_canon::Fault;
use serde_json::Value;

use super::fit::Fit;
use super::pattern::Pattern;
use super::rule::{Misfit, Rule, unusable};

/// Most bytes a schema may have.
const MAX_BYTES: usize = 256 << 10;

/// Most patterns in a schema.
const MAX_PATTERNS: usize = 64;

/// Assertions that would have to be held and are not.
const UNSUPPORTED: [&str; 9] = [
    "$dynamicRef",
    "$recursiveRef",
    "dependencies",
    "disallow",
    "extends",
    "maxContains",
    "minContains",
    "unevaluatedItems",
    "unevaluatedProperties",
];

/// A schema, ready.
pub(super) struct Schema {
    root: Value,
    patterns: HashMap<String, Pattern>,
}

/// What keyword takes what.
#[derive(Clone, Copy)]
enum Takes {
    Schema,
    /// A schema, or a list of them as in older drafts.
    SchemaOrList,
    List,
    Map,
    Number,
    Count,
    Names,
    NamesByName,
    Type,
    Pattern,
    Reference,
    ListOfAny,
    Flag,
    Anything,
}

/// Walks a schema that nobody has looked at.
struct Survey<'s> {
    root: &'s Value,
    patterns: HashMap<String, Pattern>,
    /// References that lead to parts not walked yet.
    ahead: Vec<&'s Value>,
    seen: HashSet<&'s str>,
}

// === impl Schema ===

impl Schema {
    /// Reads the JSON text of a schema.
    ///
    /// # Errors
    /// [`qm_canon::Kind::Invalid`] for one that is malformed, too large, or has what cannot be held.
    pub(super) fn read(json: &str) -> Result<Self, Fault> {
        if json.len() > MAX_BYTES {
            return Err(unusable(format_args!("it is longer than {} KiB; shorten it", MAX_BYTES >> 10)));
        }
        let root: Value =
            serde_json::from_str(json).map_err(|_| unusable("it is not valid JSON, or nests too deep"))?;
        let mut survey =
            Survey { root: &root, patterns: HashMap::new(), ahead: vec![&root], seen: HashSet::new() };
        while let Some(schema) = survey.ahead.pop() {
            survey.schema(schema, &Rule::Root)?;
        }
        let patterns = survey.patterns;
        Ok(Self { root, patterns })
    }

    /// Holds a value against it.
    pub(super) fn check(&self, value: &Value) -> Result<(), Misfit> {
        Fit::new(self).check(&self.root, value, &Rule::Root)
    }

    pub(super) fn pattern(&self, pattern: &str) -> Option<&Pattern> {
        self.patterns.get(pattern)
    }

    pub(super) fn target(&self, reference: &str) -> Option<&Value> {
        target(&self.root, reference)
    }
}

// === impl Survey ===

impl<'s> Survey<'s> {
    fn schema(&mut self, schema: &'s Value, rule: &Rule<'_>) -> Result<(), Fault> {
        match schema {
            Value::Bool(_) => Ok(()),
            Value::Object(keywords) => keywords
                .iter()
                .try_for_each(|(keyword, value)| self.keyword(keyword, value, &Rule::Key(rule, keyword))),
            _ => Err(rule.fault("should be a schema")),
        }
    }

    fn keyword(&mut self, keyword: &str, value: &'s Value, rule: &Rule<'_>) -> Result<(), Fault> {
        if UNSUPPORTED.contains(&keyword) {
            return Err(rule.fault("is not supported by this gateway; leave it out"));
        }
        match (Takes::of(keyword), value) {
            (Takes::SchemaOrList, Value::Array(_)) | (Takes::List, _) => self.list(value, rule),
            (Takes::Schema | Takes::SchemaOrList, _) => self.schema(value, rule),
            (Takes::Map, _) => self.map(keyword, value, rule),
            (Takes::Number, Value::Number(number)) => {
                let positive = number.as_f64().is_some_and(|number| number > 0.0);
                if keyword == "multipleOf" && !positive {
                    return Err(rule.fault("should be greater than 0"));
                }
                Ok(())
            }
            (Takes::Number, _) => Err(rule.fault("should be a number")),
            (Takes::Count, _) if value.as_u64().is_none() => {
                Err(rule.fault("should be a whole number of at least 0"))
            }
            (Takes::Names, _) if !is_names(value) => Err(rule.fault("should be a list of strings")),
            (Takes::NamesByName, _) => match value.as_object() {
                Some(names) if names.values().all(is_names) => Ok(()),
                _ => Err(rule.fault("should be an object of lists of strings")),
            },
            (Takes::Type, _) if !is_type(value) => {
                Err(rule.fault("should be the name of a JSON type, or a list of them"))
            }
            (Takes::Pattern, Value::String(pattern)) => self.pattern(pattern, rule),
            (Takes::Pattern, _) => Err(rule.fault("should be a string")),
            (Takes::Reference, _) => self.reference(value, rule),
            (Takes::ListOfAny, _) if !value.is_array() => Err(rule.fault("should be a list")),
            (Takes::Flag, _) if !value.is_boolean() => Err(rule.fault("should be a boolean")),
            _ => Ok(()),
        }
    }

    fn list(&mut self, value: &'s Value, rule: &Rule<'_>) -> Result<(), Fault> {
        let Some(schemas) = value.as_array() else { return Err(rule.fault("should be a list of schemas")) };
        schemas
            .iter()
            .enumerate()
            .try_for_each(|(index, schema)| self.schema(schema, &Rule::Index(rule, index)))
    }

    fn map(&mut self, keyword: &str, value: &'s Value, rule: &Rule<'_>) -> Result<(), Fault> {
        let Some(schemas) = value.as_object() else {
            return Err(rule.fault("should be an object of schemas"));
        };
        for (name, schema) in schemas {
            let rule = Rule::Key(rule, name);
            if keyword == "patternProperties" {
                self.pattern(name, &rule)?;
            }
            self.schema(schema, &rule)?;
        }
        Ok(())
    }

    fn pattern(&mut self, pattern: &str, rule: &Rule<'_>) -> Result<(), Fault> {
        if self.patterns.contains_key(pattern) {
            return Ok(());
        }
        if self.patterns.len() >= MAX_PATTERNS {
            return Err(rule.fault("is one pattern too many; leave some out"));
        }
        let read = Pattern::read(pattern).ok_or_else(|| {
            rule.fault("is not a regular expression that this gateway can read; leave it out")
        })?;
        self.patterns.insert(pattern.to_owned(), read);
        Ok(())
    }

    fn reference(&mut self, value: &'s Value, rule: &Rule<'_>) -> Result<(), Fault> {
        let found = value.as_str().and_then(|reference| Some((reference, target(self.root, reference)?)));
        let Some((reference, found)) = found else {
            return Err(rule.fault("should refer to a part of the schema itself, as in #/$defs/name"));
        };
        if self.seen.insert(reference) {
            self.ahead.push(found);
        }
        Ok(())
    }
}

// === impl Takes ===

impl Takes {
    fn of(keyword: &str) -> Self {
        match keyword {
            "additionalItems"
            | "additionalProperties"
            | "contains"
            | "else"
            | "if"
            | "not"
            | "propertyNames"
            | "then" => Self::Schema,
            "items" => Self::SchemaOrList,
            "allOf" | "anyOf" | "oneOf" | "prefixItems" => Self::List,
            "$defs" | "definitions" | "dependentSchemas" | "patternProperties" | "properties" => Self::Map,
            "exclusiveMaximum" | "exclusiveMinimum" | "maximum" | "minimum" | "multipleOf" => Self::Number,
            "maxItems" | "maxLength" | "maxProperties" | "minItems" | "minLength" | "minProperties" => {
                Self::Count
            }
            "required" => Self::Names,
            "dependentRequired" => Self::NamesByName,
            "type" => Self::Type,
            "pattern" => Self::Pattern,
            "$ref" => Self::Reference,
            "enum" => Self::ListOfAny,
            "uniqueItems" => Self::Flag,
            _ => Self::Anything,
        }
    }
}

/// The part of the schema that a reference within it names.
fn target<'s>(root: &'s Value, reference: &str) -> Option<&'s Value> {
    root.pointer(reference.strip_prefix('#')?)
}

fn is_names(value: &Value) -> bool {
    value.as_array().is_some_and(|names| names.iter().all(Value::is_string))
}

fn is_type(value: &Value) -> bool {
    let known = |value: &Value| {
        matches!(
            value.as_str(),
            Some("array" | "boolean" | "integer" | "null" | "number" | "object" | "string")
        )
    };
    value.as_array().map_or_else(|| known(value), |names| names.iter().all(known))
}
