//! Structured outputs through the whole house: the schema reaches the model, and only what fits it ends well.

use qm_simulator::{Script, Step};
use qm_testkit::House;
use qm_testkit::sse::events;
use serde_json::{Value, json};

use super::fold::fold;
use super::{ask, chats, house};

fn person() -> Value {
    json!({"type": "object", "additionalProperties": false, "required": ["name", "age"],
           "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 0}}})
}

fn ask_for(schema: &Value, stream: bool) -> Value {
    let mut body = ask("Who is it?", stream);
    body["output_config"] = json!({"format": {"type": "json_schema", "schema": schema}});
    body
}

/// What the client gets when the upstream says this.
async fn answer(house: &House, said: &[&str], stream: bool) -> (u16, String) {
    let steps =
        said.iter().map(|text| Step::Say { text: (*text).to_owned(), chars: None, pace_ms: 0 }).collect();
    house.simulator.push(Script(steps));
    let answer = house.client.post("/v1/messages", &ask_for(&person(), stream)).await.expect("an answer");
    (answer.status, answer.text().to_owned())
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).expect("is JSON")
}

#[tokio::test]
async fn a_value_that_fits_arrives_without_its_fence() {
    let house = house().await;
    let said = ["``", "`json\n{\"name\": \"Zoë\",", " \"age\": 7}\n``", "`\n"];
    let expected = json!([{"type": "text", "text": "{\"name\": \"Zoë\", \"age\": 7}"}]);
    let (status, whole) = answer(&house, &said, false).await;
    assert_eq!((status, &json_of(&whole)["content"]), (200, &expected));
    assert_eq!(json_of(&whole)["stop_reason"], "end_turn");
    let (_, streamed) = answer(&house, &said, true).await;
    let folded = fold(&events(&streamed));
    assert_eq!((&folded["content"], &folded["stop_reason"]), (&expected, &json!("end_turn")));
    let sent = chats(&house)[0].to_string();
    let block = format!(r#"<response_format type="json_schema">{}</response_format>"#, person());
    assert!(sent.contains(&Value::from(block).to_string().trim_matches('"').to_owned()), "{sent}");
}

#[tokio::test]
async fn a_value_that_does_not_fit_never_ends_well() {
    let house = house().await;
    let cases = [
        (
            ["{\"name\": \"private\"", ", \"age\": -1}"],
            "it does not fit the schema at /properties/age/minimum",
        ),
        (["{\"name\": ", "private}"], "it cannot be parsed at line 1 column 10"),
        (["Here it is:", "\n{}"], "there is other text around the value"),
    ];
    for (said, what) in cases {
        let message =
            format!("The model's answer is not the JSON that was asked for: {what}. Send the request again.");
        let (status, whole) = answer(&house, &said, false).await;
        let error = &json_of(&whole)["error"];
        assert_eq!((status, &error["type"]), (502, &json!("api_error")));
        assert_eq!(error["message"], message.as_str());
        let (_, streamed) = answer(&house, &said, true).await;
        let events = events(&streamed);
        assert!(events.iter().all(|event| event.name != "message_stop"), "{message}");
        let last = events.last().expect("an event");
        assert_eq!((last.name.as_str(), &last.data["error"]["message"]), ("error", &json!(message)));
    }
}

#[tokio::test]
async fn a_schema_that_cannot_be_held_is_refused_before_anything_is_sent() {
    let house = house().await;
    let body = ask_for(&json!({"$ref": "https://example.com/schema"}), true);
    let answer = house.client.post("/v1/messages", &body).await.expect("an answer");
    let error = &answer.json()["error"];
    assert_eq!((answer.status, &error["type"]), (400, &json!("invalid_request_error")));
    assert!(error["message"].as_str().is_some_and(|said| said.contains("/$ref")), "{error}");
    assert!(chats(&house).is_empty());
}

/// A turn with a tool and a form: what is said before the call is free, and the answer after it is held.
#[tokio::test]
async fn a_tool_may_be_called_on_the_way() {
    let house = house().await;
    let mut body = ask_for(&person(), false);
    body["messages"] = json!([{"role": "user", "content": "Read note.txt"}]);
    body["tools"] = json!([{"name": "read_file", "input_schema":
        {"type": "object", "properties": {"path": {"type": "string"}}}}]);
    let first = house.client.post("/v1/messages", &body).await.expect("an answer").json();
    assert_eq!((&first["stop_reason"], &first["content"][0]["type"]), (&json!("tool_use"), &json!("text")));
    let call = &first["content"][1];
    let turns = body["messages"].as_array_mut().expect("a list");
    turns.push(json!({"role": "assistant", "content": [call]}));
    turns.push(json!({"role": "user", "content":
        [{"type": "tool_result", "tool_use_id": call["id"], "content": "zebra"}]}));
    let second = house.client.post("/v1/messages", &body).await.expect("an answer").json();
    assert_eq!(second["stop_reason"], "end_turn", "{second}");
    let text = second["content"][0]["text"].as_str().expect("a text");
    assert_eq!(json_of(text), json!({"name": "zebra", "age": 0}));
}
