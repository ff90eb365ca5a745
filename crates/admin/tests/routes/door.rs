//! Who gets in, and what every answer has.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use qm_admin::table;

use crate::house::{CLIENT, GUESSABLE, House, KEY, request};

#[tokio::test]
async fn no_route_opens_without_an_admins_key() {
    let house = House::open().await;
    let mut routes = 0;
    for (path, methods) in table() {
        for method in methods {
            if matches!((path, *method), ("/api/v1/session" | "/api/login", "POST")) {
                continue;
            }
            let path = path.replace("{id}", "1");
            let keys =
                [("x-nothing", ""), ("x-api-key", "sk-of-some-client"), ("authorization", "Basic YTpi")];
            for (name, key) in keys {
                // From as many addresses as there are routes, or the throttle would answer.
                let from: SocketAddr = format!("10.0.{}.{routes}:1", routes / 250).parse().unwrap();
                let mut request = request(method, &path).header(name, key).body(Body::from("{}")).unwrap();
                request.extensions_mut().insert(ConnectInfo(from));
                let answer = house.send(request).await;
                assert_eq!(answer.status, 401, "{method} {path}: {}", answer.text());
                assert!(answer.header("www-authenticate").starts_with("Bearer"), "{method} {path}");
            }
            // In the URL it is no key.
            let answer =
                house.send(request(method, &format!("{path}?key={KEY}")).body(Body::empty()).unwrap());
            assert_eq!(answer.await.status, 401, "{method} {path}");
            routes += 1;
        }
    }
    assert!(routes > 90, "{routes}");
}

#[tokio::test]
async fn the_table_says_what_the_router_has() {
    let house = House::open().await;
    for (path, methods) in table() {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let answer = house.ask(method, &path.replace("{id}", "1"), "{}").await;
            assert_eq!(answer.status != 405, methods.contains(&method), "{method} {path}: {}", answer.text());
        }
    }
}

#[tokio::test]
async fn without_an_admins_key_all_is_closed() {
    let house = House::with(&[], true).await;
    for path in ["/v2/accounts", "/admin/accounts", "/api/v1/accounts"] {
        for key in ["", "undefined", KEY] {
            let answer =
                house.send(request("GET", path).header("x-api-key", key).body(Body::empty()).unwrap()).await;
            assert_eq!(answer.status, 401);
            assert!(!answer.text().contains(KEY), "{}", answer.text());
        }
    }
}

#[tokio::test]
async fn each_dialect_refuses_in_its_own_shape() {
    let house = House::open().await;
    let ask =
        async |path: &str| house.send(request("GET", path).body(Body::empty()).unwrap()).await.refused(401);
    let answer = ask("/v2/accounts").await;
    assert_eq!(answer["detail"]["code"], "UNAUTHORIZED");
    assert!(answer["detail"]["error"].is_string());
    assert!(ask("/admin/accounts").await["detail"].is_string());
    let answer = house.send(request("GET", "/api/v1/accounts").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let problem = answer.refused(401);
    assert_eq!((&problem["status"], &problem["code"]), (&401.into(), &"unauthorized".into()));
    assert_eq!(problem["request_id"], answer.header("x-request-id"));
}

#[tokio::test]
async fn every_answer_has_the_headers_that_keep_browsers_out() {
    let house = House::open().await;
    let good = house.ask("GET", "/v2/accounts", "").await;
    let missing = house.ask("GET", "/api/v1/accounts/nobody", "").await;
    let method = house.ask("DELETE", "/admin/accounts", "").await;
    let closed = house.send(request("GET", "/v2/accounts").body(Body::empty()).unwrap()).await;
    assert_eq!([&good, &missing, &method, &closed].map(|answer| answer.status), [200, 404, 405, 401]);
    for answer in [good, missing, method, closed] {
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert!(answer.header("content-security-policy").starts_with("default-src 'none'"));
        assert!(answer.header("request-id").starts_with("req_"));
        assert!(answer.headers.keys().all(|name| !name.as_str().starts_with("access-control")));
        assert!(answer.header("content-type").contains("json"));
    }
}

#[tokio::test]
async fn the_key_opens_in_all_three_headers() {
    let house = House::open().await;
    let bearer = format!("Bearer {KEY}");
    for (name, value) in [("authorization", bearer.as_str()), ("x-api-key", KEY), ("x-admin-key", KEY)] {
        let request = request("GET", "/v2/accounts").header(name, value).body(Body::empty()).unwrap();
        assert_eq!(house.send(request).await.status, 200, "{name}");
    }
}

#[tokio::test]
async fn who_guesses_waits() {
    let house = House::with(&[GUESSABLE, KEY], true).await;
    let guess =
        |key: &'static str| request("GET", "/admin/accounts").header("x-api-key", key).body(Body::empty());
    for _ in 0..10 {
        assert_eq!(house.send(guess("a-guess").unwrap()).await.status, 401);
    }
    let answer = house.send(guess(GUESSABLE).unwrap()).await;
    answer.refused(429);
    assert!((1..=60).contains(&answer.header("retry-after").parse().unwrap()));
    // From elsewhere it is open.
    let mut other = guess(GUESSABLE).unwrap();
    other.extensions_mut().insert(ConnectInfo("192.0.2.8:1".parse::<SocketAddr>().unwrap()));
    assert_eq!(house.send(other).await.status, 200);
    // A key that nobody could guess opens from there too: else one wrong script keeps out all who share its address.
    assert_eq!(house.send(guess(KEY).unwrap()).await.status, 200);
}

#[tokio::test]
async fn a2_4_a_key_without_privileges_gets_403_and_one_that_may_read_changes_nothing() {
    let house = House::open().await;
    let [client, reader] = [("client", "inference"), ("reader", "read")];
    let client = house.key(client.0, &[client.1]).await["key"].as_str().unwrap().to_owned();
    let reader = house.key(reader.0, &[reader.1]).await["key"].as_str().unwrap().to_owned();
    let mut asked = 0;
    for (path, methods) in table() {
        for method in methods {
            let open = ["/api/v1/me", "/api/v1/session", "/api/login"];
            if open.contains(&path) {
                continue;
            }
            let path = path.replace("{id}", "1");
            for key in [client.as_str(), CLIENT] {
                let answer = house.ask_as(key, method, &path, "{}").await;
                assert_eq!(answer.status, 403, "{method} {path}");
                assert!(answer.text().contains("Admin privileges required"), "{}", answer.text());
            }
            let answer = house.ask_as(&reader, method, &path, "{}").await;
            let shows = *method == "GET" && !path.ends_with("/export");
            assert_eq!(answer.status == 403, !shows, "{method} {path}: {}", answer.text());
            asked += 1;
        }
    }
    assert!(asked > 85, "{asked}");
    for key in [client.as_str(), CLIENT, reader.as_str(), KEY] {
        assert!(house.ask_as(key, "GET", "/api/v1/me", "").await.good()["usage"]["today"]["requests"] == 0);
    }
}

#[tokio::test]
async fn an_act_is_finished_and_written_down_though_its_client_hangs_up() {
    let house = House::open().await;
    let made = house.key("one", &["inference"]).await;
    let path = format!("/api/v1/keys/{}", made["id"].as_str().unwrap());
    // Looked at once, then dropped: the store has not answered by then.
    tokio::select! {
        biased;
        _ = house.ask("DELETE", &path, "") => panic!("nothing has been done yet"),
        () = std::future::ready(()) => {}
    }
    let audited = async {
        loop {
            let entries = house.store.audit().list(&qm_store::AuditFilter::default(), 9).await.unwrap();
            if entries.iter().any(|record| record.entry.action == "key.remove") {
                break;
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), audited).await.expect("it is in the audit");
    house.ask("GET", &path, "").await.refused(404);
}

#[tokio::test]
async fn who_came_over_tls_is_told_to_stay_there() {
    let house = House::open().await;
    for path in ["/admin/login", "/docs", "/api/v1/keys", "/api/v1/nowhere"] {
        for (proto, told) in [("https", "max-age=31536000"), ("http", "")] {
            let request =
                request("GET", path).header("x-forwarded-proto", proto).body(Body::empty()).unwrap();
            assert_eq!(house.send(request).await.header("strict-transport-security"), told, "{path} {proto}");
        }
    }
}
