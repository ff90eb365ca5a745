//! Known conversations; their bodies are recorded in tests/fixtures/request.

use qm_amazonq::{Model, encode};
use qm_canon::{Choice, Conversation, Display, Draft, Effort, Sampling, Thinking};
use serde_json::Value;

use crate::build::{
    PNG, assistant, call, claude_model, document, draft, gpt_model, image, plain_model, profile, result,
    text, thinking, tool, user,
};

const LIST_DIR: &str = r#"{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","properties":{"path":{"type":"string","minLength":1}},"required":["path"],"additionalProperties":false}"#;

#[track_caller]
fn golden(name: &str, story: &str, draft: Draft<'static>, model: &Model, surface: &str) {
    let conversation = Conversation::new(draft).expect("a regular conversation");
    let arn = "arn:aws:codewhisperer:us-east-1:111122223333:profile/ABCDEFGHJKLM";
    let mut profile = profile(model, surface);
    profile.arn = (surface != "q").then_some(arn);
    let (body, note) = encode(&conversation, &profile).expect("a conversation that can be encoded");
    let body: Value = serde_json::from_slice(&body).expect("the body is JSON");
    let mut tools: Vec<_> =
        note.tools.iter().map(|(ours, theirs)| (ours, &theirs.name, &theirs.properties)).collect();
    tools.sort();
    let shown = format!(
        "{body:#}\n\nnote: tools {tools:?}, thinking tags {}, show thinking {:?}, window {}",
        note.thinking_tags, note.show_thinking, note.window
    );
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../fixtures/request");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_description(story);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, shown));
}

fn question() -> Draft<'static> {
    Draft {
        system: vec!["You are a terse assistant.".into()],
        ..draft(vec![user(vec![text("What is in /tmp?")])])
    }
}

fn tool_loop() -> Draft<'static> {
    Draft {
        tools: vec![tool("list_dir", "List a directory", LIST_DIR)],
        system: vec!["You are a terse assistant.".into(), "Be kind.".into()],
        ..draft(vec![
            user(vec![text("What is in /tmp?")]),
            assistant(vec![
                thinking("Two directories.", "c2VhbA=="),
                text("I will look."),
                call("tooluse_a", "list_dir", r#"{"path":"/tmp"}"#),
                call("call_x|fc_y", "list_dir", r#"{"path":"/etc"}"#),
            ]),
            user(vec![
                result("call_x|fc_y", vec![]),
                result("tooluse_a", vec![text("a.txt"), image(PNG)]),
                text("And now?"),
            ]),
        ])
    }
}

#[test]
fn first_question() {
    golden(
        "first-question",
        "system text and a question, CLI contract",
        question(),
        &plain_model(),
        "runtime",
    );
}

#[test]
fn first_question_to_each_face() {
    golden(
        "first-question-ide",
        "the same, IDE contract: agentMode in the body",
        question(),
        &plain_model(),
        "runtime-ide",
    );
    golden(
        "first-question-rest",
        "the same, REST: the mode is a header",
        question(),
        &plain_model(),
        "q-rest",
    );
    golden("first-question-q", "the same, without a profile", question(), &plain_model(), "q");
}

#[test]
fn answering_tools() {
    golden(
        "answering-tools",
        "two calls answered in the wrong order, one with nothing, one with a picture; reasoning replayed",
        tool_loop(),
        &claude_model(),
        "runtime",
    );
}

#[test]
fn answering_tools_without_tools() {
    golden(
        "answering-tools-told",
        "the same with tool_choice none: calls and results become text",
        Draft { choice: Choice::None, ..tool_loop() },
        &plain_model(),
        "runtime",
    );
}

#[test]
fn awkward_tools() {
    let union = r##"{"anyOf":[{"$ref":"#/$defs/A"},{"type":"object","properties":{"kind":{"const":"b"}},"required":["kind"]}],"$defs":{"A":{"type":"object","properties":{"kind":{"const":"a"},"size":{"type":"integer","maximum":9}},"required":["kind","size"]}}}"##;
    golden(
        "awkward-tools",
        "illegal and colliding names, a blank description, a root union, a property with a space, a tool only the history knows",
        Draft {
            tools: vec![
                tool("mcp.files$read", "", union),
                tool(
                    "Read",
                    "Reads",
                    r#"{"type":"object","properties":{"file name":{}},"required":["file name"]}"#,
                ),
                tool("read", "Reads too", "{}"),
            ],
            ..draft(vec![
                user(vec![text("hi")]),
                assistant(vec![
                    call("t1", "Read", r#"{"file name":"a b","x":{"file name":1}}"#),
                    call("t2", "gone", "{}"),
                    call("t3", "mcp.files$read", "{}"),
                ]),
                user(vec![result("t1", vec![text("ok")]), result("t2", vec![text("ok")])]),
            ])
        },
        &plain_model(),
        "runtime",
    );
}

#[test]
fn pictures_and_documents() {
    golden(
        "pictures-and-documents",
        "attachments without words, in history and now",
        draft(vec![
            user(vec![image(PNG), document(Some("Q3 report.pdf"), "pdf", "JVBERi0xLjc=")]),
            assistant(vec![text("Seen.")]),
            user(vec![
                image("/9j/4AAQSkZJRgABAQAAAQABAAD/2wBD"),
                document(Some("q3 report"), "csv", "YSxiCg=="),
            ]),
        ]),
        &plain_model(),
        "runtime",
    );
}

#[test]
fn assistant_first() {
    golden(
        "assistant-first",
        "the conversation begins with the model; there is no system text; an answer of nothing but unsealed reasoning",
        draft(vec![
            assistant(vec![text("Hello.")]),
            user(vec![text("  \n")]),
            assistant(vec![thinking("hm", "")]),
            user(vec![text("Go on.")]),
        ]),
        &plain_model(),
        "runtime",
    );
}

#[test]
fn asking_for_reasoning() {
    let asked = |thinking, effort| Draft {
        thinking,
        effort,
        sampling: Sampling { max_tokens: Some(100_000), stop: Vec::new() },
        ..question()
    };
    let budget = Thinking::Budget(20_000, Display::Shown);
    golden("reasoning-tags", "a budget, in tags", asked(budget, None), &plain_model(), "runtime");
    golden("reasoning-claude", "the same budget, in fields", asked(budget, None), &claude_model(), "runtime");
    golden(
        "reasoning-gpt",
        "effort max, where the model has less",
        asked(budget, Some(Effort::Max)),
        &gpt_model(),
        "runtime",
    );
}
