//! `/admin/accounts`.

use axum::body::Body;
use serde_json::{Value, json};

use crate::house::{Answer, House, KEY, login, request};

fn account(n: usize, name: &str) -> Value {
    let login = login(n);
    json!({
        "name": name, "refresh_token": login["refreshToken"], "client_id": login["clientId"],
        "client_secret": login["clientSecret"],
    })
}

#[tokio::test]
async fn an_account_is_added_shown_changed_and_removed() {
    let house = House::open().await;
    let added = house.post("/admin/accounts", &account(1, "first")).await;
    assert_eq!([&added["name"], &added["requests_per_minute"]], [&json!("first"), &json!(10)]);
    assert_eq!([&added["is_active"], &added["is_healthy"]], [&json!(true), &json!(true)]);
    let path = format!("/admin/accounts/{}", added["id"].as_i64().unwrap());
    assert_eq!(house.get(&path).await["name"], "first");
    let wish = json!({"name": "second", "is_active": false, "requests_per_minute": 3, "notes": "kept"});
    let changed = house.ask("PUT", &path, wish.to_string()).await.good();
    assert_eq!([&changed["name"], &changed["is_active"]], [&json!("second"), &json!(false)]);
    assert_eq!([&changed["requests_per_minute"], &changed["notes"]], [&json!(3), &json!("kept")]);
    assert_eq!(house.get("/admin/accounts").await.as_array().unwrap().len(), 1);
    assert_eq!(house.get("/admin/accounts?active_only=true").await, json!([]));
    let gone = house.ask("DELETE", &path, "").await.good();
    assert_eq!(gone["message"], "Account deleted successfully");
    for method in ["GET", "PUT", "DELETE"] {
        house.ask(method, &path, "{}").await.refused(404);
    }
}

#[tokio::test]
async fn names_are_unique_in_this_dialect() {
    let house = House::open().await;
    house.post("/admin/accounts", &account(1, "first")).await;
    house.ask("POST", "/admin/accounts", account(2, "first").to_string()).await.refused(400);
    let second = house.post("/admin/accounts", &account(2, "second")).await;
    let path = format!("/admin/accounts/{}", second["id"]);
    house.ask("PUT", &path, r#"{"name":"first"}"#).await.refused(400);
    // Its own name is free.
    house.ask("PUT", &path, r#"{"name":"second"}"#).await.good();
}

#[tokio::test]
async fn a_token_is_refreshed_and_counted() {
    let house = House::open().await;
    let id = house.post("/admin/accounts", &account(1, "first")).await["id"].clone();
    let refreshed = house.post(&format!("/admin/accounts/{id}/refresh-token"), &json!({})).await;
    assert_eq!([&refreshed["account_id"], &refreshed["account_name"]], [&id, &json!("first")]);
    assert!(refreshed["expires_in"].as_u64().unwrap() > 60, "{refreshed}");
    let stats = house.get(&format!("/admin/accounts/{id}/stats")).await;
    assert_eq!(
        [&stats["token_info"]["cached"], &stats["token_info"]["is_valid"]],
        [&json!(true), &json!(true)]
    );
    house.log_out(1);
    house.ask("POST", &format!("/admin/accounts/{id}/refresh-token"), "").await.refused(500);
    let shown = house.get(&format!("/admin/accounts/{id}")).await;
    assert_eq!(shown["is_healthy"], false);
    assert!(shown["health_check_error"].is_string(), "{shown}");
    let sums = house.get("/admin/stats/accounts").await;
    assert_eq!(
        [&sums["total_accounts"], &sums["active_accounts"], &sums["healthy_accounts"]],
        [1, 1, 0].map(Value::from).each_ref()
    );
    house.ask("POST", "/admin/accounts/77/refresh-token", "").await.refused(404);
}

#[tokio::test]
async fn an_account_that_has_nothing_to_refresh_with_is_no_fault_of_the_gateway() {
    let house = House::open().await;
    let mut login = login(1);
    login.as_object_mut().unwrap().remove("refreshToken");
    login["accessToken"] = json!("an-access-token-that-nobody-gave-out");
    let id = house.post("/v2/accounts", &login).await["id"].as_str().unwrap().to_owned();
    for path in [format!("/admin/accounts/{id}/refresh-token"), format!("/v2/accounts/{id}/refresh")] {
        house.ask("POST", &path, "").await.refused(400);
    }
}

async fn upload(house: &House, fields: &[(&str, &str)]) -> Answer {
    let mut body = String::new();
    for (name, value) in fields {
        let file = if *name == "json_file" { "; filename=\"kiro-auth-token.json\"" } else { "" };
        let head = format!("--cut\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
        body.extend([head.as_str(), value, "\r\n"]);
    }
    body.push_str("--cut--\r\n");
    let request = request("POST", "/admin/accounts/upload-json")
        .header("x-api-key", KEY)
        .header("content-type", "multipart/form-data; boundary=cut");
    house.send(request.body(Body::from(body)).unwrap()).await
}

#[tokio::test]
async fn a_file_of_the_sso_cache_is_uploaded() {
    let house = House::open().await;
    let mut file = login(1);
    file.as_object_mut().unwrap().remove("label");
    file["region"] = json!("us-east-1");
    let answer = upload(&house, &[("json_file", &file.to_string()), ("notes", "by form")]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer = answer.json();
    assert_eq!(answer["token_refresh"]["success"], true);
    assert!(answer["account"]["name"].as_str().unwrap().starts_with("AWS-SSO-2027"), "{answer}");
    let kept = house.get(&format!("/admin/accounts/{}", answer["account"]["id"])).await;
    assert_eq!([&kept["requests_per_minute"], &kept["notes"]], [&json!(10), &json!("by form")]);
    assert_eq!(kept["profile_arn"], Value::Null, "the region is no profile");
    // The same login again, and what is no file.
    for fields in [
        vec![("json_file", file.to_string())],
        vec![("json_file", "{".to_owned())],
        vec![("name", "x".to_owned())],
    ] {
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        upload(&house, &fields).await.refused(400);
    }
    house.ask("POST", "/admin/accounts/upload-json", "{}").await.refused(400);
}

#[tokio::test]
async fn an_uploaded_login_that_is_dead_is_kept_and_said_to_be() {
    let house = House::open().await;
    house.log_out(1);
    let file = login(1).to_string();
    let form = [("json_file", file.as_str()), ("name", "mine"), ("requests_per_minute", "4")];
    let answer = upload(&house, &form).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let answer = answer.json();
    assert_eq!(answer["token_refresh"]["success"], false);
    assert!(answer["warning"].is_string() && answer["token_refresh"]["error"].is_string());
    let kept = house.get(&format!("/admin/accounts/{}", answer["account"]["id"])).await;
    assert_eq!([&kept["name"], &kept["requests_per_minute"]], [&json!("mine"), &json!(4)]);
}
