//! A strict reader of Messages streams, independent of the writer: it panics at the first breach of the grammar of
//! spec/clients.md §4.

use serde_json::{Value, json};

/// A message put together again.
#[derive(Default)]
pub(crate) struct Message {
    /// The message of `message_start`.
    pub(crate) start: Value,
    /// Its blocks; a tool call whose input is not whole is left out.
    pub(crate) content: Vec<Value>,
    /// A string, as is the next or null.
    pub(crate) stop_reason: Value,
    pub(crate) stop_sequence: Value,
    /// The usage of `message_delta`.
    pub(crate) usage: Value,
    /// The type of the `error`, if it ended with one.
    pub(crate) error: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum State {
    Before,
    Between,
    InBlock,
    Stopping,
    Ended,
}

struct Reading {
    message: Message,
    state: State,
    /// Index of the open block, or of the next.
    index: u64,
    open: Value,
    /// Input of an open tool call, so far.
    input: String,
}

/// Reads a whole stream.
pub(crate) fn message(text: &str) -> Message {
    let mut reading = Reading {
        message: Message::default(),
        state: State::Before,
        index: 0,
        open: Value::Null,
        input: String::new(),
    };
    let body = text.strip_suffix("\n\n").expect("a stream ends with a whole event");
    for event in body.split("\n\n") {
        let (name, data) = event.split_once('\n').expect("two lines");
        let name = name.strip_prefix("event: ").expect("a name first");
        let data = data.strip_prefix("data: ").expect("data second");
        let data: Value = serde_json::from_str(data).expect("data is JSON on one line");
        assert_eq!(data["type"], name, "the type is in the data too");
        reading.event(name, &data);
    }
    assert_eq!(reading.state, State::Ended, "a stream has an end");
    reading.message
}

// === impl Reading ===

impl Reading {
    fn event(&mut self, name: &str, data: &Value) {
        assert_ne!(self.state, State::Ended, "nothing comes after the end, but {name} did");
        match (self.state, name) {
            (_, "ping") => {}
            (_, "error") => {
                self.message.error = Some(data["error"]["type"].as_str().unwrap().to_owned());
                assert!(data["error"]["message"].is_string());
                self.state = State::Ended;
            }
            (State::Before, "message_start") => {
                self.message.start = data["message"].clone();
                assert_eq!(self.message.start["content"], json!([]));
                assert_eq!(self.message.start["stop_reason"], Value::Null);
                assert_eq!(self.message.start["usage"], json!({"input_tokens": 12, "output_tokens": 0}));
                self.state = State::Between;
            }
            (State::Between, "content_block_start") => self.start(data),
            (State::InBlock, "content_block_delta") => self.delta(data),
            (State::InBlock, "content_block_stop") => self.stop(data),
            (State::Between, "message_delta") => {
                self.message.stop_reason = data["delta"]["stop_reason"].clone();
                self.message.stop_sequence = data["delta"]["stop_sequence"].clone();
                self.message.usage = data["usage"].clone();
                self.state = State::Stopping;
            }
            (State::Stopping, "message_stop") => self.state = State::Ended,
            (state, name) => panic!("{name} while {state:?}"),
        }
    }

    fn start(&mut self, data: &Value) {
        assert_eq!(data["index"], self.index);
        self.open = data["content_block"].clone();
        self.input.clear();
        let empty = match self.open["type"].as_str().unwrap() {
            "text" => self.open["text"] == "",
            "thinking" => self.open["thinking"] == "" && self.open["signature"] == "",
            "redacted_thinking" => self.open["data"].is_string(),
            "tool_use" => {
                self.open["input"] == json!({}) && self.open["id"].as_str().unwrap().starts_with("toolu_")
            }
            other => panic!("a block of type {other}"),
        };
        assert!(empty, "a block starts empty");
        self.state = State::InBlock;
    }

    fn delta(&mut self, data: &Value) {
        assert_eq!(data["index"], self.index);
        let delta = &data["delta"];
        let kind = (self.open["type"].as_str().unwrap(), delta["type"].as_str().unwrap());
        let field = match kind {
            ("text", "text_delta") => "text",
            ("thinking", "thinking_delta") => "thinking",
            ("thinking", "signature_delta") => "signature",
            ("tool_use", "input_json_delta") => {
                self.input.push_str(delta["partial_json"].as_str().unwrap());
                return;
            }
            other => panic!("a delta out of place: {other:?}"),
        };
        let more = delta[field].as_str().unwrap();
        self.open[field] = json!(format!("{}{more}", self.open[field].as_str().unwrap()));
    }

    fn stop(&mut self, data: &Value) {
        assert_eq!(data["index"], self.index);
        let mut block = self.open.take();
        self.index += 1;
        self.state = State::Between;
        if block["type"] == "tool_use" {
            match serde_json::from_str(&self.input) {
                Ok(input) => block["input"] = input,
                Err(_) => return,
            }
        }
        self.message.content.push(block);
    }
}
