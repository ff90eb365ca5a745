//! Holding a value against a schema, with a bound on the work and on the depth.

use serde_json::{Map, Value};

use super::rule::{Misfit, Rule};
use super::schema::Schema;
use super::value::{has_all, is_of, is_within};

/// Most steps that one value may take: some hundredths of a second. Real ones take a few hundred.
const MAX_STEPS: u64 = 500_000;

/// Most rules within rules.
const MAX_DEPTH: u32 = 200;

/// One check.
pub(super) struct Fit<'s> {
    schema: &'s Schema,
    steps: u64,
    depth: u32,
}

type Fits = Result<(), Misfit>;

impl<'s> Fit<'s> {
    pub(super) fn new(schema: &'s Schema) -> Self {
        Self { schema, steps: 0, depth: 0 }
    }

    /// Holds `value` against `schema`, a part of the one being checked that stands at `rule`.
    pub(super) fn check(&mut self, schema: &'s Value, value: &Value, rule: &Rule<'_>) -> Fits {
        let keywords = match schema {
            Value::Bool(false) => return Err(rule.broken()),
            Value::Object(keywords) => keywords,
            _ => return Ok(()),
        };
        self.spend(1 + keywords.len() as u64)?;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Misfit::Costly);
        }
        for (keyword, wanted) in keywords {
            self.keyword(keyword, wanted, keywords, value, &Rule::Key(rule, keyword))?;
        }
        self.depth -= 1;
        Ok(())
    }

    fn keyword(
        &mut self,
        keyword: &str,
        wanted: &'s Value,
        keywords: &'s Map<String, Value>,
        value: &Value,
        rule: &Rule<'_>,
    ) -> Fits {
        match keyword {
            "type" => hold(is_of(wanted, value), rule),
            "const" => self.equal(wanted, value).and_then(|equal| hold(equal, rule)),
            "enum" => {
                for option in wanted.as_array().into_iter().flatten() {
                    if self.equal(option, value)? {
                        return Ok(());
                    }
                }
                Err(rule.broken())
            }
            "$ref" => match wanted.as_str().and_then(|reference| self.schema.target(reference)) {
                Some(target) => self.check(target, value, rule),
                None => Err(rule.broken()),
            },
            "allOf" | "anyOf" | "oneOf" | "not" | "if" => {
                self.combination(keyword, wanted, keywords, value, rule)
            }
            "dependentSchemas" => {
                let named = wanted.as_object().into_iter().flatten();
                for (name, schema) in named.filter(|(name, _)| value.get(*name).is_some()) {
                    self.check(schema, value, &Rule::Key(rule, name))?;
                }
                Ok(())
            }
            _ => match value {
                Value::Object(fields) => self.object(keyword, wanted, keywords, fields, rule),
                Value::Array(items) => self.list(keyword, wanted, keywords, items, rule),
                Value::String(text) => self.text(keyword, wanted, text, rule),
                Value::Number(number) => {
                    number.as_f64().map_or(Ok(()), |number| hold(is_within(keyword, wanted, number), rule))
                }
                Value::Null | Value::Bool(_) => Ok(()),
            },
        }
    }

    fn combination(
        &mut self,
        keyword: &str,
        wanted: &'s Value,
        keywords: &'s Map<String, Value>,
        value: &Value,
        rule: &Rule<'_>,
    ) -> Fits {
        let schemas = wanted.as_array().map_or(&[][..], Vec::as_slice);
        match keyword {
            "allOf" => schemas
                .iter()
                .enumerate()
                .try_for_each(|(index, schema)| self.check(schema, value, &Rule::Index(rule, index))),
            "not" => self.fits(wanted, value).and_then(|fits| hold(!fits, rule)),
            "if" => {
                let branch = if self.fits(wanted, value)? { "then" } else { "else" };
                keywords.get(branch).map_or(Ok(()), |branch| self.check(branch, value, rule))
            }
            _ => {
                let mut count = 0;
                for schema in schemas {
                    count += u32::from(self.fits(schema, value)?);
                    if count == 1 && keyword == "anyOf" {
                        break;
                    }
                }
                hold(count == 1, rule)
            }
        }
    }

    fn object(
        &mut self,
        keyword: &str,
        wanted: &'s Value,
        keywords: &'s Map<String, Value>,
        fields: &Map<String, Value>,
        rule: &Rule<'_>,
    ) -> Fits {
        let named = wanted.as_object().into_iter().flatten();
        match keyword {
            "required" => {
                self.spend(wanted.as_array().map_or(0, Vec::len) as u64)?;
                hold(has_all(wanted, fields), rule)
            }
            "minProperties" => hold(wanted.as_u64().is_none_or(|least| fields.len() as u64 >= least), rule),
            "maxProperties" => hold(wanted.as_u64().is_none_or(|most| fields.len() as u64 <= most), rule),
            "properties" => {
                for (name, schema) in named {
                    self.spend(1)?;
                    if let Some(value) = fields.get(name) {
                        self.check(schema, value, &Rule::Key(rule, name))?;
                    }
                }
                Ok(())
            }
            "patternProperties" => {
                for (pattern, schema) in named {
                    for (name, value) in fields {
                        if self.matches(pattern, name)? {
                            self.check(schema, value, &Rule::Key(rule, pattern))?;
                        }
                    }
                }
                Ok(())
            }
            "additionalProperties" => {
                for (name, value) in fields {
                    if !self.is_named(name, keywords)? {
                        self.check(wanted, value, rule)?;
                    }
                }
                Ok(())
            }
            "propertyNames" => {
                fields.keys().try_for_each(|name| self.check(wanted, &Value::from(name.as_str()), rule))
            }
            "dependentRequired" => {
                for (_, names) in named.filter(|(name, _)| fields.contains_key(*name)) {
                    self.spend(names.as_array().map_or(0, Vec::len) as u64)?;
                    hold(has_all(names, fields), rule)?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn list(
        &mut self,
        keyword: &str,
        wanted: &'s Value,
        keywords: &'s Map<String, Value>,
        items: &[Value],
        rule: &Rule<'_>,
    ) -> Fits {
        match (keyword, wanted) {
            ("minItems", _) => hold(wanted.as_u64().is_none_or(|least| items.len() as u64 >= least), rule),
            ("maxItems", _) => hold(wanted.as_u64().is_none_or(|most| items.len() as u64 <= most), rule),
            ("prefixItems" | "items", Value::Array(schemas)) => {
                schemas.iter().zip(items).enumerate().try_for_each(|(index, (schema, item))| {
                    self.check(schema, item, &Rule::Index(rule, index))
                })
            }
            ("items" | "additionalItems", _) => {
                let first = if keyword == "items" { "prefixItems" } else { "items" };
                let first = keywords.get(first).and_then(Value::as_array).map(Vec::len);
                // `additionalItems` means something only beside a list of `items`.
                let skip = first.unwrap_or(if keyword == "items" { 0 } else { items.len() });
                items.iter().skip(skip).try_for_each(|item| self.check(wanted, item, rule))
            }
            ("contains", _) => {
                for item in items {
                    if self.fits(wanted, item)? {
                        return Ok(());
                    }
                }
                Err(rule.broken())
            }
            ("uniqueItems", Value::Bool(true)) => {
                for (index, item) in items.iter().enumerate() {
                    for other in &items[..index] {
                        if self.equal(item, other)? {
                            return Err(rule.broken());
                        }
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn text(&mut self, keyword: &str, wanted: &Value, text: &str, rule: &Rule<'_>) -> Fits {
        match (keyword, wanted) {
            ("minLength" | "maxLength", _) => {
                self.spend(text.len() as u64 / 64)?;
                let length = text.chars().count() as u64;
                let bound = wanted.as_u64().unwrap_or(length);
                hold(if keyword == "minLength" { length >= bound } else { length <= bound }, rule)
            }
            ("pattern", Value::String(pattern)) => {
                self.matches(pattern, text).and_then(|matches| hold(matches, rule))
            }
            _ => Ok(()),
        }
    }

    /// Whether it fits, where not fitting is no end.
    fn fits(&mut self, schema: &'s Value, value: &Value) -> Result<bool, Misfit> {
        let depth = self.depth;
        let fits = self.check(schema, value, &Rule::Root);
        self.depth = depth;
        match fits {
            Ok(()) => Ok(true),
            Err(Misfit::Breaks(_)) => Ok(false),
            Err(Misfit::Costly) => Err(Misfit::Costly),
        }
    }

    /// Whether a field is taken care of by name.
    fn is_named(&mut self, name: &str, keywords: &'s Map<String, Value>) -> Result<bool, Misfit> {
        self.spend(1)?;
        if keywords.get("properties").is_some_and(|properties| properties.get(name).is_some()) {
            return Ok(true);
        }
        let patterns = keywords.get("patternProperties").and_then(Value::as_object);
        for pattern in patterns.into_iter().flat_map(Map::keys) {
            if self.matches(pattern, name)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn matches(&mut self, pattern: &str, text: &str) -> Result<bool, Misfit> {
        let Some(pattern) = self.schema.pattern(pattern) else { return Ok(false) };
        self.spend(pattern.steps(text.len()))?;
        pattern.matches(text).ok_or(Misfit::Costly)
    }

    /// Equal as JSON means it: 1 is 1.0.
    fn equal(&mut self, one: &Value, other: &Value) -> Result<bool, Misfit> {
        self.spend(1)?;
        match (one, other) {
            (Value::Number(one), Value::Number(other)) => Ok(one == other || one.as_f64() == other.as_f64()),
            (Value::String(one), Value::String(other)) => {
                self.spend(one.len().min(other.len()) as u64 / 64)?;
                Ok(one == other)
            }
            (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
                for (one, other) in one.iter().zip(other) {
                    if !self.equal(one, other)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            (Value::Object(one), Value::Object(other)) if one.len() == other.len() => {
                for (name, value) in one {
                    let Some(other) = other.get(name) else { return Ok(false) };
                    if !self.equal(value, other)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            (Value::Null, Value::Null) => Ok(true),
            (Value::Bool(one), Value::Bool(other)) => Ok(one == other),
            _ => Ok(false),
        }
    }

    fn spend(&mut self, steps: u64) -> Fits {
        self.steps = self.steps.saturating_add(steps);
        if self.steps > MAX_STEPS { Err(Misfit::Costly) } else { Ok(()) }
    }
}

fn hold(holds: bool, rule: &Rule<'_>) -> Fits {
    if holds { Ok(()) } else { Err(rule.broken()) }
}
