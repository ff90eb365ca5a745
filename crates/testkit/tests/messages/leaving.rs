//! A client that leaves stops the upstream, at once.

use http_body_util::BodyExt as _;
use qm_relay::Outcome;
use qm_simulator::{Script, Step};

use super::{ask, house};

#[tokio::test]
async fn leaving_in_the_middle_of_an_answer_stops_it() {
    let house = house().await;
    let say = Step::Say { text: "hello".to_owned(), chars: None, pace_ms: 0 };
    house.simulator.push(Script(vec![say, Step::Stall]));
    let body = ask("hi", true).to_string();
    let mut answer =
        house.client.send("POST".parse().expect("a method"), "/v1/messages", body).await.expect("a head");
    assert!(answer.body_mut().frame().await.is_some_and(|frame| frame.is_ok()));
    drop(answer);
    house
        .simulator
        .wait_for(|calls| calls.iter().any(|call| call.outcome == qm_simulator::Outcome::ClientGone))
        .await;
    let receipt = house.receipts.wait_for(1).await.remove(0);
    assert_eq!(receipt.outcome, Outcome::ClientGone);
    assert!(receipt.usage.input > 0 && receipt.usage.output > 0, "what came so far is accounted for");
}

#[tokio::test]
async fn leaving_before_the_answer_begins_stops_it_too() {
    for stream in [true, false] {
        let house = house().await;
        house.simulator.push(Script(vec![Step::StallBeforeHeaders]));
        let (client, body) = (house.client.clone(), ask("hi", stream).to_string());
        {
            let asking = client.send("POST".parse().expect("a method"), "/v1/messages", body);
            let arrived = house
                .simulator
                .wait_for(|calls| calls.iter().any(|call| call.operation == "GenerateAssistantResponse"));
            tokio::select! {
                _ = asking => panic!("nobody answers"),
                () = arrived => {}
            }
        }
        house
            .simulator
            .wait_for(|calls| calls.iter().any(|call| call.outcome == qm_simulator::Outcome::ClientGone))
            .await;
        assert_eq!(house.receipts.wait_for(1).await[0].outcome, Outcome::ClientGone);
    }
}
