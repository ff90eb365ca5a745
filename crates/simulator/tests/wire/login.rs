//! The login services: refresh, expiry, browsers, and their faults.

use std::collections::HashSet;
use std::time::Duration;

use qm_simulator::{AccountState, Behaviour, Options, RefreshFault, Rotation, start};
use serde_json::{Value, json};

use crate::client::{call, chat, hello, post, refresh, refresh_as, token};

#[tokio::test]
async fn a_refresh_gives_a_token_that_works_until_revoked() {
    let sim = start(Options::default()).await.unwrap();
    let token = token(&sim).await;
    assert_eq!(chat(&sim, &token, &hello("hi")).await.status, 200);
    sim.revoke();
    let refused = chat(&sim, &token, &hello("hi")).await;
    assert_eq!(refused.status, 403);
    assert_eq!(refused.json()["message"], "The bearer token included in the request is invalid.");
    assert_eq!(refused.json()["reason"], Value::Null);
}

#[tokio::test]
async fn an_access_token_expires() {
    let sim = start(Options::default()).await.unwrap();
    sim.knobs().expires_in_s = 0;
    let token = token(&sim).await;
    assert_eq!(chat(&sim, &token, &hello("hi")).await.status, 403);
}

#[tokio::test]
async fn a_wrong_client_and_a_wrong_token_are_told_apart() {
    let sim = start(Options::default()).await.unwrap();
    let body = json!({ "clientId": "x", "clientSecret": "y", "grantType": "refresh_token",
        "refreshToken": "sim-refresh-token" });
    let reply = post(&sim, "/oidc/token", &[], &body).await;
    assert_eq!((reply.status, reply.json()["error"].clone()), (401, json!("invalid_client")));
    let reply = refresh(&sim, "another").await;
    assert_eq!((reply.status, reply.json()["error"].clone()), (400, json!("invalid_grant")));
    assert_eq!(reply.header("x-amzn-errortype"), Some("InvalidGrantException"));
}

#[tokio::test]
async fn every_refresh_is_taken_where_that_is_wished() {
    let sim = start(Options::default()).await.unwrap();
    sim.knobs().any_refresh = true;
    let made_up = || ("a client".to_owned(), "of nobody".to_owned());
    let tokens = ["made up", "made up too", "made up", "sim-refresh-token"];
    let mut given = HashSet::new();
    for token in tokens {
        let reply = refresh_as(&sim, &made_up(), token).await;
        assert_eq!(reply.status, 200, "{token}");
        given.insert(reply.json()["accessToken"].as_str().unwrap().to_owned());
    }
    assert_eq!(given.len(), tokens.len());
    for token in &given {
        assert_eq!(chat(&sim, token, &hello("hi")).await.status, 200);
    }
    let counts = [0, 1, 2].map(|account| sim.counts(account).unwrap().refreshed);
    assert_eq!(counts, [1, 2, 1], "one token is one account");
    assert_eq!(post(&sim, "/refreshToken", &[], &json!({ "refreshToken": "social" })).await.status, 200);
    let form = "grant_type=refresh_token&client_id=c&refresh_token=external";
    let form_type = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(call(&sim, "POST", "/oauth2/v2.0/token", &form_type, form.as_bytes()).await.status, 200);
}

#[tokio::test]
async fn a_token_that_was_replaced_lives_on_where_every_refresh_is_taken_unless_it_is_revoked() {
    let sim = start(Options::default()).await.unwrap();
    {
        let mut knobs = sim.knobs();
        (knobs.any_refresh, knobs.rotation) = (true, Rotation::Each);
    }
    for _ in 0..2 {
        assert_eq!(refresh(&sim, "sim-refresh-token").await.status, 200);
    }
    assert_eq!(refresh(&sim, "").await.status, 400, "none at all is no login");
    sim.set_behaviour(0, Behaviour::of(AccountState::Revoked)).unwrap();
    assert_eq!(refresh(&sim, "sim-refresh-token").await.status, 400);
    sim.knobs().any_refresh = false;
    assert_eq!(refresh(&sim, "another").await.status, 400);
}

#[tokio::test]
async fn refresh_faults_hold_for_as_long_as_asked() {
    let sim = start(Options::default()).await.unwrap();
    let cases = [
        (RefreshFault::TooManyRequests, 429),
        (RefreshFault::ServerError, 500),
        (RefreshFault::Html, 502),
        (RefreshFault::InvalidClient, 401),
        (RefreshFault::SlowDown, 400),
        (RefreshFault::InvalidGrant, 400),
        (RefreshFault::InvalidRequest, 400),
        (RefreshFault::Cut, 0),
    ];
    for (fault, status) in cases {
        {
            let mut knobs = sim.knobs();
            knobs.refresh_fault = Some(fault);
            knobs.refresh_fault_times = 2;
        }
        let told = [(); 3].map(|()| refresh(&sim, "sim-refresh-token"));
        let mut statuses = Vec::new();
        for reply in told {
            statuses.push(reply.await.status);
        }
        assert_eq!(statuses, [status, status, 200], "{fault:?}");
    }
}

#[tokio::test]
async fn the_social_service_refreshes_and_takes_codes() {
    let sim = start(Options::default()).await.unwrap();
    let reply =
        post(&sim, "/refreshToken", &[], &json!({ "refreshToken": "sim-refresh-token" })).await.json();
    assert!(reply["profileArn"].as_str().unwrap().starts_with("arn:aws:codewhisperer:"));
    assert_eq!(chat(&sim, reply["accessToken"].as_str().unwrap(), &hello("hi")).await.status, 200);
    let body = json!({ "code": "c", "code_verifier": "v", "redirect_uri": "http://127.0.0.1/cb" });
    assert!(post(&sim, "/oauth/token", &[], &body).await.json()["accessToken"].is_string());
}

#[tokio::test]
async fn the_browser_flow_redirects_with_a_code() {
    let sim = start(Options::default()).await.unwrap();
    let path =
        "/authorize?response_type=code&client_id=c&redirect_uri=http%3A%2F%2F127.0.0.1%3A9%2Fcb&state=s1";
    let reply = call(&sim, "GET", path, &[], b"").await;
    assert_eq!(reply.status, 302);
    assert_eq!(reply.header("location"), Some("http://127.0.0.1:9/cb?code=sim-code&state=s1"));
}

#[tokio::test]
async fn a_refresh_can_be_held_up() {
    let sim = start(Options::default()).await.unwrap();
    sim.knobs().refresh_fault = Some(RefreshFault::Stall);
    let waiting = refresh(&sim, "sim-refresh-token");
    assert!(tokio::time::timeout(Duration::from_millis(100), waiting).await.is_err());
    let left =
        sim.wait_for(|calls| calls.iter().any(|call| call.outcome == qm_simulator::Outcome::ClientGone));
    tokio::time::timeout(Duration::from_secs(10), left).await.unwrap();
}
