//! Responses that are kept, through the whole house: gone on from, given again, deleted; each its owner's alone.

#[cfg(test)]
mod kept {
    use qm_simulator::{Script, Step};
    use qm_testkit::sse::events;
    use qm_testkit::{Answer, Client, House, OTHER_KEY, Plan};
    use serde_json::{Value, json};

    const RESPONSES: &str = "/v1/responses";

    /// A house that keeps so many responses.
    async fn house(kept: usize) -> House {
        let house = House::build(Plan { kept, ..Plan::default() }).await.expect("a house");
        house.account.refresh_catalogue().await;
        house
    }

    /// Asks for this, with these fields besides.
    async fn ask(client: &Client, input: Value, more: Value) -> Answer {
        let mut body = json!({"model": "claude-sonnet-4-5", "input": input});
        body.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        client.post(RESPONSES, &body).await.expect("an answer")
    }

    /// The response of an answer, streamed or not.
    fn response(answer: &Answer) -> Value {
        assert_eq!(answer.status, 200, "{}", answer.text());
        if !answer.header("content-type").starts_with("text/event-stream") {
            return answer.json();
        }
        let events = events(answer.text());
        let last = events.last().expect("an event");
        assert_eq!(last.name, "response.completed");
        last.data["response"].clone()
    }

    async fn get(client: &Client, id: &Value) -> Answer {
        client.get(&format!("{RESPONSES}/{}", id.as_str().expect("an id"))).await.expect("an answer")
    }

    /// What the upstream was last asked, without its conversation's id, which is by chance.
    fn last_asked(house: &House) -> Value {
        let calls = house.simulator.requests();
        let call = calls.iter().rfind(|call| call.operation == "GenerateAssistantResponse");
        let mut body = call.expect("it went upstream").body.clone();
        body["conversationState"]["conversationId"].take();
        body
    }

    fn tools() -> Value {
        json!([{"type": "function", "name": "read_file", "parameters":
            {"type": "object", "properties": {"path": {"type": "string"}}}}])
    }

    /// A turn with a tool, each request bringing only what is new, reaches the upstream as if all had been sent again.
    #[tokio::test]
    async fn a_conversation_goes_on_from_what_was_kept() {
        for stream in [false, true] {
            let house = house(10).await;
            let more = json!({"tools": tools(), "stream": stream});
            let question = json!("Read note.txt");
            let first = response(&ask(&house.client, question.clone(), more.clone()).await);
            assert_eq!((&first["store"], &first["previous_response_id"]), (&json!(true), &Value::Null));
            let output = first["output"].as_array().expect("items");
            let call = output.iter().find(|item| item["type"] == "function_call").expect("a call");
            let result =
                json!({"type": "function_call_output", "call_id": call["call_id"], "output": "zebra"});

            let mut after = more.clone();
            after["previous_response_id"] = first["id"].clone();
            let second = response(&ask(&house.client, json!([result]), after).await);
            assert_eq!(second["previous_response_id"], first["id"]);
            let asked = last_asked(&house);
            let mut items = vec![json!({"role": "user", "content": question})];
            items.extend(output.iter().cloned());
            items.push(result);
            response(&ask(&house.client, Value::Array(items.clone()), more.clone()).await);
            assert_eq!(asked, last_asked(&house), "the second request");

            let thanks = json!({"role": "user", "content": "Thank you. What did it say?"});
            let after = json!({"tools": tools(), "stream": !stream, "previous_response_id": second["id"]});
            response(&ask(&house.client, json!([thanks]), after).await);
            let asked = last_asked(&house);
            items.extend(second["output"].as_array().expect("items").iter().cloned());
            items.push(thanks);
            response(&ask(&house.client, Value::Array(items), more).await);
            assert_eq!(asked, last_asked(&house), "the third request");
        }
    }

    #[tokio::test]
    async fn instructions_are_each_requests_own() {
        let house = house(10).await;
        let say = |text: &str| Script(vec![Step::Say { text: text.to_owned(), chars: None, pace_ms: 0 }]);
        house.simulator.push(say("Aye."));
        let first = ask(&house.client, json!("One"), json!({"instructions": "Speak as a pirate."})).await;
        assert!(last_asked(&house).to_string().contains("pirate"));
        let after = json!({"previous_response_id": response(&first)["id"]});
        response(&ask(&house.client, json!("Two"), after).await);
        let asked = last_asked(&house).to_string();
        let went_on = asked.contains("One") && asked.contains("Aye.") && asked.contains("Two");
        assert!(went_on && !asked.contains("pirate"), "{asked}");
    }

    #[tokio::test]
    async fn a_kept_response_is_given_again_and_deleted_for_its_owner_alone() {
        for stream in [false, true] {
            let house = house(10).await;
            let said = response(&ask(&house.client, json!("Hello"), json!({"stream": stream})).await);
            let id = &said["id"];
            let again = get(&house.client, id).await;
            assert_eq!((again.status, again.json()), (200, said.clone()));

            let other = house.client.with_key(OTHER_KEY).expect("a key");
            let path = format!("{RESPONSES}/{}", id.as_str().expect("an id"));
            let refused = [get(&other, id).await, other.delete(&path).await.expect("an answer")];
            for refused in refused {
                let error = &refused.json()["error"];
                assert_eq!((refused.status, &error["type"]), (404, &json!("invalid_request_error")));
                assert_eq!((&error["param"], &error["code"]), (&json!("id"), &Value::Null));
            }
            let after = json!({"previous_response_id": id});
            let refused = ask(&other, json!("And?"), after.clone()).await;
            let error = &refused.json()["error"];
            assert_eq!((refused.status, &error["code"]), (400, &json!("previous_response_not_found")));
            assert_eq!(error["param"], "previous_response_id");

            let deleted = house.client.delete(&path).await.expect("an answer");
            let expected = json!({"id": id, "object": "response.deleted", "deleted": true});
            assert_eq!((deleted.status, deleted.json()), (200, expected));
            assert_eq!(get(&house.client, id).await.status, 404);
            assert_eq!(house.client.delete(&path).await.expect("an answer").status, 404);
            assert_eq!(ask(&house.client, json!("And?"), after).await.status, 400);
        }
    }

    #[tokio::test]
    async fn what_the_client_does_not_store_or_what_breaks_is_not_kept() {
        let house = house(10).await;
        let said = response(&ask(&house.client, json!("Hello"), json!({"store": false})).await);
        assert_eq!(said["store"], false);
        assert_eq!(get(&house.client, &said["id"]).await.status, 404);

        let say = Step::Say { text: "Hel".to_owned(), chars: None, pace_ms: 0 };
        house.simulator.push(Script(vec![say, Step::CutMidFrame]));
        let broken = ask(&house.client, json!("Hello"), json!({"stream": true})).await;
        let events = events(broken.text());
        let failed = events.iter().find(|event| event.name == "response.failed").expect("a failure");
        assert_eq!(get(&house.client, &failed.data["response"]["id"]).await.status, 404);
    }

    /// A request that stores nothing may go on from one that did.
    #[tokio::test]
    async fn what_is_not_used_makes_room() {
        let house = house(2).await;
        let mut ids = Vec::new();
        for text in ["one", "two"] {
            ids.push(response(&ask(&house.client, json!(text), json!({})).await)["id"].clone());
        }
        let after = json!({"previous_response_id": ids[0], "store": false});
        response(&ask(&house.client, json!("more"), after).await);
        ids.push(response(&ask(&house.client, json!("three"), json!({})).await)["id"].clone());
        let mut there = Vec::new();
        for id in &ids {
            there.push(get(&house.client, id).await.status);
        }
        assert_eq!(there, [200, 404, 200]);
    }

    /// The bound on bodies counts what a request goes on from; what is too large to be kept says so.
    #[tokio::test]
    async fn a_long_conversation_is_bounded() {
        let plan = Plan { kept: 10, max_body: 64 << 10, ..Plan::default() };
        let house = House::build(plan).await.expect("a house");
        let long = json!("a".repeat(40 << 10));
        let first = response(&ask(&house.client, long.clone(), json!({})).await);
        let after = json!({"previous_response_id": first["id"]});
        let refused = ask(&house.client, long.clone(), after).await;
        assert_eq!((refused.status, &refused.json()["error"]["code"]), (413, &json!("request_too_large")));

        let plan = Plan { kept: 10, kept_bytes: 32 << 10, ..Plan::default() };
        let house = House::build(plan).await.expect("a house");
        let said = response(&ask(&house.client, long, json!({})).await);
        assert_eq!(said["store"], false);
        assert_eq!(get(&house.client, &said["id"]).await.status, 404);
    }

    #[tokio::test]
    async fn a_stored_response_is_not_streamed() {
        let house = house(1).await;
        let said = response(&ask(&house.client, json!("Hello"), json!({})).await);
        let path = format!("{RESPONSES}/{}?stream=true", said["id"].as_str().expect("an id"));
        let refused = house.client.get(&path).await.expect("an answer");
        assert_eq!(refused.status, 400, "{}", refused.text());
    }
}
