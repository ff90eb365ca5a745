//! `/api/v1/settings`: what can be set while requests are served.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::ETAG;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use qm_pool::Strategy;
use qm_store::Change;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use super::words;
use crate::door::Who;
use crate::refused::Refused;
use crate::settings::{Current, SettingsPatch};
use crate::{Desk, exchange, patch};

/// Most names of models.
const MOST_ALIASES: usize = 1_000;

/// What holds.
#[derive(Serialize, ToSchema)]
struct Settings<'a> {
    /// The model of requests that name none we know.
    default_model: Option<&'a str>,
    /// Clients' names of models, and what they mean.
    aliases: &'a BTreeMap<String, String>,
    /// By which rule accounts are chosen.
    #[schema(schema_with = words::strategies)]
    strategy: &'a str,
    /// Whether requests are written down. What is used while they are not is forgotten at each start, by budgets too.
    keeps_receipts: bool,
    retention: Retention,
    /// Names of those that the configuration sets, which cannot be changed here.
    fixed: &'a [String],
}

/// For how many days what is kept; zero is for ever.
#[derive(Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the unit belongs to the name")]
struct Retention {
    receipts_days: u32,
    hours_days: u32,
    days_days: u32,
}

/// What is to change: what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SettingsChange)]
struct Changed {
    /// `null` for none.
    #[serde(default, deserialize_with = "patch::given")]
    #[schema(value_type = Option<String>)]
    default_model: Change<String>,
    /// All of them: names that are not here mean nothing any more.
    aliases: Option<BTreeMap<String, String>>,
    #[schema(schema_with = words::strategy_wished)]
    strategy: Option<String>,
    keeps_receipts: Option<bool>,
    retention: Option<RetentionChange>,
}

/// For how many days what is kept; zero is for ever.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the unit belongs to the name")]
struct RetentionChange {
    #[schema(maximum = 36500)]
    receipts_days: Option<u32>,
    #[schema(maximum = 36500)]
    hours_days: Option<u32>,
    #[schema(maximum = 36500)]
    days_days: Option<u32>,
}

/// Longest time that is kept short of for ever, in days.
const MOST_DAYS: u32 = 36_500;

/// What holds now.
#[utoipa::path(
    get, path = "/api/v1/settings", tag = "settings",
    responses((status = 200, body = Settings, headers(("ETag" = String)))),
)]
pub(crate) async fn show(State(desk): State<Arc<Desk>>) -> Result<Response, Refused> {
    shown(&desk.settings.current().await?)
}

/// Changes what is named, all of it or nothing, from the next request on.
///
/// With `If-Match` only what nobody else has changed meanwhile.
#[utoipa::path(
    patch, path = "/api/v1/settings", tag = "settings",
    params(("If-Match" = Option<String>, Header, description = "An `ETag` that the settings had, or `*`")),
    request_body = Changed,
    responses(
        (status = 200, body = Settings, headers(("ETag" = String))), (status = 400), (status = 409),
        (status = 412), (status = 413), (status = 415),
    ),
)]
pub(crate) async fn change(
    State(desk): State<Arc<Desk>>,
    Who(who): Who,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let patch = exchange::told::<Changed>(&headers, body).await?.patch()?;
    let _settling = desk.settling.lock().await;
    if let Some(tags) = exchange::tags(&headers)?
        && !tags.contains(&etag(&desk.settings.current().await?).as_str())
    {
        let words = "The settings were changed meanwhile: read them again, then decide.";
        return Err(exchange::changed_meanwhile(words));
    }
    shown(&desk.settings.change(patch, &who.actor()).await?)
}

fn shown(current: &Current) -> Result<Response, Refused> {
    let mut response = exchange::ok(&Settings::of(current))?;
    response.headers_mut().extend(HeaderValue::try_from(etag(current)).ok().map(|tag| (ETAG, tag)));
    Ok(response)
}

/// Of what holds, for it has no revision of its own.
fn etag(current: &Current) -> String {
    let text = serde_json::to_vec(&Settings::of(current)).unwrap_or_default();
    let digest = Sha256::digest(&text);
    let hex = digest.iter().take(8).fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    format!("\"{hex}\"")
}

impl<'a> Settings<'a> {
    fn of(current: &'a Current) -> Self {
        let crate::settings::Retention { receipts_days, hours_days, days_days } = current.retention;
        Self {
            default_model: current.default_model.as_deref(),
            aliases: &current.aliases,
            strategy: &current.strategy,
            keeps_receipts: current.keeps_receipts,
            retention: Retention { receipts_days, hours_days, days_days },
            fixed: &current.fixed,
        }
    }
}

impl Changed {
    fn patch(self) -> Result<SettingsPatch, Refused> {
        let Self { default_model, aliases, strategy, keeps_receipts, retention } = self;
        if let Some(word) = &strategy
            && !Strategy::words().any(|known| known == word)
        {
            let words = Strategy::words().collect::<Vec<_>>().join(", ");
            return Err(Refused::invalid(format!("strategy must be one of {words}.")));
        }
        aliases.as_ref().map_or(Ok(()), fit)?;
        let RetentionChange { receipts_days, hours_days, days_days } =
            retention.unwrap_or(RetentionChange { receipts_days: None, hours_days: None, days_days: None });
        if [receipts_days, hours_days, days_days].into_iter().flatten().any(|days| days > MOST_DAYS) {
            return Err(Refused::invalid(format!("retention: at most {MOST_DAYS} days, or 0 for ever.")));
        }
        Ok(SettingsPatch {
            default_model,
            aliases,
            strategy,
            keeps_receipts,
            receipts_days,
            hours_days,
            days_days,
        })
    }
}

/// Whether names of models can be kept. What they mean is for whoever keeps them to judge.
pub(crate) fn fit(aliases: &BTreeMap<String, String>) -> Result<(), Refused> {
    let is_name = |name: &String| (1..=200).contains(&name.len()) && !name.chars().any(char::is_control);
    if aliases.len() > MOST_ALIASES || !aliases.iter().all(|(name, model)| is_name(name) && is_name(model)) {
        return Err(Refused::invalid(format!(
            "aliases: at most {MOST_ALIASES}, each from one name to another of 1 to 200 characters.",
        )));
    }
    Ok(())
}
