//! What the client sees when the upstream fails: before the first event a status, after it an error event, and never
//! a good end.

use std::time::Duration;

use qm_relay::{Deadlines, Outcome};
use qm_simulator::Script;
use qm_testkit::sse::events;
use qm_testkit::{House, Plan};
use serde_json::json;

use super::{ask, chats, house};

fn script(name: &str) -> Script {
    Script::named(name).expect("is embedded")
}

#[tokio::test]
async fn a_failure_before_the_first_event_has_its_status() {
    // (script, times it plays, status, error type)
    let cases = [
        ("http-400", 1, 400, "invalid_request_error"),
        ("too-long", 1, 400, "invalid_request_error"),
        ("http-429", 1, 429, "rate_limit_error"),
        ("json-200", 1, 429, "rate_limit_error"),
        ("quota", 1, 429, "rate_limit_error"),
        ("capacity", 1, 529, "overloaded_error"),
        ("suspended", 1, 503, "api_error"),
        ("exception", 0, 200, ""),
    ];
    // No time for the pause that some of them ask for, so that none is tried again.
    let deadlines = Deadlines { first_event: Duration::from_secs(1), ..Deadlines::default() };
    for (name, times, status, kind) in cases {
        let house = House::build(Plan { deadlines, ..Plan::default() }).await.expect("a house");
        for _ in 0..times {
            house.simulator.push(script(name));
        }
        let answer = house.client.post("/v1/messages", &ask("hi", true)).await.expect("an answer");
        assert_eq!(answer.status, status, "{name}: {}", answer.text());
        if times > 0 {
            let body = answer.json();
            assert_eq!((&body["type"], &body["error"]["type"]), (&json!("error"), &json!(kind)), "{name}");
            assert_eq!(body["request_id"], answer.header("request-id"), "{name}");
            assert_eq!(chats(&house).len(), times, "{name}");
        }
    }
}

#[tokio::test]
async fn an_overlong_conversation_gets_the_words_that_make_clients_compact() {
    let house = house().await;
    house.simulator.push(script("too-long"));
    let answer = house.client.post("/v1/messages", &ask("hi", true)).await.expect("an answer");
    let message = answer.json()["error"]["message"].as_str().expect("a message").to_owned();
    assert_eq!(
        (answer.status, message.as_str()),
        (400, "prompt is too long: 200001 tokens > 200000 maximum")
    );
    assert_eq!(chats(&house).len(), 1, "an overlong prompt must not be sent again");
}

#[tokio::test]
async fn passing_failures_before_the_first_event_are_not_seen() {
    for name in ["http-500", "http-503", "rst", "html"] {
        let house = house().await;
        house.simulator.push(script(name));
        house.simulator.push(Script::say("here it is"));
        let answer = house.client.post("/v1/messages", &ask("hi", false)).await.expect("an answer");
        assert_eq!(
            (answer.status, &answer.json()["content"][0]["text"]),
            (200, &json!("here it is")),
            "{name}"
        );
        assert_eq!(house.receipts.wait_for(1).await[0].attempts, 2, "{name}");
    }
}

#[tokio::test]
async fn a_broken_stream_never_looks_like_a_good_end() {
    for name in [
        "cut",
        "drop",
        "reset",
        "bad-crc",
        "end-clean",
        "exception",
        "error-frame",
        "tool-truncated",
        "tool-cut",
    ] {
        let house = house().await;
        house.simulator.push(script(name));
        let answer = house.client.post("/v1/messages", &ask("hi", true)).await.expect("an answer");
        assert_eq!(answer.status, 200, "{name}");
        let events = events(answer.text());
        let last = events.last().expect("events");
        assert_eq!(
            (last.name.as_str(), &last.data["type"]),
            ("error", &json!("error")),
            "{name}: {}",
            answer.text()
        );
        assert!(
            events.iter().all(|event| event.name != "message_stop" && event.name != "message_delta"),
            "{name}"
        );
        let receipt = house.receipts.wait_for(1).await.remove(0);
        assert!(matches!(receipt.outcome, Outcome::Failed(..)), "{name}");

        house.simulator.push(script(name));
        let whole = house.client.post("/v1/messages", &ask("hi", false)).await.expect("an answer");
        assert!(whole.status >= 500, "{name}: {}", whole.text());
        assert_eq!(whole.json()["type"], "error", "{name}");
    }
}

#[tokio::test]
async fn silence_in_an_answer_ends_it_after_signs_of_life() {
    let deadlines = Deadlines {
        ping: Duration::from_millis(20),
        idle: Duration::from_millis(150),
        ..Deadlines::default()
    };
    let house = House::build(Plan { deadlines, ..Plan::default() }).await.expect("a house");
    house.simulator.push(script("stall"));
    let answer = house.client.post("/v1/messages", &ask("hi", true)).await.expect("an answer");
    let events = events(answer.text());
    assert!(events.iter().any(|event| event.name == "ping" && event.data["type"] == "ping"));
    assert_eq!(events.last().map(|event| event.name.as_str()), Some("error"));
}

#[tokio::test]
async fn silence_before_an_answer_is_a_timeout() {
    let deadlines = Deadlines { first_event: Duration::from_millis(100), ..Deadlines::default() };
    let house = House::build(Plan { deadlines, ..Plan::default() }).await.expect("a house");
    house.simulator.push(script("stall-headers"));
    let answer = house.client.post("/v1/messages", &ask("hi", true)).await.expect("an answer");
    assert_eq!((answer.status, &answer.json()["error"]["type"]), (504, &json!("timeout_error")));
    house
        .simulator
        .wait_for(|calls| calls.iter().any(|call| call.outcome == qm_simulator::Outcome::ClientGone))
        .await;
}

#[tokio::test]
async fn refused_model_fields_are_left_out_and_remembered() {
    let house = house().await;
    let refusal = "additionalModelRequestFields is not supported for this model";
    house.simulator.push(Script::refuse(400, "ValidationException", refusal, None));
    let mut body = ask("hi", false);
    body["model"] = json!("claude-sonnet-5");
    body["thinking"] = json!({"type": "adaptive"});
    for _ in 0..2 {
        assert_eq!(house.client.post("/v1/messages", &body).await.expect("an answer").status, 200);
    }
    let with_fields: Vec<bool> =
        chats(&house).iter().map(|body| body.get("additionalModelRequestFields").is_some()).collect();
    assert_eq!(with_fields, [true, false, false]);
}

#[tokio::test]
async fn a_refused_seal_is_left_out() {
    let house = house().await;
    house.simulator.push(Script::refuse(
        400,
        "ValidationException",
        "Invalid signature",
        Some("THINKING_SIGNATURE_INVALID"),
    ));
    let mut body = ask("hi", false);
    body["model"] = json!("claude-sonnet-5");
    body["messages"] = json!([
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm", "signature": "c2VhbA=="}, {"type": "text", "text": "yes"}]},
        {"role": "user", "content": "go on"}]);
    assert_eq!(house.client.post("/v1/messages", &body).await.expect("an answer").status, 200);
    let sealed: Vec<bool> = chats(&house).iter().map(|body| body.to_string().contains("c2VhbA==")).collect();
    assert_eq!(sealed, [true, false]);
}
