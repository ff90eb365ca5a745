//! The login services: refresh, rotation, expiry, device flows and their faults.

use std::time::Duration;

use qm_simulator::{DeviceEnd, Options, RefreshFault, Simulator, start};
use serde_json::{Value, json};

use crate::client::{Reply, call, chat, hello, post, refresh, token};

async fn register(sim: &Simulator) -> (Value, Value) {
    let body =
        json!({ "clientName": "Test", "clientType": "public", "scopes": ["codewhisperer:completions"] });
    let reply = post(sim, "/client/register", &[], &body).await;
    assert_eq!(reply.status, 200);
    let body = reply.json();
    assert!(body["clientSecretExpiresAt"].as_u64() > body["clientIdIssuedAt"].as_u64());
    (body["clientId"].clone(), body["clientSecret"].clone())
}

async fn poll(sim: &Simulator, client: &(Value, Value), code: &Value) -> Reply {
    let body = json!({ "clientId": client.0, "clientSecret": client.1, "deviceCode": code,
        "grantType": "urn:ietf:params:oauth:grant-type:device_code" });
    post(sim, "/token", &[], &body).await
}

async fn device(sim: &Simulator, client: &(Value, Value)) -> Value {
    let body = json!({ "clientId": client.0, "clientSecret": client.1,
        "startUrl": "https://view.awsapps.com/start" });
    let reply = post(sim, "/device_authorization", &[], &body).await;
    assert_eq!(reply.status, 200);
    reply.json()["deviceCode"].clone()
}

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
async fn rotation_voids_the_old_refresh_token() {
    let sim = start(Options::default()).await.unwrap();
    assert!(refresh(&sim, "sim-refresh-token").await.json().get("refreshToken").is_none());
    sim.knobs().rotate_refresh_token = true;
    let first = refresh(&sim, "sim-refresh-token").await.json();
    let new = first["refreshToken"].as_str().unwrap().to_owned();
    let old = refresh(&sim, "sim-refresh-token").await;
    assert_eq!((old.status, old.json()["error"].clone()), (400, json!("invalid_grant")));
    assert_eq!(refresh(&sim, &new).await.status, 200);
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
async fn refresh_faults_hold_for_as_long_as_asked() {
    let sim = start(Options::default()).await.unwrap();
    let cases = [
        (RefreshFault::TooManyRequests, 429),
        (RefreshFault::ServerError, 500),
        (RefreshFault::Html, 502),
        (RefreshFault::InvalidClient, 401),
        (RefreshFault::SlowDown, 400),
        (RefreshFault::InvalidGrant, 400),
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
async fn a_device_login_is_polled_to_its_end() {
    let sim = start(Options::default()).await.unwrap();
    {
        let mut knobs = sim.knobs();
        (knobs.slow_down_polls, knobs.pending_polls) = (1, 2);
    }
    let client = register(&sim).await;
    let code = device(&sim, &client).await;
    let mut errors = Vec::new();
    for _ in 0..3 {
        errors.push(poll(&sim, &client, &code).await.json()["error"].clone());
    }
    assert_eq!(errors, ["slow_down", "authorization_pending", "authorization_pending"]);
    let granted = poll(&sim, &client, &code).await.json();
    assert!(granted["refreshToken"].is_string());
    assert_eq!(chat(&sim, granted["accessToken"].as_str().unwrap(), &hello("hi")).await.status, 200);
    for (end, error) in [(DeviceEnd::Expired, "expired_token"), (DeviceEnd::Denied, "access_denied")] {
        {
            let mut knobs = sim.knobs();
            knobs.device = end;
            (knobs.slow_down_polls, knobs.pending_polls) = (0, 0);
        }
        let code = device(&sim, &client).await;
        assert_eq!(poll(&sim, &client, &code).await.json()["error"], error);
    }
}

#[tokio::test]
async fn the_social_service_refreshes_and_logs_in() {
    let sim = start(Options::default()).await.unwrap();
    let reply =
        post(&sim, "/refreshToken", &[], &json!({ "refreshToken": "sim-refresh-token" })).await.json();
    assert!(reply["profileArn"].as_str().unwrap().starts_with("arn:aws:codewhisperer:"));
    assert_eq!(chat(&sim, reply["accessToken"].as_str().unwrap(), &hello("hi")).await.status, 200);
    let body = json!({ "code": "c", "code_verifier": "v", "redirect_uri": "http://127.0.0.1/cb" });
    assert!(post(&sim, "/oauth/token", &[], &body).await.json()["accessToken"].is_string());
    sim.knobs().pending_polls = 1;
    let provider = json!({ "clientId": "kiro-cli", "loginProvider": "Google" });
    let started = post(&sim, "/oauth/device/authorization", &[], &provider).await;
    let code = started.json()["deviceCode"].clone();
    let body = json!({ "clientId": "kiro-cli", "deviceCode": code });
    let pending = post(&sim, "/oauth/device/poll", &[], &body).await;
    assert_eq!((pending.status, pending.json()["status"].clone()), (200, json!("authorization_pending")));
    assert_eq!(post(&sim, "/oauth/device/poll", &[], &body).await.json()["identityProvider"], "Google");
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
