use std::fmt::Write as _;

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use super::*;

#[track_caller]
fn check(schema: &str, expected: &str) -> Properties {
    let mut out = String::from("before ");
    let properties = write(schema, &mut out).expect("a schema that can be written");
    assert_eq!(out, format!("before {expected}"));
    serde_json::from_str::<serde_json::Value>(expected).expect("the expectation is JSON");
    properties
}

fn nested(depth: usize) -> String {
    format!("{}{{}}{}", r#"{"items":"#.repeat(depth), "}".repeat(depth))
}

#[test]
fn what_is_fine_is_copied_as_it_is() {
    for fine in [
        r#"{"type":"object"}"#,
        r#"{ "type" : "object", "properties" : { "path" : { "type" : "string" } }, "required" : ["path"] }"#,
        r##"{"type":"object","properties":{"a":{"$ref":"#/$defs/A"}},"$defs":{"A":{"anyOf":[{"type":"null"},{"not":{}}]}}}"##,
        r#"{"type":"object","additionalProperties":false,"description":"a \"quoted\" } ] { [ text \\"}"#,
    ] {
        assert!(check(fine, fine).is_empty());
    }
}

#[test]
fn the_root_becomes_an_object() {
    check("{}", r#"{"type":"object"}"#);
    check(r#"{"properties":{}}"#, r#"{"properties":{},"type":"object"}"#);
    check(r#"{"type":["object","null"],"title":"x"}"#, r#"{"type":"object","title":"x"}"#);
    check(r#"{"title":"x","type":"string"}"#, r#"{"title":"x","type":"object"}"#);
    check("null", r#"{"type":"object"}"#);
    check("true", r#"{"type":"object"}"#);
}

#[test]
fn doubtful_keywords_are_cut_at_every_place_in_a_list_of_members() {
    check(r#"{"$schema":"x","type":"object"}"#, r#"{"type":"object"}"#);
    check(r#"{"type":"object","$id":"x"}"#, r#"{"type":"object"}"#);
    check(r#"{"$schema":"x","$id":{"a":[1]},"type":"object"}"#, r#"{"type":"object"}"#);
    check(r#"{"type":"object","minimum":1,"title":"t","maximum":2}"#, r#"{"type":"object","title":"t"}"#);
    check(
        r#"{"type":"object","properties":{"a":{"pattern":"^,}$","type":"string","format":"uri"},"b":{"default":[{}]}}}"#,
        r#"{"type":"object","properties":{"a":{"type":"string"},"b":{}}}"#,
    );
    check(
        r#"{"type":"object","if":{},"then":{},"else":{},"propertyNames":{},"contentEncoding":"base64"}"#,
        r#"{"type":"object"}"#,
    );
    check(r#"{"type":"object","\u0024schema":"x"}"#, r#"{"type":"object"}"#);
}

#[test]
fn names_of_properties_and_values_are_not_keywords() {
    for fine in [
        r#"{"type":"object","properties":{"pattern":{"type":"string"},"format":{},"required":{}}}"#,
        r#"{"type":"object","properties":{"a":{"properties":{"$schema":{},"a b":{}}}}}"#,
        r#"{"type":"object","properties":{"a":{"enum":[{"pattern":1},"format"]},"b":{"const":{"default":1}}}}"#,
        r#"{"type":"object","examples":[{"minimum":1}],"$defs":{"default":{}},"patternProperties":{"if":{}}}"#,
    ] {
        check(fine, fine);
    }
}

#[test]
fn misshapen_members_are_cut() {
    check(r#"{"type":"object","properties":null,"required":null}"#, r#"{"type":"object"}"#);
    check(r#"{"type":"object","required":[],"additionalProperties":null}"#, r#"{"type":"object"}"#);
    check(
        r#"{"type":"object","properties":{"a":{"required":true}}}"#,
        r#"{"type":"object","properties":{"a":{}}}"#,
    );
    check(
        r#"{"type":"object","properties":{"a":{}},"required":["a",null,1]}"#,
        r#"{"type":"object","properties":{"a":{}},"required":["a"]}"#,
    );
    check(
        r#"{"type":"object","additionalProperties":{"format":"x"}}"#,
        r#"{"type":"object","additionalProperties":{}}"#,
    );
}

#[test]
fn a_union_at_the_root_is_united_and_requires_what_all_require() {
    check(
        r#"{"oneOf":[
            {"type":"object","properties":{"kind":{"const":"a"},"x":{"minimum":1}},"required":["kind","x"]},
            {"type":"object","properties":{"kind":{"const":"b"},"y":{}},"required":["kind","y"]}]}"#,
        r#"{"type":"object","properties":{"kind":{"anyOf":[{"const":"a"},{"const":"b"}]},"x":{},"y":{}},"required":["kind"]}"#,
    );
}

#[test]
fn an_all_of_at_the_root_is_united_and_requires_what_any_requires() {
    check(
        r##"{"description":"d","allOf":[{"$ref":"#/definitions/Base"},{"properties":{"x":{}},"required":["x"]}],
            "definitions":{"Base":{"properties":{"id":{"type":"string"}},"required":["id"]}},
            "properties":{"own":{}},"required":["own"]}"##,
        concat!(
            r#"{"type":"object","description":"d","#,
            r#""definitions":{"Base":{"properties":{"id":{"type":"string"}},"required":["id"]}},"#,
            r#""properties":{"id":{"type":"string"},"x":{},"own":{}},"required":["id","x","own"]}"#
        ),
    );
}

#[test]
fn a_root_that_is_a_reference_is_resolved() {
    check(
        r##"{"$ref":"#/$defs/Args","$defs":{"Args":{"type":"object","properties":{"q":{}},"required":["q"]}}}"##,
        concat!(
            r#"{"type":"object","$defs":{"Args":{"type":"object","properties":{"q":{}},"required":["q"]}},"#,
            r#""properties":{"q":{}},"required":["q"]}"#
        ),
    );
}

#[test]
fn root_properties_are_renamed_and_inputs_follow() {
    let schema = r#"{"type":"object","properties":{"plain":{},"a b":{"properties":{"c d":{}}},"":{}},"required":["a b"]}"#;
    let mut out = String::new();
    let properties = write(schema, &mut out).unwrap();
    let [(empty, _), (ours, theirs)] = &properties[..] else { panic!("two are renamed: {properties:?}") };
    assert_eq!(theirs, "a b");
    assert!(crate::names::is_property(ours) && ours.starts_with("a_b_"), "{ours}");
    assert_eq!(
        out,
        format!(
            r#"{{"type":"object","properties":{{"plain":{{}},"{ours}":{{"properties":{{"c d":{{}}}}}},"{empty}":{{}}}},"required":["{ours}"]}}"#
        )
    );
    let mut input = String::new();
    write_input(r#"{ "a b" : {"a b":1}, "plain":[2] , "other": "x" }"#, &properties, &mut input).unwrap();
    assert_eq!(input, format!(r#"{{"{ours}":{{"a b":1}},"plain":[2],"other":"x"}}"#));
}

#[test]
fn depth_and_references_are_bounded() {
    let mut out = String::new();
    assert_eq!(write(&nested(100), &mut out), Ok(Vec::new()));
    for deep in [
        nested(200),
        format!(r#"{{"enum":[{}{}]}}"#, "[".repeat(100_000), "]".repeat(100_000)),
        format!(r#"{{"allOf":[{}]}}"#, nested(200)),
    ] {
        assert_eq!(write(&deep, &mut out), Err(Trouble::TooDeep));
    }
    let cycle = r##"{"$ref":"#/$defs/A","$defs":{"A":{"$ref":"#/$defs/A"}}}"##;
    assert!(matches!(write(cycle, &mut out), Err(Trouble::TooDeep | Trouble::TooWide)));
    // Each definition names the next one twice: 2^60 variants if all were followed.
    let mut bomb = String::from(r##"{"$ref":"#/$defs/d0","$defs":{"d60":{}"##);
    for index in 0..60 {
        let next = index + 1;
        let reference = format!(r##"{{"$ref":"#/$defs/d{next}"}}"##);
        write!(bomb, r#","d{index}":{{"anyOf":[{reference},{reference}]}}"#).unwrap();
    }
    bomb.push_str("}}");
    assert_eq!(write(&bomb, &mut out), Err(Trouble::TooWide));
}

/// Any JSON made of the words that schemas are made of, in any place.
fn any_schema() -> impl Strategy<Value = Value> {
    const KEYS: [&str; 16] = [
        "type",
        "properties",
        "required",
        "anyOf",
        "allOf",
        "$ref",
        "$defs",
        "items",
        "additionalProperties",
        "format",
        "default",
        "enum",
        "A",
        "a b",
        "if",
        "\u{e9}\"",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        select(vec!["object", "A", "a b", "#/$defs/A", "\"\\,}"]).prop_map(Value::from),
    ];
    let any = leaf.prop_recursive(5, 48, 6, |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            4 => prop::collection::hash_map(select(&KEYS[..]), inner, 0..6).prop_map(|members| {
                members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Value>()
            }),
        ]
    });
    any.prop_filter("a root is an object", Value::is_object)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_written_is_json_and_fine_as_it_is(schema in any_schema(), spaced in any::<bool>()) {
        let schema = if spaced { format!("{schema:#}") } else { schema.to_string() };
        let (mut once, mut twice) = (String::new(), String::new());
        if let Err(trouble) = write(&schema, &mut once) {
            prop_assert!(matches!(trouble, Trouble::TooDeep | Trouble::TooWide), "{trouble:?}");
            return Ok(());
        }
        let read: Value = serde_json::from_str(&once).expect("JSON");
        prop_assert_eq!(&read["type"], "object");
        prop_assert_eq!(write(&once, &mut twice), Ok(Vec::new()));
        prop_assert_eq!(twice, once);
    }
}
