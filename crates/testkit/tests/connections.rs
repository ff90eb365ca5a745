//! How many connections the house makes to its upstream.

#[cfg(test)]
mod connections {
    use std::collections::BTreeSet;

    use http_body_util::BodyExt as _;
    use qm_simulator::{Options, Outcome, Script, Step};
    use qm_testkit::{House, Plan};
    use serde_json::{Value, json};

    fn ask(stream: bool) -> Value {
        json!({"model": "claude-sonnet-4-5", "max_tokens": 1000, "stream": stream,
               "messages": [{"role": "user", "content": "hi"}]})
    }

    /// The connections of all chat calls, in the calls' order.
    fn of_chats(house: &House) -> Vec<u64> {
        let calls = house.simulator.requests();
        let chats = calls.iter().filter(|call| call.operation == "GenerateAssistantResponse");
        chats.map(|call| call.connection).collect()
    }

    async fn ask_well(house: &House, stream: bool) {
        let answer = house.client.post("/v1/messages", &ask(stream)).await.expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    #[tokio::test]
    async fn one_request_after_the_other_takes_one_connection() {
        let house = House::build(Plan::default()).await.expect("a house");
        // First its token and its models, which are asked for beside the request.
        house.account.refresh_catalogue().await;
        for stream in [true, false, true, false, true] {
            ask_well(&house, stream).await;
        }
        let all: BTreeSet<u64> = house.simulator.requests().iter().map(|call| call.connection).collect();
        assert_eq!((of_chats(&house).len(), all.len()), (5, 1));
    }

    #[tokio::test]
    async fn requests_at_once_leave_connections_for_the_next() {
        let house = House::build(Plan::default()).await.expect("a house");
        house.account.refresh_catalogue().await;
        for _ in 0..3 {
            let asking = std::array::from_fn::<_, 4, _>(|_| ask_well(&house, true));
            let [a, b, c, d] = asking;
            tokio::join!(a, b, c, d);
        }
        let distinct: BTreeSet<u64> = of_chats(&house).into_iter().collect();
        assert_eq!(of_chats(&house).len(), 12);
        assert!(distinct.len() <= 4, "{distinct:?}");
    }

    #[tokio::test]
    async fn a_refusal_costs_no_connection_and_a_client_that_leaves_does() {
        let house = House::build(Plan::default()).await.expect("a house");
        house.account.refresh_catalogue().await;
        house.simulator.push(Script::refuse(400, "ValidationException", "no", None));
        let refused = house.client.post("/v1/messages", &ask(true)).await.expect("an answer");
        assert_eq!(refused.status, 400);

        let say = Step::Say { text: "hello".to_owned(), chars: None, pace_ms: 0 };
        house.simulator.push(Script(vec![say, Step::Stall]));
        let post = "POST".parse().expect("a method");
        let mut left = house.client.send(post, "/v1/messages", ask(true).to_string()).await.expect("a head");
        assert!(left.body_mut().frame().await.is_some_and(|frame| frame.is_ok()));
        drop(left);
        house.simulator.wait_for(|calls| calls.iter().any(|call| call.outcome == Outcome::ClientGone)).await;

        ask_well(&house, true).await;
        let [refused, left, after] = of_chats(&house)[..] else { panic!("three calls") };
        assert_eq!(refused, left);
        assert_ne!(left, after);
    }

    #[tokio::test]
    async fn an_upstream_that_was_restarted_is_not_noticed() {
        let mut house = House::build(Plan::default()).await.expect("a house");
        for (round, stream) in [true, false].into_iter().enumerate() {
            ask_well(&house, stream).await;
            let bind = house.simulator.addr();
            let again = Options { bind, ..Options::default() };
            let stopped = std::mem::replace(
                &mut house.simulator,
                qm_simulator::start(Options::default()).await.expect("a stand-in"),
            );
            stopped.shutdown().await;
            house.simulator = qm_simulator::start(again).await.expect("the same port");
            ask_well(&house, stream).await;
            // The new one does not know the old token: two attempts, and none that was lost on a dead connection.
            let mut receipts = house.receipts.wait_for(2 * (round + 1)).await;
            assert_eq!(receipts.pop().expect("a receipt").attempts, 2);
        }
    }
}
