//! What is repaired, what is refused, and the promise that holds for every draft.

use std::borrow::Cow;

use proptest::prelude::*;
use serde_json::value::RawValue;

use crate::{
    At, Choice, Conversation, Display, Draft, Kind, Part, Place, Role, Thinking, Tool, ToolResult, ToolUse,
    Turn,
};

fn json(text: &str) -> Cow<'static, RawValue> {
    Cow::Owned(RawValue::from_string(text.to_owned()).expect("is JSON"))
}

fn text(words: &'static str) -> Part<'static> {
    Part::Text(words.into())
}

fn call(id: &str) -> Part<'static> {
    let at = At { message: 1, part: 2 };
    Part::ToolUse(ToolUse { id: id.to_owned().into(), name: "read".into(), input: json("{}"), at })
}

fn result(id: &str, words: &'static str) -> Part<'static> {
    Part::ToolResult(ToolResult {
        id: id.to_owned().into(),
        parts: vec![text(words)],
        error: false,
        at: At::default(),
    })
}

fn turn(role: Role, parts: Vec<Part<'static>>) -> Turn<'static> {
    Turn { role, parts }
}

fn user(parts: Vec<Part<'static>>) -> Turn<'static> {
    turn(Role::User, parts)
}

fn model(parts: Vec<Part<'static>>) -> Turn<'static> {
    turn(Role::Assistant, parts)
}

fn tool(name: &'static str) -> Tool<'static> {
    Tool { name: name.into(), description: "".into(), schema: json("{}") }
}

fn draft(turns: Vec<Turn<'static>>) -> Draft<'static> {
    Draft { turns, ..Draft::default() }
}

/// A conversation in one line.
fn shown(conversation: &Conversation<'_>) -> String {
    let part = |part: &Part<'_>| match part {
        Part::Text(text) => format!("{:?}", text.decoded()),
        Part::ToolUse(call) => format!("call {}", call.id),
        Part::ToolResult(result) => {
            let words: Vec<_> =
                result
                    .parts
                    .iter()
                    .map(|part| {
                        if let Part::Text(text) = part { text.decoded().into_owned() } else { "?".to_owned() }
                    })
                    .collect();
            format!("result {}{} {:?}", result.id, if result.error { "!" } else { "" }, words.join("+"))
        }
        _ => "?".to_owned(),
    };
    let turns = conversation.turns().iter().map(|turn| {
        let parts: Vec<_> = turn.parts.iter().map(part).collect();
        format!("{:?}: {}", turn.role, parts.join(", "))
    });
    turns.collect::<Vec<_>>().join(" | ")
}

fn repaired(turns: Vec<Turn<'static>>) -> String {
    shown(&Conversation::new(draft(turns)).map_err(|fault| fault.message).expect("can be repaired"))
}

#[test]
fn neighbours_of_one_role_become_one_turn() {
    let turns =
        vec![user(vec![text("a")]), user(vec![text(""), text("b")]), model(vec![]), user(vec![text("c")])];
    assert_eq!(repaired(turns), r#"User: "a", "b", "c""#);
}

#[test]
fn results_come_first_and_in_the_order_of_the_calls() {
    let turns = vec![
        user(vec![text("go")]),
        model(vec![call("1"), call("2")]),
        user(vec![text("and"), result("2", "two"), result("1", "one")]),
    ];
    let expected = r#"User: "go" | Assistant: call 1, call 2 | User: result 1 "one", result 2 "two", "and""#;
    assert_eq!(repaired(turns), expected);
}

#[test]
fn two_results_of_one_call_become_one_that_says_both() {
    let turns =
        vec![user(vec![text("go")]), model(vec![call("1")]), user(vec![result("1", "a"), result("1", "b")])];
    assert_eq!(repaired(turns), r#"User: "go" | Assistant: call 1 | User: result 1 "a+b""#);
}

#[test]
fn a_call_without_a_result_was_cancelled() {
    let turns = vec![user(vec![text("go")]), model(vec![call("1")]), user(vec![text("never mind")])];
    let expected = r#"User: "go" | Assistant: call 1 | User: result 1! "Tool use was cancelled by the user", "never mind""#;
    assert_eq!(repaired(turns), expected);
}

#[test]
fn an_orphan_result_becomes_text() {
    let turns = vec![user(vec![result("9", "lost"), text("hi")])];
    assert_eq!(repaired(turns), r#"User: "lost", "hi""#);
    let later = vec![user(vec![text("a")]), model(vec![text("b")]), user(vec![result("9", "lost")])];
    assert_eq!(repaired(later), r#"User: "a" | Assistant: "b" | User: "lost""#);
}

#[test]
fn what_cannot_be_repaired_is_refused_with_its_place() {
    let refused =
        |draft: Draft<'static>| Conversation::new(draft).err().map(|fault| (fault.kind, fault.place));
    let hi = || vec![user(vec![text("hi")])];
    let with = |edit: fn(&mut Draft<'static>)| {
        let mut draft = draft(hi());
        edit(&mut draft);
        refused(draft)
    };
    assert_eq!(refused(draft(vec![])), Some((Kind::Invalid, None)));
    assert_eq!(refused(draft(vec![user(vec![])])), Some((Kind::Invalid, None)));
    assert_eq!(
        refused(draft(vec![user(vec![text("a")]), model(vec![text("b")])])),
        Some((Kind::Invalid, None))
    );
    let twice = vec![user(vec![text("a")]), model(vec![call("1"), call("1")]), user(vec![text("b")])];
    assert_eq!(
        refused(draft(twice)),
        Some((Kind::Invalid, Some(Place::Message(At { message: 1, part: 2 }))))
    );
    assert_eq!(
        with(|draft| draft.tools = vec![tool("a"), tool(" ")]),
        Some((Kind::Invalid, Some(Place::Tool(1))))
    );
    assert_eq!(
        with(|draft| draft.tools = vec![tool("a"), tool("a")]),
        Some((Kind::Invalid, Some(Place::Tool(1))))
    );
    assert_eq!(with(|draft| draft.model = "m".repeat(257).into()), Some((Kind::Invalid, None)));
    assert_eq!(with(|draft| draft.choice = Choice::Any), Some((Kind::Invalid, None)));
    assert_eq!(with(|draft| draft.choice = Choice::Tool("b".into())), Some((Kind::Invalid, None)));
    assert_eq!(with(|draft| draft.tools = vec![tool("a"), tool("b")]), None);
}

#[test]
fn a_name_may_ask_for_thinking() {
    let thinking = |model: &'static str, thinking| {
        let draft = Draft { model: model.into(), thinking, ..draft(vec![user(vec![text("hi")])]) };
        Conversation::new(draft).map(|conversation| conversation.thinking()).ok()
    };
    assert_eq!(thinking("claude-x-thinking", Thinking::Unasked), Some(Thinking::Adaptive(Display::Shown)));
    assert_eq!(thinking("claude-x-thinking", Thinking::Off), Some(Thinking::Off));
    assert_eq!(thinking("claude-x", Thinking::Unasked), Some(Thinking::Unasked));
}

/// A part from a number, since parts themselves have no `Debug` to show a failing case by.
fn numbered(number: u8) -> Part<'static> {
    let id = ["1", "2", "3", "4"][usize::from(number) % 4];
    match number / 4 % 3 {
        0 => call(id),
        1 => result(id, "out"),
        _ => text(if number.is_multiple_of(2) { "words" } else { "" }),
    }
}

proptest! {
    #[test]
    fn a_conversation_keeps_its_promises(turns in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..5)), 0..8)) {
        let turns = turns.into_iter().map(|(is_user, parts)| {
            turn(if is_user { Role::User } else { Role::Assistant }, parts.into_iter().map(numbered).collect())
        }).collect();
        let Ok(conversation) = Conversation::new(draft(turns)) else { return Ok(()) };
        let turns = conversation.turns();
        prop_assert_eq!(turns.last().map(|turn| turn.role), Some(Role::User));
        prop_assert!(turns.windows(2).all(|pair| pair[0].role != pair[1].role));
        let mut calls: Vec<String> = Vec::new();
        for turn in turns {
            prop_assert!(!turn.parts.is_empty());
            let results: Vec<String> = turn.parts.iter().filter_map(|part| match part {
                Part::ToolResult(result) => Some(result.id.to_string()),
                _ => None,
            }).collect();
            if turn.role == Role::User {
                prop_assert_eq!(&results, &calls);
                let leading = turn.parts.iter().take_while(|part| matches!(part, Part::ToolResult(_))).count();
                prop_assert_eq!(leading, results.len());
            }
            calls = turn.parts.iter().filter_map(|part| match part {
                Part::ToolUse(call) => Some(call.id.to_string()),
                _ => None,
            }).collect();
        }
    }
}
