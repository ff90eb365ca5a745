//! A strict reader of Responses streams, independent of the writer: it panics at the first breach of the grammar of
//! spec/clients.md §3.3 and §4, and puts the items together from the deltas alone.

use serde_json::{Value, json};

/// A response put together again.
#[derive(Default)]
pub(crate) struct Read {
    /// The response of `response.created`.
    pub(crate) created: Value,
    /// Its items, out of their deltas.
    pub(crate) items: Vec<Value>,
    /// The response of the last event that has one.
    pub(crate) last: Value,
    /// The type of the event that ended it.
    pub(crate) end: String,
    /// The `error` event.
    pub(crate) error: Option<Value>,
    /// How many times it was kept alive.
    pub(crate) keepalives: usize,
}

#[derive(Default)]
struct Reading {
    read: Read,
    sequence: u64,
    /// The open item, as `output_item.added` had it and with what came since.
    open: Option<Value>,
    /// What the deltas said.
    said: String,
    /// The event that must come next in the open item, if only one may.
    next: Option<&'static str>,
    /// Whether the open item's part has begun.
    part: bool,
}

/// Reads a whole stream.
pub(crate) fn read(text: &str) -> Read {
    let mut reading = Reading::default();
    let body = text.strip_suffix("\n\n").expect("a stream ends with a whole event");
    for event in body.split("\n\n") {
        let (name, data) = event.split_once('\n').expect("two lines");
        let name = name.strip_prefix("event: ").expect("a name first");
        let data = data.strip_prefix("data: ").expect("data second");
        let data: Value = serde_json::from_str(data).expect("data is JSON on one line");
        assert_eq!(data["type"], name, "the type is in the data too");
        assert_eq!(data["sequence_number"], reading.sequence, "the sequence has no gap");
        reading.event(name, &data);
        reading.sequence += 1;
    }
    assert!(!reading.read.end.is_empty(), "a stream has an end");
    reading.read
}

impl Reading {
    fn event(&mut self, name: &str, data: &Value) {
        match self.sequence {
            0 => assert_eq!(name, "response.created"),
            1 => assert_eq!(name, "response.in_progress"),
            _ => {}
        }
        if self.read.end == "response.failed" {
            assert_eq!(name, "error", "an error follows a failure, and nothing else does");
            assert!(self.read.error.is_none(), "once");
            self.read.error = Some(data.clone());
            return;
        }
        assert!(self.read.end.is_empty(), "{name} after the end");
        if let Some(next) = self.next.take() {
            if name == "keepalive" || name == "response.failed" {
                self.next = Some(next);
            } else {
                assert_eq!(name, next);
            }
        }
        match name {
            "response.created" => self.read.created = Self::response(data, "in_progress"),
            "response.in_progress" => {
                let response = Self::response(data, "in_progress");
                assert_eq!(response, self.read.created);
            }
            "keepalive" => self.read.keepalives += 1,
            "response.completed" => self.end(name, data, "completed"),
            "response.incomplete" => self.end(name, data, "incomplete"),
            "response.failed" => self.end(name, data, "failed"),
            "response.output_item.added" => self.added(data),
            "response.output_item.done" => self.done(data),
            _ => self.inside(name, data),
        }
    }

    fn response(data: &Value, status: &str) -> Value {
        let response = data["response"].clone();
        assert_eq!((&response["object"], &response["status"]), (&json!("response"), &json!(status)));
        assert!(
            response["id"].is_string() && response["created_at"].is_u64() && response["model"].is_string()
        );
        assert!(response["output"].is_array() && response["tools"].is_array());
        assert_eq!(response["error"].is_object(), status == "failed");
        assert_eq!(response["incomplete_details"].is_object(), status == "incomplete");
        response
    }

    fn end(&mut self, name: &str, data: &Value, status: &str) {
        self.read.last = Self::response(data, status);
        name.clone_into(&mut self.read.end);
        for key in ["id", "created_at", "model"] {
            assert_eq!(self.read.last[key], self.read.created[key], "{key} never changes");
        }
        assert_eq!(self.read.last["usage"].is_object(), status != "failed");
        if status == "completed" {
            assert!(self.open.is_none(), "an item is open at a good end");
        }
    }

    fn added(&mut self, data: &Value) {
        assert!(self.open.is_none(), "one item at a time");
        assert_eq!(data["output_index"], self.read.items.len());
        let item = data["item"].clone();
        let empty = match item["type"].as_str().unwrap() {
            "message" => item["content"] == json!([]) && item["role"] == "assistant",
            "reasoning" => item["summary"] == json!([]),
            "function_call" => item["arguments"] == "" && item["name"].is_string(),
            "custom_tool_call" => item["input"] == "" && item["name"].is_string(),
            other => panic!("an item of type {other}"),
        };
        assert!(empty, "an item begins empty: {item}");
        if item["type"] == "message" {
            self.next = Some("response.content_part.added");
        }
        if item["type"] != "reasoning" {
            assert_eq!(item["status"], "in_progress");
        }
        if item["type"].as_str().unwrap().ends_with("call") {
            assert!(item["call_id"].is_string());
        }
        assert!(!item["id"].as_str().unwrap().is_empty());
        assert!(self.read.items.iter().all(|other| other["id"] != item["id"]), "an id is an item's own");
        self.said.clear();
        self.part = false;
        self.open = Some(item);
    }

    fn inside(&mut self, name: &str, data: &Value) {
        let item = self.open.as_mut().expect("an item is open");
        assert_eq!(data["output_index"], self.read.items.len());
        assert_eq!(data["item_id"], item["id"]);
        let text = |key: &str| data[key].as_str().expect("a string").to_owned();
        match (item["type"].as_str().unwrap(), name) {
            ("message", "response.content_part.added") => {
                assert!(!self.part, "one part");
                self.part = true;
                assert_eq!(data["part"], output_text(""));
                assert_eq!(data["content_index"], 0);
            }
            ("message", "response.output_text.delta") => {
                assert_eq!((&data["content_index"], &data["logprobs"]), (&json!(0), &json!([])));
                self.said.push_str(&text("delta"));
            }
            ("message", "response.output_text.done") => {
                assert_eq!((&data["content_index"], &data["logprobs"]), (&json!(0), &json!([])));
                assert_eq!(text("text"), self.said);
                self.next = Some("response.content_part.done");
            }
            ("message", "response.content_part.done") => {
                assert_eq!(data["part"], output_text(&self.said));
                item["content"] = json!([output_text(&self.said)]);
                self.next = Some("response.output_item.done");
            }
            ("reasoning", "response.reasoning_summary_part.added") => {
                assert!(!self.part, "one part");
                self.part = true;
                assert_eq!((&data["summary_index"], &data["part"]), (&json!(0), &summary_text("")));
            }
            ("reasoning", "response.reasoning_summary_text.delta") => {
                assert!(self.part && data["summary_index"] == 0);
                self.said.push_str(&text("delta"));
            }
            ("reasoning", "response.reasoning_summary_text.done") => {
                assert_eq!(text("text"), self.said);
                self.next = Some("response.reasoning_summary_part.done");
            }
            ("reasoning", "response.reasoning_summary_part.done") => {
                assert_eq!(data["part"], summary_text(&self.said));
                item["summary"] = json!([summary_text(&self.said)]);
                self.next = Some("response.output_item.done");
            }
            ("function_call", "response.function_call_arguments.delta")
            | ("custom_tool_call", "response.custom_tool_call_input.delta") => {
                self.said.push_str(&text("delta"));
            }
            ("function_call", "response.function_call_arguments.done") => {
                assert_eq!(text("arguments"), self.said);
                assert!(serde_json::from_str::<Value>(&self.said).unwrap().is_object());
                item["arguments"] = json!(self.said);
                self.next = Some("response.output_item.done");
            }
            ("custom_tool_call", "response.custom_tool_call_input.done") => {
                assert_eq!(text("input"), self.said);
                item["input"] = json!(self.said);
                self.next = Some("response.output_item.done");
            }
            other => panic!("an event out of place: {other:?}"),
        }
    }

    fn done(&mut self, data: &Value) {
        let mut item = self.open.take().expect("an item is open");
        assert_eq!(data["output_index"], self.read.items.len());
        if item["type"] == "reasoning" {
            // The seal comes with the end alone.
            if let Some(seal) = data["item"].get("encrypted_content") {
                item["encrypted_content"] = seal.clone();
            }
        } else {
            item["status"] = json!("completed");
        }
        assert_eq!(data["item"], item, "an item is what its deltas said");
        self.read.items.push(item);
    }
}

fn output_text(text: &str) -> Value {
    json!({ "type": "output_text", "text": text, "annotations": [], "logprobs": [] })
}

fn summary_text(text: &str) -> Value {
    json!({ "type": "summary_text", "text": text })
}
