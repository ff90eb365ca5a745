//! Reading server-sent events the plain way, independent of the code that writes them.

use serde_json::Value;

/// One event.
pub struct Event {
    /// Its `event:` line; empty if it has none.
    pub name: String,
    /// Its `data:` as JSON; null if it is not.
    pub data: Value,
}

/// All events of a finished stream.
#[must_use]
pub fn events(text: &str) -> Vec<Event> {
    let field = |block: &str, name: &str| {
        let line = block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.map(|value| value.trim_start().to_owned()).unwrap_or_default()
    };
    let blocks = text.split("\n\n").filter(|block| !block.trim().is_empty());
    blocks
        .map(|block| Event {
            name: field(block, "event"),
            data: serde_json::from_str(&field(block, "data")).unwrap_or_default(),
        })
        .collect()
}
