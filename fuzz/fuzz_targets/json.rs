//! Our reader of JSON makes of any text what `serde_json` makes of it, or leaves it to `serde_json`.
#![no_main]

use std::fmt::Debug;

use libfuzzer_sys::fuzz_target;
use qm_json::field::{Field, Literal};
use qm_json::read;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

fuzz_target!(|text: &str| {
    // As it is, and as the inside of a string, where most of a request stands.
    for text in [text, &format!("\"{text}\""), &format!("{{\"key\":\"{text}\",\"{text}\":1}}")] {
        same(text, |value: Value| value);
        same(text, |value: &RawValue| value.get().to_owned());
        same(text, |Literal(literal)| match literal {
            Field::Absent => "absent".to_owned(),
            Field::Wrong => "wrong".to_owned(),
            Field::Is(text) => format!("is {}", text.decoded()),
        });
    }
});

/// Both read the same, as far as `seen` shows it.
fn same<'t, T: Deserialize<'t>, S: PartialEq + Debug>(text: &'t str, seen: impl Fn(T) -> S) {
    let ours = read::from_str::<T>(text).map(&seen).map_err(|error| error.to_string());
    let theirs = serde_json::from_str::<T>(text).map(&seen).map_err(|error| error.to_string());
    assert_eq!(ours, theirs);
}
