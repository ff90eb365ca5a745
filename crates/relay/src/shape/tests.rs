//! What is taken off, what is refused, what fits; and one property: how the upstream cuts its text never shows.

use proptest::prelude::*;
use qm_canon::{
    Block, Checked, Choice, Conversation, Draft, Event, Fault, Finish, Format, Part, Role, Sink, Stop, Tool,
    Turn, Usage,
};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::borrow::Cow;

use super::{Form, Shape};

/// Writes events down in a form that a test can read.
#[derive(Default)]
struct Transcript(String);

impl Sink for Transcript {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Open(Block::Text) => self.0.push_str("text("),
            Event::Open(Block::Tool { name, .. }) => self.0.extend([name, "("]),
            Event::Open(_) => self.0.push_str("thinking("),
            Event::Delta(text) => self.0.push_str(text),
            Event::Signature(_) => self.0.push('#'),
            Event::Close => self.0.push_str(") "),
            Event::Finish(finish) => self.0.extend([format!("{:?}", finish.stop)]),
        }
    }

    fn fault(&mut self, fault: &Fault) {
        self.0.extend(["! ", &fault.code]);
    }
}

enum Step<'a> {
    Text(&'a [&'a str]),
    Thinking(&'a str),
    Tool,
    End(Stop),
}

fn raw(json: &str) -> Cow<'static, RawValue> {
    Cow::Owned(RawValue::from_string(json.into()).expect("is JSON"))
}

fn asked(format: Format<'_>, tools: bool) -> Result<Option<Form>, Fault> {
    let tool = Tool { name: "read".into(), description: "".into(), schema: raw("{}") };
    let draft = Draft {
        turns: vec![Turn { role: Role::User, parts: vec![Part::Text("hi".into())] }],
        tools: if tools { vec![tool] } else { Vec::new() },
        choice: Choice::Auto,
        format,
        ..Draft::default()
    };
    Form::of(&Conversation::new(draft).expect("regular"))
}

fn schema(schema: &Value) -> Result<Option<Form>, Fault> {
    asked(Format::Schema(raw(&schema.to_string())), false)
}

fn run(form: Option<Form>, steps: &[Step<'_>]) -> String {
    let mut shape = Shape::new(form, Checked::new(Transcript::default()));
    for step in steps {
        match step {
            Step::Text(deltas) => {
                shape.event(Event::Open(Block::Text));
                deltas.iter().for_each(|delta| shape.event(Event::Delta(delta)));
                shape.event(Event::Close);
            }
            Step::Thinking(text) => {
                shape.event(Event::Open(Block::Thinking));
                shape.event(Event::Delta(text));
                shape.event(Event::Signature("s"));
                shape.event(Event::Close);
            }
            Step::Tool => {
                shape.event(Event::Open(Block::Tool { id: "id", name: "read" }));
                shape.event(Event::Delta("{}"));
                shape.event(Event::Close);
            }
            Step::End(stop) => {
                shape.event(Event::Finish(&Finish { stop: stop.clone(), usage: Usage::default() }));
            }
        }
    }
    let checked = shape.into_inner();
    assert_eq!(checked.violation(), None);
    assert!(checked.ended(), "an answer must end");
    checked.into_inner().0
}

/// The answer `text` to a request for a JSON object.
fn object(text: &str) -> String {
    let form = asked(Format::Json, false).expect("a form");
    run(form, &[Step::Text(&[text]), Step::End(Stop::EndTurn)])
}

/// What the answer `value` comes to under `rules`: nothing if it fits, else the fault's message.
fn verdict(rules: &Value, value: &str) -> Option<String> {
    let form = schema(rules).expect("a schema").expect("a form");
    form.check(value).err().map(|flaw| flaw.fault().message.into_owned())
}

#[test]
fn without_a_form_everything_passes() {
    assert!(asked(Format::Free, true).expect("no form").is_none());
    let steps = [Step::Text(&[" ```json\n", "{} "]), Step::Tool, Step::End(Stop::EndTurn)];
    assert_eq!(run(None, &steps), "text( ```json\n{} ) read({}) EndTurn");
}

#[test]
fn what_surrounds_the_value_is_taken_off() {
    let plain = "text({\"a\": \"}`\\\"\"}) EndTurn";
    let value = "{\"a\": \"}`\\\"\"}";
    for (before, after) in
        [("", ""), (" \n", "\n\n "), ("```json\n", "\n```"), ("\n```JSON \n\n", "```\n"), ("```", "```")]
    {
        assert_eq!(object(&format!("{before}{value}{after}")), plain);
    }
    // Cut off after the value: nothing of it is missing.
    assert_eq!(object("```json\n{}\n"), "text({}) EndTurn");
}

#[test]
fn other_text_around_the_value_is_no_good_end() {
    for text in ["Sure: {}", "```json {} ``` ok", "````\n{}\n````", "```two words {}```", "[1]", "\"a\""] {
        let said = object(text);
        assert!(said.contains("! shape/") && !said.contains("EndTurn"), "{text}: {said}");
    }
    assert_eq!(object("{} Done."), "text({}! shape/around");
    assert_eq!(object("{}```"), "text({}! shape/around");
    assert_eq!(object("{} {}"), "text({}! shape/around");
    // A fence that breaks off is text like any other.
    assert_eq!(object("```js"), "text(```js) ! shape/around");
    assert_eq!(object("```json\n{}``"), "text({}``) ! shape/around");
}

#[test]
fn what_cannot_be_parsed_is_no_good_end() {
    assert_eq!(object("{\"a\":}"), "text({\"a\":}) ! shape/syntax");
    assert_eq!(object("{\"a\":1"), "text({\"a\":1) ! shape/syntax");
    assert_eq!(object("{]"), "text({]) ! shape/syntax");
    assert_eq!(object(" \n"), "! shape/missing");
    let deep = "[".repeat(100_000);
    assert!(object(&deep).ends_with("! shape/syntax"));
}

/// More than any model says; a bound all the same.
#[test]
fn a_value_without_end_is_broken_off() {
    let form = asked(Format::Json, false).expect("a form");
    let much = "x".repeat(1 << 20);
    let said = run(form, &[Step::Text(&["{\"a\":\"", &much, &much]), Step::End(Stop::EndTurn)]);
    assert_eq!(said, "text({\"a\":\"! shape/too-large");
}

#[test]
fn a_value_of_any_type_may_be_asked_for() {
    for value in ["1.5e-3", "\"a ` \\\" {\"", "null", "[1, [2]]", "{}", "true"] {
        for text in [value.to_owned(), format!("```json\n{value}\n```")] {
            let form = schema(&json!({})).expect("a schema");
            let said = run(form, &[Step::Text(&[&text]), Step::End(Stop::EndTurn)]);
            assert_eq!(said, format!("text({value}) EndTurn"));
        }
    }
}

#[test]
fn what_is_said_before_a_call_is_the_models_own_affair() {
    let form = || asked(Format::Json, true).expect("a form");
    let steps = [Step::Text(&["Let me ", "look. {}"]), Step::Tool, Step::End(Stop::ToolUse)];
    assert_eq!(run(form(), &steps), "text(Let me look. {}) read({}) ToolUse");
    // But it is no answer.
    let steps = [Step::Text(&["Let me ", "look."]), Step::End(Stop::EndTurn)];
    assert_eq!(run(form(), &steps), "text(Let me look.) ! shape/around");
    let steps = [Step::Text(&["{} and ", "so on"]), Step::End(Stop::EndTurn)];
    assert_eq!(run(form(), &steps), "text({} and so on) ! shape/around");
}

#[test]
fn an_answer_that_was_cut_short_is_passed_on() {
    for stop in [Stop::MaxTokens, Stop::Refusal, Stop::WindowFull, Stop::Sequence("x".into())] {
        let form = asked(Format::Json, false).expect("a form");
        let expected = format!("text({{\"a\":) {stop:?}");
        assert_eq!(run(form, &[Step::Text(&["```json\n{\"a\":"]), Step::End(stop)]), expected);
    }
}

#[test]
fn thinking_is_untouched() {
    let form = asked(Format::Json, false).expect("a form");
    let steps =
        [Step::Thinking(" ```hm"), Step::Text(&["\n"]), Step::Text(&["{}"]), Step::End(Stop::EndTurn)];
    assert_eq!(run(form, &steps), "thinking( ```hm#) text({}) EndTurn");
}

#[test]
fn a_fault_names_the_rule_and_not_the_value() {
    let rules = json!({"type": "object", "required": ["name"], "additionalProperties": false,
        "properties": {"name": {"type": "string"}, "tags": {"type": "array", "items": {"enum": ["a", "b"]}}}});
    for (value, rule) in [
        ("{}", "/required"),
        ("[]", "/type"),
        (r#"{"name": 1}"#, "/properties/name/type"),
        (r#"{"name": "n", "tags": ["a", "secret"]}"#, "/properties/tags/items/enum"),
        (r#"{"name": "n", "secret": 1}"#, "/additionalProperties"),
    ] {
        let expected = format!(
            "The model's answer is not the JSON that was asked for: it does not fit the schema at {rule}. Send the request again."
        );
        assert_eq!(verdict(&rules, value).as_deref(), Some(expected.as_str()), "{value}");
    }
    assert_eq!(verdict(&rules, r#"{"name": "n", "tags": ["b", "a"]}"#), None);
}

/// Each keyword with a value that fits and one that does not.
#[test]
fn each_assertion_is_held() {
    let cases = [
        (json!({"type": "integer"}), "1.0", "1.5"),
        (json!({"type": ["string", "null"]}), "null", "0"),
        (json!({"const": {"a": [1]}}), r#"{"a": [1.0]}"#, r#"{"a": [2]}"#),
        (json!({"enum": [1, "x"]}), "\"x\"", "\"y\""),
        (json!({"minimum": 1, "exclusiveMaximum": 2}), "1", "2"),
        (json!({"maximum": 1, "exclusiveMinimum": 0}), "1", "0"),
        (json!({"multipleOf": 0.1}), "0.3", "0.35"),
        (json!({"minLength": 2, "maxLength": 3}), "\"äöü\"", "\"ä\""),
        (json!({"pattern": "^\\d{2}[\\w-]+$"}), "\"12a-b\"", "\"1ab\""),
        (json!({"pattern": "^(?!x).+"}), "\"ab\"", "\"xb\""),
        (json!({"pattern": r"^[^[\]&&~~]+\/\u00e9$"}), "\"a/é\"", "\"a&/é\""),
        // What zod writes for an address.
        (
            json!({"pattern": r"^(?!\.)(?!.*\.\.)([A-Za-z0-9_'+\-\.]*)[A-Za-z0-9_+-]@([A-Za-z0-9][A-Za-z0-9\-]*\.)+[A-Za-z]{2,}$"}),
            "\"a.b+c@example.com\"",
            "\"a..b@example.com\"",
        ),
        (json!({"minItems": 1, "maxItems": 2}), "[1]", "[1,2,3]"),
        (json!({"uniqueItems": true}), "[1, \"1\", [1]]", "[1, 1.0]"),
        (json!({"contains": {"type": "null"}}), "[1, null]", "[1]"),
        (
            json!({"prefixItems": [{"type": "string"}], "items": {"type": "null"}}),
            "[\"a\", null]",
            "[\"a\", 1]",
        ),
        (
            json!({"items": [{"type": "string"}], "additionalItems": {"type": "null"}}),
            "[\"a\", null]",
            "[\"a\", 1]",
        ),
        (json!({"minProperties": 1, "maxProperties": 1}), "{\"a\":1}", "{}"),
        (json!({"propertyNames": {"maxLength": 1}}), "{\"a\":1}", "{\"ab\":1}"),
        (
            json!({"patternProperties": {"^n": {"type": "null"}}, "additionalProperties": false}),
            r#"{"n1": null}"#,
            r#"{"m": null}"#,
        ),
        (json!({"patternProperties": {"^n": {"type": "null"}}}), r#"{"m": 1}"#, r#"{"n": 1}"#),
        (json!({"dependentRequired": {"a": ["b"]}}), r#"{"b": 1}"#, r#"{"a": 1}"#),
        (json!({"dependentSchemas": {"a": {"required": ["b"]}}}), "{}", r#"{"a": 1}"#),
        (json!({"allOf": [{"type": "number"}, {"minimum": 2}]}), "2", "1"),
        (json!({"anyOf": [{"type": "null"}, {"minimum": 2}]}), "null", "1"),
        (json!({"oneOf": [{"type": "number"}, {"const": 2}]}), "1", "2"),
        (json!({"not": {"type": "null"}}), "1", "null"),
        (json!({"if": {"type": "string"}, "then": {"minLength": 1}, "else": {"const": 1}}), "\"a\"", "2"),
        (
            json!({"$defs": {"node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}}},
                   "$ref": "#/$defs/node"}),
            r#"{"next": {"next": {}}}"#,
            r#"{"next": {"next": 1}}"#,
        ),
        (json!({"properties": {"a": false}}), "{}", r#"{"a": 1}"#),
        (json!({"format": "email", "title": "t"}), "\"not an address\"", "{"),
    ];
    for (rules, fits, breaks) in cases {
        assert_eq!(verdict(&rules, fits), None, "{rules} and {fits}");
        assert!(verdict(&rules, breaks).is_some(), "{rules} and {breaks}");
    }
}

#[test]
fn a_schema_that_cannot_be_held_is_refused_before_anything_is_sent() {
    for (rules, what) in [
        (json!({"type": "text"}), "/type: should be the name of a JSON type, or a list of them"),
        (
            json!({"properties": {"a": {"$ref": "http://localhost/schema"}}}),
            "/properties/a/$ref: should refer to a part of the schema itself, as in #/$defs/name",
        ),
        (
            json!({"anyOf": [{"$ref": "#/$defs/none"}]}),
            "/anyOf/0/$ref: should refer to a part of the schema itself, as in #/$defs/name",
        ),
        (json!({"required": "a"}), "/required: should be a list of strings"),
        (
            json!({"pattern": "("}),
            "/pattern: is not a regular expression that this gateway can read; leave it out",
        ),
        (json!({"pattern": "((a{1000}){1000}){1000}"}), "/pattern: is not a regular expression"),
        (json!({"multipleOf": 0}), "/multipleOf: should be greater than 0"),
        (json!({"minLength": -1}), "/minLength: should be a whole number of at least 0"),
        (json!({"items": 1}), "/items: should be a schema"),
        (
            json!({"unevaluatedProperties": false}),
            "/unevaluatedProperties: is not supported by this gateway; leave it out",
        ),
        // A part that only a reference leads to.
        (json!({"$ref": "#/hidden", "hidden": {"type": 1}}), "/type: should be the name"),
        (json!({"description": "x".repeat(300_000)}), "it is longer than 256 KiB; shorten it"),
    ] {
        let fault = schema(&rules).err().expect("refused");
        assert_eq!(fault.kind, qm_canon::Kind::Invalid);
        let expected = format!("The JSON Schema of the answer's format cannot be used: {what}");
        assert!(fault.message.starts_with(&expected), "{fault}");
    }
}

/// Small schemas that keep a validator without a bound busy for ever, or send it down without end.
#[test]
fn a_check_has_an_end() {
    let doubling: serde_json::Map<String, Value> = (0..64)
        .map(|index| {
            let next = json!({"$ref": format!("#/$defs/{}", index + 1)});
            (index.to_string(), json!({"allOf": [next, next]}))
        })
        .chain([("64".to_owned(), json!({"type": "integer"}))])
        .collect();
    let long = format!("\"{}!\"", "a".repeat(30_000));
    for (rules, value) in [
        (json!({"$defs": doubling, "$ref": "#/$defs/0"}), "1"),
        (json!({"$ref": "#"}), "1"),
        (json!({"anyOf": [{"$ref": "#"}, {"$ref": "#"}]}), "1"),
        (json!({"not": {"$ref": "#"}}), "1"),
        (json!({"pattern": "^(?=a)(a+)+\\1$"}), long.as_str()),
        (json!({"pattern": "^(?:(?!a*b).)*$"}), long.as_str()),
    ] {
        let said = verdict(&rules, value).expect("no good end");
        assert!(said.contains("takes too much work"), "{rules:.80}: {said}");
    }
    // What only reads on does not run away, however long the text.
    assert_eq!(verdict(&json!({"pattern": "^(?:a{1,3}|b)+!$"}), &long), None);
    // Many like things of which no two are the same.
    let many: Vec<u32> = (0..5_000).collect();
    assert!(verdict(&json!({"uniqueItems": true}), &json!(many).to_string()).is_some());
}

/// References in a chain as long as the schema may be are followed without going deep.
#[test]
fn a_long_chain_of_references_is_read() {
    let chain: serde_json::Map<String, Value> = (0..5_000)
        .map(|index| (format!("x{index}"), json!({"$ref": format!("#/x{}", index + 1)})))
        .chain([("x5000".to_owned(), json!(true)), ("$ref".to_owned(), json!("#/x0"))])
        .collect();
    assert!(verdict(&Value::Object(chain), "1").is_some_and(|said| said.contains("too much work")));
}

fn pieces(text: &str, cuts: &[usize]) -> Vec<String> {
    let mut at: Vec<usize> =
        cuts.iter().map(|cut| cut % (text.len() + 1)).filter(|&cut| text.is_char_boundary(cut)).collect();
    at.extend([0, text.len()]);
    at.sort_unstable();
    at.windows(2).map(|pair| text[pair[0]..pair[1]].to_owned()).collect()
}

/// Every single cut, and one character at a time, of texts that show all states.
#[test]
fn no_cut_shows() {
    let texts = [
        " \n```json \n{\"a\": [1, \"ö}\\\"`\"]}\n``` \n",
        "{\"a\": {}} and more",
        "``` {} `` `",
        "```json5```",
        "Sure: ```json\n{}\n```",
        "```[1, {}]```",
        "-1.5 ",
        "no, I will not",
        "\"str\\\\\"",
    ];
    for text in texts {
        for tools in [false, true] {
            let form = || asked(Format::Schema(raw("{}")), tools).expect("a form");
            let end = || Step::End(Stop::EndTurn);
            let whole = run(form(), &[Step::Text(&[text]), end()]);
            for (at, _) in text.char_indices() {
                let (one, two) = text.split_at(at);
                assert_eq!(run(form(), &[Step::Text(&[one, two]), end()]), whole, "{text} at {at}");
            }
            let single: Vec<String> = text.chars().map(String::from).collect();
            let single: Vec<&str> = single.iter().map(String::as_str).collect();
            assert_eq!(run(form(), &[Step::Text(&single), end()]), whole, "{text}");
        }
    }
}

proptest! {
    #[test]
    fn cuts_do_not_show(
        text in "[ \n]{0,2}(```(json|x)?\n?)?[{}\\[\\]\"\\\\a1ö,: `]{0,12}(```)?[ a]{0,2}",
        cuts in prop::collection::vec(0_usize..40, 0..6),
        tools: bool,
    ) {
        let form = || asked(Format::Schema(raw("{}")), tools).expect("a form");
        let whole = run(form(), &[Step::Text(&[&text]), Step::End(Stop::EndTurn)]);
        let pieces = pieces(&text, &cuts);
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        let cut = run(form(), &[Step::Text(&pieces), Step::End(Stop::EndTurn)]);
        prop_assert_eq!(whole, cut);
    }

    /// Whatever is asked for and whatever is answered, there is an end.
    #[test]
    fn any_schema_is_read_or_refused(rules in json_text(), value in json_text()) {
        if let Ok(Some(form)) = schema(&rules) {
            let _ = form.check(&value.to_string());
        }
    }
}

fn json_text() -> impl Strategy<Value = Value> {
    let words = ["type", "items", "properties", "anyOf", "not", "$ref", "enum", "required", "minimum", "a"];
    let word = proptest::sample::select(words.to_vec());
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3_i32..4).prop_map(Value::from),
        proptest::sample::select(vec!["string", "object", "#", "#/items", "a"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(word.clone(), inner, 0..4).prop_map(|fields| {
                Value::Object(fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
            }),
        ]
    })
}
