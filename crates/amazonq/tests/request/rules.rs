//! One rule, one test.

use qm_canon::{At, Choice, Display, Draft, Effort, Fault, Format, Place, Remote, Sampling, Thinking};
use serde_json::{Value, json};

use crate::build::{
    PNG, assistant, body, call, claude_model, document, draft, gpt_model, image, plain_model, refused,
    result, text, thinking, tool, user,
};

const READ: &str = r#"{"type":"object","properties":{"path":{"type":"string"}}}"#;

fn current(body: &Value) -> &Value {
    &body["conversationState"]["currentMessage"]["userInputMessage"]
}

fn history(body: &Value, index: usize) -> &Value {
    let message = &body["conversationState"]["history"][index];
    message
        .get("userInputMessage")
        .or_else(|| message.get("assistantResponseMessage"))
        .unwrap_or(&Value::Null)
}

fn said(parts: Vec<qm_canon::Part<'static>>) -> Value {
    current(&body(draft(vec![user(parts)]), &plain_model()).0).clone()
}

/// One call and its answer, with the tool declared.
fn answered(
    call_parts: Vec<qm_canon::Part<'static>>,
    answer: Vec<qm_canon::Part<'static>>,
) -> Draft<'static> {
    Draft {
        tools: vec![tool("read", "Reads", READ)],
        ..draft(vec![user(vec![text("hi")]), assistant(call_parts), user(answer)])
    }
}

fn place(fault: &Fault) -> (u32, u32) {
    match &fault.place {
        Some(Place::Message(at)) => (at.message, at.part),
        other => panic!("a place in a message: {other:?}"),
    }
}

#[test]
fn words_are_joined_by_an_empty_line_and_nothing_is_added() {
    assert_eq!(said(vec![text("a \"b\""), text("c\\\n")])["content"], "a \"b\"\n\nc\\\n");
}

#[test]
fn blank_words_become_the_placeholder_also_beside_pictures() {
    assert_eq!(said(vec![text(" \n")])["content"], ".");
    assert_eq!(said(vec![image(PNG)])["content"], ".");
    assert_eq!(said(vec![document(None, "txt", "AAAA")])["content"], ".");
}

#[test]
fn results_alone_need_no_words() {
    let (body, _) =
        body(answered(vec![call("t1", "read", "{}")], vec![result("t1", vec![text("x")])]), &plain_model());
    assert_eq!(current(&body)["content"], "");
    assert_eq!(history(&body, 1)["content"], "");
}

#[test]
fn pictures_in_results_are_lifted_and_the_result_says_so() {
    let answer = vec![result("t1", vec![image(PNG)])];
    let (body, note) = body(answered(vec![call("t1", "read", "{}")], answer), &plain_model());
    assert_eq!(current(&body)["images"], json!([{"format": "png", "source": {"bytes": PNG}}]));
    let results = &current(&body)["userInputMessageContext"]["toolResults"];
    assert_eq!(results[0]["content"], json!([{"text": "(see the attached files)"}]));
    assert_eq!(current(&body)["content"], ".");
    assert!(note.input_tokens > 1600);
}

#[test]
fn a_result_of_several_texts_keeps_them_apart_and_an_empty_one_is_filled() {
    let calls = vec![call("t1", "read", "{}"), call("t2", "read", "{}")];
    let answer = vec![result("t1", vec![text("a"), text("b")]), result("t2", vec![text(" ")])];
    let (body, _) = body(answered(calls, answer), &plain_model());
    let results = &current(&body)["userInputMessageContext"]["toolResults"];
    assert_eq!(results[0]["content"], json!([{"text": "a"}, {"text": "b"}]));
    assert_eq!(results[1]["content"], json!([{"text": "(empty result)"}]));
}

#[test]
fn history_without_declared_tools_is_told() {
    let calls = vec![text("Let me see."), call("t1", "read", r#"{"path":"/"}"#), call("t2", "read", "{}")];
    let answer = vec![result("t1", vec![text("a"), text("b")]), text("Well?")];
    let told = Draft { tools: Vec::new(), ..answered(calls, answer) };
    let (body, note) = body(told, &plain_model());
    assert_eq!(
        history(&body, 1),
        &json!({"content": "Let me see.\n\n[called read with {\"path\":\"/\"}]\n\n[called read with {}]"})
    );
    assert_eq!(
        current(&body)["content"],
        "[read answered: a b]\n\n[read failed: Tool use was cancelled by the user]\n\nWell?"
    );
    assert!(current(&body).get("userInputMessageContext").is_none());
    assert!(note.tools.is_empty());
}

#[test]
fn a_tool_only_the_history_knows_is_declared_by_its_name() {
    let calls = vec![call("t1", "gone", "{}")];
    let (body, _) = body(answered(calls, vec![result("t1", vec![])]), &plain_model());
    let tools = current(&body)["userInputMessageContext"]["tools"].as_array().unwrap();
    assert_eq!(
        tools[1]["toolSpecification"],
        json!({"name": "gone", "description": "gone", "inputSchema": {"json": {"type": "object"}}})
    );
}

#[test]
fn a_chosen_tool_is_the_only_one() {
    let tools = [tool("read", "Reads", READ), tool("write", "Writes", READ)];
    let names = |choice| {
        let tools = tools.iter().map(|each| tool(&each.name, &each.description, each.schema.get())).collect();
        let (body, _) = body(Draft { tools, choice, ..draft(vec![user(vec![text("hi")])]) }, &plain_model());
        let tools =
            current(&body)["userInputMessageContext"]["tools"].as_array().cloned().unwrap_or_default();
        tools
            .iter()
            .map(|tool| tool["toolSpecification"]["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(Choice::Tool("write".into())), ["write"]);
    assert_eq!(names(Choice::Any), ["read", "write"]);
    assert_eq!(names(Choice::None), [""; 0]);
}

#[test]
fn renamed_tools_and_properties_are_noted_and_used_in_history() {
    let schema = r#"{"type":"object","properties":{"a b":{}}}"#;
    let (body, note) = body(
        Draft {
            tools: vec![tool("my.tool", "x", schema)],
            ..draft(vec![
                user(vec![text("hi")]),
                assistant(vec![call("t1", "my.tool", r#"{"a b":1}"#)]),
                user(vec![result("t1", vec![])]),
            ])
        },
        &plain_model(),
    );
    let [(ours, renamed)] = &note.tools.iter().collect::<Vec<_>>()[..] else { panic!("one is renamed") };
    assert_eq!(renamed.name, "my.tool");
    let [(property, theirs)] = &renamed.properties[..] else { panic!("one property is renamed") };
    assert_eq!(theirs, "a b");
    let used = &history(&body, 1)["toolUses"][0];
    assert_eq!((&used["name"], &used["input"]), (&json!(ours), &json!({property: 1})));
}

#[test]
fn a_long_description_is_cut_and_told_in_full_in_the_system_text() {
    let long = "\u{e9}".repeat(10_001);
    let (body, _) = body(
        Draft {
            tools: vec![tool("read", &long, READ)],
            system: vec!["Be kind.".into()],
            ..draft(vec![user(vec![text("hi")])])
        },
        &plain_model(),
    );
    let declared = &current(&body)["userInputMessageContext"]["tools"][0]["toolSpecification"]["description"];
    assert_eq!(declared.as_str().unwrap(), "\u{e9}".repeat(10_000));
    let expected = format!("Be kind.\n\n<tool_description name=\"read\">{long}</tool_description>\n\nhi");
    assert_eq!(current(&body)["content"].as_str().unwrap(), expected);
}

#[test]
fn the_form_of_the_answer_is_told_after_the_clients_own_system_text() {
    let asked = |format| Draft {
        system: vec!["Be kind.".into()],
        format,
        ..draft(vec![user(vec![text("hi")]), assistant(vec![text("a")]), user(vec![text("b")])])
    };
    let schema = r#"{"type": "object", "title": "\ud83d"}"#;
    let raw = serde_json::value::RawValue::from_string(schema.to_owned()).unwrap();
    let tagged = format!(r#"<response_format type="json_schema">{schema}</response_format>"#);
    let (free, without) = body(asked(Format::Free), &plain_model());
    let mut tokens = without.input_tokens;
    for (format, block) in [
        (Format::Json, r#"<response_format type="json_object"/>"#),
        (Format::Schema(std::borrow::Cow::Owned(raw)), tagged.as_str()),
    ] {
        let (body, note) = body(asked(format), &plain_model());
        let said = &body["conversationState"]["history"][0]["userInputMessage"]["content"];
        assert_eq!(said, &format!("Be kind.\n\n{block}\n\nhi"));
        assert_eq!(current(&body), current(&free));
        assert!(note.input_tokens > tokens, "what the model reads is counted");
        tokens = note.input_tokens;
    }
}

#[test]
fn an_input_that_is_no_object_is_a_fault_at_its_place() {
    let fault =
        refused(answered(vec![call("t1", "read", "[1]")], vec![result("t1", vec![])]), &plain_model());
    assert_eq!(place(&fault), (1, 2));
    let told = Draft { tools: Vec::new(), ..answered(vec![call("t1", "read", "null")], vec![text("x")]) };
    assert_eq!(place(&refused(told, &plain_model())), (1, 2));
}

#[test]
fn a_schema_that_cannot_be_written_is_a_fault_at_the_tool() {
    let deep = format!("{}{{}}{}", r#"{"items":"#.repeat(150), "}".repeat(150));
    let tools = vec![tool("ok", "x", "{}"), tool("deep", "x", &deep)];
    let fault = refused(Draft { tools, ..draft(vec![user(vec![text("hi")])]) }, &plain_model());
    assert_eq!(fault.place, Some(Place::Tool(1)));
}

#[test]
fn an_image_is_relabelled_by_its_bytes() {
    assert_eq!(said(vec![image("R0lGODlhAQABAIAAAAAAAP///ywAAAAA")])["images"][0]["format"], "gif");
    assert_eq!(said(vec![image("AAAA")])["images"][0]["format"], "png");
}

#[test]
fn images_that_would_be_refused_are_faults_at_their_place() {
    let fault = refused(draft(vec![user(vec![image(&"A".repeat(5_242_884))])]), &plain_model());
    assert_eq!(place(&fault), (0, 1));
    assert_eq!(fault.message, "image exceeds 5 MB maximum: 5242884 bytes > 5242880 bytes");
    for bad in ["", "AAA", "A*AA", "data:image/png;base64,AAAA"] {
        assert_eq!(place(&refused(draft(vec![user(vec![image(bad)])]), &plain_model())), (0, 1), "{bad}");
    }
    let blind = qm_amazonq::Model { images: false, ..plain_model() };
    assert_eq!(place(&refused(draft(vec![user(vec![image(PNG)])]), &blind)), (0, 1));
}

/// In a message or in a tool's result: left out, the model would answer about a picture that it never saw.
#[test]
fn an_image_that_was_not_fetched_is_a_fault_and_never_left_out() {
    let remote = || {
        let refusal = Fault::invalid("nothing is fetched").code("remote");
        qm_canon::Part::Remote(Box::new(Remote {
            url: "https://example.com".into(),
            at: At::default(),
            refusal,
        }))
    };
    let in_message = draft(vec![user(vec![text("hi"), remote()])]);
    let in_result = answered(vec![call("t1", "read", "{}")], vec![result("t1", vec![remote()])]);
    for asked in [in_message, in_result] {
        assert_eq!(refused(asked, &plain_model()).code, "remote");
    }
}

#[test]
fn documents_that_would_be_refused_are_faults_at_their_place() {
    let six = (0..6).map(|_| document(None, "txt", "AAAA")).collect();
    for parts in [
        vec![document(None, "exe", "AAAA")],
        vec![document(None, "pdf", "????")],
        vec![document(None, "pdf", &"A".repeat(6_000_004))],
        six,
    ] {
        assert_eq!(place(&refused(draft(vec![user(parts)]), &plain_model())), (0, 3));
    }
}

#[test]
fn sealed_reasoning_is_replayed_pairwise_where_the_model_reasons_natively() {
    let parts = || {
        vec![thinking("one", "s1"), thinking("two", "s2"), thinking("three", ""), call("t1", "read", "{}")]
    };
    let replayed = |model| {
        let (body, _) = body(answered(parts(), vec![result("t1", vec![])]), &model);
        history(&body, 1).get("reasoningContent").cloned()
    };
    assert_eq!(replayed(claude_model()), Some(json!({"reasoningText": {"text": "two", "signature": "s2"}})));
    assert_eq!(replayed(plain_model()), None);
}

#[test]
fn redacted_reasoning_is_replayed_only_where_its_calls_are_answered_now() {
    let redacted = || qm_canon::Part::Redacted("b3BhcXVl".into());
    let turns = vec![
        user(vec![text("hi")]),
        assistant(vec![redacted(), call("t1", "read", "{}")]),
        user(vec![result("t1", vec![])]),
        assistant(vec![redacted(), call("t2", "read", "{}")]),
        user(vec![result("t2", vec![])]),
    ];
    let (body, _) = body(Draft { tools: vec![tool("read", "x", READ)], ..draft(turns) }, &gpt_model());
    assert!(history(&body, 1).get("reasoningContent").is_none());
    assert_eq!(history(&body, 3)["reasoningContent"], json!({"redactedContent": "b3BhcXVl"}));
}

#[test]
fn what_is_asked_of_reasoning_becomes_fields_the_model_lists() {
    let fields = |thinking, effort, max_tokens, model| {
        let sampling = Sampling { max_tokens, stop: Vec::new() };
        let (body, note) =
            body(Draft { thinking, effort, sampling, ..draft(vec![user(vec![text("hi")])]) }, &model);
        assert!(!note.thinking_tags);
        body.get("additionalModelRequestFields").cloned().unwrap_or(Value::Null)
    };
    let budget = |tokens| Thinking::Budget(tokens, Display::Shown);
    let adaptive = json!({"type": "adaptive", "display": "summarized"});
    for (tokens, level) in
        [(16_384, "low"), (16_385, "medium"), (32_769, "high"), (65_537, "high"), (98_305, "max")]
    {
        let expected = json!({"output_config": {"effort": level}, "thinking": adaptive});
        assert_eq!(fields(budget(tokens), None, None, claude_model()), expected, "{tokens}");
    }
    assert_eq!(fields(Thinking::Unasked, None, None, claude_model()), Value::Null);
    assert_eq!(fields(Thinking::Unasked, None, Some(99_000), claude_model()), json!({"max_tokens": 64_000}));
    assert_eq!(fields(Thinking::Off, None, None, claude_model()), json!({"thinking": {"type": "disabled"}}));
    assert_eq!(
        fields(Thinking::Adaptive(Display::Omitted), Some(Effort::Minimal), None, claude_model()),
        json!({"output_config": {"effort": "low"}, "thinking": {"type": "adaptive", "display": "omitted"}})
    );
    assert_eq!(fields(Thinking::Off, None, Some(5), gpt_model()), json!({"reasoning": {"effort": "none"}}));
    assert_eq!(
        fields(Thinking::Unasked, Some(Effort::Minimal), None, gpt_model()),
        json!({"reasoning": {"effort": "none"}})
    );
    assert_eq!(
        fields(Thinking::Unasked, Some(Effort::Max), None, gpt_model()),
        json!({"reasoning": {"effort": "xhigh"}})
    );
}

#[test]
fn what_is_asked_of_reasoning_becomes_tags_where_there_are_no_fields() {
    let content = |thinking| {
        let system = vec!["Be kind.".into()];
        let (body, note) =
            body(Draft { thinking, system, ..draft(vec![user(vec![text("hi")])]) }, &plain_model());
        assert!(body.get("additionalModelRequestFields").is_none());
        assert_eq!(note.show_thinking, thinking.display());
        (note.thinking_tags, current(&body)["content"].as_str().unwrap().to_owned())
    };
    assert_eq!(content(Thinking::Off), (false, "Be kind.\n\nhi".to_owned()));
    for (thinking, tags) in [
        (
            Thinking::Budget(4000, Display::Shown),
            "<thinking_mode>enabled</thinking_mode><max_thinking_length>4000",
        ),
        (
            Thinking::Adaptive(Display::Shown),
            "<thinking_mode>interleaved</thinking_mode><max_thinking_length>16000",
        ),
    ] {
        assert_eq!(content(thinking), (true, format!("{tags}</max_thinking_length>\n\nBe kind.\n\nhi")));
    }
}

#[test]
fn without_model_fields_or_replay_nothing_of_either_is_sent() {
    let parts = vec![thinking("one", "s1"), call("t1", "read", "{}")];
    let draft = Draft { effort: Some(Effort::High), ..answered(parts, vec![result("t1", vec![])]) };
    let conversation = qm_canon::Conversation::new(draft).unwrap();
    let model = claude_model();
    let mut profile = crate::build::profile(&model, "runtime");
    (profile.replay_reasoning, profile.model_fields) = (false, false);
    let (body, _) = qm_amazonq::encode(&conversation, &profile).unwrap();
    let body = String::from_utf8(body).unwrap();
    assert!(!body.contains("reasoningContent") && !body.contains("additionalModelRequestFields"), "{body}");
}
