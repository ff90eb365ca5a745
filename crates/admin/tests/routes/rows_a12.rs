//! The rows of spec/mission.md A12 that management keeps, under their names. The others are where they are kept: 1, 3, 4, 15,
//! 17 in the configuration, 2, 6, 11 in `qm-front`, 5, 12, 16 in `qm-accounts` and `qm-pool`, 13 in the relay.

use serde_json::json;

use crate::house::{House, KEY, login, request};

#[tokio::test]
async fn a12_7_one_account_in_two_dialects_by_two_ids() {
    let house = House::open().await;
    let camel = house.post("/v2/accounts", &login(1)).await;
    let (uuid, number) = (camel["id"].as_str().unwrap(), camel["number"].as_i64().unwrap());
    for id in [uuid, &number.to_string()] {
        assert_eq!(house.get(&format!("/v2/accounts/{id}")).await["label"], "account 1");
        assert_eq!(house.get(&format!("/admin/accounts/{id}")).await["name"], "account 1");
        assert_eq!(house.get(&format!("/api/v1/accounts/{id}")).await["number"], number);
    }
}

#[tokio::test]
async fn a12_8_patch_and_put_both_change_what_is_named() {
    let house = House::open().await;
    let id = house.add(1).await;
    for method in ["PATCH", "PUT"] {
        for (path, name) in
            [(format!("/v2/accounts/{id}"), "label"), (format!("/admin/accounts/{id}"), "name")]
        {
            let wish = json!({ name: format!("{method} {name}") });
            let changed = house.ask(method, &path, wish.to_string()).await.good();
            assert_eq!([&changed[name]], [&wish[name]]);
        }
    }
}

#[tokio::test]
async fn a12_9_a_listing_is_an_object_and_on_demand_an_array() {
    let house = House::open().await;
    house.add(1).await;
    assert_eq!(house.get("/v2/accounts").await["count"], 1);
    assert_eq!(house.get("/v2/accounts?format=array").await.as_array().unwrap().len(), 1);
    let shaped = request("GET", "/v2/accounts")
        .header("x-api-key", KEY)
        .header("accept", "application/json;shape=array");
    assert!(house.send(shaped.body("".into()).unwrap()).await.good().is_array());
}

#[tokio::test]
async fn a12_10_secrets_are_never_returned() {
    let house = House::open().await;
    let wish = login(1);
    let id = house.add(1).await;
    for path in
        [format!("/v2/accounts/{id}"), format!("/admin/accounts/{id}"), format!("/api/v1/accounts/{id}")]
    {
        let text = house.ask("GET", &path, "").await.text();
        for secret in ["clientSecret", "refreshToken"] {
            assert!(!text.contains(wish[secret].as_str().unwrap()), "{path}");
        }
    }
    assert_eq!(house.get(&format!("/v2/accounts/{id}")).await["hasRefreshToken"], true);
}

#[tokio::test]
async fn a12_14_all_paths_of_a_console_lead_to_one() {
    let house = House::open().await;
    for path in ["/admin", "/admin/login", "/admin/dashboard", "/login"] {
        let page = house.send(request("GET", path).body("".into()).unwrap()).await;
        assert!(page.status == 200 && page.text().contains("<h1>Quartermaster</h1>"), "{path}");
    }
}

#[tokio::test]
async fn a12_18_a_key_is_shown_once_and_a12_19_is_made_of_48_bytes() {
    let house = House::open().await;
    for (path, name) in [("/api/v1/keys", "one"), ("/admin/api-keys", "two")] {
        let made = house.post(path, &json!({ "name": name })).await;
        let key = made["key"].as_str().unwrap();
        let random = key.strip_prefix("amq-").unwrap();
        assert_eq!(random.len(), 64);
        assert!(random.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
        for path in [path.to_owned(), format!("{path}/{}", made["id"].to_string().trim_matches('"'))] {
            let text = house.ask("GET", &path, "").await.text();
            assert!(!text.contains(key) && text.contains(&key[key.len() - 4..]), "{path}: {text}");
        }
    }
}

#[tokio::test]
async fn a12_20_three_headers_and_never_the_url() {
    let house = House::open().await;
    for (name, value) in
        [("authorization", format!("Bearer {KEY}")), ("x-api-key", KEY.into()), ("x-admin-key", KEY.into())]
    {
        let asked = request("GET", "/admin/api-keys").header(name, value).body("".into()).unwrap();
        assert_eq!(house.send(asked).await.status, 200, "{name}");
    }
    let asked = request("GET", &format!("/admin/api-keys?key={KEY}")).body("".into()).unwrap();
    assert_eq!(house.send(asked).await.status, 401);
}
