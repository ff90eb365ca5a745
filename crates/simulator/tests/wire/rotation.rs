//! What becomes of a refresh token that is used.

use crate::client::{Reply, chat, hello, post, refresh, refresh_as};
use qm_simulator::{Behaviour, Options, RefreshFault, Rotation, SimAccount, Simulator, start};

const FIRST: &str = "sim-refresh-token";

async fn rotating(rotation: Rotation) -> Simulator {
    let account =
        SimAccount::default().behaving(Behaviour { rotation: Some(rotation), ..Behaviour::default() });
    start(Options { accounts: vec![account], ..Options::default() }).await.unwrap()
}

fn new_token(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()["refreshToken"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn without_rotation_the_token_stays() {
    let sim = rotating(Rotation::Never).await;
    for _ in 0..2 {
        assert_eq!(refresh(&sim, FIRST).await.json().get("refreshToken"), None);
    }
    assert_eq!(sim.account(0).unwrap().refresh_token, FIRST);
}

#[tokio::test]
async fn with_rotation_the_old_token_is_dead_at_once() {
    let sim = rotating(Rotation::Each).await;
    let new = new_token(&refresh(&sim, FIRST).await);
    let old = refresh(&sim, FIRST).await;
    assert_eq!((old.status, old.json()["error"].as_str()), (400, Some("invalid_grant")));
    assert_eq!(sim.account(0).unwrap().refresh_token, new);
    new_token(&refresh(&sim, &new).await);
    let counts = sim.counts(0).unwrap();
    assert_eq!((counts.refreshes, counts.refreshed, counts.stale_refreshes), (3, 2, 1));
}

#[tokio::test]
async fn the_knob_holds_where_the_account_says_nothing() {
    let sim = start(Options::many(1)).await.unwrap();
    sim.knobs().rotation = Rotation::Each;
    let account = sim.account(0).unwrap();
    let client = (account.client_id, account.client_secret);
    new_token(&refresh_as(&sim, &client, &account.refresh_token).await);
    assert_eq!(refresh_as(&sim, &client, &account.refresh_token).await.status, 400);
}

#[tokio::test]
async fn with_grace_the_old_token_lives_until_the_new_one_is_used() {
    let sim = rotating(Rotation::Grace).await;
    let lost = new_token(&refresh(&sim, FIRST).await);
    let kept = new_token(&refresh(&sim, FIRST).await);
    assert_eq!(refresh(&sim, &lost).await.status, 400, "one that never arrived makes room");
    let next = new_token(&refresh(&sim, &kept).await);
    assert_eq!(refresh(&sim, FIRST).await.status, 400, "the new one was used");
    assert_eq!(refresh(&sim, &kept).await.status, 200, "and has its own grace");
    assert_eq!(refresh(&sim, &next).await.status, 400);
}

#[tokio::test]
async fn with_grace_using_the_access_token_is_using_the_new_one() {
    let sim = rotating(Rotation::Grace).await;
    let reply = refresh(&sim, FIRST).await;
    let new = new_token(&reply);
    let access = reply.json()["accessToken"].as_str().unwrap().to_owned();
    assert_eq!(chat(&sim, &access, &hello("hi")).await.status, 200);
    assert_eq!(refresh(&sim, FIRST).await.status, 400);
    assert_eq!(refresh(&sim, &new).await.status, 200);
}

#[tokio::test]
async fn a_bound_token_dies_in_the_hands_of_another_client() {
    for (rotation, survives) in [(Rotation::ClientBound, 400), (Rotation::Each, 200)] {
        let sim = rotating(rotation).await;
        let body = serde_json::json!({ "clientName": "Test", "clientType": "public" });
        let client = post(&sim, "/client/register", &[], &body).await.json();
        let text = |name: &str| client[name].as_str().unwrap().to_owned();
        let other = (text("clientId"), text("clientSecret"));
        assert_eq!(refresh_as(&sim, &other, FIRST).await.json()["error"], "invalid_grant");
        assert_eq!(refresh(&sim, FIRST).await.status, survives, "{rotation:?}");
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_has_rotated_all_the_same() {
    for (rotation, again) in [(Rotation::Each, 400), (Rotation::Grace, 200)] {
        let sim = rotating(rotation).await;
        {
            let mut knobs = sim.knobs();
            (knobs.refresh_fault, knobs.refresh_fault_times) = (Some(RefreshFault::LostAnswer), 1);
        }
        let lost = refresh(&sim, FIRST).await;
        assert_eq!((lost.status, lost.body.len()), (0, 0));
        assert_eq!(sim.requests()[0].outcome, qm_simulator::Outcome::Cut);
        assert_ne!(sim.account(0).unwrap().refresh_token, FIRST);
        assert_eq!(refresh(&sim, FIRST).await.status, again, "{rotation:?}");
    }
}

#[tokio::test]
async fn a_cut_refresh_has_done_nothing() {
    let sim = rotating(Rotation::Each).await;
    let behaviour = Behaviour {
        refresh_fault: Some(RefreshFault::Cut),
        refresh_fault_times: 1,
        rotation: Some(Rotation::Each),
        ..Behaviour::default()
    };
    sim.set_behaviour(0, behaviour).unwrap();
    assert_eq!(refresh(&sim, FIRST).await.status, 0);
    new_token(&refresh(&sim, FIRST).await);
}
