//! Calls of earlier turns, whichever API they come in.

use std::borrow::Cow;
use std::collections::HashMap;

use qm_canon::Fault;
use qm_json::read;
use serde_json::value::RawValue;

use crate::field::Field;
use crate::path::Path;
use crate::{custom, id};

/// The calls of a conversation so far. Some models' ids are unique within an answer only (`call_0` again and again),
/// and clients bring such histories along: a repeated id is told apart by its number, the same for its result.
#[derive(Default)]
pub(crate) struct Calls<'a> {
    times: HashMap<Cow<'a, str>, u32>,
}

// === impl Calls ===

impl<'a> Calls<'a> {
    /// The upstream's id of a new call.
    pub(crate) fn call(&mut self, id: Cow<'a, str>) -> Cow<'a, str> {
        let id = id::inward(id);
        let times = self.times.entry(id.clone()).or_insert(0);
        *times += 1;
        numbered(id, *times)
    }

    /// The upstream's id of the call that a result answers: the latest of this id.
    pub(crate) fn result(&self, id: Cow<'a, str>) -> Cow<'a, str> {
        let id = id::inward(id);
        let times = self.times.get(&id).copied().unwrap_or(1);
        numbered(id, times)
    }
}

/// The arguments of a call: JSON text in a string, as `OpenAI` has it, or the object itself, as some clients do.
/// Text that is no JSON object, which a model may well have written, is kept under a key, since the upstream takes
/// nothing but objects.
pub(crate) fn arguments<'a>(
    value: Option<&'a RawValue>,
    path: &Path<'_>,
) -> Result<Cow<'a, RawValue>, Fault> {
    let Some(value) = value else { return empty() };
    if value.get().starts_with('{') {
        return Ok(Cow::Borrowed(value));
    }
    let Ok(Field::Is(text)) = read::from_str::<Field<Cow<'a, str>>>(value.get()) else {
        return Err(path.wrong_type("a string"));
    };
    if text.trim().is_empty() {
        return empty();
    }
    if text.trim_start().starts_with('{') {
        let parsed = match &text {
            Cow::Borrowed(text) => read::from_str::<&RawValue>(text).map(Cow::Borrowed),
            Cow::Owned(text) => read::from_str::<&RawValue>(text).map(|object| Cow::Owned(object.to_owned())),
        };
        if let Ok(object) = parsed {
            return Ok(object);
        }
    }
    custom::wrap(&text)
}

fn empty<'a>() -> Result<Cow<'a, RawValue>, Fault> {
    RawValue::from_string("{}".to_owned()).map(Cow::Owned).map_err(|_| Fault::internal("empty-input"))
}

fn numbered(id: Cow<'_, str>, times: u32) -> Cow<'_, str> {
    if times > 1 { format!("{id}-{times}").into() } else { id }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::Calls;
    use crate::path::Path;

    #[test]
    fn a_repeated_id_is_told_apart() {
        let mut calls = Calls::default();
        assert_eq!(calls.call("call_0".into()), "0");
        assert_eq!(calls.result("call_0".into()), "0");
        assert_eq!(calls.call("call_0".into()), "0-2");
        assert_eq!(calls.result("call_0".into()), "0-2");
        assert_eq!(calls.result("call_never".into()), "never");
    }

    #[test]
    fn arguments_become_an_object() {
        let cases = [
            (r#"{"a":1}"#, r#"{"a":1}"#),
            (r#""{\"a\": 1}""#, r#"{"a": 1}"#),
            (r#"" {} ""#, "{}"),
            (r#""""#, "{}"),
            (r#""{\"half""#, r#"{"input":"{\"half"}"#),
            (r#""[1]""#, r#"{"input":"[1]"}"#),
        ];
        for (sent, expect) in cases {
            let value: &RawValue = serde_json::from_str(sent).unwrap();
            let object = super::arguments(Some(value), &Path::Top("arguments")).unwrap();
            assert_eq!(object.get(), expect, "{sent}");
        }
        assert_eq!(super::arguments(None, &Path::Top("arguments")).unwrap().get(), "{}");
        let number: &RawValue = serde_json::from_str("1").unwrap();
        assert!(super::arguments(Some(number), &Path::Top("arguments")).is_err());
    }
}
