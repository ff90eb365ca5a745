//! The shapes in which JSON files hold accounts: one, a list, a list or a map in a field, several documents in a row.

use super::fields::Fields;
use super::tree::Node;
use super::{Format, Import, MAX_ROWS, Problem, Row, item, kiro_cli};
use crate::ArnOrigin;

/// Fields that hold accounts rather than being part of one.
const WRAPPERS: [&str; 5] = ["accounts", "credentials", "tokens", "items", "data"];

/// The accounts in a file's values.
pub(super) fn read(mut nodes: Vec<Node>, origin: ArnOrigin) -> Import {
    let mut reader = Reader { origin, format: None, rows: Vec::new() };
    if nodes.len() == 1 {
        reader.value(nodes.remove(0), "", 0);
    } else {
        for (at, node) in nodes.into_iter().enumerate() {
            reader.value(node, &format!("document {}", at + 1), 0);
        }
    }
    Import { format: reader.format.unwrap_or(Format::Q2Api), rows: reader.rows }
}

struct Reader {
    origin: ArnOrigin,
    /// Of the first account that has one.
    format: Option<Format>,
    rows: Vec<Row>,
}

impl Reader {
    /// Beyond the most that is taken, one more is kept as a sign that there are too many.
    fn full(&self) -> bool {
        self.rows.len() > MAX_ROWS
    }

    fn value(&mut self, node: Node, place: &str, depth: u8) {
        match node {
            Node::Object(members) => self.object(members, place, depth),
            Node::List(nodes) if depth == 0 => self.list(nodes, place),
            _ => self.rows.push(Row::failed(named(place), Problem::NotAnAccount)),
        }
    }

    fn list(&mut self, nodes: Vec<Node>, name: &str) {
        for (at, node) in nodes.into_iter().enumerate() {
            if self.full() {
                return;
            }
            let place = format!("{name}[{at}]");
            match node {
                Node::Object(members) => self.account(members, place),
                _ => self.rows.push(Row::failed(place, Problem::NotAnAccount)),
            }
        }
    }

    fn object(&mut self, mut members: Members, place: &str, depth: u8) {
        if kiro_cli::is_store(&members) {
            self.format.get_or_insert(Format::KiroCli);
            self.rows.extend(kiro_cli::read(members));
            return;
        }
        let text_of = |name: &str| members.iter().find(|(key, _)| key.as_str() == name).map(|(_, node)| node);
        if matches!(text_of("format"), Some(Node::Text(text)) if text.as_str() == "quartermaster") {
            self.format.get_or_insert(Format::Quartermaster);
        }
        match members.iter().position(|(name, node)| wraps(name, node, depth)) {
            Some(at) => {
                let (name, node) = members.swap_remove(at);
                self.wrapped(&name, node, depth);
            }
            None => self.account(members, named(place)),
        }
    }

    fn wrapped(&mut self, name: &str, node: Node, depth: u8) {
        match node {
            Node::List(nodes) => self.list(nodes, name),
            // {"data": {"accounts": …}}
            Node::Object(members) if name == "data" => self.object(members, name, depth + 1),
            // Names of maps are addresses or ids of their owners, so the place is a number.
            Node::Object(members) => self.list(members.into_iter().map(|(_, node)| node).collect(), name),
            _ => self.rows.push(Row::failed(name, Problem::NotAnAccount)),
        }
    }

    fn account(&mut self, members: Members, place: impl Into<String>) {
        self.format.get_or_insert_with(|| Format::of_account(&members));
        self.rows.push(Row::new(place, item::read(Fields::new(members), self.origin)));
    }
}

type Members = Vec<(secrecy::zeroize::Zeroizing<String>, Node)>;

fn wraps(name: &str, node: &Node, depth: u8) -> bool {
    match node {
        Node::List(_) => WRAPPERS.contains(&name),
        Node::Object(members) if name == "accounts" => {
            members.iter().all(|(_, node)| matches!(node, Node::Object(_)))
        }
        Node::Object(_) => name == "data" && depth == 0,
        _ => false,
    }
}

fn named(place: &str) -> &str {
    if place.is_empty() { "account" } else { place }
}
