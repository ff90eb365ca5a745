//! Bodies as real clients send them (spec/clients.md §2), and the conversations they become.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use qm_canon::{Choice, Conversation, Format, Part};
use qm_openai::responses::request;

/// Every fixture, each against its snapshot.
#[test]
fn real_bodies_become_conversations() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/responses/fixtures/understood");
    let mut seen = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let body = fs::read(&path).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let ask = request::decode(&body).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        let text = format!("stream: {}\n{}", ask.stream(), described(ask.conversation()));
        insta::assert_snapshot!(name, text);
        seen += 1;
    }
    assert!(seen >= 12, "the fixtures are gone");
}

/// A tool of a namespace is one upstream, however a call in the conversation names it.
#[test]
fn a_call_names_its_tool_with_or_without_the_namespace() {
    let called = |call: &str| {
        let body = format!(
            r#"{{"model":"m","input":[{{"role":"user","content":"x"}},{call},
                {{"type":"function_call_output","call_id":"1","output":""}}],
                "tools":[{{"type":"namespace","name":"files__","tools":[{{"type":"function","name":"read"}}]}},
                         {{"type":"function","name":"list"}}]}}"#
        );
        let ask = request::decode(body.as_bytes()).unwrap();
        let Part::ToolUse(call) = &ask.conversation().turns()[1].parts[0] else { panic!("one call") };
        call.name.to_string()
    };
    let call = |more: &str| format!(r#"{{"type":"function_call","call_id":"1","arguments":"{{}}",{more}}}"#);
    assert_eq!(called(&call(r#""name":"read","namespace":"files__""#)), "files__read");
    assert_eq!(called(&call(r#""name":"read""#)), "files__read");
    assert_eq!(called(&call(r#""name":"list""#)), "list");
    assert_eq!(called(&call(r#""name":"list","namespace":"functions""#)), "list");
    assert_eq!(called(&call(r#""name":"gone","namespace":"other""#)), "other__gone");
}

/// Text and the rest of an item in either order, with keys nobody knows.
#[test]
fn the_type_may_come_last() {
    let body = br#"{"input":[{"content":[{"text":"a","more":[1],"type":"input_text"}],"role":"user","new":{}}],"model":"m"}"#;
    let ask = request::decode(body).unwrap();
    assert_eq!((ask.model(), ask.stream()), ("m", false));
    assert!(described(ask.conversation()).ends_with("User\n  text \"a\"\n"));
}

pub(crate) fn described(conversation: &Conversation<'_>) -> String {
    let mut out = String::new();
    writeln!(out, "model: {}", conversation.model()).unwrap();
    writeln!(out, "max tokens: {:?}", conversation.sampling().max_tokens).unwrap();
    writeln!(out, "thinking: {:?}, effort: {:?}", conversation.thinking(), conversation.effort()).unwrap();
    writeln!(out, "affinity: {:?}", conversation.affinity()).unwrap();
    let choice = match conversation.choice() {
        Choice::Auto => "auto".to_owned(),
        Choice::None => "none".to_owned(),
        Choice::Any => "any".to_owned(),
        Choice::Tool(name) => format!("the tool {name}"),
    };
    writeln!(out, "choice: {choice}, single: {}", conversation.single_tool()).unwrap();
    match conversation.format() {
        Format::Free => {}
        Format::Json => writeln!(out, "format: an object").unwrap(),
        Format::Schema(schema) => writeln!(out, "format: {schema}").unwrap(),
    }
    for tool in conversation.tools() {
        let schema: serde_json::Value = serde_json::from_str(tool.schema.get()).unwrap();
        writeln!(out, "tool {}: {:?} {schema}", tool.name, tool.description).unwrap();
    }
    for text in conversation.system() {
        writeln!(out, "system: {text:?}").unwrap();
    }
    for turn in conversation.turns() {
        writeln!(out, "{:?}", turn.role).unwrap();
        describe(&mut out, "  ", &turn.parts);
    }
    out
}

fn describe(out: &mut String, indent: &str, parts: &[Part<'_>]) {
    for part in parts {
        write!(out, "{indent}").unwrap();
        match part {
            Part::Text(text) => writeln!(out, "text {:?}", text.decoded()),
            Part::Image(image) => {
                writeln!(out, "image {:?} {} from {:?}", image.media_type, image.base64, image.at)
            }
            Part::Remote(remote) => writeln!(out, "image behind {} from {:?}", remote.url, remote.at),
            Part::Document(document) => writeln!(
                out,
                "document {} {:?} {} from {:?}",
                document.format, document.name, document.base64, document.at
            ),
            Part::ToolUse(call) => {
                writeln!(out, "call {} of {} with {} from {:?}", call.id, call.name, call.input, call.at)
            }
            Part::ToolResult(result) => {
                writeln!(out, "result of {} error {} from {:?}", result.id, result.error, result.at).unwrap();
                describe(out, &format!("{indent}  "), &result.parts);
                Ok(())
            }
            Part::Thinking { text, signature } => writeln!(out, "thinking {text:?} sealed {signature:?}"),
            Part::Redacted(data) => writeln!(out, "redacted {data:?}"),
        }
        .unwrap();
    }
}
