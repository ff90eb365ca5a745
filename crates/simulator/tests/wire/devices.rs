//! Logins by device, at both login services.

use std::time::Duration;

use qm_simulator::{DeviceEnd, DeviceOrigin, LoginKind, Options, SimAccount, Simulator, start};
use serde_json::{Value, json};

use crate::client::{Reply, call, chat, hello, post, refresh_as};

const BUILDER_ID: &str = "https://view.awsapps.com/start";
const DIRECTORY: &str = "https://d-0123456789.awsapps.com/start";

type Client = (String, String);

async fn register(sim: &Simulator, scopes: Value) -> Client {
    let body = json!({ "clientName": "Test", "clientType": "public", "scopes": scopes });
    let reply = post(sim, "/client/register", &[], &body).await;
    assert_eq!(reply.status, 200);
    let body = reply.json();
    assert!(body["clientSecretExpiresAt"].as_u64() > body["clientIdIssuedAt"].as_u64());
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    (text("clientId"), text("clientSecret"))
}

async fn poll(sim: &Simulator, client: &Client, code: &Value) -> Reply {
    let body = json!({ "clientId": client.0, "clientSecret": client.1, "deviceCode": code,
        "grantType": "urn:ietf:params:oauth:grant-type:device_code" });
    post(sim, "/token", &[], &body).await
}

async fn begin(sim: &Simulator, client: &Client, prefix: &str, start_url: &str) -> Reply {
    let body = json!({ "clientId": client.0, "clientSecret": client.1, "startUrl": start_url });
    post(sim, &format!("{prefix}/device_authorization"), &[], &body).await
}

async fn device(sim: &Simulator, client: &Client) -> Value {
    let reply = begin(sim, client, "", BUILDER_ID).await;
    assert_eq!(reply.status, 200);
    reply.json()["deviceCode"].clone()
}

#[tokio::test]
async fn a_device_login_is_polled_to_its_end() {
    let sim = start(Options::default()).await.unwrap();
    {
        let mut knobs = sim.knobs();
        (knobs.slow_down_polls, knobs.pending_polls) = (1, 2);
    }
    let client = register(&sim, json!(["codewhisperer:completions"])).await;
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
async fn a_person_approves_or_denies() {
    let sim = start(Options::many(3)).await.unwrap();
    sim.knobs().device = DeviceEnd::Manual;
    let client = register(&sim, json!(["any:scope", "another"])).await;
    let started = begin(&sim, &client, "", BUILDER_ID).await.json();
    let (code, user_code) = (started["deviceCode"].clone(), started["userCode"].as_str().unwrap());
    assert!(started["verificationUriComplete"].as_str().unwrap().ends_with(user_code));
    for _ in 0..3 {
        assert_eq!(poll(&sim, &client, &code).await.json()["error"], "authorization_pending");
    }
    let listed = call(&sim, "GET", "/_sim/devices", &[], b"").await.json();
    assert_eq!(listed, json!([{ "user_code": user_code, "origin": { "oidc": BUILDER_ID } }]));

    let path = format!("/_sim/devices/{user_code}/approve");
    assert_eq!(
        post(&sim, &path, &[], &json!({ "account": 9 })).await.status,
        404,
        "there are three accounts"
    );
    assert_eq!(post(&sim, &path, &[], &json!({ "account": 2 })).await.status, 200);
    let granted = poll(&sim, &client, &code).await.json();
    let refresh_token = granted["refreshToken"].as_str().unwrap();
    assert_eq!(sim.account(2).unwrap().refresh_token, refresh_token);
    assert_eq!(sim.counts(2).unwrap().logins, 1);
    assert_eq!(poll(&sim, &client, &code).await.json()["error"], "invalid_grant", "a code is good for once");
    assert_eq!(refresh_as(&sim, &client, refresh_token).await.status, 200, "the token is the new client's");

    let started = begin(&sim, &client, "", BUILDER_ID).await.json();
    let other = started["userCode"].as_str().unwrap();
    assert_ne!(other, user_code);
    assert_eq!(post(&sim, &format!("/_sim/devices/{other}/deny"), &[], &Value::Null).await.status, 200);
    assert_eq!(poll(&sim, &client, &started["deviceCode"]).await.json()["error"], "access_denied");
    assert_eq!(post(&sim, "/_sim/devices/NO-SUCH/deny", &[], &Value::Null).await.status, 404);
}

#[tokio::test]
async fn a_code_belongs_to_its_client_and_dies_with_time() {
    let sim = start(Options::default()).await.unwrap();
    let (client, other) = (register(&sim, json!([])).await, register(&sim, json!([])).await);
    let code = device(&sim, &client).await;
    assert_eq!(poll(&sim, &other, &code).await.json()["error"], "invalid_grant");
    assert_eq!(poll(&sim, &("no".into(), "body".into()), &code).await.json()["error"], "invalid_client");
    sim.knobs().device_expires_in_s = 0;
    let code = device(&sim, &client).await;
    assert_eq!(poll(&sim, &client, &code).await.json()["error"], "expired_token");
    sim.knobs().registration_expires_in_s = 0;
    let late = register_expired(&sim).await;
    assert_eq!(begin(&sim, &late, "", BUILDER_ID).await.json()["error"], "invalid_client");
}

async fn register_expired(sim: &Simulator) -> Client {
    let body = json!({ "clientName": "Test", "clientType": "public" });
    let body = post(sim, "/client/register", &[], &body).await.json();
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    (text("clientId"), text("clientSecret"))
}

#[tokio::test]
async fn polls_in_a_hurry_are_slowed_down() {
    let sim = start(Options::default()).await.unwrap();
    {
        let mut knobs = sim.knobs();
        (knobs.device, knobs.enforce_interval, knobs.device_interval_s) = (DeviceEnd::Manual, true, 600);
    }
    let client = register(&sim, json!([])).await;
    let code = device(&sim, &client).await;
    assert_eq!(poll(&sim, &client, &code).await.json()["error"], "authorization_pending");
    assert_eq!(poll(&sim, &client, &code).await.json()["error"], "slow_down");
    sim.knobs().device_interval_s = 0;
    assert_eq!(poll(&sim, &client, &code).await.json()["error"], "authorization_pending");
}

#[tokio::test]
async fn start_urls_and_regions_are_looked_at() {
    let directory = SimAccount {
        login: LoginKind::IdentityCenter,
        start_url: Some(DIRECTORY.into()),
        sso_region: Some("eu-west-1".into()),
        ..SimAccount::numbered(1)
    };
    let builder = SimAccount { login: LoginKind::BuilderId, ..SimAccount::numbered(0) };
    let sim = start(Options { accounts: vec![builder, directory], ..Options::default() }).await.unwrap();
    let client = register(&sim, json!([])).await;
    let slashed = format!("{DIRECTORY}/");
    let cases = [
        ("", BUILDER_ID, 200),
        ("/oidc.us-east-1.amazonaws.com", BUILDER_ID, 200),
        ("/oidc.eu-west-1.amazonaws.com", BUILDER_ID, 400),
        ("", DIRECTORY, 200),
        ("/oidc.eu-west-1.amazonaws.com", &slashed, 200),
        ("/oidc.us-east-1.amazonaws.com", DIRECTORY, 400),
        ("/oidc.us-east-1.amazonaws.com", "https://other.awsapps.com/start", 200),
        ("", "https://identitycenter.amazonaws.com/ssoins-0123456789abcdef", 200),
        ("", "https://example.com/start", 400),
        ("", "http://view.awsapps.com/start", 400),
        ("", "", 400),
    ];
    for (prefix, start_url, status) in cases {
        let reply = begin(&sim, &client, prefix, start_url).await;
        assert_eq!(reply.status, status, "{prefix} {start_url}");
        if status == 400 {
            assert_eq!(reply.json()["error"], "invalid_request");
        }
    }
    for (start_url, account) in [(BUILDER_ID, 0), (DIRECTORY, 1)] {
        let code = begin(&sim, &client, "", start_url).await.json()["deviceCode"].clone();
        assert_eq!(poll(&sim, &client, &code).await.status, 200);
        assert_eq!(sim.counts(account).unwrap().logins, 1, "{start_url}");
    }
    let token = sim.account(1).unwrap().refresh_token;
    let body = json!({ "clientId": client.0, "clientSecret": client.1, "grantType": "refresh_token",
        "refreshToken": token });
    let wrong = post(&sim, "/oidc.us-east-1.amazonaws.com/token", &[], &body).await;
    assert_eq!((wrong.status, wrong.json()["error"].clone()), (400, json!("invalid_request")));
    assert_eq!(post(&sim, "/oidc.eu-west-1.amazonaws.com/token", &[], &body).await.status, 200);
}

#[tokio::test]
async fn the_social_device_flow_answers_200_until_it_ends() {
    let social = SimAccount { login: LoginKind::Social, ..SimAccount::numbered(0) };
    let sim = start(Options { accounts: vec![social], ..Options::default() }).await.unwrap();
    sim.knobs().device = DeviceEnd::Manual;
    let begin = async |provider: &str| {
        let body = json!({ "clientId": "kiro-cli", "loginProvider": provider });
        post(&sim, "/oauth/device/authorization", &[], &body).await
    };
    assert_eq!(begin("Acme").await.status, 400);
    for (approved, provider) in [(true, "Github"), (false, "Google")] {
        let started = begin(provider).await.json();
        assert!(started["expiresInMilliseconds"].as_u64() > started["intervalInMilliseconds"].as_u64());
        let body = json!({ "clientId": "kiro-cli", "deviceCode": started["deviceCode"] });
        let pending = post(&sim, "/oauth/device/poll", &[], &body).await;
        assert_eq!((pending.status, pending.json()), (200, json!({ "status": "authorization_pending" })));
        let waiting = sim.waiting_logins().pop().unwrap();
        assert_eq!(waiting.origin, DeviceOrigin::Social(provider.into()));
        if approved {
            sim.approve(&waiting.user_code, None).unwrap();
        } else {
            sim.deny(&waiting.user_code).unwrap();
        }
        let ended = post(&sim, "/oauth/device/poll", &[], &body).await.json();
        if approved {
            assert_eq!(ended["identityProvider"], "Github");
            assert!(ended["profileArn"].as_str().unwrap().starts_with("arn:aws:codewhisperer:"));
            let body = json!({ "refreshToken": ended["refreshToken"] });
            assert_eq!(post(&sim, "/refreshToken", &[], &body).await.status, 200);
        } else {
            assert_eq!(ended, json!({ "status": "access_denied" }));
        }
    }
    assert_eq!(
        refresh_as(&sim, &("sim-client-id-0".into(), "sim-client-secret-0".into()), "x").await.status,
        400
    );
}

#[tokio::test(start_paused = true)]
async fn a_login_puts_a_revoked_account_in_order() {
    use qm_simulator::{AccountState, Behaviour};
    let sim = start(Options::default()).await.unwrap();
    sim.set_behaviour(0, Behaviour::of(AccountState::Revoked)).unwrap();
    let client = register(&sim, json!([])).await;
    let own = ("sim-client-id".to_owned(), "sim-client-secret".to_owned());
    assert_eq!(refresh_as(&sim, &own, "sim-refresh-token").await.json()["error"], "invalid_grant");
    tokio::time::advance(Duration::from_secs(60)).await;
    let code = device(&sim, &client).await;
    let granted = poll(&sim, &client, &code).await.json();
    assert_eq!(chat(&sim, granted["accessToken"].as_str().unwrap(), &hello("hi")).await.status, 200);
    assert_eq!(refresh_as(&sim, &own, "sim-refresh-token").await.json()["error"], "invalid_grant");
    assert_eq!(sim.counts(0).unwrap().stale_refreshes, 1);
}
