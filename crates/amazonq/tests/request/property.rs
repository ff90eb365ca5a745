//! Any conversation becomes a body that keeps every rule, or a fault.

use proptest::prelude::*;
use proptest::sample::select;
use qm_amazonq::encode;
use qm_canon::{Choice, Conversation, Display, Draft, Effort, Kind, Part, Sampling, Thinking, Turn};

use crate::build::{
    PNG, assistant, call, claude_model, document, gpt_model, image, plain_model, profile, result, text,
    thinking, tool, user,
};
use crate::referee;

/// What a part will be; calls get their ids when the conversation is built, so that most are unique.
#[derive(Clone, Debug)]
enum Plan {
    Text(String),
    Image(&'static str),
    Document(Option<&'static str>, &'static str, &'static str),
    Call(&'static str, &'static str),
    /// Answers the call made so many calls ago.
    Result(usize, Vec<Plan>),
    Thinking(&'static str, &'static str),
    Redacted,
}

const NAMES: [&str; 8] = [
    "read",
    "Read",
    "READ",
    "mcp.x y",
    "list_dir",
    "a-b",
    "\u{e9}",
    "a_tool_whose_name_is_longer_than_sixty_four_characters_by_a_good_bit",
];

const INPUTS: [&str; 6] =
    ["{}", r#"{"path":"/tmp"}"#, r#"{"a b":{"a b":"\ud800"}}"#, r#"{"":"\"\\"}"#, r#"{ "x" : [ ] }"#, "[]"];

const SCHEMAS: [&str; 12] = [
    "{}",
    r#"{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]}"#,
    r#"{"$schema":"x","type":"object","properties":{"a b":{"format":"uri"},"pattern":{"pattern":"x"}},"required":["a b"]}"#,
    r#"{"oneOf":[{"properties":{"k":{"const":1,"minimum":0}},"required":["k"]},{"properties":{"k":{"const":2}}}]}"#,
    r##"{"$ref":"#/$defs/A","$defs":{"A":{"allOf":[{"properties":{"\ud800":{"default":1}},"required":["\ud800"]}]}}}"##,
    r##"{"$ref":"#/$defs/A","$defs":{"A":{"$ref":"#/$defs/A"}}}"##,
    r#"{"type":["object","null"],"properties":null,"required":null,"additionalProperties":null}"#,
    r#"{"required":[],"if":{},"then":{},"else":{},"minProperties":1}"#,
    r#"{ "title" : "x" , "default" : { } , "properties" : { "a" : { "items" : [ { "uniqueItems" : true } ] } } }"#,
    r#"{"properties":{"a":{"anyOf":[{"$comment":"x"},{"not":{"exclusiveMinimum":1}}]},"b":true}}"#,
    r#"{"anyOf":[true,{"properties":{"x":false}}],"additionalProperties":{"format":"date"},"required":["x",1]}"#,
    "null",
];

fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        select(vec!["", " ", "\n\t", ".", "Hello.", "\"quoted\" \\ and \u{1}\u{7f}", "\u{1f600} \u{fc}"])
            .prop_map(str::to_owned),
        "\\PC{0,80}",
    ]
}

fn attachment() -> impl Strategy<Value = Plan> {
    prop_oneof![
        8 => words().prop_map(Plan::Text),
        2 => select(vec![PNG, "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBD", "AAAA"]).prop_map(Plan::Image),
        1 => (select(vec![None, Some("a.txt"), Some("  \u{e9}  /x ")]), select(vec!["pdf", "txt", "md"]))
            .prop_map(|(name, format)| Plan::Document(name, format, "AAA=")),
    ]
}

fn part() -> impl Strategy<Value = Plan> {
    prop_oneof![
        50 => attachment(),
        20 => (select(&NAMES[..]), select(&INPUTS[..5])).prop_map(|(name, input)| Plan::Call(name, input)),
        20 => (0_usize..4, prop::collection::vec(attachment(), 0..3)).prop_map(|(back, parts)| Plan::Result(back, parts)),
        6 => (select(vec!["", "hm"]), select(vec!["", "c2VhbA=="])).prop_map(|(text, seal)| Plan::Thinking(text, seal)),
        4 => Just(Plan::Redacted),
        1 => Just(Plan::Call("read", INPUTS[5])),
        1 => select(vec!["", "A", "not base64!"]).prop_map(Plan::Image),
        1 => Just(Plan::Document(None, "exe", "AAAA")),
    ]
}

/// Tools (name, description and schema each), the choice, and the thinking asked for.
type Asked = (Vec<(&'static str, String, &'static str)>, u8, u8, Option<u32>);

fn asked() -> impl Strategy<Value = Asked> {
    let description = prop_oneof![4 => words(), 1 => (9_990_usize..10_020).prop_map(|n| "\u{e9}".repeat(n))];
    let tools = prop::collection::vec((select(&NAMES[..]), description, select(&SCHEMAS[..])), 0..5);
    (tools, 0_u8..8, 0_u8..5, prop::option::of(0_u32..200_000))
}

fn built(plan: &Plan, calls: &mut usize) -> Part<'static> {
    // Every third id is one the upstream would not take.
    let id =
        |number: usize| if number % 3 == 2 { format!("call|{number}") } else { format!("tooluse_{number}") };
    match plan {
        Plan::Text(words) => text(words),
        Plan::Image(base64) => image(base64),
        Plan::Document(name, format, base64) => document(*name, format, base64),
        Plan::Call(name, input) => {
            *calls += 1;
            call(&id(*calls), name, input)
        }
        Plan::Result(back, parts) => {
            result(&id(calls.saturating_sub(*back)), parts.iter().map(|part| built(part, calls)).collect())
        }
        Plan::Thinking(words, seal) => thinking(words, seal),
        Plan::Redacted => Part::Redacted("b3BhcXVl".into()),
    }
}

fn conversation(system: &[String], turns: &[Vec<Plan>], asked: &Asked, user_first: bool) -> Draft<'static> {
    let mut calls = 0;
    let mut drafted: Vec<Turn<'static>> = Vec::new();
    for (index, turn) in turns.iter().enumerate() {
        let of_user = (index % 2 == 0) == user_first;
        let fits = |plan: &&Plan| match plan {
            Plan::Result(..) | Plan::Image(_) | Plan::Document(..) => of_user,
            Plan::Call(..) | Plan::Thinking(..) | Plan::Redacted => !of_user,
            Plan::Text(_) => true,
        };
        let parts = turn.iter().filter(fits).map(|plan| built(plan, &mut calls)).collect();
        drafted.push(if of_user { user(parts) } else { assistant(parts) });
    }
    drafted.push(user(vec![result(&format!("tooluse_{calls}"), vec![]), text(" ")]));
    let (tools, choice, thinking, effort) = asked;
    let mut names = std::collections::HashSet::new();
    let tools: Vec<_> = tools.iter().filter(|(name, ..)| names.insert(*name)).collect();
    let choice = match (choice, tools.first()) {
        (0, _) => Choice::None,
        (1, Some(_)) => Choice::Any,
        (2, Some((name, ..))) => Choice::Tool((*name).into()),
        _ => Choice::Auto,
    };
    Draft {
        system: system.iter().map(|words| words.clone().into()).collect(),
        turns: drafted,
        tools: tools.iter().map(|(name, description, schema)| tool(name, description, schema)).collect(),
        choice,
        thinking: match thinking {
            0 => Thinking::Unasked,
            1 => Thinking::Off,
            2 => Thinking::Adaptive(Display::Omitted),
            _ => Thinking::Budget(effort.unwrap_or(0), Display::Shown),
        },
        effort: effort.filter(|effort| effort % 2 == 0).map(|_| Effort::XHigh),
        sampling: Sampling { max_tokens: *effort, stop: Vec::new() },
        ..Draft::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_body_keeps_every_rule(
        system in prop::collection::vec(words(), 0..3),
        turns in prop::collection::vec(prop::collection::vec(part(), 0..6), 0..7),
        asked in asked(),
        user_first in prop::bool::weighted(0.8),
        (model, surface) in (0_usize..3, select(vec!["runtime", "runtime-ide", "q", "codewhisperer"])),
    ) {
        let Ok(regular) = Conversation::new(conversation(&system, &turns, &asked, user_first)) else {
            return Ok(());
        };
        let model = [plain_model(), claude_model(), gpt_model()][model].clone();
        let profile = profile(&model, surface);
        match encode(&regular, &profile) {
            Err(fault) => prop_assert_eq!(fault.kind, Kind::Invalid),
            Ok((body, note)) => {
                let read = serde_json::from_slice(&body).expect("the body is JSON without lone surrogates (R14)");
                referee::check(&read);
                prop_assert!(note.input_tokens > 0);
                // The same again gives the same bytes: the upstream's cache is keyed by them.
                let (again, _) = encode(&regular, &profile).expect("what was encoded once");
                prop_assert_eq!(again, body);
            }
        }
    }
}
