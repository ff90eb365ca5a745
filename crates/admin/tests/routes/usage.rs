//! `/api/v1/usage`, `/api/v1/requests` and `/api/v1/audit`.

use serde_json::{Value, json};

use crate::house::{House, NOW, receipt};

async fn filled() -> (House, String, i64) {
    let house = House::open().await;
    let account = house.add(1).await;
    let number = house.get(&format!("/v2/accounts/{account}")).await["number"].as_i64().unwrap();
    let key = house.key("ann's", &["inference"]).await["id"].as_str().unwrap().to_owned();
    let served = |n| receipt(n, &key, Some((number, "account 1")), 10);
    house.used(&[served(1), served(2), served(4000), receipt(3, "env-00000000", None, 7)]).await;
    (house, key, number)
}

#[tokio::test]
async fn sums_by_the_hour_are_those_of_the_receipts() {
    let (house, key, number) = filled().await;
    let all = house.get("/api/v1/usage").await;
    assert_eq!(
        [&all["step"], &all["total"]["requests"], &all["total"]["input"]],
        [&json!("hour"), &json!(4), &json!(37)]
    );
    let rows = all["rows"].as_array().unwrap();
    let sum: u64 = rows.iter().map(|row| row["sums"]["requests"].as_u64().unwrap()).sum();
    assert!(sum == 4 && rows.len() >= 168, "{} rows of {sum}", rows.len());
    let days =
        house.get(&format!("/api/v1/usage?step=day&from={}&group=key&key={key}", NOW - 86_400_000)).await;
    assert_eq!(days["total"]["requests"], 3);
    assert!(
        days["rows"]
            .as_array()
            .unwrap()
            .iter()
            .all(|row| row["label"] == "ann's" && row["name"] == json!(key))
    );
    let top = house.get("/api/v1/usage/top?by=account&order=tokens&limit=5").await;
    let named =
        top["rows"].as_array().unwrap().iter().find(|row| row["name"] == json!(number.to_string())).unwrap();
    assert_eq!([&named["label"], &named["sums"]["output"]], [&json!("account 1"), &json!(15)]);
    for bad in [
        "step=week",
        "group=colour",
        "from=9&to=3",
        "from=x",
        "account=x",
        "to=99999999999999999",
        "nobody=asked",
        "step=day&step=day",
    ] {
        house.ask("GET", &format!("/api/v1/usage?{bad}"), "").await.refused(400);
    }
    house.ask("GET", "/api/v1/usage?key=4711", "").await.refused(404);
}

#[tokio::test]
async fn receipts_are_listed_by_pages_and_exported() {
    let (house, key, _) = filled().await;
    let page = house.get(&format!("/api/v1/requests?limit=2&key={key}&outcome=ok")).await;
    let ids = |page: &Value| -> Vec<String> {
        page["requests"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["request_id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(ids(&page), ["req_1", "req_2"]);
    let rest = format!("/api/v1/requests?limit=2&key={key}&cursor={}", page["next_cursor"].as_str().unwrap());
    let rest = house.get(&rest).await;
    assert_eq!((ids(&rest), &rest["next_cursor"]), (vec!["req_4000".to_owned()], &Value::Null));
    let one = &house.get("/api/v1/requests?request_id=req_3").await["requests"][0];
    assert_eq!(
        [&one["key"], &one["account"], &one["source"]],
        [&json!("env-00000000"), &Value::Null, &json!("192.0.2.9")]
    );
    for bad in ["outcome=fine", "cursor=x", "limit=0", "form=csv"] {
        house.ask("GET", &format!("/api/v1/requests?{bad}"), "").await.refused(400);
    }
    let csv = house.ask("GET", "/api/v1/requests/export", "").await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert!(csv.header("content-disposition").ends_with("requests.csv\""));
    let text = csv.text();
    assert_eq!(text.lines().count(), 5, "{text}");
    assert!(text.contains("'=cmd()") && !text.contains(",=cmd()"), "a cell is no formula: {text}");
    let json = house.ask("GET", "/api/v1/requests/export?form=json", "").await.good();
    assert_eq!(json.as_array().unwrap().len(), 4);
    let sums = house.ask("GET", "/api/v1/usage/export?form=csv&group=key", "").await;
    assert!(sums.status == 200 && sums.text().starts_with("start_ms,"), "{}", sums.text());
    house.ask("GET", "/api/v1/usage/export?form=xml", "").await.refused(400);
    assert_eq!(house.get("/api/v1/requests/live").await, json!({"requests": []}));
    assert_eq!(house.get("/api/v1/version").await["name"], "quartermaster");
}

#[tokio::test]
async fn what_admins_did_is_in_the_audit_with_their_keys() {
    let house = House::open().await;
    let made = house.key("second", &["admin"]).await;
    let (id, key) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
    house.ask_as(key, "POST", "/admin/api-keys", r#"{"name":"third"}"#).await.good();
    house.add(1).await;
    let first = house.get("/api/v1/audit?limit=1").await;
    let next = first["next_cursor"].as_str().unwrap();
    let second = house.get(&format!("/api/v1/audit?limit=1&cursor={next}")).await;
    assert!(first["entries"][0]["number"].as_i64() > second["entries"][0]["number"].as_i64());
    let by_second = house.get(&format!("/api/v1/audit?actor=key%20{id}&action=key")).await;
    assert_eq!(by_second["entries"].as_array().unwrap().len(), 1, "{by_second}");
    assert_eq!(by_second["entries"][0]["source"], "192.0.2.7");
    let chain = house.get("/api/v1/audit/verify").await;
    assert_eq!([&chain["whole"], &chain["broken_at"]], [&json!(true), &Value::Null]);
    assert_eq!(chain["entries"], first["entries"][0]["number"]);
    assert_eq!(chain["last_hash"], first["entries"][0]["hash"]);
    for bad in ["cursor=x", "limit=501", "nobody=asked"] {
        house.ask("GET", &format!("/api/v1/audit?{bad}"), "").await.refused(400);
    }
}
