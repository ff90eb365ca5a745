//! `/api/v1`: accounts and the pool.

use axum::body::Body;
use serde_json::{Value, json};

use crate::house::{Answer, House, KEY, login, request};

async fn patch(house: &House, id: &str, tag: &str, wish: &Value) -> Answer {
    let request = request("PATCH", &format!("/api/v1/accounts/{id}")).header("x-api-key", KEY);
    house.send(request.header("if-match", tag).body(Body::from(wish.to_string())).unwrap()).await
}

#[tokio::test]
async fn a_change_meets_only_the_revision_it_was_made_for() {
    let house = House::open().await;
    let added = house.ask("POST", "/api/v1/accounts", login(1).to_string()).await;
    assert_eq!(added.status, 201);
    let account = added.json();
    let id = account["id"].as_str().unwrap();
    assert_eq!(added.header("location"), format!("/api/v1/accounts/{id}"));
    let tag = added.header("etag").to_owned();
    assert_eq!(tag, format!("\"{}\"", account["revision"]));
    let wish =
        json!({"label": "mine", "owner": "ann", "tags": ["a"], "rpm": 5, "weight": 3, "policy": "own"});
    let changed = patch(&house, id, &tag, &wish).await;
    let json = changed.good();
    for (field, value) in wish.as_object().unwrap() {
        assert_eq!(&json[field], value, "{field}");
    }
    let problem = patch(&house, id, &tag, &json!({"label": "theirs"})).await.refused(412);
    assert_eq!(problem["code"], "changed_meanwhile");
    let cleared =
        patch(&house, id, changed.header("etag"), &json!({"rpm": null, "owner": null})).await.good();
    assert_eq!(
        [&cleared["rpm"], &cleared["owner"], &cleared["label"]],
        [&Value::Null, &Value::Null, &json!("mine")]
    );
    for wish in
        [json!({"policy": "mine"}), json!({"region": "mars"}), json!({"surface": "x"}), json!({"lable": 1})]
    {
        patch(&house, id, "*", &wish).await.refused(400);
    }
    for tag in ["W/3", "3", "\"3", "\"3\" \"4\"", "\"3\",", "", "\"a b\""] {
        patch(&house, id, tag, &json!({})).await.refused(400);
    }
    let now = house.ask("GET", &format!("/api/v1/accounts/{id}"), "").await.header("etag").to_owned();
    for tag in
        ["\"abc\"", "\"\"", "\"0\"", &format!("W/{now}"), "\"a\", W/\"b\"", &now.replacen('"', "\"0", 1)]
    {
        let problem = patch(&house, id, tag, &json!({})).await.refused(412);
        assert_eq!(problem["code"], "changed_meanwhile", "{tag}");
    }
    patch(&house, id, &format!("W/\"a\" , {now}"), &json!({})).await.good();
    assert_eq!(house.ask("DELETE", &format!("/api/v1/accounts/{id}"), "").await.status, 204);
    house.ask("GET", &format!("/api/v1/accounts/{id}"), "").await.refused(404);
}

#[tokio::test]
async fn pages_follow_each_other() {
    let house = House::open().await;
    for n in 0..5 {
        house.add(n).await;
    }
    let (mut labels, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = house.get(&format!("/api/v1/accounts?limit=2&sort=label&order=desc{cursor}")).await;
        assert_eq!(page["total"], 5);
        let rows = page["accounts"].as_array().unwrap();
        labels.extend(rows.iter().map(|row| row["label"].as_str().unwrap().to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(labels, ["account 4", "account 3", "account 2", "account 1", "account 0"]);
    let found = house.get("/api/v1/accounts?search=ACCOUNT%203&kind=builder-id&origin=api").await;
    assert_eq!(found["total"], 1);
    for bad in ["sort=colour", "order=up", "origin=mars", "cursor=x", "limit=x"] {
        house.ask("GET", &format!("/api/v1/accounts?{bad}"), "").await.refused(400);
    }
    // A cursor of another order.
    house.ask("GET", &format!("/api/v1/accounts?limit=2{cursor}"), "").await.refused(400);
}

#[tokio::test]
async fn verbs_move_an_account_and_the_pool_explains() {
    let house = House::open().await;
    let (first, second) = (house.add(1).await, house.add(2).await);
    let off = house.post(&format!("/api/v1/accounts/{first}/disable"), &json!({})).await;
    assert_eq!([&off["enabled"], &off["health"]["state"]], [&json!(false), &json!("disabled")]);
    let explained = house.get("/api/v1/pool/explain").await;
    assert_eq!(explained["chosen"], second);
    let reasons = explained["accounts"].as_array().unwrap().iter().map(|one| (&one["id"], &one["reason"]));
    assert!(reasons.into_iter().any(|found| found == (&json!(first), &json!("disabled"))), "{explained}");
    let pinned = house.get(&format!("/api/v1/pool/explain?account={first}")).await;
    assert_eq!(pinned["chosen"], Value::Null);
    house.ask("GET", "/api/v1/pool/explain?account=nobody", "").await.refused(404);
    let pool = house.get("/api/v1/pool").await;
    assert_eq!([&pool["total"], &pool["enabled"]], [2, 1].map(Value::from).each_ref());
    let on = house.post(&format!("/api/v1/accounts/{first}/enable"), &json!({})).await;
    assert_eq!(on["health"]["state"], "ready");
    let refreshed = house.post(&format!("/api/v1/accounts/{first}/refresh"), &json!({})).await;
    assert_eq!(refreshed["login"]["last_refresh_status"], "success");
    let tested = house.post(&format!("/api/v1/accounts/{first}/test"), &json!({})).await;
    assert_eq!([&tested["token"]["ok"], &tested["usage"]["ok"]], [&json!(true), &json!(true)], "{tested}");
    house.log_out(1);
    house.log_out(2);
    let all = house.post("/api/v1/accounts/refresh", &json!({})).await;
    assert!(all["results"].as_array().unwrap().iter().all(|one| one["refresh"]["ok"] == false), "{all}");
    let broken = house.get(&format!("/api/v1/accounts/{first}")).await;
    assert_eq!(broken["health"]["state"], "broken");
    let reset = house.post(&format!("/api/v1/accounts/{first}/reset"), &json!({})).await;
    assert_eq!(reset["health"]["state"], "ready");
}
