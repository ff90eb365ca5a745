//! `POST /v1/messages` from end to end: what a good answer looks like, streamed and whole.

use qm_simulator::{Script, Step};
use qm_testkit::sse::events;
use qm_testkit::{House, Plan};
use serde_json::{Value, json};

use super::fold::{fold, without_ids};
use super::{ask, chats, house};

#[tokio::test]
async fn a_stream_obeys_the_grammar_and_says_what_the_upstream_said() {
    let house = house().await;
    house.simulator.push(Script::say("Grüße aus dem Norden"));
    let answer = house.client.post("/v1/messages", &ask("hi", true)).await.expect("an answer");
    assert_eq!(answer.status, 200);
    assert!(answer.header("content-type").starts_with("text/event-stream"));
    assert!(answer.header("request-id").starts_with("req_"));
    assert_eq!(answer.header("request-id"), answer.header("x-request-id"));
    let events = events(answer.text());
    let names: Vec<&str> = events.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "message_start",
            "content_block_start",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop"
        ]
    );
    assert!(events.iter().all(|event| event.data["type"] == event.name.as_str()));
    assert_eq!(events[0].data["message"]["model"], "claude-sonnet-4-5");
    assert_eq!(events[2].data["delta"]["text"], "Grüße aus dem Norden");
    assert_eq!(events[4].data["delta"]["stop_reason"], "end_turn");
    assert!(events[4].data["usage"]["input_tokens"].as_u64() > Some(0));
}

#[tokio::test]
async fn whole_and_streamed_answers_are_the_same() {
    let house = house().await;
    for name in [
        "plain",
        "parallel-tools",
        "tool-one",
        "thinking",
        "max-tokens",
        "split",
        "odd-headers",
        "text-then-tool",
    ] {
        let script = Script::named(name).expect("is embedded");
        house.simulator.push(script.clone());
        house.simulator.push(script);
        let mut body = ask("hi", true);
        body["model"] = json!("claude-sonnet-5");
        body["thinking"] = json!({"type": "adaptive"});
        let streamed = house.client.post("/v1/messages", &body).await.expect("an answer");
        body["stream"] = json!(false);
        let whole = house.client.post("/v1/messages", &body).await.expect("an answer");
        assert_eq!((streamed.status, whole.status), (200, 200), "{name}: {}", whole.text());
        let (folded, whole) = (fold(&events(streamed.text())), whole.json());
        for field in ["content", "stop_reason", "stop_sequence", "role", "model"] {
            // Ids of calls that the script leaves open are made anew for each answer.
            assert_eq!(without_ids(&folded[field]), without_ids(&whole[field]), "{name}: {field}");
        }
    }
}

#[tokio::test]
async fn an_answer_is_not_streamed_unless_asked_for() {
    let house = house().await;
    let mut body = ask("hi", false);
    body.as_object_mut().expect("an object").remove("stream");
    let answer = house.client.post("/v1/messages", &body).await.expect("an answer");
    assert_eq!(answer.json()["type"], "message");
    assert_eq!(answer.header("content-type"), "application/json");
}

#[tokio::test]
async fn one_session_is_one_conversation_upstream() {
    let house = house().await;
    let mut body = ask("hi", false);
    for user in ["session-a", "session-a", "session-b"] {
        body["metadata"] = json!({"user_id": user});
        assert_eq!(house.client.post("/v1/messages", &body).await.expect("an answer").status, 200);
    }
    let ids: Vec<Value> =
        chats(&house).iter().map(|body| body["conversationState"]["conversationId"].clone()).collect();
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[0], ids[2]);
    assert!(!ids[0].as_str().expect("a string").contains("session"));
}

#[tokio::test]
async fn stop_sequences_end_the_answer_and_the_call() {
    let house = house().await;
    let say = |text: &str| Step::Say { text: text.to_owned(), chars: Some(3), pace_ms: 0 };
    house.simulator.push(Script(vec![say("one two STOP three"), Step::Stall]));
    let mut body = ask("hi", false);
    body["stop_sequences"] = json!(["STOP"]);
    let answer = house.client.post("/v1/messages", &body).await.expect("an answer").json();
    assert_eq!(answer["content"][0]["text"], "one two ");
    assert_eq!((&answer["stop_reason"], &answer["stop_sequence"]), (&json!("stop_sequence"), &json!("STOP")));
    house
        .simulator
        .wait_for(|calls| calls.iter().any(|call| call.outcome == qm_simulator::Outcome::ClientGone))
        .await;
}

#[tokio::test]
async fn every_surface_serves() {
    for surface in ["runtime", "runtime-ide", "q", "codewhisperer", "q-rest"] {
        let house = House::build(Plan { surface, ..Plan::default() }).await.expect("a house");
        let answer = house.client.post("/v1/messages", &ask("hi", false)).await.expect("an answer");
        assert_eq!(answer.status, 200, "{surface}: {}", answer.text());
        house.account.refresh_catalogue().await;
        assert!(house.simulator.requests().iter().all(|call| call.status < 400), "{surface}");
    }
}

#[tokio::test]
async fn models_are_listed_and_found_by_any_of_their_names() {
    let house = house().await;
    let list = house.client.get("/v1/models?limit=1000").await.expect("an answer").json();
    assert!(list["data"].as_array().expect("a list").iter().any(|model| model["id"] == "claude-sonnet-4.5"));
    for name in
        ["claude-sonnet-4.5", "claude-sonnet-4-5", "claude-sonnet-4-5-20250929", "Claude-Sonnet-4-5-latest"]
    {
        let model = house.client.get(&format!("/v1/models/{name}")).await.expect("an answer");
        assert_eq!((model.status, &model.json()["id"]), (200, &json!("claude-sonnet-4.5")), "{name}");
    }
    let unknown = house.client.get("/v1/models/claude-sonet-4.5").await.expect("an answer");
    assert_eq!(unknown.status, 404);
    assert!(unknown.text().contains("claude-sonnet-4.5"), "near matches are named: {}", unknown.text());
}
