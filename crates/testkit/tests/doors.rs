//! Doors that are no vendor's: health, the chat with which admins try an account, and what every answer says to
//! browsers.

#[cfg(test)]
mod doors {
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::{Arc, Mutex};

    use http_body_util::BodyExt as _;
    use hyper::{HeaderMap, Method};
    use qm_canon::{Fault, Kind, Origin};
    use qm_front::Health;
    use qm_relay::{Admission, Caller, Shown, Unlimited};
    use qm_simulator::Options;
    use qm_testkit::{ADMIN_KEY, Answer, Client, House, Plan};
    use serde_json::{Value, json};

    const TEST: &str = "/v2/chat/test";
    const ORIGIN: &str = "https://chat.example.com";

    async fn house() -> House {
        House::build(Plan { simulator: Options::many(2), ..Plan::default() }).await.expect("a house")
    }

    fn chat() -> Value {
        json!({"model": "claude-sonnet-4-5", "messages": [{"role": "user", "content": "hi"}]})
    }

    fn admin(house: &House) -> Client {
        house.client.with_key(ADMIN_KEY).expect("a key")
    }

    async fn health(client: &Client, query: &str) -> Answer {
        client.get(&format!("/health{query}")).await.expect("an answer")
    }

    #[tokio::test]
    async fn a2_2_healthz_is_ok_and_nothing_more() {
        let mut house = house().await;
        house.client.headers.clear();
        let answer = house.client.get("/healthz").await.expect("an answer");
        assert_eq!((answer.status, answer.text()), (200, r#"{"status":"ok"}"#));
    }

    #[tokio::test]
    async fn a12_2_health_tells_numbers_to_admins_and_to_others_only_if_the_operator_says_so() {
        let house = house().await;
        let version = env!("CARGO_PKG_VERSION");
        let bare = json!({"status": "healthy", "version": version});
        let full = json!({
            "status": "healthy", "version": version, "active_accounts": 2, "enabled_accounts": 2, "total_accounts": 2,
            "healthy_accounts": 2, "has_token": false, "token_expired": true, "active_api_keys": 3,
        });
        let mut stranger = house.client.clone();
        stranger.headers.clear();
        for client in [&stranger, &house.client] {
            assert_eq!(health(client, "").await.json(), bare);
        }
        assert_eq!(health(&admin(&house), "").await.json(), full);
        let everybody = Health { counts_for_everybody: true, ..Health::default() };
        let plan = Plan { health: everybody, simulator: Options::many(2), ..Plan::default() };
        let mut house = House::build(plan).await.expect("a house");
        house.client.headers.clear();
        assert_eq!(health(&house.client, "").await.json(), full);
    }

    #[tokio::test]
    async fn a12_2_a_deep_look_asks_an_account_and_is_for_admins() {
        let house = house().await;
        let mut stranger = house.client.clone();
        stranger.headers.clear();
        assert_eq!(health(&stranger, "?deep=1").await.status, 401);
        assert_eq!(health(&house.client, "?deep=1").await.status, 403);
        assert!(house.simulator.requests().is_empty(), "nobody was asked for them");

        let told = health(&admin(&house), "?deep=1").await;
        let body = told.json();
        assert_eq!((told.status, &body["status"], &body["error"]), (200, &json!("healthy"), &Value::Null));
        assert_eq!(body["tested_account"], "account 1");
        assert!(body["tested_at"].as_str().is_some_and(|at| at.starts_with("2023-11-14T22:13:")), "{body}");
        assert_eq!(body["total_accounts"], 2);

        let plan = Plan { simulator: Options::many(1), ..Plan::default() };
        let house = House::build(plan).await.expect("a house");
        house.simulator.knobs().refresh_fault = Some(qm_simulator::RefreshFault::InvalidGrant);
        let told = health(&admin(&house), "?deep=1").await;
        let body = told.json();
        assert_eq!((told.status, &body["reason"]), (503, &json!("account_does_not_answer")), "{body}");
        assert!(body["error"].as_str().is_some_and(|error| error.contains("refresh")), "{body}");
    }

    #[tokio::test]
    async fn a12_2_unhealthy_is_503_or_200_as_the_operator_likes() {
        for (unhealthy_is_200, status) in [(false, 503), (true, 200)] {
            let health = Health { unhealthy_is_200, counts_for_everybody: true };
            let house = House::build(Plan { health, ..Plan::default() }).await.expect("a house");
            house.simulator.knobs().refresh_fault = Some(qm_simulator::RefreshFault::InvalidGrant);
            assert_eq!(
                house.client.post("/v1/chat/completions", &chat()).await.expect("an answer").status,
                503
            );
            let told = self::health(&house.client, "").await;
            assert_eq!((told.status, &told.json()["status"]), (status, &json!("unhealthy")));
            assert_eq!(told.json()["reason"], "no_healthy_accounts");
        }
    }

    #[tokio::test]
    async fn a12_6_no_account_is_503_or_401_as_the_operator_likes() {
        for (without_account, status) in [(Kind::Unavailable, 503), (Kind::Unauthenticated, 401)] {
            let house = House::build(Plan { without_account, ..Plan::default() }).await.expect("a house");
            house.simulator.knobs().refresh_fault = Some(qm_simulator::RefreshFault::InvalidGrant);
            // The first finds out that the login is dead.
            house.client.post("/v1/chat/completions", &chat()).await.expect("an answer");
            let answer = house.client.post("/v1/chat/completions", &chat()).await.expect("an answer");
            assert_eq!(answer.status, status, "{}", answer.text());
        }
    }

    #[tokio::test]
    async fn a2_3_chat_test_answers_admins_from_the_account_they_choose() {
        let house = house().await;
        let admin = admin(&house);
        for account in ["1", "2"] {
            let path = format!("{TEST}?account_id={account}");
            let answer = admin.post(&path, &chat()).await.expect("an answer");
            assert_eq!((answer.status, &answer.json()["object"]), (200, &json!("chat.completion")));
            assert_eq!(answer.header("x-quartermaster-accounts"), format!("account {account}"));
        }
        for any in [TEST.to_owned(), format!("{TEST}?account_id="), format!("/team{TEST}")] {
            assert_eq!(admin.post(&any, &chat()).await.expect("an answer").status, 200, "{any}");
        }
        let unknown = admin.post(&format!("{TEST}?account_id=9"), &chat()).await.expect("an answer");
        assert_eq!(unknown.status, 404, "{}", unknown.text());
        let refused = house.client.post(TEST, &chat()).await.expect("an answer");
        assert_eq!((refused.status, refused.header("x-should-retry")), (403, "false"));
        assert!(refused.text().contains("Admin privileges required"), "{}", refused.text());
        let receipts = house.receipts.wait_for(7).await;
        assert!(receipts.iter().all(|receipt| receipt.opening.protocol == "chat"));
    }

    #[tokio::test]
    async fn a12_20_an_admins_key_is_taken_from_each_of_its_headers_and_never_from_the_url() {
        let mut house = house().await;
        for (header, value) in [
            ("authorization", format!("Bearer {ADMIN_KEY}")),
            ("x-api-key", ADMIN_KEY.to_owned()),
            ("x-admin-key", ADMIN_KEY.to_owned()),
        ] {
            house.client.headers.clear();
            house.client.headers.insert(header, value.parse().expect("ascii"));
            assert_eq!(house.client.post(TEST, &chat()).await.expect("an answer").status, 200, "{header}");
        }
        house.client.headers.clear();
        let chat = house.client.post(&format!("{TEST}?key={ADMIN_KEY}"), &chat()).await.expect("an answer");
        let health = health(&house.client, &format!("?deep=1&key={ADMIN_KEY}")).await;
        assert_eq!((chat.status, health.status), (401, 401));
    }

    #[tokio::test]
    async fn a12_11_an_answer_is_whole_unless_a_stream_is_asked_for() {
        let house = house().await;
        let messages =
            json!({"model": "claude-sonnet-4-5", "max_tokens": 10, "messages": chat()["messages"]});
        let responses = json!({"model": "claude-sonnet-4-5", "input": "hi"});
        for (path, body) in
            [("/v1/messages", messages), ("/v1/chat/completions", chat()), ("/v1/responses", responses)]
        {
            let answer = house.client.post(path, &body).await.expect("an answer");
            assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"), "{path}");
            assert!(answer.json().is_object(), "{path}");
        }
    }

    /// Admits a session, and remembers from where it was asked.
    #[derive(Default)]
    struct Console {
        from: Mutex<Vec<Option<IpAddr>>>,
    }

    impl Admission for Console {
        fn admit(&self, shown: &Shown<'_>) -> Result<Caller, Fault> {
            self.from.lock().unwrap().push(shown.from);
            match shown.session {
                Some(session) if (session.cookie, session.csrf) == ("value", Some("token")) => {
                    let (key, grant) = ("session".into(), Unlimited::shared());
                    Ok(Caller { key, owner: None, team: None, admin: true, stranger: false, grant })
                }
                _ => Err(Fault::new(Kind::Throttled, Origin::Client, "Too many wrong keys.")
                    .retry_after(std::time::Duration::from_secs(30))),
            }
        }

        fn census(&self) -> usize {
            0
        }
    }

    #[tokio::test]
    async fn a_session_may_try_an_account_but_not_chat_elsewhere_and_addresses_are_known() {
        let console = Arc::new(Console::default());
        let plan = Plan { admission: Some(Arc::clone(&console) as _), ..Plan::default() };
        let mut house = House::build(plan).await.expect("a house");
        house.client.headers.clear();
        house.client.headers.insert("cookie", "a=b; qm_session=value".parse().expect("ascii"));
        // Another site's page can send the cookie, but not the header.
        assert_eq!(house.client.post(TEST, &chat()).await.expect("an answer").status, 429);
        house.client.headers.insert("x-csrf-token", "token".parse().expect("ascii"));
        assert_eq!(house.client.post(TEST, &chat()).await.expect("an answer").status, 200);
        let elsewhere = house.client.post("/v1/chat/completions", &chat()).await.expect("an answer");
        assert_eq!((elsewhere.status, elsewhere.header("retry-after")), (429, "30"));
        assert_eq!(*console.from.lock().unwrap(), [Some(IpAddr::V4(Ipv4Addr::LOCALHOST)); 3]);
    }

    /// Admits everybody, as an open house does.
    struct Open;

    impl Admission for Open {
        fn admit(&self, _: &Shown<'_>) -> Result<Caller, Fault> {
            let (key, grant) = ("open".into(), Unlimited::shared());
            Ok(Caller { key, owner: None, team: None, admin: false, stranger: true, grant })
        }

        fn census(&self) -> usize {
            0
        }
    }

    #[tokio::test]
    async fn an_open_house_takes_nothing_that_any_web_page_could_send() {
        let plan = Plan { admission: Some(Arc::new(Open)), ..Plan::default() };
        let mut house = House::build(plan).await.expect("a house");
        let paths = ["/v1/messages", "/v1/messages/count_tokens", "/v1/chat/completions", "/v1/responses"];
        for (name, value, refused) in [
            ("content-type", "text/plain", true),
            ("content-type", "application/x-www-form-urlencoded", true),
            ("content-type", "application/json", false),
            ("x-api-key", "anything", false),
        ] {
            house.client.headers.clear();
            house.client.headers.insert(name, value.parse().expect("ascii"));
            for path in paths {
                let answer = house.client.send(Method::POST, path, "{}").await.expect("an answer");
                let status = answer.status();
                answer.into_body().collect().await.expect("a body");
                assert_eq!(status == 403, refused, "{path} {value}: {status}");
            }
        }
        house.client.headers.clear();
        assert_eq!(house.client.get("/v1/models").await.expect("an answer").status, 200);
    }

    #[tokio::test]
    async fn e_every_answer_forbids_sniffing_keeping_and_other_sites() {
        let house = house().await;
        let mut wrong = house.client.with_key("wrong").expect("a key");
        wrong.headers.insert("origin", ORIGIN.parse().expect("ascii"));
        let mut browser = house.client.clone();
        browser.headers.insert("origin", ORIGIN.parse().expect("ascii"));
        let stream = json!({"model": "claude-sonnet-4-5", "stream": true, "messages": chat()["messages"]});
        let answers = [
            (true, 200, browser.get("/healthz").await),
            (true, 200, browser.get("/v1/models").await),
            (false, 200, browser.post("/v1/chat/completions", &chat()).await),
            (false, 200, browser.post("/v1/chat/completions", &stream).await),
            (false, 400, browser.post("/v1/messages", &json!(1)).await),
            (false, 401, wrong.post("/v1/messages", &chat()).await),
            (true, 404, browser.get("/v1/nothing").await),
            (true, 405, browser.get("/v1/messages").await),
            (true, 405, admin(&house).get(TEST).await),
        ];
        for (get, status, answer) in answers {
            let answer = answer.expect("an answer");
            assert_eq!((answer.status, answer.header("x-content-type-options")), (status, "nosniff"));
            let kept = if answer.header("content-type").starts_with("text/event-stream") {
                "no-cache"
            } else {
                "no-store"
            };
            assert_eq!(answer.header("cache-control"), kept, "{status}");
            // What a browser can be led to.
            let shown = answer.header("content-security-policy").contains("frame-ancestors 'none'");
            assert_eq!(shown, answer.header("x-frame-options") == "DENY", "{status}");
            assert_eq!(shown, get, "{status}");
            assert_eq!(answer.header("www-authenticate"), if status == 401 { "Bearer" } else { "" });
            assert_eq!(answer.header("allow"), if status == 405 { "POST" } else { "" });
            assert!(
                !answer.headers.keys().any(|name| name.as_str().starts_with("access-control")),
                "{status}"
            );
        }
    }

    /// Asks as a browser does before it sends a script's request.
    async fn preflight(house: &House, path: &str, origin: &str) -> HeaderMap {
        let mut client = house.client.clone();
        client.headers.clear();
        for (name, value) in [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "x-api-key, anthropic-version"),
        ] {
            client.headers.insert(name, value.parse().expect("ascii"));
        }
        let answer = client.send(Method::OPTIONS, path, "").await.expect("an answer");
        let (head, body) = answer.into_parts();
        body.collect().await.expect("a body");
        head.headers
    }

    #[tokio::test]
    async fn scripts_of_named_origins_may_chat_and_do_nothing_else() {
        let plan = Plan { origins: vec![ORIGIN.to_owned()], ..Plan::default() };
        let house = House::build(plan).await.expect("a house");
        let allowed = |headers: &HeaderMap| headers.get("access-control-allow-origin").cloned();
        for path in
            ["/v1/messages", "/v1/chat/completions", "/v1/responses", "/v1/models", "/team/v1/messages"]
        {
            let headers = preflight(&house, path, ORIGIN).await;
            assert_eq!(allowed(&headers).expect("allowed"), ORIGIN, "{path}");
            let of_headers = headers.get("access-control-allow-headers").expect("named");
            assert_eq!(of_headers, "x-api-key, anthropic-version", "{path}");
            assert!(!headers.contains_key("access-control-allow-credentials"), "{path}");
            assert_eq!(allowed(&preflight(&house, path, "https://evil.example").await), None, "{path}");
        }
        for path in ["/health", "/healthz", TEST, "/", "/api/v1/accounts"] {
            assert_eq!(allowed(&preflight(&house, path, ORIGIN).await), None, "{path}");
        }
        let mut page = house.client.clone();
        page.headers.insert("origin", ORIGIN.parse().expect("ascii"));
        for (path, status) in [("/v1/chat/completions", 200), ("/v1/messages", 400)] {
            let answer = page.post(path, &chat()).await.expect("an answer");
            assert_eq!(
                (answer.status, answer.header("access-control-allow-origin")),
                (status, ORIGIN),
                "{path}"
            );
            assert!(answer.header("access-control-expose-headers").contains("retry-after"), "{path}");
        }
        let refused = page.get("/v1/messages").await.expect("an answer");
        assert_eq!((refused.status, refused.header("allow")), (405, "POST"));
    }
}
