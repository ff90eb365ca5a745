//! Chat bodies as real clients send them (spec/clients.md §2), and the conversations they become.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::fmt::Write as _;
use std::{fs, path::Path};

use qm_canon::{Choice, Conversation, Format, Part};
use qm_openai::chat::request;

/// Every fixture, each against its snapshot.
#[test]
fn real_bodies_become_conversations() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/chat");
    let mut seen = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let body = fs::read(&path).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let ask = request::decode(&body).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        let said = described(ask.conversation());
        let text = format!("stream: {}, {:?}\n{said}", ask.stream(), ask.reply_note());
        insta::assert_snapshot!(name, text);
        seen += 1;
    }
    assert!(seen >= 10, "the fixtures are gone");
}

#[test]
fn the_model_and_the_stream_flag_are_as_the_client_said() {
    let body = br#"{"model":"a/b:c","messages":[{"role":"user","content":"x"}],"stream":true}"#;
    let ask = request::decode(body).unwrap();
    assert_eq!((ask.model(), ask.stream(), ask.reply_note().include_usage), ("a/b:c", true, false));
}

/// Texts are kept as they are written; what they say is what the client said.
#[test]
fn a_text_says_what_its_json_says() {
    let cases = [
        (r#""plain""#, "plain"),
        (r#""a\n\u0041\ud83e\udd80""#, "a\nA\u{1f980}"),
        (r#""\ud800!""#, "\u{fffd}!"),
    ];
    for (written, expect) in cases {
        let part = format!(r#"[{{"type":"text","text":{written}}}]"#);
        for content in [written, &part] {
            let body = format!(
                r#"{{"model":"m","messages":[{{"role":"system","content":{content}}},{{"role":"user","content":{content}}}]}}"#
            );
            let ask = request::decode(body.as_bytes()).unwrap();
            let [Part::Text(text)] = ask.conversation().turns()[0].parts.as_slice() else {
                panic!("one text")
            };
            assert_eq!((text.decoded().as_ref(), ask.conversation().system()[0].as_ref()), (expect, expect));
        }
    }
}

#[test]
fn what_makes_a_session_is_the_most_exact_of_three() {
    let affinity = |fields: &str| {
        let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":"x"}}]{fields}}}"#);
        request::decode(body.as_bytes()).unwrap().conversation().affinity().map(str::to_owned)
    };
    assert_eq!(affinity(""), None);
    assert_eq!(affinity(r#","user":"u""#).as_deref(), Some("u"));
    assert_eq!(affinity(r#","user":"u","safety_identifier":"s""#).as_deref(), Some("s"));
    assert_eq!(
        affinity(r#","user":"u","prompt_cache_key":"p","safety_identifier":"s""#).as_deref(),
        Some("p")
    );
    assert_eq!(affinity(r#","user":"","prompt_cache_key":null"#), None);
}

fn described(conversation: &Conversation<'_>) -> String {
    let mut out = String::new();
    let sampling = conversation.sampling();
    writeln!(out, "model: {}", conversation.model()).unwrap();
    writeln!(out, "max tokens: {:?}, stop: {:?}", sampling.max_tokens, sampling.stop).unwrap();
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
        Format::Free => writeln!(out, "format: free"),
        Format::Json => writeln!(out, "format: JSON"),
        Format::Schema(schema) => writeln!(out, "format: {schema}"),
    }
    .unwrap();
    for tool in conversation.tools() {
        writeln!(out, "tool {}: {:?} {}", tool.name, tool.description, tool.schema).unwrap();
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
