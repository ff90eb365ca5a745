//! `/api/v1/requests`: receipts, and what is under way.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse as _, Response};
use qm_ledger::Live;
use qm_store::{Cursor, ReceiptFilter, ReceiptOutcome, ReceiptRecord};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::paged::Paged;
use super::usage::Formed;
use super::whose::Whose;
use super::words;
use crate::refused::Refused;
use crate::{Desk, exchange};

#[derive(Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct Listed {
    /// Rows of a page; 50 if unsaid.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[param(pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
}

#[derive(Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Only this one.
    request_id: Option<String>,
    #[param(schema_with = words::outcomes)]
    outcome: Option<String>,
}

/// A page of receipts.
#[derive(Serialize, ToSchema)]
struct ReceiptPage<'a> {
    requests: Vec<Receipt<'a>>,
    /// Where the next page begins; `null` after the last.
    next_cursor: Option<String>,
}

/// A request, after the fact.
#[derive(Serialize, ToSchema)]
struct Receipt<'a> {
    number: i64,
    request_id: &'a str,
    /// When it ended.
    ended_ms: u64,
    /// Id of the key.
    key: &'a str,
    owner: Option<&'a str>,
    team: Option<&'a str>,
    /// Number of the account that was asked last.
    account: Option<i64>,
    /// Its name then.
    account_name: Option<&'a str>,
    protocol: &'a str,
    /// The model as the client named it.
    asked: &'a str,
    /// The model that was asked upstream; empty if none was.
    model: &'a str,
    /// `ok`, `client_gone`, `refused` or `failed`.
    outcome: &'static str,
    /// The fault's code; empty for an answer that ended well.
    code: &'a str,
    /// The status the client got; zero if it left before there was one.
    status: u16,
    input: u64,
    output: u64,
    cache_read: u64,
    cache_write: u64,
    /// Where the token figures come from: `reported`, `window` or `estimated`.
    basis: &'a str,
    credits_micro: u64,
    first_event_ms: Option<u64>,
    total_ms: u64,
    attempts: u32,
    source: Option<String>,
    agent: &'a str,
}

/// Requests under way, the oldest first.
#[derive(Serialize, ToSchema)]
struct UnderWay {
    requests: Vec<Open>,
}

/// A request under way.
#[derive(Serialize, ToSchema)]
#[schema(as = LiveRequest)]
struct Open {
    request_id: String,
    key: String,
    owner: Option<String>,
    team: Option<String>,
    protocol: &'static str,
    source: Option<String>,
    agent: Option<String>,
    began_ms: u64,
    asked: Option<String>,
    model: Option<String>,
    account: Option<u64>,
    account_name: Option<String>,
    attempts: u32,
    first_event_ms: Option<u64>,
}

/// A page of receipts, those that ended last first.
#[utoipa::path(
    get, path = "/api/v1/requests", tag = "usage",
    params(Whose, Which, Listed),
    responses((status = 200, body = ReceiptPage), (status = 400), (status = 404)),
)]
pub(crate) async fn list(State(desk): State<Arc<Desk>>, uri: Uri) -> Result<Response, Refused> {
    exchange::only(&uri, &[&Whose::NAMES, &["request_id", "outcome", "limit", "cursor"]])?;
    let Listed { limit, cursor } = exchange::query(&uri)?;
    let cursor = cursor.as_deref().map(Cursor::from_text).transpose();
    let cursor = cursor.map_err(|error| Refused::invalid(format!("{error}.")))?;
    let filter = filter(&desk, &uri).await?;
    let page = desk.books.receipts(&filter, cursor.as_ref(), exchange::rows(limit)?).await?;
    exchange::ok(&ReceiptPage {
        requests: page.receipts.iter().map(Receipt::of).collect(),
        next_cursor: page.next.map(|next| next.to_text()),
    })
}

/// Receipts as a file, however many; nothing is held in memory but a page.
#[utoipa::path(
    get, path = "/api/v1/requests/export", tag = "usage",
    params(Whose, Which, Formed),
    responses(
        (status = 200, content((String = "text/csv"), (Vec<Object> = "application/json"))), (status = 400),
        (status = 404),
    ),
)]
pub(crate) async fn export(State(desk): State<Arc<Desk>>, uri: Uri) -> Result<Response, Refused> {
    exchange::only(&uri, &[&Whose::NAMES, &["request_id", "outcome", "form"]])?;
    let form = Formed::of(&uri)?;
    let export = desk.books.export(filter(&desk, &uri).await?, form);
    Ok(Formed::dressed(form, "requests", Body::new(Paged::new(export)).into_response()))
}

/// Requests under way.
#[utoipa::path(
    get, path = "/api/v1/requests/live", tag = "usage",
    responses((status = 200, body = UnderWay)),
)]
pub(crate) async fn live(State(desk): State<Arc<Desk>>) -> Result<Response, Refused> {
    exchange::ok(&UnderWay { requests: desk.books.live().into_iter().map(Open::of).collect() })
}

async fn filter(desk: &Desk, uri: &Uri) -> Result<ReceiptFilter, Refused> {
    let whose: Whose = exchange::query(uri)?;
    let Which { request_id, outcome } = exchange::query(uri)?;
    let outcome = outcome.map(|word| {
        ReceiptOutcome::of(&word)
            .ok_or_else(|| Refused::invalid("outcome must be ok, client_gone, refused or failed."))
    });
    Ok(ReceiptFilter { request_id, outcome: outcome.transpose()?, ..whose.receipts(desk).await? })
}

impl<'a> Receipt<'a> {
    fn of(record: &'a ReceiptRecord) -> Self {
        let entry = &record.entry;
        Self {
            number: record.number,
            request_id: &entry.request_id,
            ended_ms: entry.at_ms,
            key: &entry.key_id,
            owner: entry.owner.as_deref(),
            team: entry.team.as_deref(),
            account: entry.account.as_ref().map(|(number, _)| *number),
            account_name: entry.account.as_ref().map(|(_, name)| &**name),
            protocol: &entry.protocol,
            asked: &entry.asked,
            model: &entry.model,
            outcome: entry.outcome.word(),
            code: &entry.code,
            status: entry.status,
            input: entry.taken.input,
            output: entry.taken.output,
            cache_read: entry.taken.cache_read,
            cache_write: entry.taken.cache_write,
            basis: &entry.basis,
            credits_micro: entry.taken.credits_micro,
            first_event_ms: entry.first_event_ms,
            total_ms: entry.total_ms,
            attempts: entry.attempts,
            source: entry.source.map(|source| source.to_string()),
            agent: &entry.agent,
        }
    }
}

impl Open {
    fn of(live: Live) -> Self {
        let Live { opening, asked, model, account, attempts, first_event_ms } = live;
        let (number, name) = account.unzip();
        Self {
            request_id: opening.request_id.to_string(),
            key: opening.key.to_string(),
            owner: opening.owner.map(|owner| owner.to_string()),
            team: opening.team.map(|team| team.to_string()),
            protocol: opening.protocol,
            source: opening.source.map(|source| source.to_string()),
            agent: opening.agent.map(String::from),
            began_ms: opening.began_ms,
            asked: asked.map(String::from),
            model: model.map(String::from),
            account: number,
            account_name: name.map(String::from),
            attempts,
            first_event_ms,
        }
    }
}
