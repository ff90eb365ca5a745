//! `/v2/config`: what mucsbr keeps in its table `config`. Here it is a view of the settings: nothing but they can be
//! written (spec/mission.md E22).

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::Desk;
use crate::door::Who;
use crate::exchange;
use crate::native::settings::fit;
use crate::refused::Refused;
use crate::settings::SettingsPatch;

/// The whole configuration.
#[derive(Serialize, ToSchema)]
#[schema(as = V2Config)]
struct Config {
    /// The models of the upstream.
    supported_models: Vec<String>,
    /// Clients' names of models, and what they mean.
    model_mapping: BTreeMap<String, String>,
    /// There is one upstream.
    amazonq_only_models: Vec<String>,
    /// None.
    gemini_only_models: Vec<String>,
}

/// What is to change.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = V2ConfigChange)]
struct Changed {
    /// All of them: names that are not here mean nothing any more.
    model_mapping: Option<BTreeMap<String, String>>,
}

/// The whole configuration.
#[utoipa::path(get, path = "/v2/config", tag = "v2", responses((status = 200, body = Config)))]
pub(crate) async fn show(State(desk): State<Arc<Desk>>) -> Result<Response, Refused> {
    let supported_models = desk.settings.models();
    exchange::ok(&Config {
        model_mapping: desk.settings.current().await?.aliases,
        amazonq_only_models: supported_models.clone(),
        supported_models,
        gemini_only_models: Vec::new(),
    })
}

/// Changes the names of models. The other values follow from the upstream.
#[utoipa::path(
    patch, path = "/v2/config", tag = "v2",
    request_body = Option<Changed>,
    responses((status = 200, body = Object), (status = 400), (status = 409), (status = 413)),
)]
pub(crate) async fn change(
    State(desk): State<Arc<Desk>>,
    Who(who): Who,
    body: Body,
) -> Result<Response, Refused> {
    let changed: Result<Changed, Refused> = exchange::asked(body).await;
    let Changed { model_mapping } = changed.map_err(|refused| Refused {
        words: format!(
            "{} Only model_mapping can be changed, from one name to another: the upstream says which models there are.",
            refused.words
        )
        .into(),
        ..refused
    })?;
    if let Some(aliases) = model_mapping {
        fit(&aliases)?;
        let _settling = desk.settling.lock().await;
        let patch = SettingsPatch { aliases: Some(aliases), ..SettingsPatch::default() };
        desk.settings.change(patch, &who.actor()).await?;
    }
    exchange::ok(&json!({ "success": true }))
}

/// Asks the upstream for its models.
#[utoipa::path(post, path = "/v2/config/sync-models", tag = "v2", responses((status = 200, body = Object)))]
pub(crate) async fn sync(State(desk): State<Arc<Desk>>) -> Result<Response, Refused> {
    let models = desk.settings.sync_models().await;
    exchange::ok(&json!({ "success": true, "count": models.len(), "models": models }))
}
