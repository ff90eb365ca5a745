//! Questions, and exports.

use qm_canon::Usage as Used;
use qm_ledger::{Books, Form, Habits, Retention, Span};
use qm_relay::{Ledger as _, Receipt};
use qm_store::usage::{DAY_MS, HOUR_MS};
use qm_store::{Group, Order, ReceiptFilter, Step, UsageFilter};

use crate::house::{Moody, NOW, books, opening, receipt, run};

/// A ledger in which these keys used so much so many milliseconds ago.
async fn used(uses: &[(&str, u64, u64)]) -> Books {
    let store = Moody::new().await;
    let books = books(&store, Habits::default());
    let running = run(&books);
    for (key, output, ago_ms) in uses {
        let usage = Used { output: *output, ..Used::default() };
        let receipt = Receipt { usage, ended_ms: NOW - ago_ms, ..receipt() };
        books.open(opening("r", key)).await.unwrap().close(receipt);
    }
    running.end().await;
    books
}

/// NOW is half past five in the afternoon: a fortnight is told by the hour, a month by the day, and quiet periods are there as well.
#[tokio::test]
async fn a_series_has_every_period() {
    let books = used(&[("a", 1, 0), ("b", 2, 0), ("a", 4, HOUR_MS), ("a", 8, 20 * DAY_MS)]).await;
    let all = UsageFilter::default;
    let day = Span::days_until(NOW, 1);
    let series = books.series(all(), day, None, Group::None).await.unwrap();
    assert_eq!((series.step, series.span), (Step::Hour, day));
    let outputs: Vec<u64> = series.rows.iter().map(|row| row.usage.output).collect();
    assert_eq!(outputs, [[0; 16].as_slice(), &[4, 3], &[0; 6]].concat());
    assert!(series.rows.iter().zip(0..).all(|(row, at)| row.start_ms == day.from_ms + at * HOUR_MS));
    let month = books.series(all(), Span::days_until(NOW, 30), None, Group::None).await.unwrap();
    let outputs: Vec<u64> = month.rows.iter().map(|row| row.usage.output).collect();
    assert_eq!((month.step, outputs.len(), outputs[9], outputs[29]), (Step::Day, 30, 8, 7));
    let by_key = books.series(all(), day, Some(Step::Day), Group::Key).await.unwrap();
    let rows: Vec<_> = by_key.rows.iter().map(|row| (row.name.as_str(), row.usage.output)).collect();
    assert_eq!(rows, [("a", 5), ("b", 2)]);
}

/// Where hours are forgotten early, days answer in their place.
#[tokio::test]
async fn a_fortnight_is_told_by_the_hour_if_its_hours_are_kept() {
    let store = Moody::new().await;
    for (kept, days, expected) in
        [(400, 14, Step::Hour), (400, 15, Step::Day), (0, 14, Step::Hour), (13, 14, Step::Day)]
    {
        let retention = Retention { hours_days: kept, ..Retention::default() };
        let books = books(&store, Habits { retention, ..Habits::default() });
        let series = books
            .series(UsageFilter::default(), Span::days_until(NOW, days), None, Group::None)
            .await
            .unwrap();
        assert_eq!(series.step, expected, "{days} days of {kept}");
    }
}

#[tokio::test]
async fn who_used_most_stands_first() {
    let books = used(&[("a", 1, 0), ("a", 1, 0), ("b", 50, 0), ("c", 9, 0), ("d", 99, 3 * DAY_MS)]).await;
    let span = Span::days_until(NOW, 2);
    let top = async |order, limit| {
        let rows = books.top(UsageFilter::default(), span, Group::Key, order, limit).await.unwrap();
        rows.into_iter().map(|row| row.name).collect::<Vec<_>>().concat()
    };
    assert_eq!(top(Order::Tokens, 2).await, "bc");
    assert_eq!(top(Order::Requests, 9).await, "abc");
    let only = UsageFilter { key_id: Some("a".into()), ..UsageFilter::default() };
    assert_eq!(books.totals(only, span).await.unwrap().output, 2);
    assert_eq!(books.spent(Step::Day.start_of(NOW)).await.unwrap().len(), 3);
}

async fn whole(books: &Books, form: Form) -> (String, usize) {
    let mut export = books.export(ReceiptFilter::default(), form);
    let (mut text, mut pieces) = (Vec::new(), 0);
    while let Some(piece) = export.next().await.unwrap() {
        text.extend(piece);
        pieces += 1;
    }
    (String::from_utf8(text).unwrap(), pieces)
}

/// More than a page: one line of names, one array.
#[tokio::test]
async fn an_export_is_one_text_in_pieces() {
    let books = used(&vec![("k", 1, 0); 2_345]).await;
    let (csv, pieces) = whole(&books, Form::Csv).await;
    assert_eq!((csv.lines().count(), pieces), (2_346, 3));
    assert!(csv.starts_with("number,request_id,ended_ms,key,owner,"), "{}", &csv[..60]);
    let (json, _) = whole(&books, Form::Json).await;
    let rows: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    assert_eq!(rows.len(), 2_345);
    assert_eq!(rows[0]["output_tokens"], 1);
    assert_eq!(rows[0]["source"], "192.0.2.1");
    let none = used(&[]).await;
    let (csv, json) = (whole(&none, Form::Csv).await.0, whole(&none, Form::Json).await.0);
    assert_eq!(csv.lines().count(), 0);
    assert_eq!(serde_json::from_str::<Vec<serde_json::Value>>(&json).unwrap().len(), 0);
}

/// A name that a spreadsheet would run is a text there, and itself in JSON.
#[tokio::test]
async fn an_export_holds_no_formula() {
    let formula = "=HYPERLINK(\"http://x\",\"a\")";
    let store = Moody::new().await;
    let books = books(&store, Habits::default());
    let running = run(&books);
    for agent in [formula, "+1", "-1", "@x", "\tx", "plain, with \"quotes\"\nand lines"] {
        let opening = qm_relay::Opening { agent: Some(agent.into()), ..opening("r", "k") };
        books.open(opening).await.unwrap().close(receipt());
    }
    running.end().await;
    let (csv, _) = whole(&books, Form::Csv).await;
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let at = reader.headers().unwrap().iter().position(|name| name == "agent").unwrap();
    let mut agents: Vec<String> = reader.records().map(|row| row.unwrap()[at].to_owned()).collect();
    agents.reverse();
    let safe = format!("'{formula}");
    assert_eq!(agents, [&safe, "'+1", "'-1", "'@x", "'\tx", "plain, with \"quotes\"\nand lines"]);
    let (json, _) = whole(&books, Form::Json).await;
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap()[5]["agent"], formula);
    let series = books.series(UsageFilter::default(), Span::days_until(NOW, 1), Some(Step::Day), Group::Key);
    let csv = String::from_utf8(series.await.unwrap().export(Form::Csv)).unwrap();
    assert!(csv.lines().nth(1).unwrap().contains(",k,6,6,0,0,0,60,120,18,0,0.07407,"), "{csv}");
}
