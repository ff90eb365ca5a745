//! The controls over HTTP and the record.

use std::time::Duration;

use qm_simulator::{Options, Outcome, Script, Step, start};
use serde_json::{Value, json};

use crate::client::{call, chat, hello, post, token};

#[tokio::test]
async fn scripts_knobs_and_records_are_reached_over_http() {
    let sim = start(Options::default()).await.unwrap();
    let token = token(&sim).await;
    let queued = post(&sim, "/_sim/script", &[], &json!([{ "say": { "text": "from afar" } }])).await;
    assert_eq!(queued.status, 200);
    assert_eq!(chat(&sim, &token, &hello("hi")).await.text(), "from afar");
    let queued = post(&sim, "/_sim/script", &[], &json!({ "name": "http-503", "times": 2 })).await;
    assert_eq!(queued.status, 200);
    for status in [503, 503, 200] {
        assert_eq!(chat(&sim, &token, &hello("hi")).await.status, status);
    }
    for (body, wrong) in [
        (json!({ "name": "nothing" }), "script"),
        (json!([{ "sing": {} }]), "script"),
        (json!({ "no_such": 1 }), "knobs"),
    ] {
        assert_eq!(post(&sim, &format!("/_sim/{wrong}"), &[], &body).await.status, 400, "{body}");
    }
    assert_eq!(post(&sim, "/_sim/knobs", &[], &json!({ "metering": false })).await.status, 200);
    assert!(!sim.knobs().metering && sim.knobs().metadata);

    let calls = call(&sim, "GET", "/_sim/requests", &[], b"").await.json();
    let calls = calls.as_array().unwrap();
    assert_eq!(calls.len(), 5, "a token call and four chat calls; controls are not recorded");
    assert_eq!(calls[0]["operation"], "CreateToken");
    assert_eq!(calls[0]["body"]["refreshToken"], "...oken");
    assert_eq!(calls[1]["outcome"], "finished");
    assert_eq!(calls[1]["body"], hello("hi"));
    let shown = calls[1]["headers"]["authorization"].as_str().unwrap();
    assert!(shown.len() == 7 && token.ends_with(shown.trim_start_matches('.')));

    assert_eq!(post(&sim, "/_sim/revoke", &[], &Value::Null).await.status, 200);
    assert_eq!(chat(&sim, &token, &hello("hi")).await.status, 403);
    assert_eq!(post(&sim, "/_sim/reset", &[], &Value::Null).await.status, 200);
    assert!(sim.requests().is_empty() && sim.knobs().metering);
    assert_eq!(call(&sim, "GET", "/_sim/nothing", &[], b"").await.status, 404);
}

#[tokio::test]
async fn a_refusal_is_recorded_with_its_reason() {
    let sim = start(Options::default()).await.unwrap();
    let token = token(&sim).await;
    let mut body = hello("hi");
    body["conversationState"]["currentMessage"]["userInputMessage"]["modelId"] = json!("gpt-2");
    assert_eq!(chat(&sim, &token, &body).await.status, 400);
    let calls = sim.requests();
    let call = calls.last().unwrap();
    assert_eq!((call.status, call.reason.as_deref()), (400, Some("INVALID_MODEL_ID")));
    assert_eq!(call.outcome, Outcome::Finished);
}

#[tokio::test]
async fn replies_are_played_in_the_order_pushed() {
    let sim = start(Options::default()).await.unwrap();
    let token = token(&sim).await;
    for word in ["one", "two", "three"] {
        sim.push(Script::say(word));
    }
    for word in ["one", "two", "three"] {
        assert_eq!(chat(&sim, &token, &hello("hi")).await.text(), word);
    }
    let own = chat(&sim, &token, &hello("What is all this about, then?")).await.text();
    assert!(own.contains("What is all this about, then?") && own.matches(". ").count() >= 3, "{own}");
}

#[tokio::test]
async fn what_is_no_http_is_refused_and_the_server_lives_on() {
    let sim = start(Options::default()).await.unwrap();
    assert_eq!(call(&sim, "GET /\0", "/", &[], b"").await.status, 400);
    let long = "x".repeat(70_000);
    assert_eq!(call(&sim, "GET", "/", &[("x-long", &long)], b"").await.status, 431);
    assert_eq!(post(&sim, "/_sim/reset", &[], &Value::Null).await.status, 200);
}

#[tokio::test]
async fn what_was_served_is_summed_up_by_how_it_ended() {
    let sim = start(Options::default()).await.unwrap();
    let token = token(&sim).await;
    sim.knobs().token_usage = true;
    let metered = || Step::Metering { credits: 0.25 };
    let said = || Step::Say { text: "well".to_owned(), chars: None, pace_ms: 0 };
    sim.push(Script(vec![said(), metered()]));
    sim.push(Script(vec![said(), metered(), Step::Drop]));
    sim.push(Script::refuse(500, "InternalServerException", "no", None));
    sim.push(Script(vec![said(), Step::EndClean]));
    for _ in 0..4 {
        chat(&sim, &token, &hello("hi")).await;
    }
    let over = sim.wait_for(|calls| calls.iter().all(|call| call.outcome != Outcome::Open));
    tokio::time::timeout(Duration::from_secs(5), over).await.unwrap();
    let told = call(&sim, "GET", "/_sim/served", &[], b"").await.json();
    let finished = &told["finished"];
    assert_eq!((&finished["answers"], &finished["credits_micro"]), (&json!(2), &json!(250_000)), "{told}");
    assert!(finished["input_tokens"].as_u64().unwrap() > 0 && finished["output_tokens"] == 2, "{told}");
    let cut = json!({ "answers": 1, "input_tokens": 0, "output_tokens": 0, "credits_micro": 250_000 });
    assert_eq!((&told["cut"], &told["client_gone"]["answers"]), (&cut, &json!(0)));
    assert_eq!(sim.served().finished.answers, 2);
    sim.reset();
    assert_eq!(sim.served().finished.answers, 0);
}
