//! No answer holds a secret.

use qm_admin::table;
use serde_json::json;

use crate::house::{House, login};

/// What must never come back.
const SECRETS: [&str; 8] = [
    "sim-refresh-token",
    "sim-client-secret",
    "another-client-secret-of-somebody",
    "a-refresh-token-that-nobody-gave-out",
    "an-access-token-that-nobody-gave-out",
    "ksk_0123456789abcdefghijklmnopqrstuv",
    "proxy-password",
    "a-secret-in-the-free-object",
];

async fn fill(house: &House) -> Vec<String> {
    let mut ids = vec![house.add(1).await];
    house.post(&format!("/v2/accounts/{}/refresh", ids[0]), &json!({})).await;
    let dead = json!({
        "name": "dead", "refresh_token": SECRETS[3], "client_id": "client-of-somebody", "client_secret": SECRETS[2],
        "access_token": SECRETS[4], "other": {"team": "blue", "refreshToken": SECRETS[7], "password": SECRETS[7]},
    });
    ids.push(house.post("/admin/accounts", &dead).await["uuid"].as_str().unwrap().to_owned());
    house.ask("POST", &format!("/v2/accounts/{}/refresh", ids[1]), "").await.refused(502);
    let key = house.post("/api/v1/accounts", &json!({"label": "key", "kiroApiKey": SECRETS[5]})).await;
    ids.push(key["id"].as_str().unwrap().to_owned());
    let wish = json!({
        "proxy": "http://user:proxy-password@127.0.0.1:1", "notes": "some notes",
        "other": {"token": SECRETS[7], "place": "here"},
    });
    let changed = house.ask("PATCH", &format!("/api/v1/accounts/{}", ids[2]), wish.to_string()).await.good();
    assert_eq!([&changed["proxy"], &changed["other"]], [&json!("own"), &json!({"place": "here"})]);
    house.post("/v2/auth/start", &json!({})).await;
    ids
}

#[tokio::test]
async fn no_answer_holds_a_secret() {
    let house = House::open().await;
    let ids = fill(&house).await;
    let mut answers = 0;
    let reading = table().filter(|(_, methods)| methods.contains(&"GET")).map(|(path, _)| (path, "GET"));
    let writing =
        ["/v2/accounts/{id}", "/admin/accounts/{id}", "/api/v1/accounts/{id}"].map(|path| (path, "PATCH"));
    let doing = ["refresh", "test", "reset", "enable", "disable"];
    let doing = doing.map(|verb| (format!("/api/v1/accounts/{{id}}/{verb}"), "POST"));
    let all = reading.chain(writing).map(|(path, method)| (path.to_owned(), method)).chain(doing);
    for (path, method) in all.collect::<Vec<_>>() {
        for id in &ids {
            let answer = house.ask(method, &path.replace("{id}", id), "{}").await;
            for secret in SECRETS {
                assert!(!answer.text().contains(secret), "{method} {path}: {secret} in {}", answer.text());
            }
            answers += usize::from(answer.status < 300);
        }
    }
    assert!(answers > 40, "{answers}");
    // Refusals do not repeat what they refuse.
    for (path, body) in [
        ("/v2/accounts", json!([login(5), login(6)])),
        ("/v2/accounts", json!({"clientId": "c", "clientSecret": SECRETS[2], "refreshToken": [SECRETS[3]]})),
        ("/admin/accounts", login(1)),
        ("/api/v1/accounts/export", json!({"passphrase": [SECRETS[3]]})),
        ("/v2/accounts/import", json!({"accounts": [{"refreshToken": SECRETS[3], "type": "gemini"}]})),
    ] {
        let answer = house.ask("POST", path, body.to_string()).await;
        for secret in SECRETS {
            assert!(!answer.text().contains(secret), "{path}: {}", answer.text());
        }
    }
}
