//! Server-sent events as clients of each format read them.

use serde::Deserialize;

use crate::models;

/// What a client of Chat Completions makes of a stream.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Chat {
    /// Whether it ended well.
    pub good: bool,
    /// Its text.
    pub content: String,
    /// Arguments of its calls, one after the other.
    pub arguments: String,
    /// Names of its calls.
    pub names: Vec<String>,
}

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(alias = "message")]
    delta: Delta,
}

#[derive(Default, Deserialize)]
struct Delta {
    content: Option<String>,
    #[serde(default)]
    tool_calls: Vec<Call>,
    function_call: Option<Function>,
}

#[derive(Deserialize)]
struct Call {
    function: Option<Function>,
    custom: Option<Function>,
}

#[derive(Deserialize)]
struct Function {
    name: Option<String>,
    #[serde(alias = "input")]
    arguments: Option<String>,
}

#[derive(Deserialize)]
struct Numbered<'a> {
    r#type: &'a str,
    sequence_number: u64,
}

/// The events of a stream, each with its name, if it has one, and its data.
///
/// # Panics
/// If these are no whole events of one line of data each.
pub fn events(sse: &[u8]) -> Vec<(Option<&str>, &str)> {
    let text = std::str::from_utf8(sse).expect("UTF-8");
    let body = text.strip_suffix("\n\n").unwrap_or_else(|| panic!("no whole events: {text:?}"));
    let event = |event| {
        let (name, data) = match str::split_once(event, '\n') {
            Some((name, data)) => {
                (Some(name.strip_prefix("event: ").unwrap_or_else(|| panic!("{name:?}"))), data)
            }
            None => (None, event),
        };
        assert!(!data.contains(['\n', '\r']), "{data:?}");
        (name, data.strip_prefix("data: ").unwrap_or_else(|| panic!("{data:?}")))
    };
    body.split("\n\n").map(event).collect()
}

/// Reads a stream of Chat Completions.
///
/// # Panics
/// If it is not chunks of JSON that end in `[DONE]` or in an error, once.
pub fn chat(sse: &[u8]) -> Chat {
    let mut chat = Chat::default();
    let events = events(sse);
    let last = events.len() - 1;
    for (at, (name, data)) in events.into_iter().enumerate() {
        assert_eq!(name, None);
        if data == "[DONE]" {
            assert_eq!(at, last, "something after the end");
            chat.good = true;
            continue;
        }
        models::json(data.as_bytes());
        assert_eq!(data.starts_with("{\"error\":"), at == last, "an error, or no end: {data}");
        chat.add(data);
    }
    chat
}

/// Reads a whole completion.
///
/// # Panics
/// If it is not JSON.
pub fn completion(bytes: &[u8]) -> Chat {
    models::json(bytes);
    let mut chat = Chat { good: true, ..Chat::default() };
    chat.add(std::str::from_utf8(bytes).expect("UTF-8"));
    chat
}

/// Reads a stream of Responses; returns the data of the event that ended it well.
///
/// # Panics
/// If it is not numbered events of JSON that end well or in an error, once.
pub fn responses(sse: &[u8]) -> Option<&str> {
    let mut ended = None;
    let events = events(sse);
    let last = events.len() - 1;
    for (at, (name, data)) in events.into_iter().enumerate() {
        models::json(data.as_bytes());
        let numbered: Numbered<'_> = serde_json::from_str(data).expect("a type and a number");
        assert_eq!((Some(numbered.r#type), numbered.sequence_number), (name, at as u64));
        let good = matches!(name, Some("response.completed" | "response.incomplete"));
        assert_eq!(good || name == Some("error"), at == last, "the end is the last, and no other: {data}");
        if good {
            ended = Some(data);
        }
    }
    ended
}

impl Chat {
    fn add(&mut self, data: &str) {
        let chunk: Chunk = serde_json::from_str(data).unwrap_or_else(|error| panic!("{error}: {data}"));
        for Choice { delta } in chunk.choices {
            self.content += &delta.content.unwrap_or_default();
            let calls = delta.tool_calls.into_iter().filter_map(|call| call.function.or(call.custom));
            for call in calls.chain(delta.function_call) {
                self.names.extend(call.name);
                self.arguments += &call.arguments.unwrap_or_default();
            }
        }
    }
}
