//! Each row of spec/mission.md A2.4, under its name. The pages are in `pages.rs`, and who gets 401 and who 403 in `door.rs`.

use axum::body::Body;
use serde_json::{Value, json};

use crate::house::{Answer, House, KEY, NOW, login, receipt, request};

fn account(n: usize, name: &str) -> Value {
    let login = login(n);
    json!({
        "name": name, "refresh_token": login["refreshToken"], "client_id": login["clientId"],
        "client_secret": login["clientSecret"],
    })
}

const ACCOUNT: [&str; 20] = [
    "id",
    "name",
    "profile_arn",
    "is_active",
    "is_healthy",
    "total_requests",
    "total_tokens",
    "last_used",
    "last_health_check",
    "health_check_error",
    "error_count",
    "last_error_time",
    "first_error_time",
    "auto_recover_at",
    "requests_per_minute",
    "current_rpm",
    "rpm_reset_at",
    "created_at",
    "updated_at",
    "notes",
];

const API_KEY: [&str; 15] = [
    "id",
    "key",
    "name",
    "description",
    "is_active",
    "is_admin",
    "total_requests",
    "last_used",
    "requests_per_minute",
    "requests_per_day",
    "current_rpm",
    "current_rpd",
    "created_at",
    "updated_at",
    "expires_at",
];

#[tokio::test]
async fn a2_4_post_admin_accounts() {
    let house = House::open().await;
    let made = house.post("/admin/accounts", &account(1, "one")).await;
    for field in ACCOUNT {
        assert!(made.get(field).is_some(), "{field}");
    }
    assert_eq!(
        [&made["name"], &made["requests_per_minute"], &made["is_active"]],
        [&json!("one"), &json!(10), &json!(true)]
    );
    let same = house.ask("POST", "/admin/accounts", account(2, "one").to_string()).await.refused(400);
    assert!(same["detail"].as_str().unwrap().contains("name"), "{same}");
}

#[tokio::test]
async fn a2_4_get_admin_accounts() {
    let house = House::open().await;
    house.post("/admin/accounts", &account(1, "one")).await;
    let two = house.post("/admin/accounts", &account(2, "two")).await["id"].clone();
    house.ask("PUT", &format!("/admin/accounts/{two}"), r#"{"is_active":false}"#).await.good();
    assert_eq!(house.get("/admin/accounts").await.as_array().unwrap().len(), 2);
    assert_eq!(house.get("/admin/accounts?active_only=true").await[0]["name"], "one");
}

#[tokio::test]
async fn a2_4_get_put_delete_admin_accounts_id() {
    let house = House::open().await;
    let path = format!("/admin/accounts/{}", house.post("/admin/accounts", &account(1, "one")).await["id"]);
    let wish = json!({"name": "uno", "requests_per_minute": 30, "notes": "moved"});
    let changed = house.ask("PUT", &path, wish.to_string()).await.good();
    for (field, value) in wish.as_object().unwrap() {
        assert_eq!(&changed[field], value, "{field}");
    }
    assert_eq!(house.get(&path).await["name"], "uno");
    assert_eq!(
        house.ask("DELETE", &path, "").await.good(),
        json!({"message": "Account deleted successfully"})
    );
    for method in ["GET", "PUT", "DELETE"] {
        house.ask(method, &path, "{}").await.refused(404);
    }
}

#[tokio::test]
async fn a2_4_post_admin_accounts_id_refresh_token() {
    let house = House::open().await;
    let id = house.post("/admin/accounts", &account(1, "one")).await["id"].clone();
    let path = format!("/admin/accounts/{id}/refresh-token");
    let fresh = house.post(&path, &json!({})).await;
    assert_eq!([&fresh["account_id"], &fresh["account_name"]], [&id, &json!("one")]);
    assert!(fresh["message"].is_string() && fresh["expires_in"].as_u64().unwrap() > 0, "{fresh}");
    house.ask("POST", "/admin/accounts/999/refresh-token", "").await.refused(404);
    house.log_out(1);
    house.ask("POST", &path, "").await.refused(500);
}

#[tokio::test]
async fn a2_4_get_admin_accounts_id_stats() {
    let house = House::open().await;
    let id = house.post("/admin/accounts", &account(1, "one")).await["id"].clone();
    let stats = house.get(&format!("/admin/accounts/{id}/stats")).await;
    for field in [
        "account_id",
        "account_name",
        "is_active",
        "is_healthy",
        "error_count",
        "last_error_time",
        "last_health_check",
        "health_check_error",
        "auto_recover_at",
        "total_requests",
        "total_tokens",
        "last_used",
        "requests_per_minute",
        "current_rpm",
        "rpm_reset_at",
        "created_at",
        "updated_at",
    ] {
        assert!(stats.get(field).is_some(), "{field}");
    }
    assert_eq!(stats["token_info"], json!({"cached": false, "expires_at": null, "is_valid": false}));
}

async fn upload(house: &House, file: &str, name: &str) -> Answer {
    let body = format!(
        "--b\r\nContent-Disposition: form-data; name=\"json_file\"; filename=\"x.json\"\r\n\r\n{file}\r\n\
         --b\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\n{name}\r\n--b--\r\n"
    );
    let request = request("POST", "/admin/accounts/upload-json").header("x-api-key", KEY);
    let request = request.header("content-type", "multipart/form-data; boundary=b");
    house.send(request.body(Body::from(body)).unwrap()).await
}

#[tokio::test]
async fn a2_4_post_admin_accounts_upload_json() {
    let house = House::open().await;
    let of = |n| {
        let login = login(n);
        json!({
            "clientId": login["clientId"], "clientSecret": login["clientSecret"], "refreshToken": login["refreshToken"],
            "region": "us-east-1",
        })
    };
    let good = upload(&house, &of(1).to_string(), "").await;
    assert_eq!(good.status, 200);
    let body = good.json();
    assert_eq!([&body["success"], &body["token_refresh"]["success"]], [&json!(true), &json!(true)]);
    assert!(body["account"]["name"].as_str().unwrap().starts_with("AWS-SSO-20"), "{body}");
    house.log_out(2);
    let kept = upload(&house, &of(2).to_string(), "two").await;
    assert_eq!((kept.status, &kept.json()["token_refresh"]["success"]), (201, &json!(false)));
    assert!(kept.json()["warning"].is_string());
    for file in ["{", "{}", &of(1).to_string()] {
        upload(&house, file, "three").await.refused(400);
    }
}

#[tokio::test]
async fn a2_4_post_admin_api_keys() {
    let house = House::open().await;
    let made = house.post("/admin/api-keys", &json!({"name": "script"})).await;
    for field in API_KEY {
        assert!(made.get(field).is_some(), "{field}");
    }
    assert_eq!([&made["requests_per_minute"], &made["requests_per_day"]], [&json!(60), &json!(10_000)]);
    assert_eq!(
        [&made["is_admin"], &made["is_active"], &made["expires_at"]],
        [&json!(false), &json!(true), &Value::Null]
    );
    let key = made["key"].as_str().unwrap();
    assert_eq!(house.ask_as(key, "GET", "/api/v1/me", "").await.good()["key"]["number"], made["id"]);
    let wish = json!({"name": "boss", "description": "of scripts", "expires_days": 30, "is_admin": true, "requests_per_minute": 100});
    let admin = house.post("/admin/api-keys", &wish).await;
    assert_eq!([&admin["is_admin"], &admin["description"]], [&json!(true), &json!("of scripts")]);
    assert!(admin["expires_at"].as_str().unwrap().starts_with("2027-02-14T"), "{admin}");
    assert_eq!(house.ask_as(admin["key"].as_str().unwrap(), "GET", "/admin/api-keys", "").await.status, 200);
    for bad in [
        json!({}),
        json!({"name": "x", "requests_per_minute": 0}),
        json!({"name": "x", "expires_days": "soon"}),
    ] {
        house.ask("POST", "/admin/api-keys", bad.to_string()).await.refused(400);
    }
}

#[tokio::test]
async fn a2_4_get_put_delete_admin_api_keys() {
    let house = House::open().await;
    let made = house.post("/admin/api-keys", &json!({"name": "script"})).await;
    let path = format!("/admin/api-keys/{}", made["id"]);
    let shown = house.get(&path).await;
    assert_ne!(shown["key"], made["key"], "once, and not for ever (A12, 18)");
    let wish = json!({"name": "renamed", "description": "new", "requests_per_minute": 5, "requests_per_day": 50, "is_admin": true});
    let changed = house.ask("PUT", &path, wish.to_string()).await.good();
    for (field, value) in wish.as_object().unwrap() {
        assert_eq!(&changed[field], value, "{field}");
    }
    assert_eq!(house.ask("PUT", &path, r#"{"is_active":false}"#).await.good()["is_active"], false);
    let names = |listed: &Value| -> Vec<String> {
        let of_scripts = listed.as_array().unwrap().iter().filter(|key| key["id"].is_i64());
        of_scripts.map(|key| key["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&house.get("/admin/api-keys").await), ["renamed"]);
    assert!(names(&house.get("/admin/api-keys?active_only=true").await).is_empty());
    assert_eq!(
        house.ask("DELETE", &path, "").await.good(),
        json!({"message": "API key deleted successfully"})
    );
    for method in ["GET", "PUT", "DELETE"] {
        house.ask(method, &path, "{}").await.refused(404);
    }
}

#[tokio::test]
async fn a2_4_post_admin_api_keys_id_revoke() {
    let house = House::open().await;
    let made = house.post("/admin/api-keys", &json!({"name": "script"})).await;
    let (path, key) = (format!("/admin/api-keys/{}", made["id"]), made["key"].as_str().unwrap());
    let revoked = house.post(&format!("{path}/revoke"), &json!({})).await;
    assert_eq!(revoked, json!({"message": "API key revoked successfully"}));
    assert_eq!(house.get(&path).await["is_active"], false);
    house.ask_as(key, "GET", "/api/v1/me", "").await.refused(401);
    // As there, active is one word: it takes a revocation back.
    assert_eq!(house.ask("PUT", &path, r#"{"is_active":true}"#).await.good()["is_active"], true);
    assert_eq!(house.ask_as(key, "GET", "/api/v1/me", "").await.status, 200);
    house.ask("POST", "/admin/api-keys/999/revoke", "").await.refused(404);
}

#[tokio::test]
async fn a2_4_get_admin_stats_accounts() {
    let house = House::open().await;
    house.post("/admin/accounts", &account(1, "one")).await;
    let sums = house.get("/admin/stats/accounts").await;
    let expected = json!({
        "total_accounts": 1, "active_accounts": 1, "healthy_accounts": 1, "total_requests": 0, "total_tokens": 0,
    });
    assert_eq!(sums, expected);
}

#[tokio::test]
async fn a2_4_get_admin_stats_api_keys() {
    let house = House::open().await;
    let before = house.get("/admin/stats/api-keys").await;
    let made = house.post("/admin/api-keys", &json!({"name": "script"})).await;
    house.used(&[receipt(1, made["uuid"].as_str().unwrap(), None, 10)]).await;
    house.post(&format!("/admin/api-keys/{}/revoke", made["id"]), &json!({})).await;
    let after = house.get("/admin/stats/api-keys").await;
    let more = |field: &str| after[field].as_u64().unwrap() - before[field].as_u64().unwrap();
    assert_eq!([more("total_keys"), more("active_keys"), more("total_requests")], [1, 0, 1]);
}

#[tokio::test]
async fn a2_4_get_admin_stats_tokens() {
    let house = House::open().await;
    let id = house.post("/admin/accounts", &account(1, "one")).await["id"].as_i64().unwrap();
    house
        .used(&[
            receipt(1, "k", Some((id, "one")), 100),
            receipt(90_000, "k", Some((id, "one")), 10),
            receipt(2, "k", None, 4),
        ])
        .await;
    let stats = house.get("/admin/stats/tokens?days=7").await;
    assert_eq!(stats["period"], json!({"start_date": "2027-01-09", "end_date": "2027-01-15", "days": 7}));
    assert_eq!(
        stats["total"],
        json!({"input_tokens": 114, "output_tokens": 57, "total_tokens": 171, "requests": 3})
    );
    let daily = stats["daily"].as_array().unwrap();
    assert_eq!((daily.len(), &daily[6]["date"], &daily[6]["requests"]), (7, &json!("2027-01-15"), &json!(2)));
    let share = json!({
        "account_id": id, "account_name": "one", "input_tokens": 110, "output_tokens": 55, "total_tokens": 165, "requests": 2,
    });
    assert_eq!(stats["by_account"], json!([share]));
    assert_eq!(house.get("/admin/stats/tokens").await["period"]["days"], 7);
    for bad in ["0", "366", "x"] {
        house.ask("GET", &format!("/admin/stats/tokens?days={bad}"), "").await.refused(400);
    }
    assert_eq!(NOW, 1_800_000_000_000, "the dates above are of this time");
}

#[tokio::test]
async fn a2_4_get_admin_stats_account_usage() {
    let house = House::open().await;
    for (n, name) in [(1, "one"), (2, "two")] {
        house.post("/admin/accounts", &account(n, name)).await;
    }
    house.used(&[receipt(1, "k", Some((2, "two")), 100)]).await;
    let usage = house.get("/admin/stats/account-usage?days=3").await;
    let accounts = usage["accounts"].as_array().unwrap();
    assert_eq!((accounts.len(), &usage["period"]["days"]), (2, &json!(3)));
    assert_eq!([&accounts[0]["account_name"], &accounts[0]["total_tokens"]], [&json!("two"), &json!(150)]);
    for field in [
        "account_id",
        "is_active",
        "is_healthy",
        "input_tokens",
        "output_tokens",
        "requests",
        "total_requests_all_time",
        "total_tokens_all_time",
        "last_used",
    ] {
        assert!(accounts[0].get(field).is_some(), "{field}");
    }
}

#[tokio::test]
async fn a_revoked_key_is_not_good_again_by_a_request_that_is_refused() {
    let house = House::open().await;
    let made = house.post("/admin/api-keys", &json!({"name": "one"})).await;
    let path = format!("/admin/api-keys/{}", made["id"]);
    house.post(&format!("{path}/revoke"), &json!({})).await;
    house.ask("PUT", &path, r#"{"is_active":true,"name":""}"#).await.refused(400);
    assert_eq!(house.get(&path).await["is_active"], false);
    let restored = house.ask("PUT", &path, r#"{"is_active":true,"name":"two"}"#).await.good();
    assert_eq!([&restored["is_active"], &restored["name"]], [&json!(true), &json!("two")]);
}
