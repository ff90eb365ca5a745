//! Bodies as real clients send them (spec/clients.md §2), and the conversations they become.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::fmt::Write as _;
use std::{fs, path::Path};

use qm_anthropic::{count, request};
use qm_canon::{Choice, Conversation, Format, Part, Written};

/// Every fixture, each against its snapshot.
#[test]
fn real_bodies_become_conversations() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/understood");
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
    assert!(seen >= 8, "the fixtures are gone");
}

#[test]
fn the_model_and_the_stream_flag_are_as_the_client_said() {
    let body =
        br#"{"model":"a/b:c","max_tokens":1,"messages":[{"role":"user","content":"x"}],"stream":true}"#;
    let ask = request::decode(body).unwrap();
    assert_eq!((ask.model(), ask.stream()), ("a/b:c", true));
}

#[test]
fn text_is_borrowed_from_the_body() {
    let body = br#"{"model":"m","max_tokens":1,"system":"sys","messages":[{"role":"user","content":[{"type":"text","text":"words"}]}]}"#;
    let ask = request::decode(body).unwrap();
    let within = |text: &str| body.as_ptr_range().contains(&text.as_ptr());
    let [Part::Text(text)] = ask.conversation().turns()[0].parts.as_slice() else { panic!("one text") };
    let Written::Bare(text) = text.written() else { panic!("nothing is escaped in it") };
    assert!(within(text) && within(&ask.conversation().system()[0]) && within(ask.model()));
}

/// A count is asked of parts of a conversation too, so less need be there.
#[test]
fn a_count_needs_no_bound_and_no_last_word_of_the_user() {
    let body =
        br#"{"model":"m","tools":[],"messages":[{"role":"assistant","content":"Four words are here."}]}"#;
    let tokens = count::decode_and_count(body).unwrap().tokens;
    assert!((5..20).contains(&tokens), "{tokens}");
    assert_eq!(count::render(tokens), format!("{{\"input_tokens\":{tokens}}}").into_bytes());
    assert!(count::decode_and_count(br#"{"model":"m","messages":[]}"#).is_err());
    assert!(count::decode_and_count(br#"{"messages":[{"role":"user","content":"x"}]}"#).is_err());
}

/// Wherever it stands; what it weighs does not depend on what it shows.
#[test]
fn a_count_weighs_a_remote_image_and_says_how_to_refuse_it() {
    let image = r#"{"type":"image","source":{"type":"url","url":"https://example.com/a.png"}}"#;
    let in_result = format!(r#"{{"type":"tool_result","tool_use_id":"a","content":[{image}]}}"#);
    for content in [image, &in_result] {
        let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":[{content}]}}]}}"#);
        let count::Count { tokens, refusal } = count::decode_and_count(body.as_bytes()).unwrap();
        assert!((1_600..1_700).contains(&tokens), "{tokens}");
        assert!(refusal.is_some_and(|fault| fault.message.contains("`url` sources are not supported")));
    }
    let body = br#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#;
    assert!(count::decode_and_count(body).unwrap().refusal.is_none());
}

/// Everything that will be read upstream weighs something.
#[test]
fn a_count_grows_with_every_kind_of_content() {
    let count = |content: &str, more: &str| {
        let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":[{content}]}}]{more}}}"#);
        count::decode_and_count(body.as_bytes()).unwrap().tokens
    };
    let least = count("", "");
    let pdf = "A".repeat(80_000);
    let contents = [
        (r#"{"type":"text","text":"one two three"}"#.to_owned(), 3..6),
        (
            r#"{"type":"image","source":{"type":"base64","media_type":"image/png","data":""}}"#.to_owned(),
            1600..1601,
        ),
        (
            format!(
                r#"{{"type":"document","source":{{"type":"base64","media_type":"application/pdf","data":"{pdf}"}}}}"#
            ),
            3000..3001,
        ),
        (r#"{"type":"tool_result","tool_use_id":"a","content":"one two three"}"#.to_owned(), 7..10),
    ];
    for (content, expect) in contents {
        let tokens = count(&content, "") - least;
        assert!(expect.contains(&tokens), "{tokens} of {content:.60}");
    }
    assert!(count("", r#","system":"one two three""#) > least);
    let format = r#","output_config":{"format":{"type":"json_schema","schema":{"type":"object"}}}"#;
    assert!(count("", format) > least + 4);
    assert!(count("", r#","tools":[{"name":"f","input_schema":{"type":"object"}}]"#) > least + 4);
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
        Format::Free => {}
        Format::Json => writeln!(out, "format: an object").unwrap(),
        Format::Schema(schema) => writeln!(out, "format: {schema}").unwrap(),
    }
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
