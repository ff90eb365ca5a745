//! What others must notice, they find.

use super::{NOW, Under, keep, login};
use crate::account::{AccountPatch, Change};
use crate::accounts::{CountsDelta, HealthSave};

/// Traffic alone makes nobody read again.
pub async fn only_what_others_must_notice_is_a_change(store: Under) {
    let number = keep(&store, &["a"]).await.remove(0).number;
    let accounts = store.accounts();
    let mut last = accounts.revision().await.unwrap();
    let quiet = async |what: &str| {
        assert_eq!(accounts.revision().await.unwrap(), last, "{what}");
    };
    accounts.add_counts(&[CountsDelta { number, requests: 1, ..CountsDelta::default() }]).await.unwrap();
    quiet("counts").await;
    assert!(accounts.lease("a", "me", NOW + 1, NOW).await.unwrap());
    quiet("a lease").await;
    accounts.save_health(&[], NOW).await.unwrap();
    quiet("an empty batch").await;
    let mut loud = async |what: &str| {
        let now = accounts.revision().await.unwrap();
        assert!(now > last, "{what}");
        last = now;
        let changed = accounts.changed_since(now - 1).await.unwrap().changed;
        assert_eq!(changed.iter().map(|row| row.number).collect::<Vec<_>>(), [number], "{what}");
    };
    accounts.replace_secret("a", 1, login("a", "second"), NOW).await.unwrap();
    loud("a login").await;
    let patch = AccountPatch { owner: Change::Set("me".into()), ..AccountPatch::default() };
    accounts.update("a", patch, None, NOW).await.unwrap();
    loud("a wish").await;
    let health = HealthSave { number, health: "{}".into(), state: "cooling".into() };
    accounts.save_health(&[health], NOW).await.unwrap();
    loud("health").await;
    accounts.save_face("a", "{}", NOW).await.unwrap();
    loud("a face").await;
    accounts.save_usage("a", "{}", NOW).await.unwrap();
    loud("usage").await;
    accounts.note_refresh("a", "failed", NOW).await.unwrap();
    loud("a refresh").await;
}

/// While four writers write, a reader that goes from revision to revision ends with the same accounts as one that reads all.
pub async fn every_change_is_seen_once(store: Under) {
    let ids = ["a", "b", "c", "d"];
    keep(&store, &ids).await;
    let mut seen = store.accounts().all().await.unwrap();
    let writers = ids.map(|id| {
        let store = store.clone();
        Box::pin(async move {
            for generation in 1..20 {
                let secret = login(id, &format!("{id} {generation}"));
                assert!(store.accounts().replace_secret(id, generation, secret, NOW).await.unwrap());
            }
        }) as std::pin::Pin<Box<dyn Future<Output = ()> + Send>>
    });
    let reader = {
        let store = store.clone();
        let known = &mut seen;
        Box::pin(async move {
            while known.changed.iter().any(|row| row.secret.generation < 20) {
                let news = store.accounts().changed_since(known.revision).await.unwrap();
                assert!(news.changed.iter().all(|row| row.revision > known.revision));
                assert!(news.changed.iter().all(|row| row.revision <= news.revision));
                for row in news.changed {
                    let old = known.changed.iter_mut().find(|old| old.number == row.number).unwrap();
                    assert!(row.secret.generation > old.secret.generation);
                    *old = row;
                }
                known.revision = news.revision;
            }
        }) as std::pin::Pin<Box<dyn Future<Output = ()> + Send>>
    };
    super::together(writers.into_iter().chain([reader])).await;
    assert_eq!(seen, store.accounts().all().await.unwrap());
}

/// By number, to whoever asks from before.
pub async fn what_was_removed_is_told(store: Under) {
    let kept = keep(&store, &["a", "b"]).await;
    let before = store.accounts().revision().await.unwrap();
    assert!(store.accounts().remove("a", NOW).await.unwrap());
    let news = store.accounts().changed_since(before).await.unwrap();
    assert_eq!((news.changed.len(), news.removed), (0, vec![kept[0].number]));
    assert!(news.revision > before);
    assert_eq!(store.accounts().changed_since(news.revision).await.unwrap().removed, [0; 0]);
    assert_eq!(store.accounts().all().await.unwrap().removed, [0; 0]);
}
