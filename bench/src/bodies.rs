//! What is asked: an Anthropic request of about a kilobyte, and an agent's conversation of about 200 KB. Both are
//! the same in every run.

use serde_json::{Value, json};

/// A small request: one question, about 1 KB.
pub(crate) fn small() -> Vec<u8> {
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
    .to_string()
    .into_bytes()
}

/// An agent's conversation: 18 tools, and turns of tool use and results until it has about 200 KB.
pub(crate) fn conversation() -> Vec<u8> {
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
    .to_string()
    .into_bytes()
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
        assert!((700..1_500).contains(&small().len()), "{}", small().len());
        assert!((190_000..215_000).contains(&conversation().len()), "{}", conversation().len());
        assert_eq!(conversation(), conversation());
    }
}
