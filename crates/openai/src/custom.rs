//! Custom tools: tools that take text instead of JSON. The upstream knows only tools that take an object, so one is
//! offered with a single string property, and what the model writes there is the text.

use std::borrow::Cow;

use qm_canon::Fault;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The property that holds the text.
#[derive(Deserialize)]
struct Input<'a> {
    #[serde(borrow)]
    input: Cow<'a, str>,
}

/// The schema of every such tool.
const SCHEMA: &str = r#"{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}"#;

/// The schema of a custom tool as it is offered upstream.
pub(crate) fn schema() -> Result<Cow<'static, RawValue>, Fault> {
    raw(SCHEMA.to_owned())
}

/// The description of a custom tool: the client's own, and the grammar that its input must follow, which has no other
/// way to reach the model.
pub(crate) fn description<'a>(description: Cow<'a, str>, grammar: Option<(&str, &str)>) -> Cow<'a, str> {
    let Some((syntax, definition)) = grammar else { return description };
    let joint = if description.is_empty() { "" } else { "\n\n" };
    format!("{description}{joint}The input must match this {syntax} grammar:\n{definition}").into()
}

/// The arguments that stand for this text: what the model once wrote.
pub(crate) fn wrap(text: &str) -> Result<Cow<'static, RawValue>, Fault> {
    let mut out = bytes::BytesMut::with_capacity(text.len() + 16);
    out.extend_from_slice(b"{\"input\":");
    crate::json::string(&mut out, text);
    out.extend_from_slice(b"}");
    raw(String::from_utf8(out.into()).map_err(|_| Fault::internal("custom-input"))?)
}

/// The text that the model wrote, out of whole arguments. Arguments of another form are the text themselves: whatever
/// the model said, the client gets to see it.
pub(crate) fn unwrap(arguments: &str) -> Cow<'_, str> {
    serde_json::from_str::<Input<'_>>(arguments).map_or(Cow::Borrowed(arguments), |input| input.input)
}

fn raw(json: String) -> Result<Cow<'static, RawValue>, Fault> {
    RawValue::from_string(json).map(Cow::Owned).map_err(|_| Fault::internal("custom-tool"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_wrapped_comes_out_again(text in any::<String>()) {
            let wrapped = super::wrap(&text).unwrap();
            prop_assert_eq!(super::unwrap(wrapped.get()), text);
        }
    }

    #[test]
    fn arguments_of_another_form_are_shown_as_they_are() {
        for other in ["{}", r#"{"input":1}"#, "[]"] {
            assert_eq!(super::unwrap(other), other);
        }
    }

    #[test]
    fn the_schema_is_an_object() {
        assert!(super::schema().unwrap().get().starts_with('{'));
    }

    #[test]
    fn a_grammar_follows_the_description() {
        assert_eq!(super::description("Edits.".into(), None), "Edits.");
        assert_eq!(
            super::description("Edits.".into(), Some(("lark", "start: x"))),
            "Edits.\n\nThe input must match this lark grammar:\nstart: x"
        );
        assert!(super::description("".into(), Some(("regex", "a+"))).starts_with("The input"));
    }
}
