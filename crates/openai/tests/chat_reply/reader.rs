//! A strict reader of Chat streams, independent of the writer: it puts chunks together as the SDKs do and panics at
//! the first breach of spec/clients.md §3.2.

use serde_json::{Map, Value, json};

/// A completion put together again.
#[derive(Default)]
pub(crate) struct Completion {
    /// `id`, `created` and `model`, which every chunk repeats.
    pub(crate) head: Value,
    pub(crate) message: Map<String, Value>,
    /// A string; null if there was none.
    pub(crate) finish_reason: Value,
    /// Of the chunk without choices, if there was one.
    pub(crate) usage: Value,
    /// The error, if it ended with one.
    pub(crate) error: Option<Value>,
    pub(crate) done: bool,
    pub(crate) comments: usize,
}

/// Reads a whole stream.
pub(crate) fn completion(text: &str) -> Completion {
    let mut read = Completion::default();
    let body = text.strip_suffix("\n\n").expect("a stream ends with a whole event");
    for event in body.split("\n\n") {
        assert!(!read.done && read.error.is_none(), "nothing comes after the end: {event}");
        assert!(!event.contains('\n'), "one line an event: {event}");
        if event.starts_with(':') {
            read.comments += 1;
            continue;
        }
        let data = event.strip_prefix("data: ").expect("events have no name");
        if data == "[DONE]" {
            assert!(read.finish_reason.is_string(), "a good end has a reason");
            read.done = true;
            continue;
        }
        read.chunk(&serde_json::from_str(data).expect("data is JSON on one line"));
    }
    assert!(read.done || read.error.is_some(), "a stream has an end");
    read
}

impl Completion {
    fn chunk(&mut self, chunk: &Value) {
        if let Some(error) = chunk.get("error") {
            assert!(error["message"].is_string() && error["type"].is_string());
            self.error = Some(error.clone());
            return;
        }
        assert_eq!(chunk["object"], "chat.completion.chunk");
        let head = json!({"id": chunk["id"], "created": chunk["created"], "model": chunk["model"]});
        if self.head.is_null() {
            assert_eq!(chunk["choices"][0]["delta"]["role"], "assistant", "the role comes first");
            self.head = head;
        } else {
            assert_eq!(self.head, head, "every chunk has the same head");
            assert!(chunk["choices"][0]["delta"].get("role").is_none(), "the role comes once");
        }
        let choices = chunk["choices"].as_array().unwrap();
        let [choice] = choices.as_slice() else {
            assert!(choices.is_empty() && self.usage.is_null(), "usage comes once, alone");
            assert!(self.finish_reason.is_string(), "usage comes after the reason");
            self.usage = chunk["usage"].clone();
            assert!(self.usage.is_object());
            return;
        };
        assert!(chunk.get("usage").is_none(), "two clients would add it up");
        assert_eq!(choice["index"], 0);
        assert!(self.finish_reason.is_null(), "nothing is said after the reason");
        self.delta(choice["delta"].as_object().unwrap());
        self.finish_reason = choice["finish_reason"].clone();
    }

    fn delta(&mut self, delta: &Map<String, Value>) {
        for (key, value) in delta {
            match key.as_str() {
                "role" => {
                    self.message.insert(key.clone(), value.clone());
                }
                "content" | "reasoning_content" => append(&mut self.message, key, value),
                "tool_calls" => {
                    let [call] = value.as_array().unwrap().as_slice() else { panic!("one call a chunk") };
                    self.call(call.as_object().unwrap());
                }
                "function_call" => {
                    let call = self.message.entry(key).or_insert_with(|| json!({}));
                    merge(call.as_object_mut().unwrap(), value.as_object().unwrap());
                }
                other => panic!("a delta of {other}"),
            }
        }
    }

    fn call(&mut self, call: &Map<String, Value>) {
        let index = usize::try_from(call["index"].as_u64().expect("an index always")).unwrap();
        let calls = self.message.entry("tool_calls").or_insert_with(|| json!([]));
        let calls = calls.as_array_mut().unwrap();
        if index == calls.len() {
            assert!(call["id"].is_string() && call["type"].is_string(), "the first has id and type");
            let kind = call["type"].as_str().unwrap();
            assert!(call[kind]["name"].is_string(), "and the name");
            let mut call = call.clone();
            call.remove("index");
            calls.push(Value::Object(call));
            return;
        }
        assert_eq!(index + 1, calls.len(), "calls come one after another");
        let open = calls[index].as_object_mut().unwrap();
        assert!(!call.contains_key("id") && !call.contains_key("type"), "id and type come once");
        let kind = open["type"].as_str().unwrap().to_owned();
        let more = call[&kind].as_object().unwrap();
        merge(open[&kind].as_object_mut().unwrap(), more);
    }
}

/// Puts together what is called as clients do: texts are strung together, a repeated name too.
fn merge(whole: &mut Map<String, Value>, more: &Map<String, Value>) {
    more.iter().for_each(|(key, value)| append(whole, key, value));
}

fn append(whole: &mut Map<String, Value>, key: &str, more: &Value) {
    let slot = whole.entry(key).or_insert(Value::Null);
    if let Some(more) = more.as_str() {
        *slot = json!(format!("{}{more}", slot.as_str().unwrap_or_default()));
    }
}
