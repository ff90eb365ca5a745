//! docs/COMPATIBILITY.md is what happens: every row of it that can be shown is sent through the whole house.

#[cfg(test)]
mod compatibility {
    use std::collections::BTreeSet;

    use http_body_util::BodyExt as _;
    use hyper::Method;
    use qm_testkit::House;
    use serde_json::{Map, Value, json};

    const PAGE: &str = include_str!("../../../docs/COMPATIBILITY.md");

    /// Stands where a fault could be tempted to quote the client.
    const CONTENT: &str = "private words";

    /// One of the two APIs: its path, the smallest request, and the cases.
    struct Api {
        name: &'static str,
        path: String,
        body: Map<String, Value>,
        cases: Value,
    }

    fn apis() -> [Api; 2] {
        [
            ("Chat", include_str!("compatibility/chat.json")),
            ("Responses", include_str!("compatibility/responses.json")),
        ]
        .map(|(name, text)| {
            let cases: Value = serde_json::from_str(text).expect("JSON");
            let body = cases["body"].as_object().expect("an object").clone();
            Api { name, path: cases["path"].as_str().expect("a path").to_owned(), body, cases }
        })
    }

    impl Api {
        fn cases(&self, kind: &str) -> &[Value] {
            self.cases[kind].as_array().expect("cases")
        }

        /// The smallest request with these fields besides, or instead; without those that are null.
        fn with(&self, fields: &Value) -> Value {
            let mut body = self.body.clone();
            body.extend(fields.as_object().cloned().unwrap_or_default());
            body.retain(|_, value| !value.is_null());
            Value::Object(body)
        }

        /// The rows of a table of the page, split into cells.
        fn rows(&self, table: &str) -> Vec<Vec<&'static str>> {
            let heading = format!("## {table} in {}", self.name);
            let section = PAGE.lines().skip_while(|line| *line != heading).skip(1);
            let section = section.take_while(|line| !line.starts_with('#'));
            let cells = |line: &'static str| {
                line.trim_matches('|').split('|').map(str::trim).collect::<Vec<&'static str>>()
            };
            // The first two lines are the table's head.
            section.filter(|line| line.starts_with('|')).skip(2).map(cells).collect()
        }
    }

    #[tokio::test]
    async fn what_is_refused_is_refused_in_these_words() {
        let house = House::build(qm_testkit::Plan::default()).await.expect("a house");
        for api in apis() {
            for case in api.cases("refused") {
                let mut body = api.with(&case["with"]);
                body["user"] = json!(CONTENT);
                let answer = house.client.post(&api.path, &body).await.expect("an answer");
                let error = &answer.json()["error"];
                let (row, code, param) = (&case["row"], &case["code"], &case["param"]);
                assert_eq!(
                    (answer.status, &error["code"], &error["param"]),
                    (400, code, param),
                    "{row}: {error}"
                );
                assert_eq!(error["type"], "invalid_request_error", "{row}: {error}");
                let message = error["message"].as_str().unwrap_or_default();
                assert!(!message.is_empty() && !answer.text().contains(CONTENT), "{row}: {error}");
            }
        }
        let chats = house.simulator.requests();
        assert!(
            chats.iter().all(|call| call.operation != "GenerateAssistantResponse"),
            "nothing went upstream"
        );
    }

    #[tokio::test]
    async fn what_is_ignored_changes_nothing_of_what_is_asked() {
        let house = House::build(qm_testkit::Plan::default()).await.expect("a house");
        house.account.refresh_catalogue().await;
        for api in apis() {
            for case in api.cases("ignored") {
                let mut sent = Vec::new();
                for fields in [&case["beside"], &case["with"]] {
                    let answer = house.client.post(&api.path, &api.with(fields)).await.expect("an answer");
                    assert_eq!(answer.status, 200, "{}: {}", case["row"], answer.text());
                    let calls = house.simulator.requests();
                    let call = calls.iter().rfind(|call| call.operation == "GenerateAssistantResponse");
                    let mut body = call.expect("it went upstream").body.clone();
                    // By chance for every request that names no session.
                    body["conversationState"]["conversationId"].take();
                    sent.push(body);
                }
                assert_eq!(sent.first(), sent.last(), "{}", case["row"]);
            }
        }
    }

    #[tokio::test]
    async fn other_paths_say_that_there_is_nothing_there() {
        let house = House::build(qm_testkit::Plan::default()).await.expect("a house");
        let id = "/v1/responses/resp_1";
        let cases = [
            (Method::GET, "/v1/responses", 426, Value::Null),
            (Method::GET, id, 400, Value::Null),
            (Method::DELETE, id, 400, Value::Null),
            (Method::POST, id, 405, json!("unknown_url")),
            (Method::POST, "/v1/responses/resp_1/cancel", 404, json!("unknown_url")),
            (Method::GET, "/v1/chat/completions/chatcmpl-1", 404, json!("unknown_url")),
        ];
        for (method, path, status, code) in cases {
            let response = house.client.send(method.clone(), path, "").await.expect("an answer");
            assert_eq!(response.status().as_u16(), status, "{method} {path}");
            let body = response.into_body().collect().await.expect("a body").to_bytes();
            let body: Value = serde_json::from_slice(&body).expect("JSON");
            let error = &body["error"];
            assert_eq!((&error["code"], &error["param"]), (&code, &Value::Null), "{method} {path}: {error}");
            assert_eq!(error["type"], "invalid_request_error", "{method} {path}");
        }
    }

    #[tokio::test]
    async fn who_names_a_session_stays_in_it() {
        let house = House::build(qm_testkit::Plan::default()).await.expect("a house");
        for api in apis() {
            for field in ["prompt_cache_key", "safety_identifier", "user"] {
                let mut sessions = Vec::new();
                for session in ["one", "two", "one"] {
                    let name = format!("{field} {session}");
                    let body = api.with(&json!({ field: name }));
                    let answer = house.client.post(&api.path, &body).await.expect("an answer");
                    assert_eq!(answer.status, 200, "{field}: {}", answer.text());
                    let calls = house.simulator.requests();
                    let call = calls.iter().rfind(|call| call.operation == "GenerateAssistantResponse");
                    let body = &call.expect("it went upstream").body;
                    assert!(!body.to_string().contains(&name), "the name itself goes nowhere");
                    sessions.push(body["conversationState"]["conversationId"].clone());
                }
                assert!(sessions[0] == sessions[2] && sessions[0] != sessions[1], "{field}: {sessions:?}");
            }
        }
    }

    #[test]
    fn the_page_has_a_row_for_each_case_and_no_other() {
        for api in apis() {
            let row_of = |case: &Value| case["row"].as_str().expect("a row").to_owned();
            let ignored: BTreeSet<String> = api.cases("ignored").iter().map(row_of).collect();
            let told: BTreeSet<String> =
                api.rows("Ignored").iter().map(|cells| cells[0].to_owned()).collect();
            assert_eq!(told, ignored, "{}", api.name);

            let answer = |case: &Value| {
                let code = case["code"].as_str().map(|code| format!(" `{code}`"));
                let place = case["param"].as_str().map(|param| format!(" at `{param}`"));
                format!("400{}{}", code.unwrap_or_default(), place.unwrap_or_default())
            };
            let cases = api.cases("refused").iter();
            let refused: BTreeSet<(String, String)> =
                cases.map(|case| (row_of(case), answer(case))).collect();
            let told: BTreeSet<(String, String)> =
                api.rows("Refused").iter().map(|cells| (cells[0].to_owned(), cells[1].to_owned())).collect();
            assert_eq!(told, refused, "{}", api.name);
            assert!(api.rows("Understood").len() > 10, "{}", api.name);
        }
    }
}
