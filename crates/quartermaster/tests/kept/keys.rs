//! API keys at the command line, and in the gateway that runs on the same database.

use std::time::Duration;

use qm_simulator::SimAccount;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::audit::alter;
use crate::house::{ADMIN, Gateway, House, KEY};

async fn with_an_account() -> House {
    let account = SimAccount::numbered(0);
    let mut house = House::with(vec![account.clone()]).await;
    house.give(&account);
    house
}

/// Makes a key; its number and the key itself.
fn made(house: &House, flags: &[&str]) -> (String, String) {
    let shown = house.json(&[&["keys", "create", "--name", "test"], flags].concat());
    let key = &shown["key"];
    (key["number"].to_string(), key["key"].as_str().unwrap().to_owned())
}

/// Waits until the gateway lets this key in, or does not.
async fn noticed(gateway: &Gateway, key: &str, opens: bool) {
    let begun = Instant::now();
    while (gateway.ask(key) == 200) != opens {
        assert!(begun.elapsed() < Duration::from_secs(10), "the gateway did not notice");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_shown_once_and_kept_as_a_hash() {
    let house = with_an_account().await;
    let said = house.run(&["keys", "create", "--name", "laptop", "--owner", "ann", "--tag", "ci"]);
    let key = said.out.trim_end();
    assert!(said.code == Some(0) && said.err.contains("shown this once"), "{}", said.err);
    assert!(key.len() == 68 && key.starts_with("amq-") && !said.err.contains(key), "{}", said.out);

    let listed = house.run(&["keys", "list", "--json"]);
    let shown = house.run(&["keys", "show", "1"]);
    let audited = house.run(&["audit", "list", "--action", "key"]);
    for said in [&listed, &shown, &audited] {
        assert!(said.code == Some(0) && !said.out.contains(key), "{}", said.out);
    }
    assert_eq!(house.shows(key), None, "not in the database");
    let listed: Value = serde_json::from_str(&listed.out).unwrap();
    let kept = listed["keys"].as_array().unwrap().iter().find(|key| key["number"] == 1).unwrap();
    assert_eq!(
        (&kept["name"], &kept["owner"], &kept["tags"]),
        (&"laptop".into(), &"ann".into(), &json!(["ci"]))
    );
    let hint = kept["hint"].as_str().unwrap();
    assert_eq!(hint, format!("{}…{}", &key[..8], &key[64..]));
    let of_environment =
        listed["keys"].as_array().unwrap().iter().filter(|key| key["readOnly"] == true).count();
    assert_eq!(of_environment, 2, "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_to_keys_holds_in_a_running_gateway_within_seconds() {
    let house = with_an_account().await;
    let gateway = house.serve();
    let (number, key) = made(&house, &[]);
    noticed(&gateway, &key, true).await;
    house.json(&["keys", "revoke", &number]);
    noticed(&gateway, &key, false).await;
    house.json(&["keys", "enable", &number]);
    noticed(&gateway, &key, true).await;
    house.json(&["keys", "disable", &number]);
    noticed(&gateway, &key, false).await;
    house.json(&["keys", "enable", &number]);
    noticed(&gateway, &key, true).await;

    let rotated = house.json(&["keys", "rotate", &number, "--overlap", "1h"]);
    let newer = rotated["key"]["key"].as_str().unwrap().to_owned();
    noticed(&gateway, &newer, true).await;
    assert_eq!(gateway.ask(&key), 200, "the old one is good for an hour");
    let rotated = house.json(&["keys", "rotate", &number, "--overlap", "0"]);
    noticed(&gateway, &newer, false).await;
    assert_eq!(gateway.ask(rotated["key"]["key"].as_str().unwrap()), 200);

    house.json(&["keys", "remove", &number]);
    noticed(&gateway, rotated["key"]["key"].as_str().unwrap(), false).await;
    let unknown = house.run(&["keys", "revoke", &number, "env-00000000"]);
    assert!(unknown.code == Some(1) && unknown.out.contains("not found"), "{}", unknown.out);
    assert_eq!(house.json(&["audit", "verify"])["whole"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limits_of_a_key_are_flags_and_hold() {
    let house = with_an_account().await;
    let gateway = house.serve();
    let limits =
        ["--rpm", "2", "--model", "claude-*", "--budget", "credits/month=80:100.5", "--expires", "1d"];
    let (number, key) = made(&house, &limits);
    noticed(&gateway, &key, true).await;
    assert_eq!([gateway.ask(&key), gateway.ask(&key)], [200, 429]);

    let shown = house.json(&["keys", "show", &number]);
    let key = &shown["keys"][0];
    assert_eq!((&key["limits"]["rpm"], &key["limits"]["models"]), (&2.into(), &json!(["claude-*"])), "{key}");
    assert_eq!(
        (&key["budgets"][0]["soft"], &key["budgets"][0]["hard"]),
        (&80.0.into(), &100.5.into()),
        "{key}"
    );
    assert!(key["expiresMs"].as_u64().unwrap() > key["createdMs"].as_u64().unwrap() + 86_000_000, "{key}");
    let words = house.run(&["keys", "list"]).out;
    assert!(words.contains("2 a minute"), "{words}");
    for wrong in [
        &["--scope", "everything"][..],
        &["--budget", "euros/day=1"],
        &["--rpm", "0"],
        &["--expires", "soon"],
    ] {
        let said = house.run(&[&["keys", "create", "--name", "x"], wrong].concat());
        assert!(said.code != Some(0) && said.out.is_empty() && !said.err.is_empty(), "{wrong:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_used_is_summed_up_by_who_asked_and_nothing_is_lost_at_the_end() {
    let house = with_an_account().await;
    let gateway = house.serve();
    let (_, key) = made(&house, &["--owner", "ann"]);
    noticed(&gateway, &key, true).await;
    for _ in 0..4 {
        assert_eq!(gateway.ask(&key), 200);
    }
    // Not of a known model, and so refused: that leaves a receipt too.
    let unknown = r#"{"model":"no-such-model","max_tokens":9,"messages":[{"role":"user","content":"x"}]}"#;
    assert_eq!(gateway.call("POST /v1/messages", &key, unknown).0, 404);
    assert_eq!(gateway.stop(), Some(0));

    let used = house.json(&["usage", "--by", "owner"]);
    let ann = used["rows"].as_array().unwrap().iter().find(|row| row["name"] == "ann").unwrap();
    assert_eq!(
        (&ann["succeeded"], &ann["refused"], &ann["failed"]),
        (&5.into(), &1.into(), &0.into()),
        "{used}"
    );
    assert!(ann["inputTokens"].as_u64() > Some(0) && ann["outputTokens"].as_u64() > Some(0), "{used}");
    let by_day = house.json(&["usage", "--days", "2"]);
    assert_eq!(
        (by_day["rows"].as_array().unwrap().len(), &by_day["total"]["requests"]),
        (2, &6.into()),
        "{by_day}"
    );
    let by_account = house.json(&["usage", "--by", "account", "--order", "requests"]);
    assert_eq!(
        (&by_account["rows"][0]["name"], &by_account["rows"][0]["requests"]),
        (&"1".into(), &5.into()),
        "{by_account}"
    );
    let by_key = house.run(&["usage", "--by", "key"]).out;
    assert!(by_key.contains("test ("), "{by_key}");
    let csv = house.run(&["usage", "--by", "key", "--csv"]).out;
    assert!(csv.starts_with("start_ms,name,requests,") && csv.lines().count() == 2, "{csv}");
    let table = house.run(&["usage", "--by", "model"]);
    assert!(table.code == Some(0) && table.out.contains("claude-sonnet-4.5"), "{}", table.out);
    let listed = house.json(&["keys", "list", "--owner", "ann"]);
    assert_eq!(listed["keys"][0]["totalRequests"], 6, "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_the_environment_have_the_limits_that_are_set_for_them_and_admins_have_none() {
    let mut house = with_an_account().await;
    house.set("QM_KEYS_RPM", "2");
    let gateway = house.serve();
    assert_eq!([KEY, KEY, KEY].map(|key| gateway.ask(key)), [200, 200, 429]);
    assert_eq!([ADMIN, ADMIN, ADMIN].map(|key| gateway.ask(key)), [200; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_key_opens_nothing_and_keeps_neither_the_gateway_from_starting_nor_others_out() {
    let house = with_an_account().await;
    let ((_, broken), (_, other)) = (made(&house, &[]), made(&house, &[]));
    alter(&house, "UPDATE keys SET origin = 'of a later version', scopes = '[' WHERE number = 1").await;
    let gateway = house.serve();
    assert_eq!([gateway.ask(&broken), gateway.ask(&other), gateway.ask(KEY)], [401, 200, 200]);
    let (status, listed) = gateway.call("GET /api/v1/keys?scope=inference", ADMIN, "");
    assert_eq!(status, 200, "{listed}");
    // Broken while the gateway runs, a key ends as well.
    alter(
        &house,
        "UPDATE keys SET origin = '', revision = (SELECT value + 1 FROM revision) WHERE number = 2",
    )
    .await;
    alter(&house, "UPDATE revision SET value = value + 1").await;
    noticed(&gateway, &other, false).await;
    assert_eq!((gateway.ask(KEY), gateway.stop()), (200, Some(0)));
}
