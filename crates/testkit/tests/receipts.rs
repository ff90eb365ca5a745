//! Every request of a known key leaves one receipt, whatever became of it; nobody else's leaves any.

#[cfg(test)]
mod receipts {
    use std::net::{IpAddr, Ipv4Addr};

    use qm_simulator::{Options, Script, Step};
    use qm_testkit::{House, KEY, Plan, Written};
    use serde_json::{Value, json};
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpStream;

    const MESSAGES: &str = "/v1/messages";

    fn body(stream: bool) -> Value {
        json!({"model": "claude-sonnet-4-5", "max_tokens": 100, "stream": stream,
               "messages": [{"role": "user", "content": "hi"}]})
    }

    async fn house() -> House {
        House::build(Plan { max_body: 4000, ..Plan::default() }).await.expect("a house")
    }

    /// Protocol, outcome, code, and status of a receipt.
    fn told(receipt: &Written) -> (&str, &str, &str, Option<u16>) {
        let outcome = &receipt.outcome;
        (receipt.opening.protocol, outcome.word(), outcome.code(), receipt.status)
    }

    #[tokio::test]
    async fn whatever_becomes_of_a_request_it_leaves_one() {
        let house = house().await;
        let unknown = json!({"model": "no-such-model", "max_tokens": 1, "messages": body(false)["messages"]});
        let large = json!({"model": "x".repeat(5000)});
        let counted = json!({"model": "m", "messages": body(false)["messages"]});
        let responses = json!({"model": "claude-sonnet-4-5", "input": "hi"});
        house.account.refresh_catalogue().await;
        let cases = [
            (MESSAGES, body(true), ("messages", "ok", "", Some(200))),
            (MESSAGES, body(false), ("messages", "ok", "", Some(200))),
            ("/v1/chat/completions", body(true), ("chat", "ok", "", Some(200))),
            ("/v1/responses", responses, ("responses", "ok", "", Some(200))),
            (MESSAGES, json!([]), ("messages", "refused", "", Some(400))),
            (MESSAGES, unknown, ("messages", "refused", "model/unknown", Some(404))),
            (MESSAGES, large, ("messages", "refused", "", Some(413))),
            ("/v1/messages/count_tokens", counted, ("count_tokens", "ok", "", Some(200))),
            ("/v1/messages/count_tokens", json!(1), ("count_tokens", "refused", "", Some(400))),
        ];
        for (number, (path, body, expected)) in cases.into_iter().enumerate() {
            let answer = house.client.post(path, &body).await.expect("an answer");
            let receipts = house.receipts.wait_for(number + 1).await;
            assert_eq!(receipts.len(), number + 1, "{path}");
            let receipt = receipts.last().expect("one");
            assert_eq!(told(receipt), expected, "{path}: {}", answer.text());
            assert_eq!(
                (Some(answer.status), answer.header("request-id")),
                (receipt.status, &*receipt.opening.request_id)
            );
            assert_eq!(receipt.opening.source, Some(IpAddr::V4(Ipv4Addr::LOCALHOST)));
            assert!(receipt.ended_ms >= receipt.opening.began_ms);
        }
    }

    #[tokio::test]
    async fn an_answer_that_is_broken_off_for_its_form_counts_what_had_come() {
        let house = house().await;
        let said = "{\"name\": \"somebody with a name of many words\"} And that is all I know.";
        house.simulator.push(Script(vec![Step::Say { text: said.to_owned(), chars: None, pace_ms: 0 }]));
        let mut asked = body(true);
        asked["output_config"] = json!({"format": {"type": "json_schema", "schema": {"type": "object"}}});
        house.client.post(MESSAGES, &asked).await.expect("an answer");
        let receipt = house.receipts.wait_for(1).await.remove(0);
        assert_eq!(receipt.outcome.word(), "failed");
        assert!(receipt.usage.output >= 10, "{:?}", receipt.usage);
    }

    #[tokio::test]
    async fn a_whole_answer_says_who_gave_it_and_what_it_took() {
        let mut house = house().await;
        house.client.headers.insert("user-agent", "x".repeat(300).parse().expect("ascii"));
        assert_eq!(house.client.post(MESSAGES, &body(true)).await.expect("an answer").status, 200);
        let receipt = house.receipts.wait_for(1).await.remove(0);
        assert_eq!(receipt.asked.as_deref(), Some("claude-sonnet-4-5"));
        assert_eq!(receipt.served.as_deref(), Some("claude-sonnet-4.5"));
        assert_eq!(
            receipt.account.as_ref().map(|account| (account.number, &*account.name)),
            Some((1, "account 1"))
        );
        assert!(receipt.opening.key.0.starts_with("env-") && !KEY.contains(&receipt.opening.key.0[4..]));
        assert_eq!(receipt.opening.agent.as_deref().map(str::len), Some(256));
        assert!(receipt.first_event.is_some_and(|first| first <= receipt.total));
        assert!(receipt.usage.input > 0 && receipt.usage.output > 0 && receipt.credits_micro() > 0);
    }

    #[tokio::test]
    async fn a_name_that_a_client_made_up_is_none_that_is_summed_up_for() {
        let house = house().await;
        assert!(!house.account.catalogue().live, "names are left to the upstream");
        // The second is one that the upstream has and that nobody here has heard of.
        for (name, served) in [("made-up-name", None), ("claude-sonnet-4.5-1m", Some("claude-sonnet-4.5-1m"))]
        {
            let mut asked = body(false);
            asked["model"] = json!(name);
            let answer = house.client.post(MESSAGES, &asked).await.expect("an answer");
            assert_eq!(answer.status == 200, served.is_some(), "{}", answer.text());
            let receipt = house.receipts.all().pop().expect("one");
            assert_eq!((receipt.asked.as_deref(), receipt.attempts > 0), (Some(name), true));
            assert_eq!(receipt.served.as_deref(), served);
        }
    }

    #[tokio::test]
    async fn what_the_upstream_could_not_do_has_failed() {
        let house = house().await;
        house.simulator.knobs().refresh_fault = Some(qm_simulator::RefreshFault::InvalidGrant);
        let answer = house.client.post(MESSAGES, &body(false)).await.expect("an answer");
        let receipt = house.receipts.wait_for(1).await.remove(0);
        assert_eq!((receipt.outcome.word(), receipt.status), ("failed", Some(answer.status)));
    }

    #[tokio::test]
    async fn an_answer_that_breaks_off_has_failed_with_the_status_that_was_sent() {
        for (stream, status) in [(true, 200), (false, 502)] {
            let house = house().await;
            let say = Step::Say { text: "hello".to_owned(), chars: None, pace_ms: 0 };
            house.simulator.push(Script(vec![say, Step::Reset]));
            let answer = house.client.post(MESSAGES, &body(stream)).await.expect("an answer");
            let receipt = house.receipts.wait_for(1).await.remove(0);
            assert_eq!((receipt.outcome.word(), receipt.status), ("failed", Some(status)));
            assert_eq!(answer.status, status);
        }
    }

    #[tokio::test]
    async fn without_a_valid_key_none_is_left() {
        let house = house().await;
        let stranger = house.client.with_key("nobody's").expect("a key");
        for path in
            [MESSAGES, "/v1/messages/count_tokens", "/v1/chat/completions", "/v1/responses", "/v2/chat/test"]
        {
            assert_eq!(stranger.post(path, &body(true)).await.expect("an answer").status, 401, "{path}");
        }
        assert!(house.receipts.all().is_empty());
    }

    #[tokio::test]
    async fn a_client_that_leaves_while_it_sends_its_body_is_gone() {
        let house = house().await;
        let mut stream = TcpStream::connect(house.client.address).await.expect("a connection");
        let head = format!(
            "POST {MESSAGES} HTTP/1.1\r\nhost: x\r\nx-api-key: {KEY}\r\ncontent-length: 100\r\n\r\n{{\"model\":"
        );
        stream.write_all(head.as_bytes()).await.expect("sent");
        drop(stream);
        let receipt = house.receipts.wait_for(1).await.remove(0);
        assert_eq!(told(&receipt), ("messages", "client_gone", "", None));
        assert_eq!((receipt.asked.as_deref(), receipt.attempts), (None, 0));
    }

    #[tokio::test]
    async fn a_client_that_leaves_before_the_answer_begins_is_gone_without_a_status() {
        let house =
            House::build(Plan { simulator: Options::many(1), ..Plan::default() }).await.expect("a house");
        house.simulator.push(Script(vec![Step::StallBeforeHeaders]));
        let asking = house.client.send("POST".parse().expect("a method"), MESSAGES, body(true).to_string());
        let arrived = house
            .simulator
            .wait_for(|calls| calls.iter().any(|call| call.operation == "GenerateAssistantResponse"));
        tokio::select! {
            _ = asking => panic!("nobody answers"),
            () = arrived => {}
        }
        let receipt = house.receipts.wait_for(1).await.remove(0);
        assert_eq!(told(&receipt), ("messages", "client_gone", "", None));
        assert_eq!((receipt.attempts, receipt.tokens()), (1, 0));
    }
}
