//! Receipts are written whole, with everything they add up to, or not at all.

use super::{NOW, Under, key, receipt};
use crate::StoreError;
use crate::page::{Cursor, Place};
use crate::receipt::{MOST, ReceiptEntry, ReceiptOutcome, Taken};
use crate::receipts::{PruneBefore, ReceiptFilter};
use crate::usage::{DAY_MS, Group, HOUR_MS, Order, Step, Usage, UsageFilter, UsageQuestion};

async fn append(store: &Under, batch: Vec<ReceiptEntry>) {
    store.receipts().append(&batch).await.unwrap();
}

async fn found(store: &Under, filter: &ReceiptFilter, limit: u32) -> Vec<ReceiptEntry> {
    let (mut entries, mut after) = (Vec::new(), None);
    loop {
        let page = store.receipts().list(filter, after.as_ref(), limit).await.unwrap();
        assert!(page.receipts.len() <= limit as usize);
        entries.extend(page.receipts.into_iter().map(|record| record.entry));
        let Some(next) = page.next else { return entries };
        after = Some(Cursor::from_text(&next.to_text()).unwrap());
    }
}

async fn totals(store: &Under, step: Step) -> Usage {
    let question = UsageQuestion {
        step,
        from_ms: 0,
        to_ms: u64::MAX,
        of: UsageFilter::default(),
        by_period: false,
        group: Group::None,
        order: Order::default(),
        limit: 10,
    };
    let rows = store.receipts().usage(&question).await.unwrap();
    assert!(rows.len() <= 1);
    rows.first().map(|row| row.usage).unwrap_or_default()
}

/// Every field, with and without what may be absent, and letters that would break a statement or a JSON text.
pub async fn a_receipt_is_read_back(store: Under) {
    let full = ReceiptEntry {
        owner: Some("O'Neill \"the\" \\ owner".into()),
        team: Some("组".into()),
        account: Some((7, "7 (label)".into())),
        asked: "a\u{0}b\u{1f}\n'\u{2028}\u{10ffff}".into(),
        outcome: ReceiptOutcome::Failed,
        code: "upstream/Throttling".into(),
        status: 429,
        taken: Taken { input: 1, output: 2, cache_read: 3, cache_write: 4, credits_micro: 5 },
        first_event_ms: Some(6),
        total_ms: 7,
        attempts: 8,
        source: Some(std::net::Ipv6Addr::LOCALHOST.into()),
        ..receipt("full", "a", NOW)
    };
    let bare = ReceiptEntry {
        owner: None,
        team: None,
        account: None,
        first_event_ms: None,
        asked: "".into(),
        model: "".into(),
        source: None,
        agent: "".into(),
        outcome: ReceiptOutcome::ClientGone,
        status: 0,
        ..receipt("bare", "env-01234567", NOW + 1)
    };
    append(&store, vec![full.clone(), bare.clone()]).await;
    append(&store, vec![]).await;
    assert_eq!(found(&store, &ReceiptFilter::default(), 10).await, [bare, full]);
}

/// A large batch, whose receipts mostly say the same: each comes back as it was, those that differ in one thing too.
pub async fn receipts_alike_are_read_back_each_as_it_was(store: Under) {
    let alike = |at: u64| ReceiptEntry {
        owner: Some("me".into()),
        account: Some((7, "7 (label)".into())),
        taken: Taken {
            input: at,
            output: 2 * at,
            cache_read: 3 * at,
            cache_write: 4 * at,
            credits_micro: 5 * at,
        },
        first_event_ms: (!at.is_multiple_of(5)).then_some(6 * at),
        total_ms: 7 * at,
        source: Some([192, 0, 2, 17].into()),
        ..receipt(&format!("r{at}"), "a", NOW + at)
    };
    let differing: [fn(&mut ReceiptEntry); 15] = [
        |receipt| receipt.key_id = "b".into(),
        |receipt| receipt.owner = None,
        |receipt| receipt.team = Some("us".into()),
        |receipt| receipt.account = None,
        |receipt| receipt.account = Some((8, "7 (label)".into())),
        |receipt| receipt.account = Some((7, "7 (another)".into())),
        |receipt| receipt.protocol = "chat".into(),
        |receipt| receipt.asked = "another".into(),
        |receipt| receipt.model = "another".into(),
        |receipt| receipt.outcome = ReceiptOutcome::Failed,
        |receipt| receipt.code = "another".into(),
        |receipt| receipt.status = 500,
        |receipt| receipt.basis = "another".into(),
        |receipt| receipt.attempts = 9,
        |receipt| (receipt.source, receipt.agent) = (None, "another".into()),
    ];
    let mut batch: Vec<_> = (0..200).map(alike).collect();
    for (at, differ) in differing.into_iter().enumerate() {
        differ(&mut batch[7 * at]);
    }
    // Not only single ones, but many in a row.
    batch[120..160].iter_mut().for_each(|receipt| receipt.model = "third".into());
    append(&store, batch.clone()).await;
    batch.reverse();
    assert_eq!(found(&store, &ReceiptFilter::default(), 30).await, batch);
}

/// A number of somebody else's cannot make a sum overflow, which would stop every later receipt.
pub async fn an_absurd_figure_does_no_harm(store: Under) {
    let absurd = Taken { input: u64::MAX, output: u64::MAX, credits_micro: u64::MAX, ..Taken::default() };
    for at in 0..3 {
        let receipt = ReceiptEntry { taken: absurd, total_ms: u64::MAX, ..receipt("r", "a", NOW + at) };
        append(&store, vec![receipt.clone(), receipt]).await;
    }
    let sums = totals(&store, Step::Hour).await;
    assert_eq!((sums.input, sums.credits_micro, sums.requests), (6 * MOST, 6 * MOST, 6));
    assert_eq!(found(&store, &ReceiptFilter::default(), 1).await[0].taken.input, MOST);
}

fn sum_of(all: &[ReceiptEntry], of: &dyn Fn(&ReceiptEntry) -> bool) -> Usage {
    all.iter().filter(|receipt| of(receipt)).fold(Usage::default(), |mut sum, receipt| {
        sum.add(&Usage::of(receipt));
        sum
    })
}

async fn each_group_is_summed_up(store: &Under, all: &[ReceiptEntry]) {
    for (group, reached) in [(Group::Key, true), (Group::Account, true), (Group::Account, false)] {
        // By account; and by account of one owner, which is not summed up but read.
        let of = UsageFilter { owner: (!reached).then(|| "me".into()), ..UsageFilter::default() };
        let question = UsageQuestion {
            step: Step::Day,
            from_ms: 0,
            to_ms: u64::MAX,
            of,
            by_period: true,
            group,
            order: Order::default(),
            limit: 1000,
        };
        let rows = store.receipts().usage(&question).await.unwrap();
        for row in &rows {
            let same = |r: &ReceiptEntry| {
                let account = r.account.as_ref().map_or(String::new(), |(number, _)| number.to_string());
                let name = if group == Group::Key { r.key_id.to_string() } else { account };
                let owned = reached || r.owner.as_deref() == Some("me");
                Step::Day.start_of(r.at_ms) == row.start_ms && name == row.name && owned
            };
            assert_eq!(row.usage, sum_of(all, &same), "{row:?}");
        }
        let requests: u64 = rows.iter().map(|row| row.usage.requests).sum();
        assert_eq!(requests, sum_of(all, &|r| reached || r.owner.as_deref() == Some("me")).requests);
    }
}

/// Whatever came in whatever batches: the sums are those of the receipts, and each step's are the same.
pub async fn sums_are_those_of_the_receipts(store: Under) {
    let mut chance = 1_u64;
    let mut next = |below: u64| {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (chance >> 33) % below
    };
    for id in ["a", "b"] {
        store.keys().insert(key(id), NOW).await.unwrap();
    }
    let mut all = Vec::new();
    while all.len() < 600 {
        let batch = (0..=next(60)).map(|_| ReceiptEntry {
            owner: [None, Some("me".into())][next(2) as usize].clone(),
            team: [None, Some("us".into())][next(2) as usize].clone(),
            account: [None, Some((1, "1".into())), Some((2, "2".into()))][next(3) as usize].clone(),
            model: ["m", "n", ""][next(3) as usize].into(),
            protocol: ["messages", "chat"][next(2) as usize].into(),
            outcome: ReceiptOutcome::ALL[next(4) as usize],
            taken: Taken {
                input: next(1000),
                output: next(1000),
                cache_read: next(10),
                cache_write: next(10),
                credits_micro: next(1_000_000),
            },
            total_ms: next(9999),
            ..receipt("r", ["a", "b", "env-01234567"][next(3) as usize], NOW + next(3 * DAY_MS))
        });
        let batch: Vec<ReceiptEntry> = batch.collect();
        append(&store, batch.clone()).await;
        all.extend(batch);
    }
    let sum = |of: &dyn Fn(&ReceiptEntry) -> bool| sum_of(&all, of);
    let everything = sum(&|_| true);
    each_group_is_summed_up(&store, &all).await;
    assert_eq!(totals(&store, Step::Hour).await, everything);
    assert_eq!(totals(&store, Step::Day).await, everything);
    let read = found(&store, &ReceiptFilter::default(), 97).await;
    assert_eq!((read.len(), totals(&store, Step::Day).await.requests), (all.len(), all.len() as u64));
    for id in ["a", "b"] {
        let (counts, of) =
            (store.keys().by_id(id).await.unwrap().unwrap().counts, sum(&|r| &*r.key_id == id));
        assert_eq!((counts.total_requests, counts.total_tokens), (of.requests, of.tokens()));
        let last = all.iter().filter(|r| &*r.key_id == id).map(|r| r.at_ms).max();
        assert_eq!(counts.last_used_ms, last);
    }
    let since = Step::Day.start_of(NOW + DAY_MS);
    for (id, spent) in store.receipts().spent(since).await.unwrap() {
        assert_eq!(spent, sum(&|r| *r.key_id == *id && r.at_ms >= since), "{id}");
    }
}

/// Each filter alone and together, at every page size; receipts of one millisecond are all found.
pub async fn receipts_are_listed_by_their_end(store: Under) {
    let of = |at: u64| ReceiptEntry {
        request_id: format!("r{at}").into(),
        owner: at.is_multiple_of(2).then(|| "even".into()),
        team: (at < 3).then(|| "low".into()),
        account: Some(((at % 3).cast_signed(), "x".into())).filter(|(number, _)| *number > 0),
        model: if at == 4 { "rare" } else { "usual" }.into(),
        protocol: if at < 5 { "chat" } else { "messages" }.into(),
        outcome: if at == 6 { ReceiptOutcome::Refused } else { ReceiptOutcome::Ok },
        ..receipt("", if at == 7 { "b" } else { "a" }, NOW + at / 3)
    };
    append(&store, vec![of(5), of(0), of(7), of(3)]).await;
    append(&store, vec![of(6), of(1), of(2), of(4)]).await;
    let (none, text) = (ReceiptFilter::default(), |text: &str| Some(text.to_owned()));
    let cases = [
        (none.clone(), "67435210"),
        (ReceiptFilter { from_ms: Some(NOW + 1), ..none.clone() }, "67435"),
        (ReceiptFilter { to_ms: Some(NOW + 1), ..none.clone() }, "210"),
        (ReceiptFilter { request_id: text("r3"), ..none.clone() }, "3"),
        (ReceiptFilter { key_id: text("b"), ..none.clone() }, "7"),
        (ReceiptFilter { key_id: text("a"), to_ms: Some(NOW + 2), ..none.clone() }, "435210"),
        (ReceiptFilter { account: Some(1), ..none.clone() }, "741"),
        (ReceiptFilter { account: Some(0), ..none.clone() }, "630"),
        (ReceiptFilter { owner: text(""), ..none.clone() }, "7531"),
        (ReceiptFilter { team: text(""), ..none.clone() }, "67435"),
        (ReceiptFilter { model: text("rare"), ..none.clone() }, "4"),
        (ReceiptFilter { protocol: text("messages"), ..none.clone() }, "675"),
        (ReceiptFilter { owner: text("even"), ..none.clone() }, "6420"),
        (ReceiptFilter { team: text("low"), owner: text("even"), ..none.clone() }, "20"),
        (ReceiptFilter { outcome: Some(ReceiptOutcome::Refused), ..none.clone() }, "6"),
        (ReceiptFilter { key_id: text("none"), ..none.clone() }, ""),
    ];
    for (filter, expected) in cases {
        for limit in [1, 2, 3, 100] {
            let read = found(&store, &filter, limit).await;
            let read: String =
                read.iter().map(|receipt| receipt.request_id.trim_start_matches('r')).collect();
            // Those of one millisecond stand in the order in which they were written, the last first.
            let order = |text: &str| {
                let mut letters: Vec<char> = text.chars().collect();
                letters.sort_unstable();
                letters
            };
            assert_eq!(order(&read), order(expected), "{filter:?} by {limit}");
            assert!(
                read.chars().map(|at| at as u8 / 3).is_sorted_by(|a, b| a >= b) || filter != none,
                "{read}"
            );
        }
    }
    let stray = Cursor { at: Place::Text("x".into()), number: 1 };
    assert_eq!(store.receipts().list(&none, Some(&stray), 1).await.unwrap_err(), StoreError::Cursor);
}

/// Questions: which periods, of whom, by whom, in which order.
pub async fn questions_about_use_are_answered(store: Under) {
    let start = Step::Day.start_of(NOW);
    let of = |key: &str, at: u64, output: u64| ReceiptEntry {
        owner: (key == "a").then(|| "me".into()),
        account: (key == "b").then(|| (3, "3".into())),
        taken: Taken { output, credits_micro: output * 10, ..Taken::default() },
        ..receipt("r", key, start + at)
    };
    let batch = vec![
        of("a", 0, 1),
        of("a", HOUR_MS - 1, 2),
        of("b", HOUR_MS, 40),
        of("a", DAY_MS, 8),
        of("c", DAY_MS, 9),
    ];
    append(&store, batch).await;
    let ask = async |step, by_period, group, order, from, to, of| {
        let question = UsageQuestion {
            step,
            from_ms: start + from,
            to_ms: start + to,
            of,
            by_period,
            group,
            order,
            limit: 100,
        };
        let rows = store.receipts().usage(&question).await.unwrap();
        let row = |row: &crate::UsageRow| {
            let at = row.start_ms.saturating_sub(start) / HOUR_MS;
            format!("{at}:{}:{}:{}", row.name, row.usage.requests, row.usage.output)
        };
        rows.iter().map(row).collect::<Vec<_>>().join(" ")
    };
    let all = UsageFilter::default;
    let (hour, day, most) = (Step::Hour, Step::Day, 2 * DAY_MS);
    assert_eq!(ask(day, false, Group::None, Order::Requests, 0, most, all()).await, "0::5:60");
    assert_eq!(ask(day, true, Group::None, Order::Requests, 0, most, all()).await, "0::3:43 24::2:17");
    assert_eq!(ask(hour, true, Group::None, Order::Requests, 0, DAY_MS, all()).await, "0::2:3 1::1:40");
    assert_eq!(ask(hour, true, Group::None, Order::Requests, HOUR_MS, most, all()).await, "1::1:40 24::2:17");
    assert_eq!(
        ask(day, false, Group::Key, Order::Requests, 0, most, all()).await,
        "0:a:3:11 0:b:1:40 0:c:1:9"
    );
    assert_eq!(ask(day, false, Group::Key, Order::Tokens, 0, most, all()).await, "0:b:1:40 0:a:3:11 0:c:1:9");
    assert_eq!(ask(day, true, Group::Key, Order::Credits, 0, DAY_MS, all()).await, "0:b:1:40 0:a:2:3");
    assert_eq!(ask(day, false, Group::Owner, Order::Requests, 0, most, all()).await, "0:me:3:11 0::2:49");
    assert_eq!(ask(day, false, Group::Account, Order::Requests, 0, most, all()).await, "0::4:20 0:3:1:40");
    assert_eq!(ask(day, false, Group::Model, Order::Requests, 0, most, all()).await, "0:model:5:60");
    assert_eq!(ask(day, false, Group::Protocol, Order::Failed, 0, most, all()).await, "0:messages:5:60");
    assert_eq!(ask(day, false, Group::None, Order::Requests, 5 * DAY_MS, 9 * DAY_MS, all()).await, "");
    let only = |of: UsageFilter| ask(day, false, Group::None, Order::Requests, 0, most, of);
    assert_eq!(only(UsageFilter { key_id: Some("a".into()), ..all() }).await, "0::3:11");
    assert_eq!(only(UsageFilter { account: Some(3), ..all() }).await, "0::1:40");
    assert_eq!(only(UsageFilter { account: Some(0), ..all() }).await, "0::4:20");
    assert_eq!(only(UsageFilter { owner: Some(String::new()), ..all() }).await, "0::2:49");
    let both = UsageFilter { owner: Some(String::new()), account: Some(0), ..all() };
    assert_eq!(only(both).await, "0::1:9", "who asked and who answered at once");
    assert_eq!(only(UsageFilter { key_id: Some("b".into()), account: Some(3), ..all() }).await, "0::1:40");
    let by_account = UsageFilter { key_id: Some("a".into()), ..all() };
    assert_eq!(ask(hour, true, Group::Account, Order::Requests, 0, most, by_account).await, "0::2:3 24::1:8");
    assert_eq!(only(UsageFilter { model: Some("other".into()), ..all() }).await, "");
}

/// In pieces; what is younger stays, and a key's totals stay what they are.
pub async fn what_is_old_is_forgotten_in_pieces(store: Under) {
    store.keys().insert(key("a"), NOW).await.unwrap();
    let start = Step::Day.start_of(NOW);
    for day in 0..4 {
        append(&store, (0..5).map(|at| receipt("r", "a", start + day * DAY_MS + at)).collect()).await;
    }
    let before = PruneBefore { receipts_ms: start + 2 * DAY_MS + 2, hours_ms: start + DAY_MS, days_ms: 0 };
    let mut pieces = Vec::new();
    loop {
        match store.receipts().prune(before, 5).await.unwrap() {
            0 => break,
            gone => pieces.push(gone),
        }
    }
    assert_eq!(pieces, [7, 5, 2], "receipts by fives, and an hour of each kind beside the first");
    let left = found(&store, &ReceiptFilter::default(), 100).await;
    assert_eq!((left.len(), left.last().unwrap().at_ms), (8, start + 2 * DAY_MS + 2));
    assert_eq!(totals(&store, Step::Hour).await.requests, 15);
    assert_eq!(totals(&store, Step::Day).await.requests, 20, "days are kept for ever");
    assert_eq!(store.keys().by_id("a").await.unwrap().unwrap().counts.total_requests, 20);
}

/// A number that an old receipt names is never given to a new one, and removing an account or a key removes no receipt.
pub async fn receipts_outlive_what_they_name(store: Under) {
    let account = super::keep(&store, &["a"]).await.remove(0);
    store.keys().insert(key("k"), NOW).await.unwrap();
    let of = ReceiptEntry { account: Some((account.number, "a".into())), ..receipt("r", "k", NOW) };
    append(&store, vec![of.clone()]).await;
    let first = store.receipts().list(&ReceiptFilter::default(), None, 1).await.unwrap().receipts[0].number;
    assert!(store.accounts().remove("a", NOW).await.unwrap());
    assert!(store.keys().remove("k", None, NOW).await.unwrap());
    append(&store, vec![of.clone()]).await;
    assert_eq!(found(&store, &ReceiptFilter::default(), 9).await, [of.clone(), of.clone()]);
    let all = PruneBefore { receipts_ms: NOW + 1, hours_ms: 0, days_ms: 0 };
    assert_eq!(store.receipts().prune(all, 9).await.unwrap(), 2);
    append(&store, vec![of]).await;
    let number = store.receipts().list(&ReceiptFilter::default(), None, 1).await.unwrap().receipts[0].number;
    assert!(number > first + 1, "{number}");
    assert!(super::keep(&store, &["b"]).await[0].number > account.number);
}
