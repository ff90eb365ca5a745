//! Single accounts: their standing, limits, refreshes and counts, set in Rust and over HTTP.

use std::time::Duration;

use qm_simulator::{
    AccountState, Beat, Behaviour, Flapping, NoSuch, Options, Outcome, RefreshFault, Rotation, Script,
    SimAccount, SimUsage, Simulator, Step, start,
};
use serde_json::{Value, json};

use crate::client::{call, chat, hello, post, refresh_account, token_of};

async fn statuses(sim: &Simulator, token: &str, calls: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..calls {
        statuses.push(chat(sim, token, &hello("hi")).await.status);
    }
    statuses
}

#[tokio::test]
async fn one_account_s_trouble_is_not_another_s() {
    let sim = start(Options::many(3)).await.unwrap();
    let tokens = [token_of(&sim, 0).await, token_of(&sim, 1).await, token_of(&sim, 2).await];
    sim.set_behaviour(1, Behaviour::of(AccountState::Suspended)).unwrap();
    assert_eq!(sim.set_behaviour(3, Behaviour::default()), Err(NoSuch), "there is no fourth account");
    let mut told = Vec::new();
    for token in &tokens {
        told.push(chat(&sim, token, &hello("hi")).await.status);
    }
    assert_eq!(told, [200, 403, 200]);
    let counts = sim.counts(1).unwrap();
    assert_eq!((counts.chats, counts.refused, counts.refreshes), (1, 1, 1));
    let total = sim.total();
    assert_eq!((total.chats, total.refused, total.refreshed), (3, 1, 3));
}

#[tokio::test(start_paused = true)]
async fn a_rate_has_a_penalty_of_its_own() {
    let sim = start(Options::many(2)).await.unwrap();
    let (first, second) = (token_of(&sim, 0).await, token_of(&sim, 1).await);
    let throttled = Behaviour { retry_after_s: Some(7), ..Behaviour::throttled(2, 90_000) };
    sim.set_behaviour(0, throttled).unwrap();
    assert_eq!(statuses(&sim, &first, 3).await, [200, 200, 429]);
    let refused = chat(&sim, &first, &hello("hi")).await;
    assert_eq!(refused.json()["reason"], "USER_REQUEST_RATE_EXCEEDED");
    assert_eq!(refused.header("retry-after"), Some("7"));
    assert_eq!(statuses(&sim, &second, 3).await, [200; 3]);
    tokio::time::advance(Duration::from_secs(61)).await;
    assert_eq!(statuses(&sim, &first, 1).await, [429], "the minute is over, the penalty is not");
    tokio::time::advance(Duration::from_secs(30)).await;
    assert_eq!(statuses(&sim, &first, 1).await, [200]);
}

#[tokio::test(start_paused = true)]
async fn credits_come_back_when_the_time_is_over() {
    let sim = start(Options::many(1)).await.unwrap();
    let token = token_of(&sim, 0).await;
    sim.set_behaviour(0, Behaviour::for_ms(AccountState::QuotaUsed, 3_600_000)).unwrap();
    let refused = chat(&sim, &token, &hello("hi")).await;
    assert_eq!((refused.status, refused.json()["reason"].as_str()), (402, Some("MONTHLY_REQUEST_COUNT")));
    let usage = usage(&sim, &token).await;
    let reset = usage["nextDateReset"].as_f64().unwrap();
    assert!(reset < SimUsage::default().resets_at_s, "the end of the state, not of the month");
    let line = &usage["usageBreakdownList"][0];
    assert_eq!(line["currentUsage"], line["usageLimit"]);
    tokio::time::advance(Duration::from_secs(3600)).await;
    let token = token_of(&sim, 0).await;
    assert_eq!(statuses(&sim, &token, 1).await, [200]);
}

async fn usage(sim: &Simulator, token: &str) -> Value {
    let bearer = format!("Bearer {token}");
    let reply = call(sim, "GET", "/getUsageLimits?origin=CLI", &[("authorization", &bearer)], b"").await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()
}

#[tokio::test]
async fn an_account_can_use_itself_up() {
    let mut account = SimAccount::numbered(0);
    account.usage = SimUsage::used_up(10.0);
    account.usage.base.used = 9.9;
    let sim = start(Options { accounts: vec![account], ..Options::default() }).await.unwrap();
    let token = token_of(&sim, 0).await;
    assert_eq!(statuses(&sim, &token, 3).await, [200, 200, 402], "a call costs 0.0967 credits");
    let usage = usage(&sim, &token).await;
    assert_eq!(usage["usageBreakdownList"][0]["currentUsageWithPrecision"], 10.0);
    assert_eq!(usage["overageConfiguration"]["overageStatus"], "DISABLED");
    assert_eq!(usage["userInfo"]["email"], "user-0@example.com");
    assert_eq!(sim.counts(0).unwrap().usage_polls, 1);
}

#[tokio::test(start_paused = true)]
async fn a_revoked_account_neither_refreshes_nor_answers() {
    let keyed = SimAccount { api_key: Some("ksk_0123456789abcdef".into()), ..SimAccount::numbered(0) };
    let sim = start(Options { accounts: vec![keyed], ..Options::default() }).await.unwrap();
    let token = token_of(&sim, 0).await;
    sim.set_behaviour(0, Behaviour::of(AccountState::Revoked)).unwrap();
    let refused = chat(&sim, &token, &hello("hi")).await;
    assert_eq!(refused.json()["message"], "The bearer token included in the request is invalid.");
    assert_eq!(refresh_account(&sim, 0).await.json()["error"], "invalid_grant");
    let headers = [
        ("authorization", "Bearer ksk_0123456789abcdef"),
        ("tokentype", "API_KEY"),
        ("content-type", "application/x-amz-json-1.0"),
        ("x-amz-target", crate::client::CHAT),
    ];
    assert_eq!(post(&sim, "/", &headers, &hello("hi")).await.status, 401, "a key is told by another status");
}

#[tokio::test(start_paused = true)]
async fn flapping_goes_by_calls_or_by_the_clock() {
    let sim = start(Options::many(1)).await.unwrap();
    let token = token_of(&sim, 0).await;
    sim.set_behaviour(0, Behaviour::flapping(2, 1)).unwrap();
    assert_eq!(statuses(&sim, &token, 6).await, [200, 200, 500, 200, 200, 500]);
    let flapping = Flapping { healthy: 1000, failing: 500, by: Beat::Ms };
    let behaviour = Behaviour { flapping: Some(flapping), ..Behaviour::of(AccountState::Throttled) };
    sim.set_behaviour(0, behaviour).unwrap();
    let mut told = Vec::new();
    for _ in 0..4 {
        told.extend(statuses(&sim, &token, 1).await);
        tokio::time::advance(Duration::from_millis(600)).await;
    }
    assert_eq!(told, [200, 200, 429, 200]);
}

#[tokio::test]
async fn an_account_may_lack_models() {
    let sim = start(Options::many(2)).await.unwrap();
    sim.set_behaviour(0, Behaviour::without_models(&["claude-opus-5"])).unwrap();
    let mut body = hello("hi");
    body["conversationState"]["currentMessage"]["userInputMessage"]["modelId"] = json!("claude-opus-5");
    for (account, status, models) in [(0, 400, 24), (1, 200, 25)] {
        let token = token_of(&sim, account).await;
        let reply = chat(&sim, &token, &body).await;
        assert_eq!(reply.status, status);
        let bearer = format!("Bearer {token}");
        let path = "/ListAvailableModels?origin=CLI";
        let listed = call(&sim, "GET", path, &[("authorization", &bearer)], b"").await.json();
        assert_eq!(listed["models"].as_array().unwrap().len(), models);
        assert_eq!(sim.counts(account).unwrap().model_lists, 1);
    }
}

#[tokio::test]
async fn refresh_faults_are_an_account_s_own() {
    let sim = start(Options::many(2)).await.unwrap();
    let cases =
        [(RefreshFault::TooManyRequests, 429), (RefreshFault::ServerError, 500), (RefreshFault::Html, 502)];
    for (fault, status) in cases {
        sim.set_behaviour(0, Behaviour::refresh_fault(fault)).unwrap();
        assert_eq!(refresh_account(&sim, 0).await.status, status);
        assert_eq!(refresh_account(&sim, 1).await.status, 200);
    }
    let counts = sim.counts(0).unwrap();
    assert_eq!((counts.refreshes, counts.refreshed), (3, 0));
}

#[tokio::test]
async fn refreshes_at_the_same_time_are_seen() {
    let sim = start(Options::many(1)).await.unwrap();
    sim.set_behaviour(0, Behaviour::refresh_fault(RefreshFault::Stall)).unwrap();
    let three = async {
        tokio::join!(refresh_account(&sim, 0), refresh_account(&sim, 0), refresh_account(&sim, 0));
    };
    let seen = sim.wait_for(|_| sim.counts(0).unwrap().refreshing == 3);
    tokio::select! {
        () = three => panic!("they are not answered"),
        () = seen => {}
    }
    let ended = sim.wait_for(|calls| calls.iter().all(|call| call.outcome == Outcome::ClientGone));
    tokio::time::timeout(Duration::from_secs(10), ended).await.unwrap();
    let counts = sim.counts(0).unwrap();
    assert_eq!((counts.refreshing, counts.most_refreshing), (0, 3));
}

#[tokio::test(start_paused = true)]
async fn a_slow_refresh_takes_its_time() {
    let sim = start(Options::many(1)).await.unwrap();
    sim.set_behaviour(0, Behaviour::slow_refresh(30_000)).unwrap();
    let before = tokio::time::Instant::now();
    assert_eq!(refresh_account(&sim, 0).await.status, 200);
    assert!(before.elapsed() >= Duration::from_secs(30));
}

#[tokio::test]
async fn calls_at_the_same_time_are_seen() {
    let sim = start(Options::many(1)).await.unwrap();
    let token = token_of(&sim, 0).await;
    let stalled = || Script(vec![Step::Say { text: "a".into(), chars: None, pace_ms: 0 }, Step::Stall]);
    sim.push(stalled());
    sim.push(stalled());
    let (one, two) = (hello("hi"), hello("hi"));
    let both = async { tokio::join!(chat(&sim, &token, &one), chat(&sim, &token, &two)) };
    let seen = sim.wait_for(|_| sim.counts(0).unwrap().in_flight == 2);
    tokio::select! {
        _ = both => panic!("they are not ended"),
        () = seen => {}
    }
    let ended =
        sim.wait_for(|calls| calls.iter().filter(|call| call.outcome == Outcome::ClientGone).count() == 2);
    tokio::time::timeout(Duration::from_secs(10), ended).await.unwrap();
    assert_eq!(sim.counts(0).unwrap().most_in_flight, 2);
}

#[tokio::test]
async fn accounts_are_driven_over_http() {
    let sim = start(Options::default()).await.unwrap();
    assert_eq!(post(&sim, "/_sim/accounts", &[], &json!({ "many": 3 })).await.status, 200);
    let added =
        json!([{ "login": "social", "refresh_token": "social-1", "behaviour": { "rotation": "each" } }]);
    assert_eq!(post(&sim, "/_sim/accounts/add", &[], &added).await.json()["accounts"], json!([3]));
    let behaviour = json!({ "state": "quota_used", "for_ms": 60_000 });
    assert_eq!(post(&sim, "/_sim/accounts/1/behaviour", &[], &behaviour).await.status, 200);
    let token = token_of(&sim, 1).await;
    assert_eq!(statuses(&sim, &token, 2).await, [402, 402]);

    let all = call(&sim, "GET", "/_sim/accounts", &[], b"").await.json();
    assert_eq!(all.as_array().unwrap().len(), 4);
    assert_eq!((&all[1]["state"], &all[1]["counts"]["chats"]), (&json!("quota_used"), &json!(2)));
    assert_eq!(all[1]["refresh_token"], "...en-1");
    assert_eq!(all[3]["behaviour"]["rotation"], json!("each"));
    assert_eq!(sim.account(3).unwrap().behaviour.rotation, Some(Rotation::Each));
    let one = call(&sim, "GET", "/_sim/accounts/1", &[], b"").await.json();
    assert_eq!(one, all[1]);
    let some = call(&sim, "GET", "/_sim/accounts?from=2&count=1", &[], b"").await.json();
    assert_eq!(some, json!([all[2]]));

    assert_eq!(post(&sim, "/_sim/accounts/1/revoke", &[], &Value::Null).await.status, 200);
    assert_eq!(statuses(&sim, &token, 1).await, [403]);
    for (path, body, status) in [
        ("/_sim/accounts/4/behaviour", json!({}), 404),
        ("/_sim/accounts/x", json!({}), 404),
        ("/_sim/accounts/1/behaviour", json!({ "state": "sleepy" }), 400),
        ("/_sim/accounts", json!({ "many": 1_000_000 }), 400),
        ("/_sim/accounts/add", json!([{ "no_such": 1 }]), 400),
    ] {
        assert_eq!(post(&sim, path, &[], &body).await.status, status, "{path} {body}");
    }
    assert_eq!(post(&sim, "/_sim/reset", &[], &Value::Null).await.status, 200);
    assert_eq!(call(&sim, "GET", "/_sim/accounts", &[], b"").await.json().as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn ten_thousand_accounts_are_cheap() {
    let sim = start(Options::many(10_000)).await.unwrap();
    for account in [0, 9_999] {
        let token = token_of(&sim, account).await;
        assert_eq!(statuses(&sim, &token, 1).await, [200]);
    }
    for account in 0..10_000 {
        sim.set_behaviour(account, Behaviour::of(AccountState::Suspended)).unwrap();
    }
    let all = call(&sim, "GET", "/_sim/accounts", &[], b"").await.json();
    let suspended = all.as_array().unwrap().iter().filter(|account| account["state"] == "suspended").count();
    assert_eq!(suspended, 10_000);
    assert_eq!(sim.total().chats, 2);
}
