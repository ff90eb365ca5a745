//! Listings, page by page.

use super::{NOW, Under, account, keep, login};
use crate::StoreError;
use crate::account::{NewAccount, Origin, Wishes};
use crate::accounts::{CountsDelta, HealthSave};
use crate::page::{Cursor, Filter, Place, Sort, SortKey};

/// Accounts that differ in every key, some equal in some.
async fn differing(store: &Under) {
    for at in 0..9_u8 {
        let id = format!("id-{at}");
        let wishes = Wishes {
            owner: Some(if at % 2 == 0 { "even" } else { "odd" }.into()),
            tags: if at < 3 { vec!["low".into(), "all".into()] } else { vec!["all".into()] },
            enabled: at != 4,
            priority: -i32::from(at % 4),
            notes: (at == 7).then(|| "Seven_ 100%".into()),
            ..Wishes::named(["b", "A", "a", "é", "中", "", "a", "b c", "Z"][usize::from(at)])
        };
        let origin = Origin::ALL[usize::from(at % 4)];
        let secret = login(&id, &id);
        let new = NewAccount { origin, secret, wishes, ..account(&id) };
        let number = store.accounts().insert(new, NOW + u64::from(at / 2)).await.unwrap().number;
        let count = u64::from(at * 7 % 5);
        let delta = CountsDelta {
            number,
            requests: count,
            successes: count / 2,
            errors: 1,
            errors_since_success: u64::from(at % 3),
            tokens: 0,
            last_used_ms: (at > 5).then_some(NOW + count),
        };
        store.accounts().add_counts(&[delta]).await.unwrap();
        let state = ["ready", "cooling", "broken"][usize::from(at % 3)];
        let health = HealthSave { number, health: "{}".into(), state: state.into() };
        store.accounts().save_health(&[health], NOW + u64::from(at)).await.unwrap();
    }
}

async fn walk(store: &Under, filter: &Filter, sort: Sort, limit: u32) -> Vec<String> {
    let mut ids = Vec::new();
    let mut after = None;
    loop {
        let page = store.accounts().list(filter, sort, after.as_ref(), limit).await.unwrap();
        assert!(page.accounts.len() <= limit as usize);
        ids.extend(page.accounts.into_iter().map(|row| row.id));
        match page.next {
            Some(next) => after = Some(Cursor::from_text(&next.to_text()).unwrap()),
            None => return ids,
        }
    }
}

fn ordered(a: &Place, b: &Place) -> std::cmp::Ordering {
    match (a, b) {
        (Place::Number(a), Place::Number(b)) => a.cmp(b),
        (Place::Text(a), Place::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
        _ => panic!("one order has one kind of key"),
    }
}

/// Nothing repeats, nothing is missing, whatever the size of a page; texts stand by their bytes.
pub async fn each_order_is_total_at_every_page_size(store: Under) {
    differing(&store).await;
    let all = store.accounts().all().await.unwrap().changed;
    for key in SortKey::ALL {
        let mut rows = all.clone();
        rows.sort_by(|a, b| ordered(&key.of(a), &key.of(b)).then(a.number.cmp(&b.number)));
        let ascending: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
        let descending: Vec<String> = ascending.iter().rev().cloned().collect();
        for limit in [1, 2, 4, 9, 100] {
            let up = walk(&store, &Filter::default(), Sort { key, descending: false }, limit).await;
            assert_eq!(up, ascending, "{key:?} by {limit}");
            let down = walk(&store, &Filter::default(), Sort { key, descending: true }, limit).await;
            assert_eq!(down, descending, "{key:?} down by {limit}");
        }
    }
}

/// Each filter alone, and together; the total counts what they let through on all pages.
pub async fn filters_hold_together(store: Under) {
    differing(&store).await;
    let text = |text: &str| Some(text.to_owned());
    let none = Filter::default();
    let cases = [
        (none.clone(), "012345678"),
        (Filter { enabled: Some(false), ..none.clone() }, "4"),
        (Filter { owner: text("odd"), ..none.clone() }, "1357"),
        (Filter { tag: text("low"), ..none.clone() }, "012"),
        (Filter { tag: text("lo"), ..none.clone() }, ""),
        (Filter { state: text("broken"), ..none.clone() }, "258"),
        (Filter { origin: Some(Origin::Login), ..none.clone() }, "15"),
        (Filter { kind: text("social"), ..none.clone() }, ""),
        (Filter { label: text("a"), ..none.clone() }, "26"),
        (Filter { search: text("SEVEN_ 100%"), ..none.clone() }, "7"),
        (Filter { search: text("%"), ..none.clone() }, "7"),
        (Filter { search: text("ID-3"), ..none.clone() }, "3"),
        (Filter { owner: text("even"), tag: text("low"), enabled: Some(true), ..none.clone() }, "02"),
    ];
    for (filter, expected) in cases {
        let sort = Sort::default();
        let page = store.accounts().list(&filter, sort, None, 1).await.unwrap();
        assert_eq!(page.total, expected.len() as u64, "{filter:?}");
        let ids = walk(&store, &filter, sort, 2).await;
        assert_eq!(ids.concat().replace("id-", ""), expected, "{filter:?}");
    }
}

/// The next page begins after the last row, even if that is gone.
pub async fn rows_that_come_and_go_disturb_no_page(store: Under) {
    keep(&store, &["a", "b", "c", "d"]).await;
    let sort = Sort::default();
    let first = store.accounts().list(&Filter::default(), sort, None, 2).await.unwrap();
    store.accounts().remove("a", NOW).await.unwrap();
    store.accounts().remove("b", NOW).await.unwrap();
    keep(&store, &["e"]).await;
    let second = store.accounts().list(&Filter::default(), sort, first.next.as_ref(), 9).await.unwrap();
    let ids: Vec<&str> = second.accounts.iter().map(|row| row.id.as_str()).collect();
    assert_eq!((ids, second.next), (vec!["c", "d", "e"], None));
}

/// Rather than answered with some page.
pub async fn a_cursor_of_another_order_is_refused(store: Under) {
    let kept = keep(&store, &["a"]).await.remove(0);
    let cursor = Cursor::after(&kept, SortKey::Label);
    let refused = store.accounts().list(&Filter::default(), Sort::default(), Some(&cursor), 1).await;
    assert_eq!(refused.unwrap_err(), StoreError::Cursor);
}
