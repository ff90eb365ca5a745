//! `/api/v1/keys` and `/api/v1/me`.

use axum::body::Body;
use serde_json::{Value, json};

use crate::house::{Answer, CLIENT, House, KEY, receipt, request};

async fn with_tag(house: &House, method: &str, path: &str, tag: &str, wish: &Value) -> Answer {
    let request = request(method, path).header("x-api-key", KEY).header("if-match", tag);
    house.send(request.body(Body::from(wish.to_string())).unwrap()).await
}

#[tokio::test]
async fn a_key_is_made_shown_changed_rotated_and_removed() {
    let house = House::open().await;
    let wish = json!({
        "name": "ann's laptop", "owner": "ann", "team": "blue", "tags": ["laptop"], "expires_ms": 1_900_000_000_000_u64,
        "limits": {"rpm": 60, "concurrency": 5, "models": ["claude-*"],
            "budgets": [{"unit": "credits", "period": "month", "soft": 80, "hard": 100.5}]},
    });
    let made = house.ask("POST", "/api/v1/keys", wish.to_string()).await;
    assert_eq!(made.status, 201);
    let body = made.json();
    let (id, key) = (body["id"].as_str().unwrap(), body["key"].as_str().unwrap());
    assert!(key.starts_with("amq-") && key.len() == 68, "{key}");
    assert_eq!(made.header("location"), format!("/api/v1/keys/{id}"));
    for field in ["name", "owner", "team", "tags", "limits", "expires_ms"] {
        assert_eq!(body[field], wish[field], "{field}");
    }
    assert_eq!([&body["scopes"], &body["state"]], [&json!(["inference"]), &json!("active")]);
    let path = format!("/api/v1/keys/{id}");
    let shown = house.get(&path).await;
    assert_eq!(shown.get("key"), None);
    assert!(shown["hint"].as_str().unwrap().starts_with(&key[..8]));
    let changed =
        with_tag(&house, "PATCH", &path, made.header("etag"), &json!({"owner": null, "limits": {"rpm": 5}}))
            .await;
    assert_eq!([&changed.good()["owner"], &changed.json()["limits"]], [&Value::Null, &json!({"rpm": 5})]);
    let late = with_tag(&house, "PATCH", &path, made.header("etag"), &json!({"name": "theirs"})).await;
    assert_eq!(late.refused(412)["code"], "changed_meanwhile");
    let late = with_tag(&house, "POST", &format!("{path}/rotate"), made.header("etag"), &json!({})).await;
    late.refused(412);
    let rotated = house.post(&format!("{path}/rotate"), &json!({"overlap_ms": 60_000})).await;
    let fresh = rotated["key"].as_str().unwrap();
    assert_ne!(fresh, key);
    for key in [key, fresh] {
        assert_eq!(house.ask_as(key, "GET", "/api/v1/me", "").await.good()["key"]["id"], id);
    }
    house.post(&format!("{path}/revoke"), &json!({})).await;
    house.ask_as(fresh, "GET", "/api/v1/me", "").await.refused(401);
    assert_eq!(house.post(&format!("{path}/restore"), &json!({})).await["state"], "active");
    assert_eq!(house.post(&format!("{path}/disable"), &json!({})).await["state"], "disabled");
    assert_eq!(house.post(&format!("{path}/enable"), &json!({})).await["state"], "active");
    with_tag(&house, "DELETE", &path, made.header("etag"), &json!({})).await.refused(412);
    assert_eq!(house.ask("DELETE", &path, "").await.status, 204);
    house.ask("GET", &path, "").await.refused(404);
}

#[tokio::test]
async fn what_cannot_be_a_key_is_refused() {
    let house = House::open().await;
    for wish in [
        json!({}),
        json!({"name": ""}),
        json!({"name": "x\u{0}"}),
        json!({"name": "x", "scopes": []}),
        json!({"name": "x", "scopes": ["root"]}),
        json!({"name": "x", "expires_ms": 5}),
        json!({"name": "x", "limits": {"rpm": 0}}),
        json!({"name": "x", "limits": {"rpm": "many"}}),
        json!({"name": "x", "limits": {"rps": 5}}),
        json!({"name": "x", "limits": {"budgets": [{"unit": "credits", "period": "week", "hard": 1}]}}),
        json!({"name": "x", "colour": "red"}),
        json!([]),
    ] {
        house.ask("POST", "/api/v1/keys", wish.to_string()).await.refused(400);
    }
    let plain = request("POST", "/api/v1/keys").header("x-api-key", KEY).header("content-type", "text/plain");
    house.send(plain.body(Body::from(r#"{"name":"x"}"#)).unwrap()).await.refused(415);
    assert_eq!(house.get("/api/v1/keys?origin=api").await["total"], 0);
}

#[tokio::test]
async fn keys_are_listed_by_pages_and_those_of_the_configuration_are_read_only() {
    let house = House::open().await;
    for name in ["a", "b", "c"] {
        house.key(name, &["inference"]).await;
    }
    let first = house.get("/api/v1/keys?limit=2").await;
    let names: Vec<&str> = first["keys"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|key| key["number"].as_i64().and(key["name"].as_str()))
        .collect();
    assert_eq!((names, &first["total"]), (vec!["a", "b"], &json!(5)));
    let rest =
        house.get(&format!("/api/v1/keys?limit=2&cursor={}", first["next_cursor"].as_str().unwrap())).await;
    assert_eq!([&rest["keys"][0]["name"], &rest["next_cursor"]], [&json!("c"), &Value::Null]);
    let configured = first["keys"].as_array().unwrap().iter().find(|key| key["read_only"] == true).unwrap();
    let path = format!("/api/v1/keys/{}", configured["id"].as_str().unwrap());
    assert_eq!(house.get(&path).await["origin"], "environment");
    for (method, path) in
        [("PATCH", path.clone()), ("DELETE", path.clone()), ("POST", format!("{path}/revoke"))]
    {
        assert_eq!(house.ask(method, &path, "{}").await.refused(409)["code"], "read_only");
    }
    for bad in
        ["cursor=x", "scope=root", "origin=mars", "order=up", "limit=0", "expired=true", "nobody=asked"]
    {
        house.ask("GET", &format!("/api/v1/keys?{bad}"), "").await.refused(400);
    }
}

#[tokio::test]
async fn whoever_holds_a_key_may_know_what_it_has_used_and_what_is_left() {
    let house = House::open().await;
    let wish = json!({"name": "mine", "limits": {"rpm": 7, "budgets": [{"unit": "tokens", "period": "day", "hard": 1000}]}});
    let made = house.post("/api/v1/keys", &wish).await;
    let (id, key) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
    house.used(&[receipt(1, id, None, 100), receipt(2, "somebody", None, 1)]).await;
    let me = house.ask_as(key, "GET", "/api/v1/me", "").await.good();
    assert_eq!([&me["key"]["name"], &me["usage"]["today"]["input"]], [&json!("mine"), &json!(100)]);
    assert_eq!(me["usage"]["month"]["credits_micro"], 1_500_000);
    let limit = &me["standing"]["limits"][0];
    assert_eq!([&limit["name"], &limit["limit"], &limit["remaining"]], [&json!("rpm"), &json!(7), &json!(7)]);
    assert_eq!(me["standing"]["budgets"][0]["hard"], 1000.0);
    assert_eq!(house.get(&format!("/api/v1/keys/{id}/standing")).await["limits"][0]["limit"], 7);
    let configured = house.ask_as(CLIENT, "GET", "/api/v1/me", "").await.good();
    assert_eq!(configured["key"]["read_only"], true);
    assert!(!configured.to_string().contains(CLIENT));
}

#[tokio::test]
async fn the_last_admin_is_not_locked_out() {
    let house = House::with(&[], true).await;
    house.ask("GET", "/api/v1/keys", "").await.refused(401);
    let first = house.first_admin().await;
    let mine =
        house.ask_as(&first, "GET", "/api/v1/session", "").await.good()["key"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/keys/{mine}");
    for (method, path) in
        [("DELETE", path.clone()), ("POST", format!("{path}/revoke")), ("POST", format!("{path}/disable"))]
    {
        assert_eq!(house.ask_as(&first, method, &path, "").await.refused(409)["code"], "conflict");
    }
}
