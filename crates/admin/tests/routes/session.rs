//! Signing in, and what a session opens.

use axum::body::Body;
use serde_json::{Value, json};

use crate::house::{Answer, GUESSABLE, House, KEY, request};

async fn sign_in(house: &House, key: &str, origin: &str) -> Answer {
    let request =
        request("POST", "/api/v1/session").header("origin", origin).header("user-agent", "a browser");
    let request = request.header("content-type", "application/json");
    house.send(request.body(Body::from(json!({ "key": key }).to_string())).unwrap()).await
}

async fn by_cookie(house: &House, method: &str, path: &str, cookie: &str, csrf: Option<&str>) -> Answer {
    let mut request = request(method, path).header("cookie", format!("theme=dark; {cookie}"));
    if let Some(csrf) = csrf {
        request = request.header("x-csrf-token", csrf);
    }
    house.send(request.body(Body::from("{}")).unwrap()).await
}

fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_session_reads_by_its_cookie_and_writes_with_its_token_until_it_is_over() {
    let house = House::open().await;
    let opened = sign_in(&house, KEY, "http://127.0.0.1:8080").await;
    assert_eq!(opened.status, 201);
    let attributes = opened.header("set-cookie");
    for attribute in ["; HttpOnly", "; SameSite=Strict", "; Path=/", "; Max-Age=43200"] {
        assert!(attributes.contains(attribute), "{attributes}");
    }
    assert!(!attributes.contains("Secure"), "{attributes}");
    let body = opened.json();
    let (cookie, csrf) = (cookie(&opened), body["csrf"].as_str().unwrap().to_owned());
    assert!(!opened.text().contains(cookie.split('=').next_back().unwrap()), "the cookie is for no script");
    assert_eq!(body["scopes"], json!(["admin"]));
    assert_eq!(by_cookie(&house, "GET", "/v2/accounts", &cookie, None).await.status, 200);
    let who = by_cookie(&house, "GET", "/api/v1/session", &cookie, None).await.good();
    assert_eq!([&who["id"], &who["csrf"]], [&body["id"], &Value::Null]);
    for csrf in [None, Some("wrong")] {
        let refused = by_cookie(&house, "POST", "/v2/accounts/refresh-all", &cookie, csrf).await.refused(403);
        assert_eq!(refused["code"], "csrf");
    }
    assert_eq!(by_cookie(&house, "POST", "/v2/accounts/refresh-all", &cookie, Some(&csrf)).await.status, 200);
    let listed = by_cookie(&house, "GET", "/api/v1/sessions", &cookie, None).await.good();
    assert_eq!(
        [&listed["sessions"][0]["current"], &listed["sessions"][0]["agent"]],
        [&json!(true), &json!("a browser")]
    );
    let closed = by_cookie(&house, "DELETE", "/api/v1/session", &cookie, Some(&csrf)).await;
    assert!(closed.status == 204 && closed.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(by_cookie(&house, "GET", "/v2/accounts", &cookie, None).await.status, 401);
    house.ask("DELETE", "/api/v1/session", "").await.refused(404);
}

#[tokio::test]
async fn over_tls_the_cookie_is_secure_and_a_wrong_key_gets_none() {
    let house = House::with(&[GUESSABLE, KEY], true).await;
    let opened = sign_in(&house, KEY, "https://gateway.example").await;
    assert!(opened.header("set-cookie").ends_with("; Secure"));
    let client = house.key("client", &["inference"]).await;
    assert_eq!(sign_in(&house, client["key"].as_str().unwrap(), "").await.refused(403)["code"], "forbidden");
    let mut last = 0;
    for _ in 0..20 {
        let answer = sign_in(&house, "a-guess-at-the-key-of-the-admin", "").await;
        assert!(answer.headers.get("set-cookie").is_none());
        last = answer.status;
    }
    assert_eq!(last, 429);
    assert_eq!(sign_in(&house, GUESSABLE, "").await.status, 429, "nor the right one, for a while");
    let audit = house.store.audit().list(&qm_store::AuditFilter::default(), 100).await.unwrap();
    assert!(audit.iter().any(|record| record.entry.action == "session.refuse"));
    assert!(audit.iter().any(|record| record.entry.action == "session.open"));
}

#[tokio::test]
async fn a_session_is_ended_by_hand_and_with_its_key() {
    let house = House::open().await;
    let made = house.key("second admin", &["admin"]).await;
    let key = made["key"].as_str().unwrap();
    let [one, two, three] =
        [sign_in(&house, key, "").await, sign_in(&house, key, "").await, sign_in(&house, key, "").await];
    let id = one.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(house.ask("DELETE", &format!("/api/v1/sessions/{id}"), "").await.status, 204);
    house.ask("DELETE", &format!("/api/v1/sessions/{id}"), "").await.refused(404);
    assert_eq!(by_cookie(&house, "GET", "/api/v1/keys", &cookie(&one), None).await.status, 401);
    let csrf = two.json()["csrf"].as_str().unwrap().to_owned();
    let ended = by_cookie(&house, "DELETE", "/api/v1/sessions", &cookie(&two), Some(&csrf)).await.good();
    assert_eq!(ended["ended"], 1);
    assert_eq!(by_cookie(&house, "GET", "/api/v1/keys", &cookie(&three), None).await.status, 401);
    house.post(&format!("/api/v1/keys/{}/revoke", made["id"].as_str().unwrap()), &json!({})).await;
    assert_eq!(by_cookie(&house, "GET", "/api/v1/keys", &cookie(&two), None).await.status, 401);
}

#[tokio::test]
async fn a_form_of_another_site_signs_nobody_in() {
    let house = House::open().await;
    let request = request("POST", "/api/v1/session").header("content-type", "text/plain");
    let answer = house.send(request.body(Body::from(json!({ "key": KEY }).to_string())).unwrap()).await;
    assert_eq!(answer.refused(415)["code"], "unsupported_media_type");
}
