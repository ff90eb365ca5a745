//! A well-formed conversation of any shape is refused, or encoded as JSON that pairs every tool use with its result.
#![no_main]

use std::collections::HashSet;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use quartermaster_fuzz::models;
use serde_json::{Value, json};

#[derive(Arbitrary, Debug)]
struct Body<'a> {
    system: Option<&'a str>,
    messages: Vec<Message<'a>>,
    tools: Vec<Tool<'a>>,
    choice: u8,
    thinking: Option<u16>,
    last: &'a str,
}

#[derive(Arbitrary, Debug)]
struct Message<'a> {
    role: u8,
    parts: Vec<Part<'a>>,
}

#[derive(Arbitrary, Debug)]
enum Part<'a> {
    Text(&'a str),
    Use { id: u8, tool: u8, key: &'a str, value: i8 },
    Result { id: u8, error: bool, text: Option<&'a str>, image: bool },
    Image,
    Pdf(&'a str),
    Thinking(&'a str, &'a str),
    Redacted(&'a str),
}

#[derive(Arbitrary, Debug)]
struct Tool<'a> {
    name: &'a str,
    description: Option<&'a str>,
    property: &'a str,
    required: bool,
    union: bool,
}

fuzz_target!(|body: Body| {
    let bytes = body.json().to_string().into_bytes();
    let ask = match qm_anthropic::request::decode(&bytes) {
        Ok(ask) => ask,
        Err(fault) => return models::json(&qm_anthropic::fault::render(&fault, "req_1")),
    };
    for profile in models::profiles() {
        if let Ok((body, _)) = qm_amazonq::encode(ask.conversation(), &profile) {
            check(&serde_json::from_slice(&body).expect("JSON"));
        }
    }
});

/// What the upstream demands of every conversation: roles alternate, and each tool use has one result, right after.
fn check(body: &Value) {
    let state = &body["conversationState"];
    let none = Vec::new();
    let mut turns: Vec<&Value> = state["history"].as_array().unwrap_or(&none).iter().collect();
    turns.push(&state["currentMessage"]);
    let mut open: HashSet<&str> = HashSet::new();
    let mut seen: HashSet<&str> = HashSet::new();
    for (at, turn) in turns.iter().enumerate() {
        if at % 2 == 0 {
            let message = turn.get("userInputMessage").expect("the user speaks at even places");
            assert!(message["content"].is_string());
            let results = message["userInputMessageContext"]["toolResults"].as_array().unwrap_or(&none);
            if results.is_empty() {
                assert!(
                    message["content"].as_str().is_some_and(|content| !content.trim().is_empty()),
                    "{body}"
                );
            }
            let answered: HashSet<&str> =
                results.iter().filter_map(|result| result["toolUseId"].as_str()).collect();
            assert_eq!(answered.len(), results.len(), "a result twice: {body}");
            assert_eq!(answered, open, "{body}");
        } else {
            let message = turn.get("assistantResponseMessage").expect("the model speaks at odd places");
            let uses = message["toolUses"].as_array().unwrap_or(&none);
            open = uses.iter().filter_map(|used| used["toolUseId"].as_str()).collect();
            assert_eq!(open.len(), uses.len());
            assert!(open.iter().all(|id| seen.insert(id)), "an id twice: {body}");
        }
    }
    assert!(turns.len() % 2 == 1, "the user has the last word");
    tools(&state["currentMessage"]["userInputMessage"]["userInputMessageContext"]["tools"]);
}

fn tools(tools: &Value) {
    let mut names = HashSet::new();
    for tool in tools.as_array().into_iter().flatten() {
        let tool = &tool["toolSpecification"];
        let name = tool["name"].as_str().expect("a name");
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        assert!((1..=64).contains(&name.len()) && name.chars().all(plain), "{name:?}");
        assert!(names.insert(name.to_ascii_lowercase()), "{name} twice");
        assert!(tool["description"].as_str().is_some_and(|text| !text.trim().is_empty()));
        assert_eq!(tool["inputSchema"]["json"]["type"], "object");
    }
}

impl Body<'_> {
    fn json(&self) -> Value {
        let mut messages: Vec<Value> =
            self.messages.iter().take(24).map(|message| self.message(message)).collect();
        messages.push(json!({"role": "user", "content": self.last}));
        let tools: Vec<Value> = self.tools.iter().take(12).map(Tool::json).collect();
        let mut body = json!({"model": "claude-sonnet-4-5", "max_tokens": 1000, "messages": messages});
        if let Some(system) = self.system {
            body["system"] = json!(system);
        }
        if let Some(budget) = self.thinking {
            body["thinking"] = json!({"type": "enabled", "budget_tokens": budget});
            body["max_tokens"] = json!(100_000);
        }
        if !tools.is_empty() {
            body["tool_choice"] = match self.choice % 5 {
                0 => json!({"type": "none"}),
                1 => json!({"type": "any"}),
                2 => json!({"type": "tool", "name": self.name(self.choice)}),
                _ => json!({"type": "auto", "disable_parallel_tool_use": self.choice % 2 == 0}),
            };
            body["tools"] = json!(tools);
        }
        body
    }

    fn message(&self, message: &Message<'_>) -> Value {
        let role = ["user", "assistant", "user", "assistant", "system"][usize::from(message.role) % 5];
        let parts: Vec<Value> = message.parts.iter().take(16).map(|part| self.part(part)).collect();
        json!({"role": role, "content": parts})
    }

    fn part(&self, part: &Part<'_>) -> Value {
        let image = || json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}});
        match part {
            Part::Text(text) => json!({"type": "text", "text": text}),
            Part::Use { id, tool, key, value } => {
                json!({"type": "tool_use", "id": call(*id), "name": self.name(*tool), "input": {*key: value}})
            }
            Part::Result { id, error, text, image: with } => {
                let mut content: Vec<Value> = Vec::new();
                content.extend(text.map(|text| json!({"type": "text", "text": text})));
                content.extend(with.then(image));
                json!({"type": "tool_result", "tool_use_id": call(*id), "is_error": error, "content": content})
            }
            Part::Image => image(),
            Part::Pdf(title) => json!({
                "type": "document",
                "title": title,
                "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0xLjQ="},
            }),
            Part::Thinking(text, signature) => {
                json!({"type": "thinking", "thinking": text, "signature": signature})
            }
            Part::Redacted(data) => json!({"type": "redacted_thinking", "data": data}),
        }
    }

    fn name(&self, tool: u8) -> &str {
        let tools = self.tools.len().min(12);
        if tools == 0 { "undeclared" } else { self.tools[usize::from(tool) % tools].name }
    }
}

impl Tool<'_> {
    fn json(&self) -> Value {
        let mut schema =
            json!({"type": "object", "properties": {self.property: {"type": "string", "pattern": "x"}}});
        if self.required {
            schema["required"] = json!([self.property]);
        }
        if self.union {
            schema = json!({"anyOf": [schema, {"type": "object"}]});
        }
        json!({"name": self.name, "description": self.description, "input_schema": schema})
    }
}

fn call(id: u8) -> String {
    let forms = ["toolu_", "toolu_tooluse_", "call:", ""];
    format!("{}{}", forms[usize::from(id) % forms.len()], id / 4)
}
