//! The default reply: enough of an agent to complete a real turn of a real client (spec/clients.md §5).

mod form;
mod shell;

use serde_json::{Value, json};

use crate::script::{Script, Step, ToolCall};

/// What the persona answers to this chat body.
pub(crate) fn reply(body: &Value, pace_ms: u64) -> Script {
    let turn = Turn::of(body);
    let mut steps = Vec::new();
    think(body, &turn, &mut steps, pace_ms);
    if let Some(result) = turn.last_result() {
        let text = without_line_numbers(&result);
        let plain = || format!("The file says: {text}");
        say(&mut steps, &turn.in_form(&text).unwrap_or_else(plain), pace_ms);
    } else if let Some(call) = turn.read_call() {
        say(&mut steps, "Let me read the file. ", pace_ms);
        steps.push(Step::CallTool(call));
    } else {
        let text = turn.user_text();
        say(&mut steps, &turn.in_form(&text).unwrap_or_else(|| prose(&text)), pace_ms);
    }
    Script(steps)
}

/// The name of the script that the current user text asks for by `[[script:NAME]]`.
pub(crate) fn marker(body: &Value) -> Option<String> {
    let content = body.pointer("/conversationState/currentMessage/userInputMessage/content")?.as_str()?;
    let (_, rest) = content.split_once("[[script:")?;
    let (name, _) = rest.split_once("]]")?;
    Some(name.to_owned())
}

/// The messages of a body, oldest first, the current one last.
struct Turn<'a> {
    messages: Vec<&'a Value>,
    tools: &'a [Value],
}

impl<'a> Turn<'a> {
    fn of(body: &'a Value) -> Self {
        let state = &body["conversationState"];
        let history = state["history"].as_array().map_or(&[][..], Vec::as_slice);
        let messages = history.iter().chain([&state["currentMessage"]]).collect();
        let tools = state
            .pointer("/currentMessage/userInputMessage/userInputMessageContext/tools")
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice);
        Self { messages, tools }
    }

    /// The newest tool result since the last real user text.
    fn last_result(&self) -> Option<String> {
        for message in self.messages.iter().rev() {
            let Some(user) = message.get("userInputMessage") else { continue };
            if let Some(result) = results(user).last() {
                return Some(result_text(result));
            }
            if !content(user).trim().is_empty() {
                return None;
            }
        }
        None
    }

    /// A call of the tool that can read a file, if one is offered.
    fn read_call(&self) -> Option<ToolCall> {
        let mut path = file_named_in(&self.user_text()).unwrap_or_else(|| "note.txt".to_owned());
        let made_for_it = self.tools.iter().filter_map(reading_tool).min_by_key(|(rank, ..)| *rank);
        let Some((_, name, property)) = made_for_it else { return shell::read_call(self.tools, &path) };
        let absolute = matches!(property.as_str(), "file_path" | "absolute_path" | "filePath");
        if absolute
            && !path.starts_with('/')
            && let Some(directory) = self.directory()
        {
            path = format!("{}/{path}", directory.trim_end_matches('/'));
        }
        Some(ToolCall { name, input: json!({ property: path }), ..ToolCall::default() })
    }

    /// The answer as JSON, if the conversation asks for that.
    fn in_form(&self, said: &str) -> Option<String> {
        let users = self.messages.iter().filter_map(|message| message.get("userInputMessage"));
        form::answer(users.map(content), said)
    }

    /// The last user text that is more than a tool result.
    fn user_text(&self) -> String {
        self.messages
            .iter()
            .rev()
            .filter_map(|message| message.get("userInputMessage"))
            .map(content)
            .find(|text| !text.trim().is_empty())
            .map(without_reminders)
            .unwrap_or_default()
    }

    /// The working directory that any message or the environment names.
    fn directory(&self) -> Option<String> {
        let marks =
            ["Primary working directory:", "Working directory:", "working directory:", "cwd:", "<cwd>"];
        for message in self.messages.iter().rev() {
            let Some(user) = message.get("userInputMessage") else { continue };
            for mark in marks {
                let Some((_, rest)) = content(user).split_once(mark) else { continue };
                let path: String =
                    rest.trim_start().chars().take_while(|c| !c.is_whitespace() && *c != '<').collect();
                if path.starts_with('/') {
                    return Some(path);
                }
            }
        }
        None
    }
}

/// Thinks first, in the manner asked for: natively for models with a schema, by tags otherwise.
fn think(body: &Value, turn: &Turn<'_>, steps: &mut Vec<Step>, pace_ms: u64) {
    let fields = &body["additionalModelRequestFields"];
    let disabled = fields.pointer("/thinking/type").and_then(Value::as_str) == Some("disabled");
    let silent = fields.pointer("/reasoning/effort").and_then(Value::as_str) == Some("none");
    let native = ["thinking", "output_config", "reasoning"].iter().any(|name| fields.get(*name).is_some());
    let text = "The user asks for something; I look at what is there and then answer plainly.";
    if native && !disabled && !silent {
        let gpt = fields.get("reasoning").is_some();
        let hidden = fields.pointer("/thinking/display").and_then(Value::as_str) == Some("omitted");
        if gpt {
            steps.push(Step::RedactedThink { data: "c2ltdWxhdGVkLXJlYXNvbmluZw==".to_owned() });
        } else {
            let text = if hidden { "" } else { text };
            steps.push(Step::Think {
                text: text.to_owned(),
                signature: Some("c2ltdWxhdGVkLXNpZ25hdHVyZQ==".to_owned()),
                chars: Some(24),
                pace_ms,
            });
        }
    } else if !native && turn.messages.iter().any(|m| asks_by_tag(m)) {
        say(steps, &format!("<thinking>\n{text}\n</thinking>\n\n"), pace_ms);
    }
}

fn asks_by_tag(message: &Value) -> bool {
    let text = message.get("userInputMessage").map(content).unwrap_or_default();
    ["enabled", "adaptive", "interleaved"]
        .iter()
        .any(|mode| text.contains(&format!("<thinking_mode>{mode}</thinking_mode>")))
}

fn say(steps: &mut Vec<Step>, text: &str, pace_ms: u64) {
    // Pieces of 10 to 40 characters, uneven as real deltas are, never more than once round the pattern.
    let sizes = [12, 31, 18, 40, 10, 25];
    let chars: Vec<char> = text.chars().collect();
    let mut rest = chars.as_slice();
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            return;
        }
        let (piece, after) = rest.split_at((*size).min(rest.len()));
        steps.push(Step::Say { text: piece.iter().collect(), chars: None, pace_ms });
        rest = after;
    }
}

fn prose(user_text: &str) -> String {
    let words: Vec<&str> = user_text.split_whitespace().take(8).collect();
    let quote = if words.is_empty() {
        "nothing at all".to_owned()
    } else {
        format!("\u{201c}{}\u{201d}", words.join(" "))
    };
    format!(
        "You wrote {quote}, and this is the simulated upstream answering. No model was asked and nothing left this \
         machine. The words arrive in small pieces at a natural pace, as they would from the real service. Offer a tool \
         that reads a file, and I will call it and tell you what the file says. That is all there is to me, and it is \
         enough to see the gateway at work."
    )
}

/// The tool's name and the property that takes the path, if it can read; the rank is lower the plainer its name says so.
/// How surely a tool reads files, by its name and its properties; the lower the surer. `None` means it does not.
fn reading_rank(lower: &str, known_property: bool) -> Option<u8> {
    let others = [
        "write", "edit", "create", "delete", "notebook", "glob", "grep", "search", "list", "mcp", "thread",
        "image",
    ];
    if others.iter().any(|word| lower.contains(word)) {
        return None;
    }
    if matches!(lower, "read" | "read_file" | "readfile" | "view" | "view_file" | "cat" | "open_file") {
        return Some(0);
    }
    // "cat" must be a word of its own: "location" reads nothing.
    let reads = ["read", "view", "open_file"].iter().any(|word| lower.contains(word))
        || lower.split(|c: char| !c.is_alphanumeric()).any(|part| part == "cat");
    match (reads, known_property) {
        (true, true) => Some(1),
        (true, false) => Some(2),
        (false, true) => Some(3),
        (false, false) => None,
    }
}

/// Rank, name and path property of a tool that can read a file.
fn reading_tool(tool: &Value) -> Option<(u8, String, String)> {
    let spec = &tool["toolSpecification"];
    let name = spec["name"].as_str()?;
    let properties = spec.pointer("/inputSchema/json/properties").and_then(Value::as_object);
    let known = ["file_path", "absolute_path", "filePath", "path"];
    let property = properties.and_then(|all| known.iter().find(|known| all.contains_key(**known)));
    let rank = reading_rank(&name.to_lowercase(), property.is_some())?;
    let first = || properties.and_then(|all| all.keys().next().cloned());
    let property =
        property.map(|known| (*known).to_owned()).or_else(first).unwrap_or_else(|| "path".to_owned());
    Some((rank, name.to_owned(), property))
}

fn file_named_in(text: &str) -> Option<String> {
    let mut before = "";
    let mut asked = None;
    let mut first = None;
    for word in text.split_whitespace() {
        if let Some(file) = as_file(word) {
            let asks =
                ["file", "read", "open", "view", "cat"].iter().any(|verb| before.eq_ignore_ascii_case(verb));
            first = first.or(Some(file));
            asked = if asks { Some(file) } else { asked };
        }
        before = word.trim_matches(|c: char| !c.is_alphanumeric());
    }
    asked.or(first).map(str::to_owned)
}

/// The word without punctuation, if it looks like a file's name.
fn as_file(word: &str) -> Option<&str> {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '/' && c != '.' && c != '_');
    let word = word.trim_end_matches('.');
    let (stem, extension) = word.rsplit_once('.')?;
    let named = stem.len() > 1 && !word.contains("://") && (1..=5).contains(&extension.len());
    let letters = extension.chars().all(char::is_alphanumeric) && extension.chars().any(char::is_alphabetic);
    (named && letters).then_some(word)
}

fn content(user: &Value) -> &str {
    user["content"].as_str().unwrap_or_default()
}

fn results(user: &Value) -> impl Iterator<Item = &Value> {
    user.pointer("/userInputMessageContext/toolResults").and_then(Value::as_array).into_iter().flatten()
}

fn result_text(result: &Value) -> String {
    let blocks = result["content"].as_array().map_or(&[][..], Vec::as_slice);
    let texts = blocks.iter().map(|block| match block.get("text").and_then(Value::as_str) {
        Some(text) => without_reminders(text),
        None => block["json"].to_string(),
    });
    texts.collect::<Vec<_>>().join("\n")
}

/// The text without `<system-reminder>` blocks, which agents add around what the user said.
fn without_reminders(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    // A mark that is never closed is only spoken of, as instructions do.
    while let Some((before, after)) = rest.split_once("<system-reminder>")
        && let Some((_, after)) = after.split_once("</system-reminder>")
    {
        out.push_str(before);
        rest = after;
    }
    out.push_str(rest);
    out.trim().to_owned()
}

/// The text without the line numbers that reading tools put before each line (`     1→`, `1\t`, `00001| `).
fn without_line_numbers(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let rest = line.trim_start().trim_start_matches(|c: char| c.is_ascii_digit());
        let numbered = rest.len() < line.trim_start().len();
        let mark = ['\u{2192}', '\t', '|'].iter().find_map(|mark| rest.strip_prefix(*mark));
        match mark {
            Some(rest) if numbered => rest.trim_start(),
            _ => line,
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}
