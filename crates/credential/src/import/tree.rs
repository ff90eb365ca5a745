//! JSON as a tree whose texts are wiped when it is dropped, with bounds on its depth and size.
//!
//! Files of accounts are all secrets, so `serde_json::Value` would leave copies of every one of them in freed memory.

use std::cell::Cell;
use std::fmt;

use secrecy::zeroize::Zeroizing;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use super::Problem;

/// Deepest nesting taken; real files have four levels.
const MAX_DEPTH: u8 = 16;
/// Most values in one file: 100,000 accounts of 40 fields.
const MAX_NODES: u32 = 4_000_000;

/// A JSON value.
#[derive(Clone)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Number(Number),
    Text(Zeroizing<String>),
    List(Vec<Node>),
    Object(Vec<(Zeroizing<String>, Node)>),
}

/// Reads one value or, as some programs append to their files, several in a row.
///
/// # Errors
/// Says where the text stops being JSON.
pub(super) fn read(text: &str) -> Result<Vec<Node>, Problem> {
    read_within(text, MAX_NODES)
}

fn read_within(text: &str, nodes: u32) -> Result<Vec<Node>, Problem> {
    let left = Cell::new(nodes);
    let mut json = serde_json::Deserializer::from_str(text);
    let mut read = Vec::new();
    loop {
        let seed = Seed { depth: 0, left: &left };
        read.push(seed.deserialize(&mut json).map_err(|error| problem(&error, &left))?);
        if json.end().is_ok() {
            return Ok(read);
        }
    }
}

/// The parser's own words may quote the file; the place never does.
fn problem(error: &serde_json::Error, left: &Cell<u32>) -> Problem {
    if left.get() == 0 {
        Problem::TooManyValues
    } else {
        Problem::BrokenJson { line: error.line(), column: error.column() }
    }
}

struct Seed<'a> {
    depth: u8,
    left: &'a Cell<u32>,
}

impl Seed<'_> {
    fn below(&self) -> Self {
        Self { depth: self.depth + 1, left: self.left }
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Node, D::Error> {
        let left = self.left.get();
        if left == 0 || self.depth > MAX_DEPTH {
            return Err(D::Error::custom("beyond the bounds"));
        }
        self.left.set(left - 1);
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Node;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Number::from_f64(value).map_or(Node::Null, Node::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(Zeroizing::new(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element_seed(self.below())? {
            nodes.push(node);
        }
        Ok(Node::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut fields = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            fields.push((Zeroizing::new(name), map.next_value_seed(self.below())?));
        }
        Ok(Node::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_values_in_a_row_are_read() {
        assert_eq!(read(" {\"a\":1}\n{\"b\":[true,null,-1.5]}\n\n").unwrap().len(), 2);
    }

    #[test]
    fn what_is_too_deep_or_broken_is_refused_with_its_place() {
        let deep = "[".repeat(1000) + &"]".repeat(1000);
        assert!(matches!(read(&deep), Err(Problem::BrokenJson { .. })));
        assert!(matches!(read("{\"a\":\n \"secret"), Err(Problem::BrokenJson { line: 2, .. })));
        assert!(matches!(read("{} x"), Err(Problem::BrokenJson { line: 1, .. })));
    }

    #[test]
    fn what_has_too_many_values_is_refused() {
        assert_eq!(read_within("[1,2,3]", 4).map(|read| read.len()).ok(), Some(1));
        assert_eq!(read_within("[1,2,3]", 3).err(), Some(Problem::TooManyValues));
        assert_eq!(read_within("[] [] []", 2).err(), Some(Problem::TooManyValues));
    }
}
