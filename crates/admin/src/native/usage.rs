//! `/api/v1/usage`: sums by the hour and day, and who used most.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::Uri;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use qm_ledger::Form;
use qm_store::{Group, Order, Step, Usage, UsageRow};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::whose::Whose;
use super::words;
use crate::refused::Refused;
use crate::{Desk, exchange};

/// Names of keys and accounts that are looked up for one answer.
const MOST_NAMES: usize = 500;

#[derive(Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct Stepped {
    /// By the hour for a fortnight at most and else by the day, if unsaid.
    #[param(schema_with = words::steps)]
    step: Option<String>,
    /// Who has rows of their own; `none` if unsaid.
    #[param(schema_with = words::groups)]
    group: Option<String>,
}

#[derive(Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct Ranked {
    /// Of whom; `key` if unsaid.
    #[param(schema_with = words::groups)]
    by: Option<String>,
    /// Most of what; `requests` if unsaid.
    #[param(schema_with = words::usage_orders)]
    order: Option<String>,
    /// How many; 50 if unsaid.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// In which form something is exported.
#[derive(Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct Formed {
    /// `csv` if unsaid.
    #[param(schema_with = words::forms)]
    form: Option<String>,
}

/// Sums over requests.
#[derive(Serialize, ToSchema)]
pub(crate) struct Sums {
    requests: u64,
    succeeded: u64,
    /// The client left before the end.
    client_gone: u64,
    /// Not attempted: by their own fault, or because a limit was reached.
    refused: u64,
    /// Attempted in vain, or broken off.
    failed: u64,
    /// Tokens read, those of the cache not included.
    input: u64,
    output: u64,
    cache_read: u64,
    cache_write: u64,
    /// Millionths of a credit.
    credits_micro: u64,
    /// Milliseconds that they took, together.
    total_ms: u64,
}

/// Sums over time.
#[derive(Serialize, ToSchema)]
#[schema(as = UsageSeries)]
struct Series {
    /// `hour` or `day`.
    step: &'static str,
    /// The beginning of the first period.
    from_ms: u64,
    /// The end of the last.
    to_ms: u64,
    group: &'static str,
    total: Sums,
    rows: Vec<Row>,
}

/// The first of a group.
#[derive(Serialize, ToSchema)]
#[schema(as = UsageTop)]
struct Top {
    from_ms: u64,
    to_ms: u64,
    by: &'static str,
    order: &'static str,
    rows: Vec<Row>,
}

/// Sums of a period, of somebody, or of both.
#[derive(Serialize, ToSchema)]
#[schema(as = UsageRow)]
struct Row {
    /// When the period began; zero for a sum over all.
    start_ms: u64,
    /// Id of the key, number of the account, name of the model…; empty for a sum over all, and for what had none.
    name: String,
    /// What people call the key or account, if it is kept still.
    label: Option<String>,
    sums: Sums,
}

/// What was used, by the hour or day (UTC).
#[utoipa::path(
    get, path = "/api/v1/usage", tag = "usage",
    params(Whose, Stepped),
    responses((status = 200, body = Series), (status = 400), (status = 404)),
)]
pub(crate) async fn series(State(desk): State<Arc<Desk>>, uri: Uri) -> Result<Response, Refused> {
    exchange::only(&uri, &[&Whose::NAMES, &["step", "group"]])?;
    let (series, group) = asked(&desk, &uri).await?;
    let mut total = Usage::default();
    for row in &series.rows {
        total.add(&row.usage);
    }
    exchange::ok(&Series {
        step: step_word(series.step),
        from_ms: series.span.from_ms,
        to_ms: series.span.to_ms,
        group: group.word(),
        total: Sums::of(&total),
        rows: rows(&desk, group, series.rows).await,
    })
}

/// Who used most.
#[utoipa::path(
    get, path = "/api/v1/usage/top", tag = "usage",
    params(Whose, Ranked),
    responses((status = 200, body = Top), (status = 400), (status = 404)),
)]
pub(crate) async fn top(State(desk): State<Arc<Desk>>, uri: Uri) -> Result<Response, Refused> {
    exchange::only(&uri, &[&Whose::NAMES, &["by", "order", "limit"]])?;
    let whose: Whose = exchange::query(&uri)?;
    let Ranked { by, order, limit } = exchange::query(&uri)?;
    let by = by.map_or(Ok(Group::Key), |word| group_of(&word))?;
    let order = order.map_or(Some(Order::Requests), |word| Order::of(&word));
    let order =
        order.ok_or_else(|| Refused::invalid("order must be requests, tokens, credits or failed."))?;
    let span = whose.span((desk.now)())?;
    let found = desk.books.top(whose.usage(&desk).await?, span, by, order, exchange::rows(limit)?).await?;
    exchange::ok(&Top {
        from_ms: span.from_ms,
        to_ms: span.to_ms,
        by: by.word(),
        order: order.word(),
        rows: rows(&desk, by, found).await,
    })
}

/// What was used, as a file.
#[utoipa::path(
    get, path = "/api/v1/usage/export", tag = "usage",
    params(Whose, Stepped, Formed),
    responses(
        (status = 200, content((String = "text/csv"), (Vec<Object> = "application/json"))), (status = 400),
        (status = 404),
    ),
)]
pub(crate) async fn export(State(desk): State<Arc<Desk>>, uri: Uri) -> Result<Response, Refused> {
    exchange::only(&uri, &[&Whose::NAMES, &["step", "group", "form"]])?;
    let form = Formed::of(&uri)?;
    let (series, _) = asked(&desk, &uri).await?;
    Ok(Formed::dressed(form, "usage", series.export(form).into_response()))
}

async fn asked(desk: &Desk, uri: &Uri) -> Result<(qm_ledger::Series, Group), Refused> {
    let whose: Whose = exchange::query(uri)?;
    let Stepped { step, group } = exchange::query(uri)?;
    let group = group.map_or(Ok(Group::None), |word| group_of(&word))?;
    let step = match step.as_deref() {
        None => None,
        Some("hour") => Some(Step::Hour),
        Some("day") => Some(Step::Day),
        Some(_) => return Err(Refused::invalid("step must be hour or day.")),
    };
    let span = whose.span((desk.now)())?;
    Ok((desk.books.series(whose.usage(desk).await?, span, step, group).await?, group))
}

fn group_of(word: &str) -> Result<Group, Refused> {
    Group::of(word)
        .ok_or_else(|| Refused::invalid("group must be none, key, account, model, protocol, owner or team."))
}

fn step_word(step: Step) -> &'static str {
    match step {
        Step::Hour => "hour",
        Step::Day => "day",
    }
}

async fn rows(desk: &Desk, group: Group, found: Vec<UsageRow>) -> Vec<Row> {
    let mut labels: BTreeMap<String, Option<String>> = BTreeMap::new();
    let mut rows = Vec::with_capacity(found.len());
    for UsageRow { start_ms, name, usage } in found {
        let label = match labels.get(&name) {
            Some(label) => label.clone(),
            None if labels.len() < MOST_NAMES => {
                let label = label(desk, group, &name).await;
                labels.insert(name.clone(), label.clone());
                label
            }
            None => None,
        };
        rows.push(Row { start_ms, name, label, sums: Sums::of(&usage) });
    }
    rows
}

/// What people call it.
async fn label(desk: &Desk, group: Group, name: &str) -> Option<String> {
    match group {
        Group::Key => desk.access.show(name).await.ok().map(|view| view.name),
        Group::Account => desk.fleet.get(name).await.ok().map(|view| view.label),
        Group::None | Group::Model | Group::Protocol | Group::Owner | Group::Team => None,
    }
}

impl Sums {
    pub(crate) fn of(usage: &Usage) -> Self {
        let Usage {
            requests,
            succeeded,
            client_gone,
            refused,
            failed,
            input,
            output,
            cache_read,
            cache_write,
            credits_micro,
            total_ms,
        } = *usage;
        Self {
            requests,
            succeeded,
            client_gone,
            refused,
            failed,
            input,
            output,
            cache_read,
            cache_write,
            credits_micro,
            total_ms,
        }
    }
}

impl Formed {
    pub(super) fn of(uri: &Uri) -> Result<Form, Refused> {
        let Self { form } = exchange::query(uri)?;
        match form.as_deref() {
            None | Some("csv") => Ok(Form::Csv),
            Some("json") => Ok(Form::Json),
            Some(_) => Err(Refused::invalid("form must be csv or json.")),
        }
    }

    pub(super) fn dressed(form: Form, name: &str, mut response: Response) -> Response {
        let (kind, ending) = match form {
            Form::Csv => ("text/csv; charset=utf-8", "csv"),
            Form::Json => ("application/json", "json"),
        };
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        let place = HeaderValue::try_from(format!("attachment; filename=\"{name}.{ending}\""));
        headers.extend(place.ok().map(|place| (CONTENT_DISPOSITION, place)));
        response
    }
}
