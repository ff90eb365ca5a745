//! The pages. The other rows of spec/mission.md A2.2 are of `qm-front`: `/healthz`, `/health` in its three forms, and `/`.

use axum::body::Body;
use axum::http::Request;

use crate::house::{Answer, House, KEY, request};

async fn visit(house: &House, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request: Request<Body> = request("GET", path).body(Body::empty()).unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(
            axum::http::HeaderName::from_bytes(name.as_bytes()).unwrap(),
            axum::http::HeaderValue::from_str(value).unwrap(),
        );
    }
    house.send(request).await
}

#[tokio::test]
async fn a2_4_get_admin_login_and_a2_3_get_login_and_admin_and_a2_4_get_admin_dashboard_are_one_page() {
    let house = House::open().await;
    for (path, base) in
        [("/admin/login", ""), ("/admin/dashboard", ""), ("/admin", "admin/"), ("/login", "admin/")]
    {
        let page = visit(&house, path, &[]).await;
        assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"), "{path}");
        let text = page.text();
        assert!(text.contains(&format!("src=\"{base}console.js\"")), "{path}");
        // No script and no style stands in the page, so that the policy can forbid them.
        assert!(
            !text.contains("<style") && !text.contains(" style=") && !text.contains(" onclick"),
            "{path}"
        );
        let policy = page.header("content-security-policy");
        assert!(policy.contains("script-src 'self';") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(page.header("x-frame-options"), "DENY");
        assert!(
            page.header("x-request-id").starts_with("req_") && page.header("request-id").starts_with("req_")
        );
    }
    for (path, kind) in [("/admin/console.js", "text/javascript"), ("/admin/console.css", "text/css")] {
        let file = visit(&house, path, &[]).await;
        assert!(file.status == 200 && file.header("content-type").starts_with(kind), "{path}");
        assert!(!file.text().contains("innerHTML"), "{path}");
    }
}

#[tokio::test]
async fn a12_20_a_key_in_the_url_is_answered_by_the_login_page_and_opens_nothing() {
    let house = House::open().await;
    let page = visit(&house, &format!("/admin?key={KEY}"), &[]).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.bytes, visit(&house, "/admin", &[]).await.bytes);
    assert!(page.headers.get("set-cookie").is_none());
    assert_eq!(visit(&house, &format!("/docs?key={KEY}"), &[]).await.status, 401);
    assert_eq!(visit(&house, &format!("/openapi.json?key={KEY}"), &[]).await.status, 401);
}

#[tokio::test]
async fn a2_2_get_docs_is_swagger_ui_for_admins() {
    let house = House::open().await;
    let scripted = visit(&house, "/docs", &[]).await;
    assert_eq!(scripted.refused(401)["code"], "unauthorized");
    assert_eq!(scripted.json()["request_id"], scripted.header("x-request-id"));
    let person = visit(&house, "/docs", &[("accept", "text/html,application/xhtml+xml")]).await;
    assert_eq!((person.status, person.header("location")), (303, "admin/login"));
    let page = visit(&house, "/docs", &[("x-api-key", KEY), ("accept", "text/html")]).await;
    assert_eq!(page.status, 200);
    assert!(
        page.text().contains("docs/swagger-ui-bundle.js") && !page.text().contains("http"),
        "{}",
        page.text()
    );
    assert!(page.header("content-security-policy").contains("script-src 'self';"));
    for path in ["/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css"] {
        let packed = visit(&house, path, &[("accept-encoding", "br, gzip")]).await;
        assert_eq!((packed.status, packed.header("content-encoding")), (200, "gzip"), "{path}");
        assert_eq!(packed.bytes[..2], [0x1f, 0x8b]);
        assert_eq!(visit(&house, path, &[]).await.status, 406);
    }
    assert_eq!(visit(&house, "/docs/start.js", &[]).await.status, 200);
    assert_eq!(visit(&house, "/redoc", &[]).await.header("location"), "docs");
    let document = visit(&house, "/openapi.json", &[("x-api-key", KEY)]).await;
    assert_eq!(document.good()["openapi"].as_str().unwrap().split('.').next(), Some("3"));
    assert_eq!(visit(&house, "/openapi.json", &[]).await.status, 401);
    let reader = house.key("reader", &["read"]).await;
    for path in ["/docs", "/openapi.json"] {
        let refused = visit(&house, path, &[("x-api-key", reader["key"].as_str().unwrap())]).await;
        assert_eq!(refused.refused(403)["code"], "forbidden", "{path}");
    }
}

#[tokio::test]
async fn pages_and_routes_name_their_methods_where_another_is_tried() {
    let house = House::open().await;
    for (method, path, allowed) in [
        ("DELETE", "/docs", "GET,HEAD"),
        ("PUT", "/api/v1/accounts", "GET,HEAD,POST"),
        ("TRACE", "/v2/accounts/1/refresh", "POST"),
    ] {
        let answer = house.ask(method, path, "").await;
        assert_eq!((answer.status, answer.header("allow")), (405, allowed), "{method} {path}");
    }
    assert_eq!(house.ask("GET", "/api/v1/nowhere/at/all", "").await.refused(404)["code"], "not_found");
    assert_eq!(house.ask("GET", "/api/v1/accounts/%ff", "").await.refused(400)["code"], "invalid");
    assert_eq!(house.ask("GET", "/api/v1/accounts/%00", "").await.refused(404)["code"], "not_found");
    for query in
        ["limit=0", "limit=501", "limit=99999999999999999999", "limit=-1", "nobody=asked", "limit=1&limit=2"]
    {
        house.ask("GET", &format!("/api/v1/accounts?{query}"), "").await.refused(400);
    }
}
