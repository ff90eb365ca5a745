//! What a key may take, as its holder sees it: in every dialect, streamed and whole.

#[cfg(test)]
mod limits {
    mod gate;

    use std::sync::Arc;
    use std::time::Duration;

    use http_body_util::BodyExt as _;
    use qm_canon::{Fault, Kind, Origin};
    use qm_relay::{Deadlines, Outcome, Room, Standing};
    use qm_simulator::{Script, Step};
    use qm_testkit::{Answer, House, Plan};
    use serde_json::{Value, json};

    use self::gate::{End, Gate};

    const MESSAGES: &str = "/v1/messages";
    const CHAT: &str = "/v1/chat/completions";
    const RESPONSES: &str = "/v1/responses";
    const DOORS: [&str; 3] = [MESSAGES, CHAT, RESPONSES];

    /// What the clock of a house shows at its beginning.
    const BEGINNING_MS: u64 = 1_700_000_000_000;

    fn body(path: &str, stream: bool) -> Value {
        let mut body = json!({"model": "claude-sonnet-4-5", "stream": stream});
        let said = json!([{"role": "user", "content": "hi there"}]);
        match path {
            MESSAGES => (body["messages"], body["max_tokens"]) = (said, json!(1000)),
            CHAT => (body["messages"], body["max_completion_tokens"]) = (said, json!(1000)),
            _ => (body["input"], body["max_output_tokens"]) = (said, json!(1000)),
        }
        body
    }

    async fn house(gate: &Arc<Gate>) -> House {
        let grant = Arc::clone(gate) as _;
        House::build(Plan { grant, ..Plan::default() }).await.expect("a house")
    }

    async fn ask(house: &House, path: &str, stream: bool) -> Answer {
        house.client.post(path, &body(path, stream)).await.expect("an answer")
    }

    fn chats(house: &House) -> usize {
        let calls = house.simulator.requests();
        calls.iter().filter(|call| call.operation == "GenerateAssistantResponse").count()
    }

    fn standing() -> Standing {
        let reset_ms = BEGINNING_MS + 360_000;
        Standing {
            requests: Some(Room { limit: 60, remaining: 7, reset_ms }),
            tokens: Some(Room { limit: 9000, remaining: 0, reset_ms }),
            warnings: vec!["5 credits a day are passed".into()],
        }
    }

    /// That the limits of [`standing`] are told in the words of whoever asks, and in no other vendor's.
    fn assert_told(answer: &Answer, path: &str) {
        let (own, others) = if path == MESSAGES {
            (["anthropic-ratelimit-requests-limit", "anthropic-ratelimit-tokens-remaining"], "x-ratelimit-")
        } else {
            (["x-ratelimit-limit-requests", "x-ratelimit-remaining-tokens"], "anthropic-ratelimit-")
        };
        assert_eq!(own.map(|name| answer.header(name)), ["60", "0"], "{path}");
        assert!(answer.headers.keys().all(|name| !name.as_str().starts_with(others)), "{path}");
        let reset = if path == MESSAGES {
            answer.header("anthropic-ratelimit-requests-reset") == "2023-11-14T22:19:20Z"
        } else {
            ["6m0s", "5m59s"].contains(&answer.header("x-ratelimit-reset-requests"))
        };
        assert!(reset, "{path}: {:?}", answer.headers);
        assert_eq!(answer.header("quartermaster-warning"), "5 credits a day are passed", "{path}");
    }

    #[tokio::test]
    async fn a_limit_refuses_with_429_in_the_words_that_clients_know() {
        let throttled = Fault::new(Kind::Throttled, Origin::Client, "60 requests a minute are used up.")
            .code("limit/rpm")
            .retry_after(Duration::from_millis(17_200));
        let exhausted = Fault::new(Kind::Exhausted, Origin::Client, "The day's budget is used up.")
            .code("limit/budget")
            .retry_after(Duration::from_secs(9 * 3600));
        let cases = [
            // Until the minute is over clients wait; until tomorrow nobody does.
            (throttled, "18", "", ["rate_limit_error", "rate_limit_error"], "rate_limit_exceeded"),
            (exhausted, "32400", "false", ["rate_limit_error", "insufficient_quota"], "insufficient_quota"),
        ];
        for (fault, after, again, [anthropic, openai], code) in cases {
            let gate = Gate::refusing(fault.clone(), standing());
            let house = house(&gate).await;
            for (path, stream) in DOORS.into_iter().flat_map(|path| [(path, true), (path, false)]) {
                let answer = ask(&house, path, stream).await;
                let told = answer.json();
                assert_eq!(answer.status, 429, "{path}: {}", answer.text());
                assert_eq!(told["error"]["message"], *fault.message, "{path}");
                let kind = if path == MESSAGES { anthropic } else { openai };
                assert_eq!(told["error"]["type"], kind, "{path}");
                if path != MESSAGES {
                    assert_eq!(told["error"]["code"], code, "{path}");
                }
                assert_eq!((answer.header("retry-after"), answer.header("x-should-retry")), (after, again));
                assert_told(&answer, path);
            }
            assert_eq!(chats(&house), 0, "the upstream is not asked");
            for receipt in house.receipts.wait_for(2 * DOORS.len()).await {
                assert_eq!(receipt.outcome, Outcome::Refused(fault.kind, fault.code.clone()));
                assert_eq!((receipt.status, receipt.attempts, receipt.tokens()), (Some(429), 0, 0));
                assert_eq!(receipt.asked.as_deref(), Some("claude-sonnet-4-5"));
            }
        }
    }

    #[tokio::test]
    async fn a_model_that_the_key_may_not_use_is_forbidden() {
        let fault = Fault::new(Kind::Forbidden, Origin::Client, "This key may not use this model.")
            .code("limit/model")
            .never_retry();
        let gate = Gate::refusing(fault, Standing::default());
        let house = house(&gate).await;
        for path in DOORS {
            let answer = ask(&house, path, false).await;
            assert_eq!((answer.status, answer.header("x-should-retry")), (403, "false"), "{path}");
            assert_eq!(answer.json()["error"]["type"], "permission_error", "{path}");
        }
        assert_eq!(chats(&house), 0);
    }

    #[tokio::test]
    async fn an_answer_tells_how_the_limits_stand() {
        let gate = Gate::with(standing());
        let house = house(&gate).await;
        for (path, stream) in DOORS.into_iter().flat_map(|path| [(path, true), (path, false)]) {
            let answer = ask(&house, path, stream).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.text());
            assert_told(&answer, path);
        }
    }

    #[tokio::test]
    async fn a_key_without_limits_is_told_of_none() {
        let house = House::build(Plan::default()).await.expect("a house");
        for path in DOORS {
            let answer = ask(&house, path, false).await;
            let told = |name: &str| name.contains("ratelimit") || name == "quartermaster-warning";
            assert_eq!(answer.status, 200);
            assert!(!answer.headers.keys().any(|name| told(name.as_str())), "{path}: {:?}", answer.headers);
        }
    }

    #[tokio::test]
    async fn a_limit_sees_the_model_that_will_be_asked_and_what_it_will_read() {
        let gate = Gate::open();
        let house = house(&gate).await;
        for path in DOORS {
            assert_eq!(ask(&house, path, false).await.status, 200);
        }
        let wishes = gate.wishes();
        assert_eq!(wishes.len(), DOORS.len());
        for wish in wishes {
            assert_eq!((&*wish.asked, &*wish.model), ("claude-sonnet-4-5", "claude-sonnet-4.5"));
            assert_eq!((wish.max_output, wish.now_ms / 10_000), (Some(1000), BEGINNING_MS / 10_000));
            assert!((2..50).contains(&wish.input_tokens), "{}", wish.input_tokens);
        }
    }

    #[tokio::test]
    async fn what_a_request_took_is_settled_when_it_ends() {
        let gate = Gate::open();
        let house = house(&gate).await;
        for path in DOORS {
            house.simulator.push(Script(vec![
                Step::Say { text: "hello ".repeat(40), chars: None, pace_ms: 0 },
                Step::Metering { credits: 0.25 },
            ]));
            assert_eq!(ask(&house, path, true).await.status, 200);
        }
        let receipts = house.receipts.wait_for(DOORS.len()).await;
        let ends = gate.wait_for(DOORS.len()).await;
        for (receipt, end) in receipts.iter().zip(ends) {
            assert_eq!(end, End::Settled { tokens: receipt.tokens(), credits_micro: 250_000 });
            assert!(receipt.tokens() > 40, "{}", receipt.tokens());
        }
    }

    #[tokio::test]
    async fn a_client_that_leaves_pays_for_what_was_said() {
        let gate = Gate::open();
        let house = house(&gate).await;
        let say = Step::Say { text: "hello ".repeat(40), chars: None, pace_ms: 0 };
        house.simulator.push(Script(vec![say, Step::Stall]));
        let asked = body(MESSAGES, true).to_string();
        let mut answer =
            house.client.send("POST".parse().expect("a method"), MESSAGES, asked).await.expect("a head");
        assert!(answer.body_mut().frame().await.is_some_and(|frame| frame.is_ok()));
        drop(answer);
        let receipt = house.receipts.wait_for(1).await.remove(0);
        assert_eq!((&receipt.outcome, receipt.status), (&Outcome::ClientGone, Some(200)));
        assert!(receipt.usage.input > 0 && receipt.usage.output > 20, "{:?}", receipt.usage);
        // Its bill has not come: that it was free is not said.
        assert_eq!(gate.wait_for(1).await, [End::Unbilled { tokens: receipt.tokens() }]);
    }

    #[tokio::test]
    async fn a_request_that_got_no_answer_pays_nothing() {
        let gate = Gate::open();
        let house = house(&gate).await;
        house.simulator.knobs().refresh_fault = Some(qm_simulator::RefreshFault::InvalidGrant);
        for path in DOORS {
            assert_eq!(ask(&house, path, false).await.status, 503);
        }
        let free = End::Settled { tokens: 0, credits_micro: 0 };
        assert_eq!(gate.wait_for(DOORS.len()).await, [free, free, free]);
    }

    #[tokio::test]
    async fn the_bound_of_the_key_ends_an_answer_as_max_tokens_does() {
        let gate = Gate::bounded(12);
        let house = house(&gate).await;
        for path in DOORS {
            house.simulator.push(Script::say(&"word ".repeat(200)));
            let told = ask(&house, path, false).await.json();
            let stopped = match path {
                MESSAGES => told["stop_reason"] == "max_tokens",
                CHAT => told["choices"][0]["finish_reason"] == "length",
                _ => {
                    told["status"] == "incomplete"
                        && told["incomplete_details"]["reason"] == "max_output_tokens"
                }
            };
            assert!(stopped, "{path}: {told}");
        }
        // What we end, the upstream has not billed yet.
        let ends = gate.wait_for(DOORS.len()).await;
        assert!(ends.iter().all(|end| matches!(end, End::Unbilled { tokens: 12.. })), "{ends:?}");
        assert!(gate.wishes().iter().all(|wish| wish.max_output == Some(12)));
        assert!(house.receipts.all().iter().all(|receipt| receipt.outcome == Outcome::Finished));
    }

    #[tokio::test]
    async fn a_limit_that_takes_too_long_ends_with_the_deadline() {
        let gate = Gate::silent();
        let deadlines = Deadlines { first_event: Duration::from_millis(200), ..Deadlines::default() };
        let plan = Plan { grant: Arc::clone(&gate) as _, deadlines, ..Plan::default() };
        let house = House::build(plan).await.expect("a house");
        let answer = ask(&house, MESSAGES, true).await;
        assert_eq!((answer.status, &answer.json()["error"]["type"]), (504, &json!("timeout_error")));
        assert_eq!(house.receipts.wait_for(1).await[0].status, Some(504));
    }
}
