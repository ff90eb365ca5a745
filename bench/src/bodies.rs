//! What is asked: a request of about a kilobyte, and an agent's conversation of about 200 KB, in each format that
//! clients speak. All are the same in every run.

use serde_json::{Value, json};

/// The formats that clients speak.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Dialect {
    Messages,
    Chat,
    Responses,
}

impl Dialect {
    /// The path of the format.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Messages => "/v1/messages",
            Self::Chat => "/v1/chat/completions",
            Self::Responses => "/v1/responses",
        }
    }

    /// The same request, which is given as Anthropic's, in this format.
    pub(crate) fn say(self, messages: &Value) -> Vec<u8> {
        let said = match self {
            Self::Messages => messages.clone(),
            Self::Chat => as_chat(messages),
            Self::Responses => as_responses(messages),
        };
        said.to_string().into_bytes()
    }
}

/// A small request: one question, about 1 KB.
pub(crate) fn small() -> Value {
    let question = "Please explain in a few sentences how a gateway can pass on a stream of events without \
                    adding delay, which system calls it needs for each event, and what it must never buffer. "
        .repeat(4);
    json!({
        "model": MODEL,
        "max_tokens": 32_000,
        "stream": true,
        "system": "You are a patient engineer who answers briefly.",
        "messages": [{"role": "user", "content": question}],
    })
}

/// An agent's conversation: 18 tools, and turns of tool use and results until it has about 200 KB.
pub(crate) fn conversation() -> Value {
    let mut messages =
        vec![json!({"role": "user", "content": "Find out why the relay drops the last event."})];
    let mut bytes = 0;
    let mut turn = 0;
    while bytes < 180 * 1000 {
        let id = format!("toolu_{turn:024}");
        let source = source(turn);
        bytes += source.len() * 21 / 20 + 300;
        messages.push(json!({"role": "assistant", "content": [
            {"type": "text", "text": format!("I will read part {turn} of the file next.")},
            {"type": "tool_use", "id": id, "name": TOOLS[turn % TOOLS.len()],
             "input": {"path": format!("src/part_{turn}.rs"), "first_line": turn * 80, "pattern": "fn \"quoted\"\n"}},
        ]}));
        messages.push(json!({"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": id, "content": [{"type": "text", "text": source}]},
        ]}));
        turn += 1;
    }
    json!({
        "model": MODEL,
        "max_tokens": 32_000,
        "stream": true,
        "system": [{"type": "text", "text": "You are a coding agent. ".repeat(200)}],
        "tools": TOOLS.iter().map(|name| tool(name)).collect::<Vec<Value>>(),
        "messages": messages,
    })
}

fn as_chat(request: &Value) -> Value {
    let system = match &request["system"] {
        Value::Array(blocks) => blocks[0]["text"].clone(),
        text => text.clone(),
    };
    let mut messages = vec![json!({"role": "system", "content": system})];
    for message in list(&request["messages"]) {
        match &message["content"] {
            Value::Array(blocks) if message["role"] == "assistant" => messages.push(json!({
                "role": "assistant", "content": blocks[0]["text"],
                "tool_calls": [{"id": blocks[1]["id"], "type": "function", "function":
                    {"name": blocks[1]["name"], "arguments": blocks[1]["input"].to_string()}}],
            })),
            Value::Array(blocks) => messages.push(json!({
                "role": "tool", "tool_call_id": blocks[0]["tool_use_id"],
                "content": [{"type": "text", "text": blocks[0]["content"][0]["text"]}],
            })),
            text => messages.push(json!({"role": "user", "content": text})),
        }
    }
    let tools: Vec<Value> = list(&request["tools"])
        .iter()
        .map(|tool| {
            json!({"type": "function", "function": {"name": tool["name"],
            "description": tool["description"], "parameters": tool["input_schema"]}})
        })
        .collect();
    let mut chat = json!({"model": MODEL, "max_tokens": 32_000, "stream": true, "messages": messages});
    if !tools.is_empty() {
        chat["tools"] = tools.into();
    }
    chat
}

fn as_responses(request: &Value) -> Value {
    let chat = as_chat(request);
    let mut input = Vec::new();
    for message in list(&chat["messages"]).iter().skip(1) {
        match message["role"].as_str() {
            Some("assistant") => {
                let call = &message["tool_calls"][0];
                input.push(json!({"type": "message", "role": "assistant",
                    "content": [{"type": "output_text", "text": message["content"]}]}));
                input.push(json!({"type": "function_call", "call_id": call["id"],
                    "name": call["function"]["name"], "arguments": call["function"]["arguments"]}));
            }
            Some("tool") => input.push(json!({"type": "function_call_output",
                "call_id": message["tool_call_id"], "output": message["content"][0]["text"]})),
            _ => input.push(json!({"type": "message", "role": "user",
                "content": [{"type": "input_text", "text": message["content"]}]})),
        }
    }
    let tools: Vec<Value> = list(&request["tools"])
        .iter()
        .map(|tool| {
            json!({"type": "function", "name": tool["name"], "description": tool["description"],
            "parameters": tool["input_schema"]})
        })
        .collect();
    json!({"model": MODEL, "max_output_tokens": 32_000, "stream": true, "store": false,
        "instructions": chat["messages"][0]["content"], "input": input, "tools": tools})
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

const MODEL: &str = "claude-sonnet-4-5";

const TOOLS: [&str; 18] = [
    "read_file",
    "write_file",
    "edit_file",
    "list_folder",
    "search_text",
    "run_command",
    "show_diff",
    "make_branch",
    "run_tests",
    "format_code",
    "rename_symbol",
    "find_references",
    "open_issue",
    "read_issue",
    "fetch_page",
    "ask_user",
    "plan_steps",
    "finish_task",
];

fn tool(name: &str) -> Value {
    json!({
        "name": name,
        "description": format!("The tool {name} works on one file of the project at a time. ").repeat(6),
        "input_schema": {
            "type": "object",
            "properties": {
                "path": {"type": "string", "description": "The path of the file, from the root of the project."},
                "first_line": {"type": "integer", "description": "The first line that matters, counted from one."},
                "pattern": {"type": "string", "description": "What is looked for, as a regular expression."},
            },
            "required": ["path"],
        },
    })
}

/// What tools mostly return: source as it stands in a file, each part with a line of its own.
fn source(turn: usize) -> String {
    format!("// part {turn} of \"pump.rs\"\n{SAMPLE}")
}

/// Real source, kept apart from the file it was taken from so that the body stays the same.
const SAMPLE: &str = include_str!("../source.txt");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_what_the_report_says() {
        for dialect in [Dialect::Messages, Dialect::Chat, Dialect::Responses] {
            let (small, large) = (dialect.say(&small()).len(), dialect.say(&conversation()).len());
            assert!((700..1_500).contains(&small), "{dialect:?}: {small}");
            assert!((190_000..225_000).contains(&large), "{dialect:?}: {large}");
        }
        assert_eq!(conversation(), conversation());
    }
}
