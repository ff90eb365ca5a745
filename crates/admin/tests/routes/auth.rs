//! Device logins, by `/v2/auth` and `/api/v1/logins`.

use serde_json::json;

use crate::house::House;

#[tokio::test]
async fn a_login_is_started_finished_and_claimed() {
    let house = House::open().await;
    let started = house.post("/v2/auth/start", &json!({"label": "by hand", "enabled": false})).await;
    let (id, code) = (started["authId"].as_str().unwrap(), started["userCode"].as_str().unwrap());
    assert!(started["verificationUriComplete"].as_str().unwrap().contains(code), "{started}");
    assert!(started["expiresIn"].as_u64().unwrap() > 60 && started["interval"].as_u64().unwrap() >= 1);
    let status = house.get(&format!("/v2/auth/status/{id}")).await;
    assert_eq!([&status["status"], &status["accountId"]], [&json!("pending"), &json!(null)]);
    let remaining = status["remaining"].as_u64().unwrap();
    assert!((200..=300).contains(&remaining), "{remaining}");
    house.simulator.approve(code, None).unwrap();
    let claimed = house.post(&format!("/v2/auth/claim/{id}"), &json!({})).await;
    assert_eq!(claimed["status"], "completed");
    assert_eq!(
        [&claimed["account"]["label"], &claimed["account"]["enabled"]],
        [&json!("by hand"), &json!(false)]
    );
    let status = house.get(&format!("/v2/auth/status/{id}")).await;
    assert_eq!([&status["status"], &status["accountId"]], [&json!("completed"), &claimed["account"]["id"]]);
    // Claiming again says the same, and makes no second account.
    let again = house.post(&format!("/v2/auth/claim/{id}"), &json!({})).await;
    assert_eq!(again["accountId"], claimed["accountId"]);
    assert_eq!(house.get("/v2/accounts").await["count"], 1);
}

#[tokio::test]
async fn a_login_that_is_refused_or_called_off_has_no_account() {
    let house = House::open().await;
    let started = house.post("/v2/auth/start", &json!({})).await;
    house.simulator.deny(started["userCode"].as_str().unwrap()).unwrap();
    let path = format!("/v2/auth/claim/{}", started["authId"].as_str().unwrap());
    assert_eq!(house.ask("POST", &path, "").await.refused(502)["code"], "login_denied");
    let started = house.post("/v2/auth/start", &json!({})).await;
    let id = started["authId"].as_str().unwrap();
    let off = house.post(&format!("/v2/auth/cancel/{id}"), &json!({})).await;
    assert_eq!(off["status"], "error");
    assert_eq!(
        house.ask("POST", &format!("/v2/auth/claim/{id}"), "").await.refused(409)["code"],
        "login_cancelled"
    );
    assert_eq!(house.get("/v2/accounts").await["count"], 0);
}

#[tokio::test]
async fn unknown_logins_and_wrong_wishes_are_refused() {
    let house = House::open().await;
    for (method, path) in [
        ("GET", "/v2/auth/status/x"),
        ("POST", "/v2/auth/claim/x"),
        ("POST", "/v2/auth/cancel/x"),
        ("GET", "/api/v1/logins/x"),
        ("DELETE", "/api/v1/logins/x"),
        ("POST", "/api/v1/logins/x/claim"),
    ] {
        house.ask(method, path, "").await.refused(404);
    }
    for wish in [json!({"startUrl": "http://localhost/start"}), json!({"kind": "x"}), json!({"label": 3})] {
        house.ask("POST", "/v2/auth/start", wish.to_string()).await.refused(400);
        house.ask("POST", "/api/v1/logins", wish.to_string()).await.refused(400);
    }
}

#[tokio::test]
async fn our_own_dialect_logs_in_as_well() {
    let house = House::open().await;
    let wish = json!({"start_url": "https://acme.awsapps.com/start", "region": "us-east-1", "owner": "ann"});
    let started = house.ask("POST", "/api/v1/logins", wish.to_string()).await;
    assert_eq!(started.status, 201, "{}", started.text());
    let started = started.json();
    let (id, code) = (started["id"].as_str().unwrap(), started["user_code"].as_str().unwrap());
    assert_eq!([&started["kind"], &started["status"]], [&json!("identity-center"), &json!("pending")]);
    assert_eq!(house.get("/api/v1/logins").await["logins"][0]["id"], *id);
    // Whoever may only look cannot finish it.
    let reader = house.key("reader", &["read"]).await;
    let reader = reader["key"].as_str().unwrap();
    for path in ["/api/v1/logins".to_owned(), format!("/api/v1/logins/{id}")] {
        let shown = house.ask_as(reader, "GET", &path, "").await;
        assert!(shown.good().to_string().contains(id) && !shown.text().contains(code), "{path}");
        assert!(!shown.text().contains("https://"), "{path}: {}", shown.text());
        assert!(house.get(&path).await.to_string().contains(code), "{path}");
    }
    let early = house.post(&format!("/api/v1/logins/{id}/claim?wait_s=0"), &json!({})).await;
    assert_eq!(early["status"], "pending");
    house.simulator.approve(code, None).unwrap();
    let claimed = house.post(&format!("/api/v1/logins/{id}/claim"), &json!({})).await;
    assert_eq!(claimed["status"], "completed", "{claimed}");
    let account = house.get(&format!("/api/v1/accounts/{}", claimed["account_id"].as_str().unwrap())).await;
    assert_eq!([&account["owner"], &account["origin"]], [&json!("ann"), &json!("login")]);
    assert_eq!(house.get("/api/v1/logins").await["logins"], json!([]));
}
