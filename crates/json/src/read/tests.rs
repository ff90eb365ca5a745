use std::borrow::Cow;

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Reader, Scan, from_str};
use crate::field::{Field, List, Literal};

/// What this reader alone makes of it, or nothing.
fn alone<'de, T: Deserialize<'de>>(text: &'de str) -> Option<T> {
    let mut reader = Reader { scan: Scan::new(text), depth: super::DEPTH };
    T::deserialize(&mut reader).ok().filter(|_| reader.scan.is_at_end())
}

/// Takes it if `serde_json` does, and makes the same of it; but where `may_pass`, it may leave it to `serde_json`.
fn agrees(text: &str, may_pass: bool) {
    let theirs = serde_json::from_str::<Value>(text).ok();
    let ours = alone::<Value>(text);
    assert!(ours == theirs || may_pass && ours.is_none(), "{text}: {ours:?}, should be {theirs:?}");
    let theirs = serde_json::from_str::<&RawValue>(text).ok().map(RawValue::get);
    let ours = alone::<&RawValue>(text).map(RawValue::get);
    assert!(ours == theirs || may_pass && ours.is_none(), "{text}: {ours:?}, should be {theirs:?}");
}

fn deep(levels: usize) -> String {
    format!("{}1{}", "[".repeat(levels), "]".repeat(levels))
}

#[test]
fn values_are_what_they_are_for_serde_json() {
    for text in [
        "null",
        " true ",
        "false\n",
        "0",
        "17",
        "-1",
        "-0",
        "1.5",
        "1e3",
        "1E-2",
        "-2.5e+10",
        "123456789012345678",
        "1234567890123456789",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775808",
        "1e400",
        r#""""#,
        r#""short""#,
        r#""é 北京 😀""#,
        r#""\" \\ \/ \b \f \n \r \t""#,
        r#""\u00e9 \ud83d\ude00""#,
        "[]",
        "[ ]",
        "{}",
        " { } ",
        r#"[1,"two",[3],{"four":4},null]"#,
        r#"{ "a" : [ 1 , 2 ] , "b" : { "c" : "d" } , "\u0065" : 5, "f\n": 6 }"#,
        r#"{"a":1,"a":2}"#,
    ] {
        agrees(text, false);
    }
}

#[test]
fn what_is_not_json_is_left_to_serde_json() {
    for text in [
        "",
        " ",
        "nul",
        "nulll",
        "truefalse",
        "tru",
        "falsy",
        "+1",
        "01",
        "-",
        "-01",
        "1.",
        ".5",
        "1e",
        "1e+",
        "0x1",
        "1 2",
        "\"",
        "\"a",
        "\"\\\"",
        "\"\\",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\ud800\"",
        "\"\n\"",
        "\"a\u{0}\"",
        "\0",
        "[",
        "]",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1}",
        "{",
        "}",
        "{]",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,",
        "{\"a\":1,}",
        "{,}",
        "{1:2}",
        "{\"a\" 1}",
        "{\"a\"::1}",
        "{\"a\":1 \"b\":2}",
        "[1],",
        "{}}",
        "'a'",
        "NaN",
        "\u{feff}1",
        "[1]\u{a0}",
        "{\"a\":\"\\q\"}",
        "[\"\\\"]",
        "[\"\\\\\\\"]",
    ] {
        agrees(text, false);
        let (ours, theirs) = (from_str::<Value>(text), serde_json::from_str::<Value>(text));
        assert_eq!(ours.map_err(|error| error.to_string()), theirs.map_err(|error| error.to_string()));
    }
}

#[test]
fn depth_is_bounded_as_in_serde_json() {
    for levels in [1, 126, 127, 128, 129, 300] {
        agrees(&deep(levels), levels > 127);
    }
}

/// What is looked at in blocks must not depend on where the blocks lie.
#[test]
fn strings_are_understood_wherever_an_escape_stands() {
    let pieces = [
        r"\n",
        r#"\""#,
        r"\t",
        r"\r",
        r"\\",
        r"\/",
        r"\b",
        r"\f",
        r"\u00e9",
        r"\ud83d\ude00",
        r#"\\\""#,
        r"\\\\",
        r"\\n",
        "é",
        "北",
        "x",
        "\u{7f}",
        r"\x",
        r"\u00g0",
        r"\u12",
        r"\",
        "\u{1f}",
        "\n",
        "\u{0}",
    ];
    for before in 0..70 {
        for piece in pieces {
            for after in [0, 1, 15, 16, 31, 32, 33, 50] {
                let text = format!("\"{}{piece}{}\"", "a".repeat(before), "b".repeat(after));
                agrees(&text, false);
                let text = format!("[\"{}{piece}{piece}{}\"]", "a".repeat(before), r"\n".repeat(after));
                agrees(&text, false);
            }
        }
    }
}

#[test]
fn fields_keep_their_strings_as_they_are_written() {
    fn seen(literal: Literal<'_>) -> Option<String> {
        match literal.0 {
            Field::Absent => Some("absent".to_owned()),
            Field::Wrong => None,
            Field::Is(text) => Some(text.decoded().into_owned()),
        }
    }
    for (text, expect) in [
        (r#""a\nb""#, Some("a\nb")),
        (r#""\ud800""#, Some("\u{fffd}")),
        (r#" "plain" "#, Some("plain")),
        ("null", Some("absent")),
        ("1", None),
        ("-1.5", None),
        ("true", None),
        ("[1]", None),
        (r#"{"a":"b"}"#, None),
        (r#"{"a":"\ud800"}"#, None),
    ] {
        let ours = alone::<Literal<'_>>(text).expect("is read");
        assert_eq!(seen(ours).as_deref(), expect, "{text}");
        let theirs = serde_json::from_str::<Literal<'_>>(text).expect("is read");
        assert_eq!(seen(theirs).as_deref(), expect, "{text}");
    }
}

#[test]
fn half_a_character_in_a_key_is_no_json_for_a_field() {
    let text = r#"{"\ud800":1}"#;
    assert!(alone::<Literal<'_>>(text).is_none());
    assert!(serde_json::from_str::<Literal<'_>>(text).is_err());
}

#[test]
fn strings_without_escapes_are_borrowed() {
    let Some(Field::Is(List(items))) = alone::<Field<List<Cow<'_, str>>>>(r#"["plain","esc\naped"]"#) else {
        panic!("a list");
    };
    let owned: Vec<bool> = items.iter().map(|item| matches!(item, Field::Is(Cow::Owned(_)))).collect();
    assert_eq!(owned, [false, true]);
}

proptest! {
    #[test]
    fn any_text_is_what_it_is_for_serde_json(text in r#"[\[\]{}:,"\\ntu0-9a-f .eE+-]{0,24}"#) {
        agrees(&text, false);
    }

    #[test]
    fn any_string_is_what_it_is_for_serde_json(inside in r#"([a-z ]{0,40}|\\["\\/bfnrtux"]|\\u[0-9a-fA-F]{0,4}|["\n]|é){0,12}"#) {
        agrees(&format!("\"{inside}\""), false);
    }

    #[test]
    fn any_value_survives(text in any::<String>(), numbers in prop::collection::vec(any::<f64>(), 0..8), whole in any::<i64>()) {
        let value = serde_json::json!({"text": text, "numbers": numbers, "whole": [whole], (text): null});
        agrees(&value.to_string(), false);
        agrees(&serde_json::to_string_pretty(&value).expect("is written"), false);
    }
}
