//! A tool's schema, whatever it is, is refused or sent as JSON with an object at its root.
#![no_main]

use std::borrow::Cow;

use libfuzzer_sys::fuzz_target;
use qm_canon::{Conversation, Draft, Part, Role, Tool, Turn};
use quartermaster_fuzz::models;
use serde_json::Value;
use serde_json::value::RawValue;

fuzz_target!(|text: &str| {
    let Ok(schema) = serde_json::from_str::<&RawValue>(text) else { return };
    if !schema.get().starts_with('{') {
        return;
    }
    let tool = Tool {
        name: Cow::Borrowed("tool"),
        description: Cow::Borrowed("A tool."),
        schema: Cow::Borrowed(schema),
    };
    let turn = Turn { role: Role::User, parts: vec![Part::Text("hello".into())] };
    let draft = Draft { tools: vec![tool], turns: vec![turn], ..Draft::default() };
    let Ok(conversation) = Conversation::new(draft) else { return };
    for profile in models::profiles().into_iter().take(1) {
        let Ok((body, _)) = qm_amazonq::encode(&conversation, &profile) else { return };
        models::json(&body);
        // Numbers beyond any float are JSON, but not for this reader.
        let Ok(body) = serde_json::from_slice::<Value>(&body) else { return };
        let path = "/conversationState/currentMessage/userInputMessage/userInputMessageContext/tools/0/toolSpecification/inputSchema/json";
        let schema = body.pointer(path).expect("the tool is sent");
        assert_eq!(schema["type"], "object");
        for union in ["oneOf", "anyOf", "allOf"] {
            assert!(schema.get(union).is_none(), "{union} at the root");
        }
        assert!(schema.get("properties").is_none_or(Value::is_object));
    }
});
