//! Accounts out of the files, lines, variables and database rows in which other programs keep them, by detection
//! (spec/mission.md A7, spec/upstream.md §5.6). A bad row never spoils the others.
//!
//! Rows of databases come as JSON: `{"accounts": [ROW, …]}`, each row an object of its columns, or for the store of the
//! Amazon Q and Kiro command lines `{"auth_kv": {KEY: VALUE, …}, "state": {KEY: VALUE, …}}`.

mod client_secret;
mod environment;
mod fields;
mod format;
mod item;
mod kind;
mod kiro_cli;
mod lines;
mod pairs;
mod problem;
mod proxy;
mod scrub;
mod shape;
mod text;
mod texts;
mod time;
mod tree;

pub use environment::environment;
pub use format::Format;
pub use pairs::files;
pub use problem::{Notice, Problem};

use crate::{ArnOrigin, Draft};

/// Most bytes read at once: with the clients of Builder IDs some 40,000 accounts, without them all that are taken.
pub const MAX_BYTES: usize = 256 << 20;
/// Most accounts read at once.
pub const MAX_ROWS: usize = 100_000;

/// What was found in a file.
#[derive(Debug)]
pub struct Import {
    /// Its format, as far as there is one.
    pub format: Format,
    /// Its accounts, in its order.
    pub rows: Vec<Row>,
}

/// One account of a file.
#[derive(Debug)]
pub struct Row {
    /// Where it stands, such as `accounts[3]` or `line 4`; for an account of the environment, its slot, which is the
    /// same at every start.
    pub place: String,
    /// The account, or why it is none.
    pub result: Result<Draft, Problem>,
    /// What was left out of it or is doubtful.
    pub notices: Vec<Notice>,
}

impl Row {
    fn new(place: impl Into<String>, (result, notices): item::Read) -> Self {
        Self { place: place.into(), result, notices }
    }

    fn failed(place: impl Into<String>, problem: Problem) -> Self {
        Self { place: place.into(), result: Err(problem), notices: Vec::new() }
    }
}

/// The accounts of one file, whatever its format.
///
/// # Errors
/// If the file as a whole cannot be read: too large, not text, broken JSON, or of no known format.
pub fn detect(bytes: &[u8]) -> Result<Import, Problem> {
    let text = text::read(bytes)?;
    let import = match text.trim_start().chars().next() {
        None => return Err(Problem::Empty),
        Some('{' | '[') => shape::read(tree::read(&text)?, ArnOrigin::Token),
        Some(_) if environment::is_dotenv(&text) => environment::dotenv(&text),
        Some(_) => lines::read(&text)?,
    };
    if import.rows.len() > MAX_ROWS {
        return Err(Problem::TooManyRows);
    }
    if import.rows.is_empty() {
        return Err(Problem::UnknownFormat);
    }
    Ok(import)
}

/// The free JSON object of an account, as other programs call it `other`, with all left out that could be a secret or
/// choose a host.
///
/// # Errors
/// If it is no JSON object.
pub fn other(json: &str) -> Result<serde_json::Map<String, serde_json::Value>, Problem> {
    let mut nodes = tree::read(json)?;
    let (Some(tree::Node::Object(members)), true) = (nodes.pop(), nodes.is_empty()) else {
        return Err(Problem::Malformed("other"));
    };
    let (mut kept, mut notices) = (serde_json::Map::new(), Vec::new());
    for (name, node) in members {
        scrub::keep(&name, node, &mut kept, &mut notices);
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::{Problem, other};

    #[test]
    fn the_free_object_is_kept_without_secrets_and_addresses() {
        let json = r#"{"team":"blue","n":3,"refreshToken":"aorSecret","apiEndpoint":"https://evil.example"}"#;
        let kept = other(json).unwrap();
        assert_eq!(serde_json::Value::from(kept), serde_json::json!({"team": "blue", "n": 3}));
        for bad in ["3", "[]", "{} {}", "null"] {
            assert_eq!(other(bad).unwrap_err(), Problem::Malformed("other"), "{bad}");
        }
        assert!(other("{").is_err());
    }
}
