//! What is decided while the gateway runs, and the configuration that wins over it.

use std::time::Duration;

use qm_simulator::SimAccount;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::audit::alter;
use crate::house::{ADMIN, Gateway, House, KEY};

fn admin(gateway: &Gateway, what: &str, body: &Value) -> (u16, Value) {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let (status, answer) = gateway.call(what, ADMIN, &body);
    (status, serde_json::from_str(&answer).unwrap())
}

fn asks(gateway: &Gateway, model: &str) -> u16 {
    let body =
        json!({ "model": model, "max_tokens": 9, "messages": [{ "role": "user", "content": "Hello" }] });
    gateway.call("POST /v1/messages", KEY, &body.to_string()).0
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_decided_holds_at_once_and_after_a_restart_and_the_configuration_wins() {
    let account = SimAccount::numbered(0);
    let mut house = House::with(vec![account.clone()]).await;
    house.give(&account);
    let gateway = house.serve();
    assert_eq!([asks(&gateway, "claude-sonnet-4-5"), asks(&gateway, "my-model")], [200, 404]);
    let wish = json!({
        "aliases": { "my-*": "claude-haiku-4.5" },
        "strategy": "least_used",
        "retention": { "receipts_days": 7 },
    });
    let (status, now) = admin(&gateway, "PATCH /api/v1/settings", &wish);
    assert_eq!(
        (status, &now["strategy"], &now["retention"]["receipts_days"]),
        (200, &"least_used".into(), &7.into())
    );
    assert_eq!([asks(&gateway, "my-model"), asks(&gateway, "your-model")], [200, 404]);
    let (status, _) =
        admin(&gateway, "PATCH /api/v1/settings", &json!({ "default_model": "claude-sonnet-4.5" }));
    assert_eq!((status, asks(&gateway, "your-model")), (200, 200));
    let (status, _) = admin(&gateway, "PATCH /api/v1/settings", &json!({ "retention": { "hours_days": 3 } }));
    assert_eq!(status, 400, "limits of a month are counted from them");
    assert_eq!(gateway.stop(), Some(0));

    house.set("QM_MODEL_ALIASES", "other=claude-sonnet-4.5");
    let gateway = house.serve();
    let (status, now) = admin(&gateway, "GET /api/v1/settings", &Value::Null);
    assert_eq!(
        (status, &now["strategy"], &now["default_model"]),
        (200, &"least_used".into(), &"claude-sonnet-4.5".into())
    );
    assert_eq!(
        (&now["fixed"], &now["aliases"]),
        (&json!(["aliases"]), &json!({ "other": "claude-sonnet-4.5" })),
        "{now}"
    );
    let (status, refused) = admin(&gateway, "PATCH /api/v1/settings", &json!({ "aliases": {} }));
    assert_eq!(status, 409, "{refused}");
    let (status, _) = admin(&gateway, "PATCH /api/v1/settings", &json!({ "retention": { "days_days": 40 } }));
    assert_eq!(status, 200);
    assert_eq!(gateway.stop(), Some(0));

    house.set("QM_MODEL_ALIASES", "");
    let gateway = house.serve();
    let (_, now) = admin(&gateway, "GET /api/v1/settings", &Value::Null);
    assert_eq!(
        now["aliases"],
        json!({ "my-*": "claude-haiku-4.5" }),
        "what was decided is not forgotten by other changes"
    );
    let audited = house.json(&["audit", "list", "--action", "settings"]);
    let entries = audited["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 3, "{audited}");
    assert_eq!(entries[2]["detail"]["after"]["strategy"], "least_used", "{audited}");
}

/// Receipts that are written from here on, and those that are not: as it is decided, at once and after a restart.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_of_requests_while_it_is_decided_so() {
    let account = SimAccount::numbered(0);
    let mut house = House::with(vec![account.clone()]).await;
    house.give(&account);
    let keeps = |gateway: &Gateway, keeps: bool| {
        let (status, now) = admin(gateway, "PATCH /api/v1/settings", &json!({ "keeps_receipts": keeps }));
        assert_eq!((status, &now["keeps_receipts"]), (200, &keeps.into()), "{now}");
    };
    let gateway = house.serve();
    assert_eq!(asks(&gateway, "claude-sonnet-4-5"), 200);
    keeps(&gateway, false);
    assert_eq!(asks(&gateway, "unknown"), 404);
    assert_eq!(gateway.stop(), Some(0));
    let gateway = house.serve();
    assert_eq!(asks(&gateway, "unknown"), 404, "nor after a restart");
    keeps(&gateway, true);
    assert_eq!(asks(&gateway, "claude-haiku-4-5"), 200);
    assert_eq!(gateway.stop(), Some(0));

    house.set("QM_LEDGER", "true");
    let gateway = house.serve();
    let (status, _) = admin(&gateway, "PATCH /api/v1/settings", &json!({ "keeps_receipts": false }));
    assert_eq!(status, 409, "the configuration says it");
    let (_, receipts) = admin(&gateway, "GET /api/v1/requests", &Value::Null);
    let asked: Vec<&Value> =
        receipts["requests"].as_array().unwrap().iter().map(|one| &one["asked"]).collect();
    assert_eq!(asked, ["claude-haiku-4-5", "claude-sonnet-4-5"], "{receipts}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_stored_holds_though_the_audit_fails_so_that_the_next_start_changes_nothing() {
    let account = SimAccount::numbered(0);
    let mut house = House::with(vec![account.clone()]).await;
    house.give(&account);
    let gateway = house.serve();
    let full = "CREATE TRIGGER audit_is_full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END";
    alter(&house, full).await;
    let wish = json!({ "aliases": { "my-model": "claude-haiku-4.5" } });
    assert_eq!(admin(&gateway, "PATCH /api/v1/settings", &wish).0, 500);
    alter(&house, "DROP TRIGGER audit_is_full").await;
    let held = |gateway: &Gateway| {
        let (status, now) = admin(gateway, "GET /api/v1/settings", &Value::Null);
        (status, now["aliases"].clone(), asks(gateway, "my-model"))
    };
    let before = held(&gateway);
    assert_eq!(before, (200, wish["aliases"].clone(), 200));
    assert_eq!(gateway.stop(), Some(0));
    let gateway = house.serve();
    assert_eq!(held(&gateway), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_decided_at_one_gateway_holds_at_the_other_within_seconds() {
    let account = SimAccount::numbered(0);
    let mut house = House::with(vec![account.clone()]).await;
    house.give(&account);
    let (one, other) = (house.serve(), house.serve());
    assert_eq!([asks(&one, "claude-sonnet-4-5"), asks(&other, "claude-sonnet-4-5")], [200, 200]);
    assert_eq!(asks(&other, "my-model"), 404);
    let wish = json!({ "aliases": { "my-model": "claude-haiku-4.5" }, "strategy": "random" });
    assert_eq!(admin(&one, "PATCH /api/v1/settings", &wish).0, 200);
    let begun = Instant::now();
    while asks(&other, "my-model") != 200 {
        assert!(begun.elapsed() < Duration::from_secs(10), "the other did not notice");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(admin(&other, "GET /api/v1/settings", &Value::Null).1["strategy"], "random");
}
