//! Each row of spec/mission.md A2.3 and A2.5, under its name. `POST /v2/chat/test` is a route of models and tested there
//! (`qm-front`); the routes for Gemini and the public donation page are not taken over (E17, E18).

use std::time::Duration;

use serde_json::{Value, json};

use crate::house::{GUESSABLE, House, login, request};

#[tokio::test]
async fn a2_3_post_v2_accounts() {
    let house = House::open().await;
    let account = house.post("/v2/accounts", &login(1)).await;
    assert_eq!([&account["last_refresh_status"], &account["enabled"]], [&json!("never"), &json!(true)]);
    for field in [
        "id",
        "label",
        "clientId",
        "other",
        "created_at",
        "updated_at",
        "error_count",
        "success_count",
        "type",
    ] {
        assert!(account.get(field).is_some(), "{field}");
    }
    for secret in ["clientSecret", "refreshToken", "accessToken"] {
        assert!(account.get(secret).is_none(), "{secret}");
    }
}

#[tokio::test]
async fn a2_3_get_v2_accounts() {
    let house = House::open().await;
    house.add(1).await;
    let listed = house.get("/v2/accounts?enabled=true&sort_by=success_count&sort_order=asc").await;
    assert_eq!([&listed["count"], &listed["accounts"][0]["label"]], [&json!(1), &json!("account 1")]);
}

#[tokio::test]
async fn a2_3_get_v2_accounts_id() {
    let house = House::open().await;
    let id = house.add(1).await;
    assert_eq!(house.get(&format!("/v2/accounts/{id}")).await["id"], id);
    let missing = house.ask("GET", "/v2/accounts/00000000-0000-4000-8000-000000000000", "").await;
    assert_eq!(missing.refused(404)["detail"], "Account not found");
}

#[tokio::test]
async fn a2_3_patch_v2_accounts_id() {
    let house = House::open().await;
    let path = format!("/v2/accounts/{}", house.add(1).await);
    let before = house.get(&path).await;
    assert_eq!(house.ask("PATCH", &path, "{}").await.good(), before);
    assert_eq!(house.ask("PATCH", &path, r#"{"enabled":false}"#).await.good()["enabled"], false);
    house.ask("PATCH", "/v2/accounts/999", "{}").await.refused(404);
}

#[tokio::test]
async fn a2_3_delete_v2_accounts_id() {
    let house = House::open().await;
    let id = house.add(1).await;
    let path = format!("/v2/accounts/{id}");
    assert_eq!(house.ask("DELETE", &path, "").await.good(), json!({ "deleted": id }));
    house.ask("DELETE", &path, "").await.refused(404);
}

#[tokio::test]
async fn a2_3_post_v2_accounts_id_refresh() {
    let house = House::open().await;
    let path = format!("/v2/accounts/{}/refresh", house.add(1).await);
    assert_eq!(house.post(&path, &json!({})).await["last_refresh_status"], "success");
    house.ask("POST", "/v2/accounts/999/refresh", "").await.refused(404);
    house.log_out(1);
    let refused = house.ask("POST", &path, "").await.refused(502);
    assert!(refused["detail"].as_str().unwrap().starts_with("Token refresh failed"), "{refused}");
}

#[tokio::test]
async fn a2_3_post_v2_accounts_feed() {
    let house = House::open().await;
    let mut nameless = login(1);
    nameless.as_object_mut().unwrap().remove("label");
    let mut dead = login(2);
    dead["refreshToken"] = json!("a-refresh-token-that-nobody-gave-out");
    for bad in ["[]", "{}", r#"{"accounts":[[null]]}"#, r#"{"accounts":{}}"#] {
        house.ask("POST", "/v2/accounts/feed", bad).await.refused(400);
    }
    let fed = house.post("/v2/accounts/feed", &json!({ "accounts": [nameless, dead] })).await;
    assert_eq!(fed["status"], "processing");
    assert!(fed["message"].is_string());
    let ids: Vec<String> = serde_json::from_value(fed["account_ids"].clone()).unwrap();
    let first = house.get(&format!("/v2/accounts/{}", ids[0])).await;
    assert_eq!([&first["label"], &first["enabled"]], [&json!("批量账号 1"), &json!(false)]);
    assert_eq!(first["other"]["source"], "feed");
    // The house tries them while it runs; one that something else is written of at that moment, a minute later again.
    let fleet = house.fleet.clone();
    let tried = async {
        loop {
            let [one, other] = [&ids[0], &ids[1]].map(|id| format!("/v2/accounts/{id}"));
            let (one, other) = (house.get(&one).await, house.get(&other).await);
            if one["enabled"] == true && other["other"]["failedReason"].is_string() {
                return (one, other);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let (one, other) = tokio::select! {
        () = fleet.run(std::future::pending()) => unreachable!(),
        tried = tokio::time::timeout(Duration::from_secs(30), tried) => tried.unwrap(),
    };
    assert_eq!([&one["state"], &other["enabled"]], [&json!("ready"), &json!(false)]);
}

#[tokio::test]
async fn a2_3_post_api_login() {
    let house = House::with(&[GUESSABLE], true).await;
    let ask = async |password: &str| {
        let request = request("POST", "/api/login").header("content-type", "application/json");
        let body = json!({ "password": password }).to_string();
        house.send(request.body(body.into()).unwrap()).await
    };
    let good = ask(GUESSABLE).await;
    assert_eq!((good.status, &good.json()["success"]), (200, &json!(true)));
    assert!(good.header("set-cookie").contains("HttpOnly"));
    // Always 200; and who guesses waits all the same.
    let mut last = Value::Null;
    for _ in 0..20 {
        let bad = ask("admin").await;
        assert!(bad.status == 200 && bad.headers.get("set-cookie").is_none());
        last = bad.json();
        assert_eq!(last["success"], false);
    }
    assert!(last["message"].as_str().unwrap().contains("Wait"), "{last}");
    assert_eq!(ask(GUESSABLE).await.json()["success"], false);
}

#[tokio::test]
async fn a2_3_post_v2_accounts_refresh_all() {
    let house = House::open().await;
    house.add(1).await;
    house.add(2).await;
    house.log_out(2);
    let all = house.post("/v2/accounts/refresh-all", &json!({})).await;
    assert_eq!([&all["success"], &all["total"], &all["success_count"]], [&json!(true), &json!(2), &json!(1)]);
    let words: Vec<&str> =
        all["results"].as_array().unwrap().iter().map(|one| one["status"].as_str().unwrap()).collect();
    assert_eq!(words, ["success", "banned"]);
}

#[tokio::test]
async fn a2_3_get_v2_accounts_id_stats() {
    let house = House::open().await;
    let id = house.add(1).await;
    house
        .ask("PATCH", &format!("/v2/accounts/{id}/rate-limit"), r#"{"rate_limit_per_hour":20}"#)
        .await
        .good();
    let stats = house.get(&format!("/v2/accounts/{id}/stats")).await;
    let expected = json!({
        "account_id": id, "rate_limit_per_hour": 20, "calls_last_hour": 0, "remaining_calls": 20, "total_calls": 0,
        "last_call_time": null, "is_rate_limited": false,
    });
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(&stats[field], value, "{field}");
    }
}

#[tokio::test]
async fn a2_3_patch_v2_accounts_id_rate_limit() {
    let house = House::open().await;
    let path = format!("/v2/accounts/{}/rate-limit", house.add(1).await);
    assert_eq!(
        house.ask("PATCH", &path, r#"{"rate_limit_per_hour":7}"#).await.good()["rate_limit_per_hour"],
        7
    );
    for bad in ["{}", r#"{"rate_limit_per_hour":-1}"#] {
        house.ask("PATCH", &path, bad).await.refused(400);
    }
    house.ask("PATCH", "/v2/accounts/999/rate-limit", r#"{"rate_limit_per_hour":7}"#).await.refused(404);
}

#[tokio::test]
async fn a2_3_get_v2_accounts_id_quota_and_post_reactivate() {
    let house = House::open().await;
    let path = format!("/v2/accounts/{}", house.add(1).await);
    assert!(house.get(&format!("{path}/quota")).await["limit"].as_f64().unwrap() > 0.0);
    house.ask("PATCH", &path, r#"{"enabled":false}"#).await.good();
    assert_eq!(house.post(&format!("{path}/reactivate"), &json!({})).await["enabled"], true);
}

#[tokio::test]
async fn a2_3_get_and_patch_v2_config() {
    let house = House::open().await;
    let config = house.get("/v2/config").await;
    assert_eq!(config["model_mapping"], json!({"opus": "claude-opus-4.5"}));
    assert_eq!(config["supported_models"], json!(["claude-sonnet-4.5"]));
    assert!(config["gemini_only_models"].is_array() && config["amazonq_only_models"].is_array());
    let changed =
        house.ask("PATCH", "/v2/config", r#"{"model_mapping":{"gpt-4":"claude-sonnet-4.5"}}"#).await;
    assert_eq!(changed.good(), json!({"success": true}));
    assert_eq!(house.get("/v2/config").await["model_mapping"], json!({"gpt-4": "claude-sonnet-4.5"}));
    // Any key could be written there; here nothing but settings can (E22).
    let refused =
        house.ask("PATCH", "/v2/config", r#"{"api_endpoint":"http://169.254.169.254/"}"#).await.refused(400);
    assert!(refused["detail"].as_str().unwrap().contains("model_mapping"), "{refused}");
}

#[tokio::test]
async fn a2_3_post_v2_config_sync_models() {
    let house = House::open().await;
    let synced = house.post("/v2/config/sync-models", &json!({})).await;
    assert_eq!(
        synced,
        json!({"success": true, "models": ["claude-sonnet-4.5", "claude-opus-4.5"], "count": 2})
    );
}

#[tokio::test]
async fn a2_3_get_login_and_get_admin() {
    let house = House::open().await;
    for path in ["/login", "/admin", "/admin?key=the-admins-own-key-0123456789"] {
        let page = house.send(request("GET", path).body("".into()).unwrap()).await;
        assert!(page.status == 200 && page.header("content-type").starts_with("text/html"), "{path}");
    }
}

#[tokio::test]
async fn a2_3_what_others_leave_open_is_not_there() {
    let house = House::open().await;
    for path in ["/donate", "/oauth-callback-page", "/api/gemini/accounts", "/api/gemini/oauth-callback"] {
        assert_eq!(house.send(request("GET", path).body("".into()).unwrap()).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a2_5_device_login() {
    let house = House::open().await;
    let started = house.post("/v2/auth/start", &json!({"label": "by hand", "enabled": true})).await;
    let id = started["authId"].as_str().unwrap();
    for field in ["verificationUriComplete", "userCode", "expiresIn", "interval"] {
        assert!(!started[field].is_null(), "{field}");
    }
    let status = house.get(&format!("/v2/auth/status/{id}")).await;
    assert_eq!(
        [&status["status"], &status["error"], &status["accountId"]],
        [&json!("pending"), &Value::Null, &Value::Null]
    );
    assert!(status["remaining"].as_u64().unwrap() <= 300);
    house.simulator.approve(started["userCode"].as_str().unwrap(), None).unwrap();
    let claimed = house.post(&format!("/v2/auth/claim/{id}"), &json!({})).await;
    assert_eq!([&claimed["status"], &claimed["account"]["label"]], [&json!("completed"), &json!("by hand")]);
    let again = house.post(&format!("/v2/auth/claim/{id}"), &json!({})).await;
    assert_eq!(again["accountId"], claimed["account"]["id"]);
    for (method, path) in [("GET", "/v2/auth/status/nobody"), ("POST", "/v2/auth/claim/nobody")] {
        house.ask(method, path, "").await.refused(404);
    }
}
