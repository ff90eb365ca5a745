//! What is refused at the door, in Anthropic's shape.

use qm_testkit::{House, Plan};
use serde_json::{Value, json};

use super::{ask, chats, house};

#[tokio::test]
async fn without_a_valid_key_nothing_is_served_but_health() {
    let mut house = house().await;
    house.client.headers.clear();
    for path in ["/v1/models", "/v1/models/claude-sonnet-4.5"] {
        assert_eq!(house.client.get(path).await.expect("an answer").status, 401, "{path}");
    }
    for path in ["/v1/messages", "/v1/messages/count_tokens"] {
        let answer = house.client.post(path, &ask("hi", true)).await.expect("an answer");
        assert_eq!((answer.status, &answer.json()["error"]["type"]), (401, &json!("authentication_error")));
        assert_eq!(answer.header("x-should-retry"), "false");
    }
    for path in ["/", "/healthz", "/livez", "/readyz", "/health"] {
        assert_eq!(house.client.get(path).await.expect("an answer").status, 200, "{path}");
    }
    assert!(chats(&house).is_empty());
}

#[tokio::test]
async fn a_key_is_taken_from_either_header_and_the_valid_one_counts() {
    let mut house = house().await;
    let bearer = ("authorization", format!("Bearer {}", qm_testkit::KEY));
    let wrong = ("x-api-key", "wrong".to_owned());
    for headers in [&[wrong, bearer.clone()][..], &[bearer][..]] {
        house.client.headers.clear();
        for (name, value) in headers {
            house.client.headers.insert(*name, value.parse().expect("ascii"));
        }
        assert_eq!(
            house.client.post("/v1/messages?beta=true", &ask("hi", false)).await.expect("an answer").status,
            200
        );
    }
}

#[tokio::test]
async fn what_is_not_there_says_so_in_json() {
    let house = house().await;
    for path in ["/v1/nothing", "/v2", "/v1/messages/batches"] {
        let answer = house.client.get(path).await.expect("an answer");
        assert_eq!(
            (answer.status, &answer.json()["error"]["type"]),
            (404, &json!("not_found_error")),
            "{path}"
        );
        assert!(answer.json()["error"]["message"].as_str().is_some_and(|message| message.contains(path)));
    }
    assert_eq!(house.client.get("/v1/messages").await.expect("an answer").status, 405);
}

#[tokio::test]
async fn everything_is_below_the_prefix_too() {
    let house = house().await;
    assert_eq!(
        house.client.post("/team/v1/messages", &ask("hi", false)).await.expect("an answer").status,
        200
    );
    assert_eq!(house.client.get("/team/healthz").await.expect("an answer").status, 200);
    assert_eq!(house.client.get("/team/v1/nothing").await.expect("an answer").status, 404);
    assert_eq!(house.client.get("/other/healthz").await.expect("an answer").status, 404);
}

#[tokio::test]
async fn a_body_above_the_limit_is_too_large() {
    let house = House::build(Plan { max_body: 1000, ..Plan::default() }).await.expect("a house");
    let answer = house.client.post("/v1/messages", &ask(&"x".repeat(1000), true)).await.expect("an answer");
    assert_eq!((answer.status, &answer.json()["error"]["type"]), (413, &json!("request_too_large")));
}

#[tokio::test]
async fn bad_requests_never_reach_the_upstream() {
    let house = house().await;
    let cases: [(Value, &str); 4] = [
        (json!([]), ""),
        (json!({"model": "claude-sonnet-4.5", "messages": []}), "max_tokens"),
        (json!({"max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}), "model"),
        (
            json!({"model": "claude-sonnet-4.5", "max_tokens": 5, "messages": [
                {"role": "user", "content": "hi"}, {"role": "assistant", "content": "well"}]}),
            "prefill",
        ),
    ];
    for (body, words) in cases {
        let answer = house.client.post("/v1/messages", &body).await.expect("an answer");
        assert_eq!(
            (answer.status, &answer.json()["error"]["type"]),
            (400, &json!("invalid_request_error")),
            "{body}"
        );
        assert!(answer.text().contains(words), "{body}: {}", answer.text());
    }
    assert!(chats(&house).is_empty());
}

#[tokio::test]
async fn a12_13_tokens_are_counted_without_the_upstream() {
    let house = house().await;
    let body = json!({"model": "claude-sonnet-4.5", "tools": [], "messages": [{"role": "user", "content": "How are you?"}]});
    let answer = house.client.post("/v1/messages/count_tokens", &body).await.expect("an answer");
    assert!(
        answer.json()["input_tokens"].as_u64().is_some_and(|tokens| (2..20).contains(&tokens)),
        "{}",
        answer.text()
    );
    assert!(chats(&house).is_empty());
}
