//! Reading a file where no tool is made for it: by a shell, or by a program that has one (spec/clients.md §2.2).

use serde_json::{Value, json};

use crate::script::ToolCall;

/// A call that prints the file by the surest of these tools, if one of them can.
pub(super) fn read_call(tools: &[Value], path: &str) -> Option<ToolCall> {
    let by_command = || tools.iter().find_map(|tool| command(tool, path));
    let by_program = || tools.iter().find_map(|tool| program(tool, path));
    by_command().or_else(by_program)
}

/// A tool that takes a command line, as text or as words.
fn command(tool: &Value, path: &str) -> Option<ToolCall> {
    let (name, properties) = parts(tool)?;
    let known = ["bash", "shell", "shell_command", "exec_command", "run_command", "local_shell", "terminal"];
    if !known.contains(&last_name(name)) {
        return None;
    }
    let property = ["cmd", "command"].into_iter().find(|known| properties.contains_key(*known))?;
    let words = properties[property]["type"] == "array";
    let line = if words { json!(["cat", path]) } else { json!(format!("cat {path}")) };
    Some(ToolCall { name: name.to_owned(), input: json!({ property: line }), ..ToolCall::default() })
}

/// Codex's `exec`, which runs a program that calls the other tools; its one string is the program.
fn program(tool: &Value, path: &str) -> Option<ToolCall> {
    let (name, properties) = parts(tool)?;
    if last_name(name) != "exec" || properties.len() != 1 {
        return None;
    }
    let (property, schema) = properties.iter().next()?;
    if schema["type"] != "string" {
        return None;
    }
    let line = json!(format!("cat {path}"));
    let program = format!("const read = await tools.exec_command({{ cmd: {line} }});\ntext(read);\n");
    Some(ToolCall { name: name.to_owned(), input: json!({ property: program }), ..ToolCall::default() })
}

/// The tool's name and the properties that it takes.
fn parts(tool: &Value) -> Option<(&str, &serde_json::Map<String, Value>)> {
    let spec = &tool["toolSpecification"];
    Some((spec["name"].as_str()?, spec.pointer("/inputSchema/json/properties")?.as_object()?))
}

/// The name without the namespace that a client or a gateway put before it.
fn last_name(name: &str) -> &str {
    let name = name.rsplit_once("__").map_or(name, |(_, last)| last);
    name.rsplit_once(['.', '-', '/']).map_or(name, |(_, last)| last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(name: &str, properties: &Value) -> Value {
        let schema = json!({ "json": { "type": "object", "properties": properties } });
        json!({ "toolSpecification": { "name": name, "inputSchema": schema } })
    }

    fn call(tools: &[Value]) -> Option<(String, Value)> {
        read_call(tools, "note.txt").map(|call| (call.name, call.input))
    }

    #[test]
    fn a_shell_is_given_a_line_or_words() {
        let text =
            tool("exec_command", &json!({ "cmd": { "type": "string" }, "tty": { "type": "boolean" } }));
        assert_eq!(call(&[text]), Some(("exec_command".to_owned(), json!({ "cmd": "cat note.txt" }))));
        let words = tool("functions__shell", &json!({ "command": { "type": "array" } }));
        let expected = ("functions__shell".to_owned(), json!({ "command": ["cat", "note.txt"] }));
        assert_eq!(call(&[words]), Some(expected));
    }

    #[test]
    fn a_program_is_written_only_where_there_is_no_shell() {
        let exec = tool("exec", &json!({ "input": { "type": "string" } }));
        let (_, input) = call(std::slice::from_ref(&exec)).unwrap();
        assert!(input["input"].as_str().unwrap().contains("cat note.txt"));
        let bash = tool("Bash", &json!({ "command": { "type": "string" } }));
        let shell = tool("bash", &json!({ "command": { "type": "string" } }));
        assert_eq!(call(&[bash]), None, "names are compared as they are");
        assert_eq!(call(&[exec, shell]).unwrap().0, "bash");
    }

    #[test]
    fn other_tools_are_left_alone() {
        let stdin = tool("write_stdin", &json!({ "chars": { "type": "string" } }));
        let exec = tool("exec", &json!({ "a": { "type": "string" }, "b": { "type": "string" } }));
        assert_eq!(call(&[stdin, exec]), None);
    }
}
