//! What a client makes of a stream: the message that it would have got in one piece.

use qm_testkit::sse::Event;
use serde_json::{Value, json};

/// Puts a stream of Anthropic's events together.
pub(super) fn fold(events: &[Event]) -> Value {
    let mut message = Value::Null;
    let mut input = String::new();
    for Event { name, data } in events {
        match name.as_str() {
            "message_start" => message = data["message"].clone(),
            "content_block_start" => {
                input.clear();
                message["content"].as_array_mut().expect("a list").push(data["content_block"].clone());
            }
            "content_block_delta" => {
                let index = data["index"].as_u64().expect("an index") as usize;
                let (block, delta) = (&mut message["content"][index], &data["delta"]);
                match delta["type"].as_str().expect("a type") {
                    "text_delta" => append(&mut block["text"], &delta["text"]),
                    "thinking_delta" => append(&mut block["thinking"], &delta["thinking"]),
                    "signature_delta" => append(&mut block["signature"], &delta["signature"]),
                    "input_json_delta" => {
                        input.push_str(delta["partial_json"].as_str().expect("text"));
                        if let Ok(value) = serde_json::from_str(&input) {
                            block["input"] = value;
                        }
                    }
                    other => panic!("unknown delta {other}"),
                }
            }
            "message_delta" => {
                for field in ["stop_reason", "stop_sequence"] {
                    message[field] = data["delta"][field].clone();
                }
                message["usage"] = data["usage"].clone();
            }
            _ => {}
        }
    }
    message
}

fn append(to: &mut Value, more: &Value) {
    *to = json!(format!("{}{}", to.as_str().unwrap_or_default(), more.as_str().expect("text")));
}

/// Content without the ids of calls, which are made anew for each answer where a script leaves them open.
pub(super) fn without_ids(value: &Value) -> Value {
    let mut value = value.clone();
    for block in value.as_array_mut().into_iter().flatten() {
        if let Some(block) = block.as_object_mut() {
            block.remove("id");
        }
    }
    value
}
