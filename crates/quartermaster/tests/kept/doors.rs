//! Who is let in, by which door.

use std::os::unix::fs::PermissionsExt as _;

use qm_simulator::SimAccount;

use crate::house::{ADMIN, Gateway, House, KEY};

async fn with_an_account() -> House {
    let account = SimAccount::numbered(0);
    let mut house = House::with(vec![account.clone()]).await;
    house.give(&account);
    house
}

fn status(gateway: &Gateway, what: &str, key: &str) -> u16 {
    gateway.call(what, key, "").0
}

/// Spec A5.5, A12.4 and E1: random, shown once, made once.
#[tokio::test(flavor = "multi_thread")]
async fn a12_4_the_first_start_leaves_an_admin_key_for_its_owner_alone_and_the_next_makes_none() {
    let mut house = with_an_account().await;
    house.set("ADMIN_KEY", "");
    let gateway = house.serve();
    let path = house.path("data/quartermaster.admin-key");
    let key = std::fs::read_to_string(&path).unwrap();
    let key = key.trim_end();
    assert!(key.len() == 68 && key.starts_with("amq-"), "{key}");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!((gateway.ask(key), status(&gateway, "GET /api/v1/accounts", key)), (200, 200));
    assert_eq!(gateway.stop(), Some(0));
    std::fs::remove_file(&path).unwrap();
    assert_eq!(house.shows(key), None, "kept as a hash");

    let gateway = house.serve();
    assert!(!path.exists(), "there is one already");
    assert_eq!(gateway.ask(key), 200);
    let listed = house.json(&["keys", "list"]);
    let made = listed["keys"].as_array().unwrap().iter().filter(|key| key["origin"] == "setup").count();
    assert_eq!(made, 1, "{listed}");
}

/// Spec A12.4: an admin key of the configuration is enough.
#[tokio::test(flavor = "multi_thread")]
async fn a12_4_with_an_admin_key_in_the_configuration_none_is_made() {
    let house = with_an_account().await;
    let gateway = house.serve();
    assert_eq!(status(&gateway, "GET /api/v1/accounts", ADMIN), 200);
    assert!(!house.path("data/quartermaster.admin-key").exists());
}

/// Spec A12.3 and E3.
#[tokio::test(flavor = "multi_thread")]
async fn a12_3_open_mode_lets_everybody_ask_and_nobody_manage() {
    let mut house = with_an_account().await;
    house.set("AUTH_MODE", "open");
    let gateway = house.serve();
    assert_eq!(["", "whatever", KEY, ADMIN].map(|key| gateway.ask(key)), [200; 4]);
    for key in ["", "whatever", KEY] {
        assert!([401, 403].contains(&status(&gateway, "GET /v2/accounts", key)), "{key}");
    }
    assert_eq!(status(&gateway, "GET /v2/accounts", ADMIN), 200);

    house.set("HOST", "0.0.0.0");
    let refused = house.run(&["serve", "--port", "0"]);
    assert!(refused.code == Some(2) && refused.err.contains("ALLOW_OPEN_ON_PUBLIC=1"), "{}", refused.err);
}

/// Spec A2.3: the whole group vanishes.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_console_there_is_no_route_of_management() {
    let mut house = with_an_account().await;
    house.set("ENABLE_CONSOLE", "false");
    house.set("ADMIN_KEY", "");
    house.set("QM_PATH_PREFIX", "/team");
    let gateway = house.serve();
    for path in
        ["/v2/accounts", "/admin", "/admin/accounts", "/api/v1/accounts", "/docs", "/login", "/openapi.json"]
    {
        assert_eq!(status(&gateway, &format!("GET {path}"), KEY), 404, "{path}");
        assert_eq!(status(&gateway, &format!("GET /team{path}"), KEY), 404, "{path}");
    }
    assert_eq!(status(&gateway, "POST /v2/chat/test", KEY), 404);
    assert_eq!(gateway.ask(KEY), 200);
    assert!(!house.path("data/quartermaster.admin-key").exists(), "it would open nothing");
}

/// Spec A12.14: four paths lead to one console; the root can be switched to JSON.
#[tokio::test(flavor = "multi_thread")]
async fn a12_14_browsers_are_led_from_the_root_to_the_console() {
    let mut house = House::with(Vec::new()).await;
    house.set("QM_PATH_PREFIX", "/team");
    let gateway = house.serve();
    let page = |path: &str| gateway.get(path, "accept: text/html,application/xhtml+xml\r\n");
    for (path, place) in [("/", "/admin"), ("/team", "/team/admin")] {
        let (head, _) = page(path);
        assert!(
            head.starts_with("HTTP/1.1 303 ") && head.contains(&format!("location: {place}\r\n")),
            "{head}"
        );
    }
    for path in ["/admin", "/admin/login", "/admin/dashboard", "/login"] {
        let (head, body) = page(path);
        assert!(head.starts_with("HTTP/1.1 200 ") && body.contains("<html"), "{path}: {head}");
    }
    let (head, body) = gateway.get("/", "accept: */*\r\n");
    assert!(head.starts_with("HTTP/1.1 200 ") && body.contains("\"name\":\"Quartermaster\""), "{head}{body}");

    house.set("QM_ROOT", "json");
    let gateway = house.serve();
    let (head, body) = gateway.get("/", "accept: text/html\r\n");
    assert!(head.starts_with("HTTP/1.1 200 ") && body.starts_with('{'), "{head}{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reverse_proxy_is_believed_only_where_it_is_trusted() {
    let mut house = House::with(Vec::new()).await;
    for (trusted, source) in [("", "127.0.0.1"), ("127.0.0.0/8", "203.0.113.9")] {
        house.set("QM_TRUSTED_PROXIES", trusted);
        let gateway = house.serve();
        let headers = format!("x-api-key: {ADMIN}\r\nx-forwarded-for: 198.51.100.1, 203.0.113.9\r\n");
        let (head, body) = gateway.send("POST /api/v1/keys", &headers, r#"{"name":"x"}"#);
        assert!(head.starts_with("HTTP/1.1 201 "), "{head}{body}");
        assert_eq!(gateway.stop(), Some(0));
        let audited = house.json(&["audit", "list", "--action", "key.create", "--limit", "1"]);
        assert_eq!(audited["entries"][0]["source"], source, "{audited}");
    }
}

/// Spec A12.2 and A12.6: what earlier systems told, for those whose scripts rely on it.
#[tokio::test(flavor = "multi_thread")]
async fn a12_2_and_a12_6_what_earlier_systems_answered_can_be_asked_for() {
    let mut house = House::with(Vec::new()).await;
    let health = |gateway: &Gateway| gateway.get("/health", "");
    let gateway = house.serve();
    let (head, body) = health(&gateway);
    assert!(head.starts_with("HTTP/1.1 503 ") && !body.contains("total_accounts"), "{head}{body}");
    assert_eq!(gateway.ask(KEY), 503);

    house.set("QM_HEALTH_COUNTS", "everybody");
    house.set("QM_UNHEALTHY_STATUS", "200");
    house.set("QM_NO_ACCOUNT_STATUS", "401");
    house.set("QM_CORS_ORIGINS", "https://chat.example.com");
    let gateway = house.serve();
    let (head, body) = health(&gateway);
    assert!(head.starts_with("HTTP/1.1 200 ") && body.contains("\"status\":\"unhealthy\""), "{head}{body}");
    assert!(body.contains("\"total_accounts\":0") && body.contains("\"active_api_keys\":2"), "{body}");
    assert_eq!(gateway.ask(KEY), 401);
    let asked = |origin: &str| {
        let headers = format!("origin: {origin}\r\nx-api-key: {KEY}\r\n");
        gateway.get("/v1/models", &headers).0.to_ascii_lowercase()
    };
    assert!(
        asked("https://chat.example.com").contains("access-control-allow-origin: https://chat.example.com")
    );
    assert!(!asked("https://evil.example").contains("access-control-allow-origin"));
}
