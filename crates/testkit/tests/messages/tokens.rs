//! Access tokens: fresh before they are needed, refreshed once however many wait.

use qm_simulator::RefreshFault;
use serde_json::json;

use super::{ask, chats, house};

fn refreshes(house: &qm_testkit::House) -> usize {
    house.simulator.requests().iter().filter(|call| call.operation == "CreateToken").count()
}

/// The statuses of as many requests, made at the same time.
async fn ask_at_once(house: &qm_testkit::House, count: usize) -> Vec<u16> {
    let body = ask("hi", false);
    let asks = (0..count).map(|_| {
        let (client, body) = (house.client.clone(), body.clone());
        async move { client.post("/v1/messages", &body).await.expect("an answer").status }
    });
    asks.collect::<tokio::task::JoinSet<_>>().join_all().await
}

#[tokio::test]
async fn fifty_callers_share_one_refresh() {
    let house = house().await;
    assert_eq!(ask_at_once(&house, 50).await, [200; 50]);
    assert_eq!((refreshes(&house), chats(&house).len()), (1, 50));
}

#[tokio::test]
async fn a_token_the_upstream_refuses_is_renewed_once() {
    let house = house().await;
    assert_eq!(ask_at_once(&house, 1).await, [200]);
    house.simulator.revoke();
    assert_eq!(ask_at_once(&house, 20).await, [200; 20]);
    assert_eq!(refreshes(&house), 2);
}

#[tokio::test]
async fn a_rotated_refresh_token_is_the_one_used_next() {
    let house = house().await;
    house.simulator.knobs().rotation = qm_simulator::Rotation::Each;
    for _ in 0..3 {
        assert_eq!(
            house.client.post("/v1/messages", &ask("hi", false)).await.expect("an answer").status,
            200
        );
        house.simulator.revoke();
    }
    assert_eq!(refreshes(&house), 3);
}

#[tokio::test]
async fn callers_who_wait_for_a_refresh_share_its_failure() {
    let house = house().await;
    house.simulator.knobs().refresh_fault = Some(RefreshFault::InvalidClient);
    assert_eq!(ask_at_once(&house, 20).await, [503; 20]);
    assert_eq!(refreshes(&house), 1);
}

#[tokio::test]
async fn a_dead_login_is_not_asked_again_and_the_client_is_told_what_to_do() {
    let house = house().await;
    house.simulator.knobs().refresh_fault = Some(RefreshFault::InvalidGrant);
    for _ in 0..3 {
        let answer = house.client.post("/v1/messages", &ask("hi", false)).await.expect("an answer");
        assert_eq!((answer.status, answer.header("x-should-retry")), (503, "false"), "{}", answer.text());
        let message = answer.json()["error"]["message"].as_str().expect("a message").to_owned();
        assert!(message.starts_with("Token refresh failed") && message.contains("operator"), "{message}");
    }
    assert_eq!(refreshes(&house), 1);
    assert!(chats(&house).is_empty());
}

#[tokio::test]
async fn a_login_service_in_trouble_is_tried_again() {
    let house = house().await;
    {
        let mut knobs = house.simulator.knobs();
        (knobs.refresh_fault, knobs.refresh_fault_times) = (Some(RefreshFault::Html), 1);
    }
    let answer = house.client.post("/v1/messages", &ask("hi", false)).await.expect("an answer");
    assert_eq!((answer.status, &answer.json()["type"]), (200, &json!("message")));
}
