//! What is closed is kept: whatever the store does, however the house ends, and without anybody waiting on the way of an answer.

use std::time::Duration;

use qm_canon::Kind;
use qm_ledger::{Habits, Left};
use qm_relay::{Ledger as _, Outcome, Receipt, Step};
use qm_store::{ReceiptEntry, ReceiptOutcome, Taken};

use crate::house::{Moody, NOW, books, kept, opening, receipt, run};

#[tokio::test]
async fn a_receipt_is_kept_with_all_that_its_opening_and_its_end_say() {
    let store = Moody::new().await;
    let books = books(&store, Habits::default());
    let running = run(&books);
    books.open(opening("r", "k")).await.unwrap().close(receipt());
    assert_eq!(running.end().await, Left::default());
    let expected = ReceiptEntry {
        request_id: "r".into(),
        at_ms: NOW,
        key_id: "k".into(),
        owner: Some("me".into()),
        team: None,
        account: Some((7, "7 (label)".into())),
        protocol: "messages".into(),
        asked: "asked".into(),
        model: "served".into(),
        outcome: ReceiptOutcome::Ok,
        code: "".into(),
        status: 200,
        taken: Taken { input: 10, output: 20, cache_read: 3, cache_write: 0, credits_micro: 12_345 },
        basis: "window".into(),
        first_event_ms: Some(300),
        total_ms: 2_000,
        attempts: 2,
        source: Some([192, 0, 2, 1].into()),
        agent: "an agent".into(),
    };
    assert_eq!(kept(&store).await, [expected]);
}

#[tokio::test]
async fn each_outcome_has_its_word_and_its_code() {
    let store = Moody::new().await;
    let books = books(&store, Habits::default());
    let running = run(&books);
    let outcomes = [
        Outcome::Finished,
        Outcome::ClientGone,
        Outcome::Refused(Kind::Throttled, "key/rpm".into()),
        Outcome::Failed(Kind::Broken, "upstream/cut".into()),
    ];
    for (at, outcome) in (0..).zip(outcomes) {
        let receipt = Receipt { outcome, status: None, ended_ms: NOW + at, ..receipt() };
        books.open(opening("r", "k")).await.unwrap().close(receipt);
    }
    running.end().await;
    let kept = kept(&store).await;
    let words: Vec<_> =
        kept.iter().map(|receipt| (receipt.outcome.word(), &*receipt.code, receipt.status)).collect();
    assert_eq!(
        words,
        [("ok", "", 0), ("client_gone", "", 0), ("refused", "key/rpm", 0), ("failed", "upstream/cut", 0)]
    );
}

/// Its task panicked, say: what the table of live requests knew of it is its receipt.
#[tokio::test]
async fn an_entry_that_nobody_closes_leaves_a_receipt() {
    let store = Moody::new().await;
    let books = books(&store, Habits::default());
    let running = run(&books);
    let mut entry = books.open(opening("r", "k")).await.unwrap();
    entry.progress(Step::Asked("asked"));
    entry.progress(Step::Attempt { number: 1, account: 7, name: "7 (label)", model: "served" });
    drop(entry);
    assert_eq!(running.end().await, Left::default());
    let kept = kept(&store).await;
    let [lost] = kept.as_slice() else { panic!("{kept:?}") };
    assert_eq!((lost.outcome, &*lost.code, lost.total_ms), (ReceiptOutcome::Failed, "house/lost", 2_000));
    assert_eq!((&*lost.model, lost.attempts, lost.at_ms), ("served", 1, NOW));
}

/// Four thousand from four tasks, with a store that refuses now and then: each is there, once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_or_doubled_under_load_and_a_busy_store() {
    let store = Moody::new().await;
    let habits = Habits { entries: 500, patience: Duration::from_secs(60), batch: 64, ..Habits::default() };
    let books = books(&store, habits);
    let running = run(&books);
    let moods = {
        let store = std::sync::Arc::clone(&store);
        tokio::spawn(async move {
            for at in 0.. {
                store.refuse(at % 3 == 0);
                tokio::task::yield_now().await;
            }
        })
    };
    let clients = (0..4).map(|client| {
        let books = books.clone();
        tokio::spawn(async move {
            for at in 0..1_000 {
                let entry = books.open(opening(&format!("{client}-{at}"), "k")).await.unwrap();
                entry.close(receipt());
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.unwrap();
    }
    moods.abort();
    let _ = moods.await;
    store.refuse(false);
    assert_eq!(running.end().await, Left::default());
    let mut ids: Vec<_> = kept(&store).await.into_iter().map(|receipt| receipt.request_id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 4_000);
    assert_eq!(kept(&store).await.len(), 4_000);
}

/// The store takes nothing: those who are open may end, new ones wait for room and are then told to come back.
#[tokio::test]
async fn when_the_store_is_behind_requests_wait_for_room_and_are_refused_in_the_end() {
    let store = Moody::on_paper().await;
    store.refuse(true);
    let books = books(&store, Habits { entries: 3, ..Habits::default() });
    let running = run(&books);
    let mut open = Vec::new();
    for id in ["1", "2", "3"] {
        open.push(books.open(opening(id, "k")).await.unwrap());
    }
    for entry in open {
        entry.close(receipt());
    }
    let refused = books.open(opening("4", "k")).await.err().unwrap();
    assert_eq!((refused.kind, refused.retry_after), (Kind::Unavailable, Some(Duration::from_secs(5))));
    assert!(store.asked() > 3, "it keeps trying");
    store.refuse(false);
    books.open(opening("5", "k")).await.unwrap().close(receipt());
    assert_eq!(running.end().await, Left::default());
    let ids: Vec<_> = kept(&store).await.into_iter().map(|receipt| receipt.request_id).collect();
    assert_eq!(ids.iter().map(|id| &**id).collect::<Vec<_>>(), ["1", "2", "3", "5"]);
}

/// The end waits for the last answer, and then for its receipt.
#[tokio::test]
async fn the_house_closes_when_the_last_entry_is_closed() {
    let store = Moody::on_paper().await;
    let books = books(&store, Habits::default());
    let running = run(&books);
    let entry = books.open(opening("r", "k")).await.unwrap();
    let answer = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(9)).await;
        entry.close(receipt());
    });
    let began = tokio::time::Instant::now();
    assert_eq!(running.end().await, Left::default());
    assert_eq!(began.elapsed().as_secs(), 9);
    answer.await.unwrap();
    assert_eq!(kept(&store).await.len(), 1);
}

/// And says what is missing if it cannot wait any longer.
#[tokio::test]
async fn a_house_that_cannot_wait_tells_what_is_missing() {
    let store = Moody::on_paper().await;
    let books = books(&store, Habits::default());
    let running = run(&books);
    let open = books.open(opening("open", "k")).await.unwrap();
    books.open(opening("closed", "k")).await.unwrap().close(receipt());
    assert_eq!(running.end().await, Left { open: 1, unwritten: 0 });
    assert_eq!(kept(&store).await.len(), 1, "what was closed is there");
    drop(open);
}

#[tokio::test]
async fn a_store_that_takes_nothing_does_not_keep_the_house_from_closing() {
    let store = Moody::on_paper().await;
    store.refuse(true);
    let books = books(&store, Habits::default());
    let running = run(&books);
    books.open(opening("closed", "k")).await.unwrap().close(receipt());
    assert_eq!(running.end().await, Left { open: 0, unwritten: 1 });
}

/// A house that keeps nothing has the same room for requests, and closes as well.
#[tokio::test]
async fn a_house_that_keeps_nothing_writes_nothing() {
    let store = Moody::on_paper().await;
    let books = books(&store, Habits { keeps: false, entries: 2, ..Habits::default() });
    let running = run(&books);
    for _ in 0..5 {
        let open = books.open(opening("closed", "k")).await.unwrap();
        assert_eq!(books.live().len(), 1);
        open.close(receipt());
        drop(books.open(opening("lost", "k")).await.unwrap());
    }
    assert!(books.live().is_empty());
    assert_eq!(running.end().await, Left::default());
    assert_eq!((store.asked(), kept(&store).await.len()), (0, 0));
}

/// Receipts are written together: one write for those of a quarter of a second, and one at once when there are many.
#[tokio::test]
async fn receipts_are_gathered() {
    let store = Moody::on_paper().await;
    let books = books(&store, Habits { batch: 10, ..Habits::default() });
    let running = run(&books);
    for _ in 0..3 {
        books.open(opening("r", "k")).await.unwrap().close(receipt());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(store.asked(), 0);
    tokio::time::sleep(Duration::from_millis(101)).await;
    assert_eq!(store.asked(), 1);
    for _ in 0..10 {
        books.open(opening("r", "k")).await.unwrap().close(receipt());
    }
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(store.asked(), 2, "a full batch waits for nothing");
    running.end().await;
    assert_eq!(kept(&store).await.len(), 13);
}

#[tokio::test]
async fn what_is_old_is_forgotten_while_the_house_runs() {
    let store = Moody::on_paper().await;
    let books = books(&store, Habits::default());
    let running = run(&books);
    for after_s in [70, 620] {
        let old = Receipt { ended_ms: NOW - 91 * 86_400_000, ..receipt() };
        books.open(opening("old", "k")).await.unwrap().close(old);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(kept(&store).await.last().map(|receipt| &*receipt.request_id), Some("old"));
        books.open(opening("new", "k")).await.unwrap().close(receipt());
        tokio::time::sleep(Duration::from_secs(after_s)).await;
        assert!(kept(&store).await.iter().all(|receipt| &*receipt.request_id == "new"));
    }
    assert_eq!(kept(&store).await.len(), 2);
    running.end().await;
}

#[tokio::test]
async fn who_asks_is_seen_while_he_asks() {
    let store = Moody::new().await;
    let books = books(&store, Habits::default());
    let mut first = books.open(opening("1", "k")).await.unwrap();
    let mut early = opening("2", "k");
    early.began_ms -= 5;
    let second = books.open(early).await.unwrap();
    first.progress(Step::Asked("asked"));
    first.progress(Step::Attempt { number: 2, account: 7, name: "7 (label)", model: "served" });
    first.progress(Step::Begun(Duration::from_millis(300)));
    let live = books.live();
    let ids: Vec<_> = live.iter().map(|live| &*live.opening.request_id).collect();
    assert_eq!(ids, ["2", "1"], "the oldest first");
    assert_eq!((live[1].asked.as_deref(), live[1].model.as_deref()), (Some("asked"), Some("served")));
    assert_eq!((live[1].attempts, live[1].first_event_ms), (2, Some(300)));
    assert_eq!(live[1].account.as_ref().map(|(number, _)| *number), Some(7));
    assert_eq!((live[0].asked.as_deref(), live[0].attempts), (None, 0));
    first.close(receipt());
    assert_eq!(books.live().len(), 1);
    let mut third = books.open(opening("3", "k")).await.unwrap();
    third.progress(Step::Asked("in the place of another"));
    assert_eq!(books.live().len(), 2);
    drop((second, third));
    assert_eq!(books.live().len(), 0);
}

/// A place in the table of live requests is another's as soon as it is free, and whoever had it must not touch it any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn entries_that_end_beside_each_other_keep_to_their_own() {
    let store = Moody::new().await;
    let books = books(&store, Habits::default());
    let running = run(&books);
    let clients: Vec<_> = (0..8)
        .map(|client| {
            let books = books.clone();
            tokio::spawn(async move {
                for turn in 0..2_000 {
                    let id = format!("{client}-{turn}");
                    let entry = books.open(opening(&id, "k")).await.unwrap();
                    entry.close(Receipt { asked: Some(id.into()), ..receipt() });
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    assert_eq!(running.end().await, Left::default());
    let kept = kept(&store).await;
    assert_eq!(kept.len(), 16_000);
    let strange = kept.iter().find(|receipt| *receipt.asked != *receipt.request_id);
    assert_eq!((strange, books.live().len()), (None, 0));
}
