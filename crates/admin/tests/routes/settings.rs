//! `/api/v1/settings` and `/v2/config`, over settings that are kept in memory.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use axum::body::Body;
use qm_access::Actor;
use qm_admin::settings::{Current, Retention, Settings, SettingsError, SettingsErrorKind, SettingsPatch};
use serde_json::json;

use crate::house::{House, KEY, request};

/// Settings of a house for tests; `days_days` is set by its configuration.
pub(crate) struct Kept(Mutex<Current>);

impl Default for Kept {
    fn default() -> Self {
        Self(Mutex::new(Current {
            default_model: None,
            aliases: [("opus".to_owned(), "claude-opus-4.5".to_owned())].into(),
            strategy: "round_robin".to_owned(),
            keeps_receipts: true,
            retention: Retention { receipts_days: 90, hours_days: 400, days_days: 0 },
            fixed: vec!["retention.days_days".to_owned()],
        }))
    }
}

#[async_trait]
impl Settings for Kept {
    async fn current(&self) -> Result<Current, SettingsError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    async fn change(&self, patch: SettingsPatch, _actor: &Actor) -> Result<Current, SettingsError> {
        if patch.days_days.is_some() {
            let words = "retention.days_days is set by the configuration.".into();
            return Err(SettingsError { kind: SettingsErrorKind::Fixed, words });
        }
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        patch.default_model.to(&mut current.default_model);
        current.aliases = patch.aliases.unwrap_or_else(|| current.aliases.clone());
        current.strategy = patch.strategy.unwrap_or_else(|| current.strategy.clone());
        current.keeps_receipts = patch.keeps_receipts.unwrap_or(current.keeps_receipts);
        let days = &mut current.retention;
        days.receipts_days = patch.receipts_days.unwrap_or(days.receipts_days);
        Ok(current.clone())
    }

    fn models(&self) -> Vec<String> {
        vec!["claude-sonnet-4.5".to_owned()]
    }

    async fn sync_models(&self) -> Vec<String> {
        vec!["claude-sonnet-4.5".to_owned(), "claude-opus-4.5".to_owned()]
    }
}

#[tokio::test]
async fn settings_are_shown_and_changed_by_whoever_saw_the_last() {
    let house = House::open().await;
    let seen = house.ask("GET", "/api/v1/settings", "").await;
    assert_eq!(seen.good()["aliases"], json!({"opus": "claude-opus-4.5"}));
    let patch = async |tag: &str, wish: serde_json::Value| {
        let request = request("PATCH", "/api/v1/settings").header("x-api-key", KEY).header("if-match", tag);
        house.send(request.body(Body::from(wish.to_string())).unwrap()).await
    };
    assert_eq!(seen.json()["keeps_receipts"], true);
    let retention = json!({"receipts_days": 7});
    let wish = json!({"strategy": "random", "default_model": "opus", "keeps_receipts": false, "retention": retention});
    let changed = patch(seen.header("etag"), wish).await;
    assert_eq!(changed.good()["strategy"], "random");
    assert_eq!(changed.json()["keeps_receipts"], false);
    assert_eq!(changed.json()["retention"], json!({"receipts_days": 7, "hours_days": 400, "days_days": 0}));
    let late = patch(seen.header("etag"), json!({"strategy": "weighted"})).await.refused(412);
    assert_eq!(late["code"], "changed_meanwhile");
    for (tag, status) in [("\"abc\"", 412), ("W/\"3\"", 412), ("\"a\", \"b\"", 412), ("abc", 400)] {
        patch(tag, json!({"strategy": "weighted"})).await.refused(status);
    }
    assert_eq!(
        patch(changed.header("etag"), json!({"default_model": null})).await.good()["default_model"],
        json!(null)
    );
    assert_eq!(patch("*", json!({"retention": {"days_days": 3}})).await.refused(409)["code"], "read_only");
    for bad in [
        json!({"strategy": "luck"}),
        json!({"aliases": {"": "x"}}),
        json!({"aliases": {"x": 3}}),
        json!({"keeps_receipts": "no"}),
        json!({"retention": {"receipts_days": 99_999}}),
        json!({"colour": "red"}),
    ] {
        patch("*", bad).await.refused(400);
    }
}
