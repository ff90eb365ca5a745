//! Which model answers to which name, and who is told of which models, through the whole house.

#[cfg(test)]
mod models {
    use qm_relay::{Alias, Aliases, Naming};
    use qm_testkit::{Answer, House, Plan};
    use serde_json::{Value, json};

    const LAST_ASKED: &str = "/conversationState/currentMessage/userInputMessage/modelId";

    /// A house with these names for models, whose account knows its models.
    async fn house(aliases: &[(&str, &str)], default: Option<&str>) -> House {
        let aliases =
            aliases.iter().map(|&(name, model)| Alias { name: name.to_owned(), model: model.to_owned() });
        let plan = Plan {
            aliases: Aliases::new(aliases),
            default_model: default.map(str::to_owned),
            ..Plan::default()
        };
        let house = House::build(plan).await.expect("a house");
        house.account.refresh_catalogue().await;
        assert!(house.account.catalogue().live, "the list was told");
        house
    }

    async fn ask(house: &House, model: &str) -> Answer {
        let body =
            json!({"model": model, "max_tokens": 100, "messages": [{"role": "user", "content": "hi"}]});
        house.client.post("/v1/messages", &body).await.expect("an answer")
    }

    /// The model that the upstream was asked for, for each of these names.
    async fn asked_for(house: &House, names: &[&str]) -> Vec<String> {
        let mut models = Vec::new();
        for name in names {
            let answer = ask(house, name).await;
            assert_eq!(answer.status, 200, "{name}: {}", answer.text());
            assert_eq!(answer.json()["model"], *name, "the client sees the name it used");
            let calls = house.simulator.requests();
            let call = calls.iter().rfind(|call| call.operation == "GenerateAssistantResponse");
            let model = call.and_then(|call| call.body.pointer(LAST_ASKED)).and_then(Value::as_str);
            models.push(model.expect("a model").to_owned());
        }
        models
    }

    #[tokio::test]
    async fn names_that_clients_send_by_default_are_answered() {
        let house = house(&[], None).await;
        let names =
            ["gpt-4", "gpt-4o-mini", "gpt-5.4-nano", "gpt-5.6-sol", "claude-haiku-5-5", "claude-opus-5"];
        assert_eq!(
            asked_for(&house, &names).await,
            [
                "claude-sonnet-4.5",
                "claude-haiku-4.5",
                "gpt-5.6-luna",
                "gpt-5.6-sol",
                "claude-haiku-4.5",
                "claude-opus-5"
            ]
        );
    }

    #[tokio::test]
    async fn names_change_while_requests_are_served() {
        let house = house(&[("mine", "claude-opus-4.5")], None).await;
        assert_eq!(asked_for(&house, &["mine"]).await, ["claude-opus-4.5"]);
        let mine = Alias { name: "mine".to_owned(), model: "claude-haiku-4.5".to_owned() };
        let default_model = Some("auto".to_owned());
        house.names.set(Naming { aliases: Aliases::new([mine]), default_model });
        assert_eq!(asked_for(&house, &["mine", "nobodys"]).await, ["claude-haiku-4.5", "auto"]);
        house.names.set(Naming::default());
        assert_eq!(ask(&house, "mine").await.status, 404);
    }

    #[tokio::test]
    async fn the_operators_names_come_first() {
        let aliases = [
            ("gpt-4", "claude-opus-4.5"),
            ("team-*", "claude-sonnet-4-5"),
            ("claude-opus-5", "auto"),
            ("gpt-4o*", ""),
        ];
        let house = house(&aliases, None).await;
        assert_eq!(
            asked_for(&house, &["GPT-4", "team-x", "claude-opus-5", "gpt-4.1"]).await,
            ["claude-opus-4.5", "claude-sonnet-4.5", "auto", "claude-sonnet-4.5"]
        );
        assert_eq!(ask(&house, "gpt-4o-2024-11-20").await.status, 404, "the operator took this name away");
    }

    #[tokio::test]
    async fn an_unknown_name_is_refused_with_those_that_come_near_unless_there_is_a_default() {
        let strict = house(&[], None).await;
        let before = strict.simulator.requests().len();
        let refused = ask(&strict, "claude-opus-4-9").await;
        let error = &refused.json()["error"];
        assert_eq!((refused.status, &error["type"]), (404, &json!("not_found_error")));
        let message = error["message"].as_str().expect("a message");
        assert!(
            message.starts_with("model: claude-opus-4-9. Near: ") && message.contains("claude-opus-4.8"),
            "{message}"
        );
        assert_eq!(refused.header("x-should-retry"), "false");
        let far = ask(&strict, "zzz").await;
        assert!(far.text().contains("GET /v1/models lists those there are"), "{}", far.text());
        assert_eq!(strict.simulator.requests().len(), before, "the upstream was not asked");

        let lenient = house(&[], Some("claude-sonnet-5")).await;
        assert_eq!(asked_for(&lenient, &["claude-opus-4-9", "zzz"]).await, ["claude-sonnet-5"; 2]);
        let told = lenient.client.get("/v1/models/zzz").await.expect("an answer");
        assert_eq!((told.status, &told.json()["id"]), (200, &json!("claude-sonnet-5")));
    }

    #[tokio::test]
    async fn until_the_list_is_told_the_upstream_decides() {
        let house = House::build(Plan::default()).await.expect("a house");
        // The very first request is what has the list asked for, beside itself; the name goes upstream, which knows
        // no such model.
        let refused = ask(&house, "zzz").await;
        let asked = house
            .simulator
            .requests()
            .iter()
            .any(|call| call.body.pointer(LAST_ASKED) == Some(&json!("zzz")));
        assert!(asked && refused.status == 404, "{}", refused.text());
    }

    #[tokio::test]
    async fn the_operators_whole_names_are_listed_too() {
        let house = house(
            &[("gpt-4", "claude-opus-4.5"), ("team-*", "auto"), ("lost", "no-such-model"), ("gpt-4o", "")],
            None,
        )
        .await;
        let list = house.client.get("/v1/models").await.expect("an answer").json();
        let listed = list["data"].as_array().expect("a list");
        let ids: Vec<&str> = listed.iter().filter_map(|model| model["id"].as_str()).collect();
        assert_eq!(ids.iter().filter(|id| **id == "gpt-4").count(), 1, "{ids:?}");
        for id in ["team-*", "team-", "lost", "gpt-4o", "gpt-4-turbo"] {
            assert!(!ids.contains(&id), "{id} in {ids:?}");
        }
        let one = house.client.get("/v1/models/gpt-4").await.expect("an answer").json();
        assert_eq!(one["id"], "gpt-4");
        assert_eq!(Some(&one), listed.iter().find(|model| model["id"] == "gpt-4"));
    }

    #[tokio::test]
    async fn who_sends_anthropics_version_gets_anthropics_form_and_everyone_else_openais() {
        let mut house = house(&[], None).await;
        let list = house.client.get("/v1/models?limit=1").await.expect("an answer").json();
        let listed = list["data"].as_array().expect("a list");
        assert_eq!(list["object"], "list");
        assert!(listed.len() > 1 && list.get("has_more").is_none(), "this form has no pages");
        let one = house.client.get("/v1/models/claude-sonnet-4-5").await.expect("an answer").json();
        let expected = json!({
            "id": "claude-sonnet-4.5", "object": "model", "created": 0, "owned_by": "amazon",
            "context_window": 200_000, "max_completion_tokens": 64_000
        });
        assert_eq!(
            (&one, listed.iter().find(|model| model["id"] == one["id"])),
            (&expected, Some(&expected))
        );
        let unknown = house.client.get("/v1/models/a%2Fb:c").await.expect("an answer");
        let error = &unknown.json()["error"];
        assert_eq!((unknown.status, &error["type"]), (404, &json!("invalid_request_error")), "{error}");
        assert_eq!(error["code"], "model_not_found", "{error}");
        assert!(error["message"].as_str().is_some_and(|message| message.contains("a/b:c")), "{error}");

        house.client.headers.insert("anthropic-version", "2023-06-01".parse().expect("ascii"));
        let list = house.client.get("/v1/models?limit=1").await.expect("an answer").json();
        assert_eq!((list["data"].as_array().map(Vec::len), &list["has_more"]), (Some(1), &json!(true)));
        let one = house.client.get("/v1/models/claude-sonnet-4-5").await.expect("an answer").json();
        assert_eq!((&one["type"], &one["max_input_tokens"]), (&json!("model"), &json!(200_000)));
        let unknown = house.client.get("/v1/models/a%2Fb:c").await.expect("an answer").json();
        assert_eq!(unknown["error"]["type"], "not_found_error");
    }
}
