//! Imports and exports.

use axum::body::Body;
use qm_seal::passphrase::decrypt;
use serde_json::{Value, json};

use crate::house::{House, KEY, login, request};

const PASSPHRASE: &str = "a long and winding passphrase";

fn statuses(report: &Value) -> Vec<&str> {
    report["rows"].as_array().unwrap().iter().map(|row| row["status"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_file_is_tried_imported_and_known_again() {
    let house = House::open().await;
    let file = json!([login(1), {"label": "no login"}, login(1), login(2)]).to_string();
    let tried = house.ask("POST", "/v2/accounts/import?dryRun=true", file.clone()).await.good();
    assert_eq!(statuses(&tried), ["would_add", "refused", "duplicate", "would_add"]);
    assert_eq!(house.get("/v2/accounts").await["count"], 0);
    let done = house.ask("POST", "/v2/accounts/import", file.clone()).await.good();
    assert_eq!(statuses(&done), ["added", "refused", "duplicate", "added"]);
    assert_eq!(
        [&done["added"], &done["duplicates"], &done["refused"]],
        [2, 1, 1].map(Value::from).each_ref()
    );
    assert_eq!(house.get("/v2/accounts").await["count"], 2);
    let again = house.ask("POST", "/api/v1/accounts/import?tag=second", file).await.good();
    assert_eq!(statuses(&again), ["duplicate", "refused", "duplicate", "duplicate"]);
    for body in ["", "neither", "{"] {
        house.ask("POST", "/v2/accounts/import", body).await.refused(400);
    }
}

#[tokio::test]
async fn q2apis_feed_is_an_import_in_its_own_shape() {
    let house = House::open().await;
    let fed = house.post("/v2/accounts/feed", &json!({ "accounts": [login(1), login(2)] })).await;
    assert_eq!(fed["status"], "processing");
    let ids = fed["account_ids"].as_array().unwrap();
    assert_eq!(ids.len(), 2);
    house.get(&format!("/v2/accounts/{}", ids[0].as_str().unwrap())).await;
}

#[tokio::test]
async fn an_export_is_sealed_and_comes_back() {
    let house = House::open().await;
    let id = house.add(1).await;
    house.add(2).await;
    house.ask("POST", "/api/v1/accounts/export", "{}").await.refused(400);
    house
        .ask("POST", "/api/v1/accounts/export", json!({"passphrase": "short"}).to_string())
        .await
        .refused(400);
    let wish = json!({"passphrase": PASSPHRASE, "ids": [id]}).to_string();
    let answer = house.ask("POST", "/api/v1/accounts/export", wish).await;
    assert_eq!((answer.status, answer.header("x-accounts")), (200, "1"));
    assert!(answer.header("content-disposition").starts_with("attachment"));
    let token = login(1)["refreshToken"].as_str().unwrap().to_owned();
    assert!(!answer.text().contains(&token));
    let opened = decrypt(&answer.bytes, &PASSPHRASE.into()).unwrap();
    assert!(String::from_utf8_lossy(&opened).contains(&token));
    let other = House::open().await;
    let send = async |passphrase: &str| {
        let request = request("POST", "/api/v1/accounts/import?dry_run=true").header("x-api-key", KEY);
        let request = request.header("x-passphrase", passphrase);
        other.send(request.body(Body::from(answer.bytes.clone())).unwrap()).await
    };
    send("another passphrase altogether").await.refused(400);
    assert_eq!(send(PASSPHRASE).await.good()["added"], 1);
    // Without a passphrase it is said to need one.
    let sealed = other.ask("POST", "/v2/accounts/import", answer.bytes.clone()).await.refused(400);
    assert!(sealed["detail"].as_str().unwrap().contains("passphrase"), "{sealed}");
    let report = other.ask("POST", "/v2/accounts/import", opened.to_vec()).await.good();
    assert_eq!([&report["format"], &report["added"]], [&json!("quartermaster"), &json!(1)]);
}
