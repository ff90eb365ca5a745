//! What a key may take: each limit reached, its words and its time; reservations, settlements, what goes on after a start.

use std::time::Duration;

use qm_access::{Actor, KeyEdit};
use qm_canon::{Kind, Origin};
use qm_relay::Room;
use qm_store::{ReceiptEntry, ReceiptOutcome, Taken};

use crate::house::{House, NOW, admit, client, enter, fault, limits};

const DAY_MS: u64 = 86_400_000;

/// The day after the one in which tests begin, and the month after it.
const NEXT_DAY: u64 = 1_795_305_600_000;
const NEXT_MONTH: u64 = 1_796_083_200_000;

fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A request that was served a while ago.
fn receipt(key: &str, at_ms: u64, outcome: ReceiptOutcome, tokens: u64, credits_micro: u64) -> ReceiptEntry {
    ReceiptEntry {
        request_id: "req_1".into(),
        at_ms,
        key_id: key.into(),
        owner: None,
        team: None,
        account: None,
        protocol: "messages".into(),
        asked: "claude-sonnet-4-5".into(),
        model: "claude-sonnet-4.5".into(),
        outcome,
        code: "".into(),
        status: 200,
        taken: Taken { input: tokens, credits_micro, ..Taken::default() },
        basis: "reported".into(),
        first_event_ms: None,
        total_ms: 1,
        attempts: 1,
        source: None,
        agent: "".into(),
    }
}

#[tokio::test]
async fn requests_per_minute_and_per_day() {
    let house = House::new().await;
    let access = house.access().await;
    let (view, key) = client(&access, r#"{"rpm":2,"rpd":3}"#).await;
    let caller = admit(&access, &key).ok().unwrap();
    let entered = enter(&caller, 1, None, NOW).await.ok().unwrap();
    let (minute, day) = (
        Room { limit: 2, remaining: 1, reset_ms: NOW + 60_000 },
        Room { limit: 3, remaining: 0, reset_ms: NEXT_DAY },
    );
    assert_eq!((entered.standing.requests, entered.standing.tokens), (Some(minute), None));
    entered.pass.settle(10, 10, NOW);
    drop(enter(&caller, 1, None, NOW + 10_000).await.ok().unwrap());
    let minute = fault(enter(&caller, 1, None, NOW + 20_000).await);
    assert_eq!(
        (minute.kind, minute.origin, minute.retry_after),
        (Kind::Throttled, Origin::Client, Some(s(40)))
    );
    assert!(minute.message.contains("2 requests per minute"), "{minute}");
    // What is refused is not counted.
    let third = enter(&caller, 1, None, NOW + 60_000).await.ok().unwrap();
    assert_eq!(third.standing.requests, Some(day));
    let full = enter(&caller, 1, None, NOW + 130_000).await.err().unwrap();
    assert_eq!(full.standing.requests, Some(day));
    assert_eq!(full.fault.retry_after, Some(Duration::from_millis(NEXT_DAY - NOW - 130_000)));
    assert!(enter(&caller, 1, None, NEXT_DAY).await.is_ok());
    let standing = access.standing(&view.id).await.unwrap();
    assert_eq!(standing.limits.iter().map(|limit| limit.name).collect::<Vec<_>>(), ["rpm", "rpd"]);
}

#[tokio::test]
async fn requests_at_once() {
    let house = House::new().await;
    let access = house.access().await;
    let (_, key) = client(&access, r#"{"concurrency":1}"#).await;
    let caller = admit(&access, &key).ok().unwrap();
    let first = enter(&caller, 1, None, NOW).await.ok().unwrap();
    let full = fault(enter(&caller, 1, None, NOW).await);
    assert_eq!((full.kind, full.retry_after), (Kind::Throttled, Some(s(1))));
    first.pass.settle(1, 1, NOW);
    // One that never began gives its place back too.
    drop(enter(&caller, 1, None, NOW).await.ok().unwrap());
    assert!(enter(&caller, 1, None, NOW).await.is_ok());
}

#[tokio::test]
async fn tokens_are_reserved_and_settled() {
    let house = House::new().await;
    let access = house.access().await;
    let (_, key) = client(&access, r#"{"tpm":10000}"#).await;
    let caller = admit(&access, &key).ok().unwrap();
    let large = enter(&caller, 1_000, Some(8_000), NOW).await.ok().unwrap();
    assert_eq!(large.standing.tokens.map(|room| room.remaining), Some(1_000));
    // Unbounded, a modest answer is reserved: 2,048.
    let full = fault(enter(&caller, 10, None, NOW).await);
    assert_eq!((full.kind, full.retry_after), (Kind::Throttled, Some(Duration::from_millis(60_999))));
    large.pass.settle(1_500, 0, NOW + 5_000);
    let next = enter(&caller, 6_000, None, NOW + 5_000).await.ok().unwrap();
    assert_eq!(next.standing.tokens.map(|room| room.remaining), Some(452));
    drop(next);
    // A request that can never fit is told so; one that only might be too long is not.
    let never = fault(enter(&caller, 10_001, None, NOW + 5_000).await);
    assert!(never.final_ && never.retry_after.is_none() && never.message.contains("10000 tokens per minute"));
    assert!(enter(&caller, 9_000, Some(64_000), NOW + 66_000).await.is_ok());
}

#[tokio::test]
async fn a_budget_that_is_spent_ends_until_it_renews() {
    let house = House::new().await;
    let access = house.access().await;
    let budget = r#"{"budgets":[{"unit":"tokens","period":"month","soft":500,"hard":1000}]}"#;
    let (view, key) = client(&access, budget).await;
    let caller = admit(&access, &key).ok().unwrap();
    let first = enter(&caller, 300, Some(300), NOW).await.ok().unwrap();
    assert!(first.standing.warnings.is_empty(), "reserved is not spent");
    let waits = fault(enter(&caller, 300, Some(300), NOW).await);
    assert_eq!((waits.kind, waits.retry_after), (Kind::Throttled, Some(s(1))), "it may yet come back");
    first.pass.settle(600, 0, NOW);
    let second = enter(&caller, 200, Some(200), NOW).await.ok().unwrap();
    assert_eq!(
        second.standing.warnings,
        ["600 of 500 tokens for this month are spent; 1000 is the end".into()] as [Box<str>; 1]
    );
    assert_eq!(second.standing.tokens, Some(Room { limit: 1000, remaining: 0, reset_ms: NEXT_MONTH }));
    second.pass.settle(450, 0, NOW);
    let spent = fault(enter(&caller, 1, Some(1), NOW).await);
    assert_eq!(spent.kind, Kind::Exhausted);
    assert_eq!(spent.retry_after, Some(Duration::from_millis(NEXT_MONTH - NOW)));
    assert!(spent.message.contains("next month"), "{spent}");
    let standing = access.standing(&view.id).await.unwrap().budgets[0];
    assert_eq!((standing.spent, standing.reserved, standing.renews_ms), (1_050, 0, NEXT_MONTH));
    assert!(enter(&caller, 1, Some(1), NEXT_MONTH).await.is_ok());
}

#[tokio::test]
async fn credits_are_reserved_by_what_answers_cost_of_late() {
    let house = House::new().await;
    let access = house.access().await;
    let (view, key) = client(&access, r#"{"budgets":[{"unit":"credits","period":"day","hard":2.5}]}"#).await;
    let caller = admit(&access, &key).ok().unwrap();
    let reserved = async || access.standing(&view.id).await.unwrap().budgets[0].reserved;
    let first = enter(&caller, 1, None, NOW).await.ok().unwrap();
    assert_eq!(reserved().await, 1_000_000, "before any answer, one credit");
    first.pass.settle(10, 400_000, NOW);
    let second = enter(&caller, 1, None, NOW).await.ok().unwrap();
    assert_eq!(reserved().await, 400_000);
    // An answer that was not billed teaches nothing.
    second.pass.settle(10, 0, NOW);
    let third = enter(&caller, 1, None, NOW).await.ok().unwrap();
    assert_eq!(reserved().await, 400_000);
    third.pass.settle(10, 2_100_000, NOW);
    assert_eq!(fault(enter(&caller, 1, None, NOW).await).kind, Kind::Exhausted);
}

#[tokio::test]
async fn an_answer_that_ended_before_its_bill_is_not_free() {
    let house = House::new().await;
    let access = house.access().await;
    let budgets = r#"{"tpm":10000,"budgets":[{"unit":"credits","period":"day","hard":2}]}"#;
    let (view, key) = client(&access, budgets).await;
    let caller = admit(&access, &key).ok().unwrap();
    for _ in 0..2 {
        enter(&caller, 10, None, NOW).await.ok().unwrap().pass.settle_unbilled(30, NOW);
    }
    let standing = access.standing(&view.id).await.unwrap();
    let budget = standing.budgets[0];
    assert_eq!((budget.spent, budget.reserved), (2_000_000, 0), "what was reserved, twice");
    assert_eq!(standing.limits[0].used, 60, "tokens are counted by us, so they are known");
    assert_eq!(fault(enter(&caller, 1, None, NOW).await).kind, Kind::Exhausted);
}

#[tokio::test]
async fn what_asked_no_model_counts_to_no_limit_after_a_start_either() {
    let house = House::new().await;
    let access = house.access().await;
    let (view, key) = client(&access, r#"{"rpd":3}"#).await;
    let served = receipt(&view.id, NOW, ReceiptOutcome::Ok, 1, 0);
    let counted = ReceiptEntry { protocol: "count_tokens".into(), model: "".into(), ..served.clone() };
    let refused = ReceiptEntry { outcome: ReceiptOutcome::Refused, ..counted.clone() };
    let left = ReceiptEntry { outcome: ReceiptOutcome::ClientGone, ..counted.clone() };
    let receipts = [&[served][..], &vec![counted; 20], &vec![refused; 5], &[left]].concat();
    house.store.receipts().append(&receipts).await.unwrap();
    let used = async |access: &qm_access::Access| access.standing(&view.id).await.unwrap().limits[0].used;
    assert_eq!(used(&access).await, 0, "this process has counted none");
    let restarted = house.access().await;
    assert_eq!(used(&restarted).await, 1);
    // Nor when the limit is set anew.
    for json in ["{}", r#"{"rpd":2}"#] {
        let edit = KeyEdit { limits: Some(limits(json)), ..KeyEdit::default() };
        access.change(&view.id, edit, None, &Actor::Cli).await.unwrap();
    }
    assert_eq!(used(&access).await, 1);
    let caller = admit(&access, &key).ok().unwrap();
    assert!(enter(&caller, 1, None, NOW).await.is_ok() && enter(&caller, 1, None, NOW).await.is_err());
}

#[tokio::test]
async fn a_budget_that_was_away_for_a_while_knows_what_was_used_meanwhile() {
    let house = House::new().await;
    let access = house.access().await;
    let budget = r#"{"budgets":[{"unit":"tokens","period":"day","hard":1000}]}"#;
    let (view, key) = client(&access, budget).await;
    let caller = admit(&access, &key).ok().unwrap();
    enter(&caller, 100, Some(0), NOW).await.ok().unwrap().pass.settle(100, 0, NOW);
    let set = async |json| {
        let edit = KeyEdit { limits: Some(limits(json)), ..KeyEdit::default() };
        access.change(&view.id, edit, None, &Actor::Cli).await.unwrap()
    };
    set("{}").await;
    // What was written to a cache counts like what was read; what came out of it does not.
    let mut used = receipt(&view.id, NOW, ReceiptOutcome::Ok, 50, 0);
    used.taken = Taken { cache_write: 900, cache_read: 5_000, ..used.taken };
    house.store.receipts().append(&[used]).await.unwrap();
    set(budget).await;
    let caller = admit(&access, &key).ok().unwrap();
    assert_eq!(access.standing(&view.id).await.unwrap().budgets[0].spent, 950);
    assert_eq!(fault(enter(&caller, 100, Some(0), NOW).await).kind, Kind::Exhausted);
}

#[tokio::test]
async fn models_and_the_length_of_answers() {
    let house = House::new().await;
    let access = house.access().await;
    let (_, key) = client(&access, r#"{"models":["claude-haiku-*"],"max_output":100}"#).await;
    let caller = admit(&access, &key).ok().unwrap();
    let refused = fault(enter(&caller, 1, None, NOW).await);
    assert_eq!((refused.kind, refused.final_), (Kind::Forbidden, true));
    assert!(refused.message.contains("claude-sonnet-4-5"));
    assert_eq!(caller.grant.max_output(), Some(100));
    let (_, key) = client(&access, r#"{"models":["claude-haiku-*","claude-sonnet-4-5"]}"#).await;
    assert!(enter(&admit(&access, &key).ok().unwrap(), 1, None, NOW).await.is_ok());
}

#[tokio::test]
async fn a_key_without_limits_has_none() {
    let house = House::new().await;
    let access = house.access().await;
    let (view, key) = client(&access, "{}").await;
    let caller = admit(&access, &key).ok().unwrap();
    let passes: Vec<_> = futures(&caller).await;
    assert_eq!(passes.len(), 1_000);
    assert_eq!(access.standing(&view.id).await.unwrap(), qm_access::KeyStanding::default());
}

async fn futures(caller: &qm_relay::Caller) -> Vec<qm_relay::Entered> {
    let mut entered = Vec::new();
    for _ in 0..1_000 {
        entered.push(enter(caller, u64::MAX, None, NOW).await.ok().unwrap());
    }
    entered
}

#[tokio::test]
async fn limits_go_on_after_a_start_from_what_the_receipts_say() {
    let house = House::new().await;
    let access = house.access().await;
    let budgets = r#"{"rpd":5,"budgets":[{"unit":"tokens","period":"month","hard":1000},
        {"unit":"credits","period":"day","hard":2}]}"#;
    let (view, key) = client(&access, budgets).await;
    let earlier = [
        receipt(&view.id, NOW - 40 * DAY_MS, ReceiptOutcome::Ok, 7, 7),
        receipt(&view.id, NOW - 3 * DAY_MS, ReceiptOutcome::Ok, 200, 900_000),
        receipt(&view.id, NOW - 1_000, ReceiptOutcome::Ok, 100, 300_000),
        receipt(&view.id, NOW - 900, ReceiptOutcome::Failed, 50, 0),
        receipt(&view.id, NOW - 800, ReceiptOutcome::Refused, 0, 0),
        receipt("somebody else", NOW - 700, ReceiptOutcome::Ok, 10_000, 1),
    ];
    house.store.receipts().append(&earlier).await.unwrap();
    let restarted = house.access().await;
    let standing = restarted.standing(&view.id).await.unwrap();
    assert_eq!((standing.limits[0].name, standing.limits[0].used), ("rpd", 2), "refused ones never counted");
    assert_eq!(standing.budgets.iter().map(|budget| budget.spent).collect::<Vec<_>>(), [350, 300_000]);
    let caller = admit(&restarted, &key).ok().unwrap();
    assert!(enter(&caller, 651, Some(0), NOW).await.is_err());
    assert!(enter(&caller, 600, Some(50), NOW).await.is_ok());
}

#[tokio::test]
async fn keys_from_configuration_have_limits_of_their_own_and_go_on_too() {
    let house = House::new().await;
    let limits = limits(r#"{"rpd":2}"#);
    let keys = ["sk-first-key", "sk-second-key"];
    let access = house.made(&keys, &limits, &[], false).await;
    let [first, second] = keys.map(|key| admit(&access, key).ok().unwrap());
    for caller in [&first, &first, &second] {
        assert!(enter(caller, 1, None, NOW).await.is_ok());
    }
    assert!(enter(&first, 1, None, NOW).await.is_err());
    house.store.receipts().append(&[receipt(&first.key.0, NOW, ReceiptOutcome::Ok, 1, 1)]).await.unwrap();
    let restarted = house.made(&keys, &limits, &[], false).await;
    let first = admit(&restarted, keys[0]).ok().unwrap();
    assert!(enter(&first, 1, None, NOW).await.is_ok());
    assert!(enter(&first, 1, None, NOW).await.is_err());
}

#[tokio::test]
async fn a_limit_that_is_set_later_counts_from_the_beginning_of_its_period() {
    let house = House::new().await;
    let access = house.access().await;
    let (view, key) = client(&access, "{}").await;
    house.store.receipts().append(&[receipt(&view.id, NOW, ReceiptOutcome::Ok, 900, 0)]).await.unwrap();
    let budget = limits(r#"{"budgets":[{"unit":"tokens","period":"day","hard":1000}]}"#);
    let edit = KeyEdit { limits: Some(budget), ..KeyEdit::default() };
    access.change(&view.id, edit, None, &Actor::Cli).await.unwrap();
    let caller = admit(&access, &key).ok().unwrap();
    assert!(enter(&caller, 101, Some(0), NOW).await.is_err());
    enter(&caller, 50, Some(0), NOW).await.ok().unwrap().pass.settle(60, 0, NOW);
    // Another change does not make it forget, nor count the receipts twice.
    let edit = KeyEdit {
        limits: Some(limits(r#"{"rpm":9,"budgets":[{"unit":"tokens","period":"day","hard":1000}]}"#)),
        ..KeyEdit::default()
    };
    access.change(&view.id, edit, None, &Actor::Cli).await.unwrap();
    assert_eq!(access.standing(&view.id).await.unwrap().budgets[0].spent, 960);
}
