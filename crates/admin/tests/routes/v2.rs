//! `/v2/accounts`.

use serde_json::{Value, json};

use crate::house::{House, login};

#[tokio::test]
async fn an_account_is_added_shown_changed_and_removed() {
    let house = House::open().await;
    let added = house.post("/v2/accounts", &login(1)).await;
    let id = added["id"].as_str().unwrap();
    assert_eq!((&added["label"], &added["enabled"]), (&json!("account 1"), &json!(true)));
    assert_eq!(added["last_refresh_status"], "never");
    assert_eq!([&added["hasRefreshToken"], &added["hasClientSecret"]], [&json!(true), &json!(true)]);
    assert_eq!(added["hasAccessToken"], false);
    // By UUID and by number.
    for path in [format!("/v2/accounts/{id}"), format!("/v2/accounts/{}", added["number"])] {
        assert_eq!(house.get(&path).await["id"], *id);
    }
    let path = format!("/v2/accounts/{id}");
    let unchanged = house.ask("PATCH", &path, "{}").await.good();
    assert_eq!(unchanged["updated_at"], added["updated_at"]);
    let wish = json!({"label": "renamed", "enabled": false, "other": {"team": "blue"}});
    let changed = house.ask("PATCH", &path, wish.to_string()).await.good();
    assert_eq!([&changed["label"], &changed["enabled"]], [&json!("renamed"), &json!(false)]);
    assert_eq!([&changed["other"], &changed["state"]], [&json!({"team": "blue"}), &json!("disabled")]);
    assert_eq!(house.ask("DELETE", &path, "").await.good(), json!({ "deleted": id }));
    for method in ["GET", "PATCH", "DELETE"] {
        assert_eq!(house.ask(method, &path, "{}").await.refused(404)["detail"], "Account not found");
    }
}

#[tokio::test]
async fn a_listing_is_an_object_or_an_array_in_the_order_that_was_asked_for() {
    let house = House::open().await;
    for n in 0..3 {
        house.add(n).await;
    }
    let second = house.get("/v2/accounts").await["accounts"][1]["id"].as_str().unwrap().to_owned();
    house.ask("PATCH", &format!("/v2/accounts/{second}"), r#"{"enabled":false}"#).await.good();
    let labels = |accounts: &Value| -> Vec<String> {
        accounts.as_array().unwrap().iter().map(|it| it["label"].as_str().unwrap().to_owned()).collect()
    };
    let listed = house.get("/v2/accounts").await;
    assert_eq!(listed["count"], 3);
    assert_eq!(labels(&listed["accounts"]), ["account 2", "account 1", "account 0"]);
    let array = house.get("/v2/accounts?format=array&sort_by=created_at&sort_order=asc").await;
    assert_eq!(labels(&array), ["account 0", "account 1", "account 2"]);
    assert_eq!(labels(&house.get("/v2/accounts?enabled=false").await["accounts"]), ["account 1"]);
    for bad in ["sort_by=label", "sort_order=up", "enabled=maybe"] {
        house.ask("GET", &format!("/v2/accounts?{bad}"), "").await.refused(400);
    }
}

#[tokio::test]
async fn what_cannot_be_an_account_is_refused_and_nothing_is_kept() {
    let house = House::open().await;
    house.add(1).await;
    for body in
        ["", "{", "[]", "{}", r#"{"label":"x"}"#, r#"{"type":"gemini","clientId":"a","refreshToken":"b"}"#]
    {
        let refusal = house.ask("POST", "/v2/accounts", body).await.refused(400);
        assert!(refusal["detail"].as_str().unwrap().ends_with('.'), "{refusal}");
    }
    let refusal = house.ask("POST", "/v2/accounts", login(1).to_string()).await.refused(409);
    assert_eq!(refusal["code"], "duplicate");
    let large = format!(r#"{{"label":"{}"}}"#, "x".repeat(2 << 20));
    house.ask("POST", "/v2/accounts", large).await.refused(413);
    assert_eq!(house.get("/v2/accounts").await["count"], 1);
}

#[tokio::test]
async fn a_refresh_brings_a_token_and_a_dead_login_says_so() {
    let house = House::open().await;
    let id = house.add(1).await;
    let fresh = house.post(&format!("/v2/accounts/{id}/refresh"), &json!({})).await;
    assert_eq!([&fresh["hasAccessToken"], &fresh["last_refresh_status"]], [&json!(true), &json!("success")]);
    assert!(fresh["expires_at"].as_str().unwrap().starts_with("2027-"));
    let mut wrong = login(2);
    wrong["refreshToken"] = json!("a-refresh-token-that-nobody-gave-out");
    let wrong = house.post("/v2/accounts", &wrong).await["id"].as_str().unwrap().to_owned();
    let path = format!("/v2/accounts/{wrong}");
    let refusal = house.ask("POST", &format!("{path}/refresh"), "").await.refused(502);
    assert!(refusal["detail"].as_str().unwrap().starts_with("Token refresh failed"), "{refusal}");
    let shown = house.get(&path).await;
    assert_eq!(shown["state"], "broken");
    assert!(shown["stateReason"].is_string() && shown["stateSince"].is_string(), "{shown}");
    let all = house.post("/v2/accounts/refresh-all", &json!({})).await;
    assert_eq!(all["total"], 2);
    assert_eq!(
        [&all["success_count"], &all["failed_count"], &all["banned_count"]],
        [1, 0, 1].map(Value::from).each_ref()
    );
    // The right token, and all that was held against it is forgotten.
    let right = json!({"refreshToken": login(2)["refreshToken"]});
    house.ask("PATCH", &path, right.to_string()).await.good();
    assert_eq!(house.get(&path).await["state"], "ready");
    house.post(&format!("{path}/refresh"), &json!({})).await;
    house.ask("POST", "/v2/accounts/nobody/refresh", "").await.refused(404);
}

#[tokio::test]
async fn limits_stats_and_reactivation() {
    let house = House::open().await;
    let id = house.add(1).await;
    let path = format!("/v2/accounts/{id}");
    let stats = house.get(&format!("{path}/stats")).await;
    assert_eq!([&stats["total_calls"], &stats["rate_limit_per_hour"]], [&json!(0), &Value::Null]);
    assert_eq!(stats["is_rate_limited"], false);
    let limited =
        house.ask("PATCH", &format!("{path}/rate-limit"), r#"{"rate_limit_per_hour":7}"#).await.good();
    assert_eq!(limited["rate_limit_per_hour"], 7);
    for bad in ["{}", r#"{"rate_limit_per_hour":-1}"#, r#"{"rate_limit_per_hour":"x"}"#] {
        house.ask("PATCH", &format!("{path}/rate-limit"), bad).await.refused(400);
    }
    let free =
        house.ask("PATCH", &format!("{path}/rate-limit"), r#"{"rate_limit_per_hour":null}"#).await.good();
    assert_eq!(free["rate_limit_per_hour"], Value::Null);
    house.ask("PATCH", &path, r#"{"enabled":false}"#).await.good();
    let back = house.post(&format!("{path}/reactivate"), &json!({})).await;
    assert_eq!([&back["enabled"], &back["state"]], [&json!(true), &json!("ready")]);
    let quota = house.get(&format!("{path}/quota")).await;
    assert!(quota["limit"].as_f64().unwrap() > 0.0, "{quota}");
}

#[tokio::test]
async fn nothing_is_added_before_the_terms_are_acknowledged() {
    let house = House::with(&[crate::house::KEY], false).await;
    let ways = [
        ("/v2/accounts", login(1).to_string()),
        ("/v2/accounts/import", login(1).to_string()),
        ("/v2/accounts/feed", json!({ "accounts": [login(1)] }).to_string()),
        ("/v2/auth/start", String::new()),
        ("/admin/accounts", login(1).to_string()),
        ("/api/v1/accounts", login(1).to_string()),
        ("/api/v1/accounts/import", login(1).to_string()),
        ("/api/v1/logins", String::new()),
    ];
    for (path, body) in ways.clone() {
        let refusal = house.ask("POST", path, body).await.refused(409);
        assert_eq!(refusal["code"], "terms_not_acknowledged", "{path}");
        assert!(refusal["detail"].as_str().unwrap().contains("QM_ACCEPT_UPSTREAM_TERMS"), "{path}");
    }
    assert_eq!(house.get("/api/v1/terms").await["acknowledged"], false);
    house.ask("POST", "/api/v1/terms", "{}").await.refused(400);
    house.post("/api/v1/terms", &json!({"acknowledged": true})).await;
    assert_eq!(house.get("/api/v1/terms").await["acknowledged"], true);
    house.add(1).await;
}
