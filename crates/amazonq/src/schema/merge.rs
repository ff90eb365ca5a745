//! Roots that must be taken apart: variants merged into one object, properties renamed.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::Properties;
use super::scan::{Scan, Trouble, decoded, push_quoted};
use super::walk::Walk;
use crate::limits::SCHEMA_DEPTH;
use crate::names::{is_property, property_name};

/// How many times its own length a root's variants may be read. References can repeat a definition without end.
const READINGS: usize = 16;

/// What the root and its variants say together.
struct Merger<'a> {
    /// All properties, in the order they were met.
    properties: Vec<Property<'a>>,
    /// Where in `properties` a name is.
    index: HashMap<Cow<'a, str>, usize>,
    /// `#/$defs/…` and `#/definitions/…` of the root.
    definitions: HashMap<String, &'a str>,
    /// Bytes that may still be read.
    fuel: usize,
}

struct Property<'a> {
    name: Cow<'a, str>,
    /// Its schema in each variant that has it, those alike once.
    schemas: Vec<&'a str>,
    seen: HashSet<&'a str>,
}

/// Names that must be given.
type Required<'a> = HashSet<Cow<'a, str>>;

/// Appends the root schema `text` to `out` as one plain object.
pub(super) fn write(text: &str, out: &mut String) -> Result<Properties, Trouble> {
    let members = members(text)?;
    let mut merger = Merger::new(&members, text.len());
    let required = merger.gather(text, 0)?;
    out.push_str(r#"{"type":"object""#);
    for (key, value) in &members {
        let united = matches!(key.as_ref(), "type" | "properties" | "required" | "oneOf" | "anyOf" | "allOf")
            || (key == "$ref" && merger.definition(value).is_some());
        if !united {
            write_member(key, value, out)?;
        }
    }
    merger.write_properties(&required, out)
}

impl<'a> Merger<'a> {
    fn new(root: &[(Cow<'a, str>, &'a str)], len: usize) -> Self {
        let mut definitions = HashMap::new();
        for (key, value) in root {
            if matches!(key.as_ref(), "$defs" | "definitions") {
                for (name, schema) in members(value).unwrap_or_default() {
                    definitions.insert(format!("#/{key}/{name}"), schema);
                }
            }
        }
        Self {
            properties: Vec::new(),
            index: HashMap::new(),
            definitions,
            fuel: len.saturating_mul(READINGS),
        }
    }

    /// Takes in what a schema says of an object; returns what it requires: of a union what all its variants do, of
    /// an `allOf` what any of them does (spec/upstream-2026.md §5.1).
    fn gather(&mut self, text: &'a str, depth: usize) -> Result<Required<'a>, Trouble> {
        if depth > SCHEMA_DEPTH {
            return Err(Trouble::TooDeep);
        }
        self.fuel = self.fuel.checked_sub(text.len()).ok_or(Trouble::TooWide)?;
        let mut required = Required::new();
        if !text.starts_with('{') {
            return Ok(required);
        }
        for (key, value) in members(text)? {
            match key.as_ref() {
                "properties" if value.starts_with('{') => {
                    for (name, schema) in members(value)? {
                        self.add(name, schema);
                    }
                }
                "required" => {
                    let names = elements(value)?.into_iter().filter(|name| name.starts_with('"'));
                    required.extend(names.map(decoded));
                }
                "allOf" => {
                    for part in elements(value)? {
                        required.extend(self.gather(part, depth + 1)?);
                    }
                }
                "anyOf" | "oneOf" => {
                    let mut shared: Option<Required<'a>> = None;
                    for variant in elements(value)? {
                        let theirs = self.gather(variant, depth + 1)?;
                        shared = Some(match shared {
                            None => theirs,
                            Some(shared) => shared.into_iter().filter(|name| theirs.contains(name)).collect(),
                        });
                    }
                    required.extend(shared.unwrap_or_default());
                }
                "$ref" => {
                    if let Some(target) = self.definition(value) {
                        required.extend(self.gather(target, depth + 1)?);
                    }
                }
                _ => {}
            }
        }
        Ok(required)
    }

    fn definition(&self, reference: &str) -> Option<&'a str> {
        self.definitions.get(decoded(reference).as_ref()).copied()
    }

    fn add(&mut self, name: Cow<'a, str>, schema: &'a str) {
        let index = *self.index.entry(name.clone()).or_insert(self.properties.len());
        if index == self.properties.len() {
            self.properties.push(Property { name, schemas: Vec::new(), seen: HashSet::new() });
        }
        let property = &mut self.properties[index];
        if property.seen.insert(schema) {
            property.schemas.push(schema);
        }
    }

    fn write_properties(&self, required: &Required<'_>, out: &mut String) -> Result<Properties, Trouble> {
        let mut renamed = Properties::new();
        let mut given: HashSet<String> = HashSet::new();
        let mut needed: Vec<Cow<'_, str>> = Vec::new();
        out.push_str(r#","properties":{"#);
        for (index, property) in self.properties.iter().enumerate() {
            let theirs = property.name.as_ref();
            let ours = if is_property(theirs) {
                Cow::Borrowed(theirs)
            } else {
                let free = |name: &str| !self.index.contains_key(name) && !given.contains(name);
                let ours = property_name(theirs, free);
                given.insert(ours.clone());
                renamed.push((ours.clone(), theirs.to_owned()));
                Cow::Owned(ours)
            };
            if index > 0 {
                out.push(',');
            }
            push_quoted(out, &ours);
            out.push(':');
            property.write(out)?;
            if required.contains(theirs) {
                needed.push(ours);
            }
        }
        out.push('}');
        // A name that is required but nowhere described helps nobody.
        for (index, name) in needed.iter().enumerate() {
            out.push_str(if index == 0 { r#","required":["# } else { "," });
            push_quoted(out, name);
        }
        out.push_str(if needed.is_empty() { "}" } else { "]}" });
        renamed.sort_by(|(_, one), (_, other)| one.cmp(other));
        Ok(renamed)
    }
}

impl Property<'_> {
    fn write(&self, out: &mut String) -> Result<(), Trouble> {
        if let [only] = self.schemas[..] {
            return Walk::new(only, out).part(2);
        }
        out.push_str(r#"{"anyOf":["#);
        for (index, schema) in self.schemas.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            Walk::new(schema, out).part(3)?;
        }
        out.push_str("]}");
        Ok(())
    }
}

fn write_member(key: &str, value: &str, out: &mut String) -> Result<(), Trouble> {
    let start = out.len();
    out.push(',');
    push_quoted(out, key);
    out.push(':');
    if !Walk::new(value, out).value_of(key, 1)? {
        out.truncate(start);
    }
    Ok(())
}

/// The members of an object.
fn members(text: &str) -> Result<Vec<(Cow<'_, str>, &str)>, Trouble> {
    let mut scan = Scan::new(text);
    scan.expect(b'{')?;
    let mut members = Vec::new();
    while let Some(key) = scan.member(members.is_empty())? {
        members.push((decoded(key), scan.value(0)?));
    }
    Ok(members)
}

/// The elements of an array; none if it is something else.
fn elements(text: &str) -> Result<Vec<&str>, Trouble> {
    let mut elements = Vec::new();
    if text.starts_with('[') {
        let mut scan = Scan::new(text);
        scan.bump();
        while scan.element(elements.is_empty())? {
            elements.push(scan.value(0)?);
        }
    }
    Ok(elements)
}
