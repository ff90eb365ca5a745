//! `/admin/stats/api-keys`, `tokens` and `account-usage`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use qm_accounts::View;
use qm_ledger::Span;
use qm_store::{Filter, Group, KeyFilter, KeyPlace, Order, Sort, Step, Usage, UsageFilter, UsageRow};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::keys::in_force;
use super::shape::is_healthy;
use crate::refused::Refused;
use crate::{Desk, exchange, listing, moment};

/// Most days that are told.
const MOST_DAYS: u32 = 365;

/// Most accounts that are told.
const MOST_ACCOUNTS: u32 = 10_000;

#[derive(Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// So many days, with today.
    #[param(minimum = 1, maximum = 365)]
    days: u32,
}

/// What `/admin/stats/api-keys` says.
#[derive(Serialize, ToSchema)]
#[schema(as = ClassicKeySums)]
struct KeySums {
    total_keys: u64,
    active_keys: u64,
    total_requests: u64,
}

/// Which days.
#[derive(Serialize, ToSchema)]
#[schema(as = ClassicPeriod)]
struct Period {
    start_date: String,
    end_date: String,
    days: u32,
}

/// Tokens and requests.
#[derive(Serialize, ToSchema)]
#[schema(as = ClassicTokens)]
struct Taken {
    input_tokens: u64,
    output_tokens: u64,
    total_tokens: u64,
    requests: u64,
}

/// Those of a day.
#[derive(Serialize, ToSchema)]
#[schema(as = ClassicDay)]
struct Day {
    date: String,
    #[serde(flatten)]
    tokens: Taken,
}

/// Those of an account.
#[derive(Serialize, ToSchema)]
#[schema(as = ClassicShare)]
struct Share {
    account_id: Option<i64>,
    account_name: Option<String>,
    #[serde(flatten)]
    tokens: Taken,
}

/// What `/admin/stats/tokens` says.
#[derive(Serialize, ToSchema)]
#[schema(as = ClassicTokenStats)]
struct TokenStats {
    period: Period,
    total: Taken,
    daily: Vec<Day>,
    by_account: Vec<Share>,
}

/// An account in `/admin/stats/account-usage`.
#[derive(Serialize, ToSchema)]
#[schema(as = ClassicAccountUsage)]
struct AccountUsage {
    account_id: i64,
    account_name: String,
    is_active: bool,
    is_healthy: bool,
    #[serde(flatten)]
    tokens: Taken,
    total_requests_all_time: u64,
    total_tokens_all_time: u64,
    last_used: Option<String>,
}

/// What `/admin/stats/account-usage` says.
#[derive(Serialize, ToSchema)]
#[schema(as = ClassicAccountsUsage)]
struct AccountsUsage {
    period: Period,
    accounts: Vec<AccountUsage>,
}

/// What all keys did together.
#[utoipa::path(get, path = "/admin/stats/api-keys", tag = "admin", responses((status = 200, body = KeySums)))]
pub(crate) async fn keys(State(desk): State<Arc<Desk>>) -> Result<Response, Refused> {
    let count = async |filter: &KeyFilter| desk.access.list(filter, KeyPlace::default(), 1).await;
    let total_keys = count(&KeyFilter::default()).await?.total;
    let active_keys = count(&in_force((desk.now)())).await?.total;
    let totals = desk.store.keys().totals().await?;
    exchange::ok(&KeySums { total_keys, active_keys, total_requests: totals.requests })
}

/// Tokens by the day and by account.
#[utoipa::path(
    get, path = "/admin/stats/tokens", tag = "admin",
    params(Asked),
    responses((status = 200, body = TokenStats), (status = 400)),
)]
pub(crate) async fn tokens(State(desk): State<Arc<Desk>>, uri: Uri) -> Result<Response, Refused> {
    let (days, span) = asked(&desk, &uri)?;
    let series = desk.books.series(UsageFilter::default(), span, Some(Step::Day), Group::None).await?;
    let mut total = Usage::default();
    for row in &series.rows {
        total.add(&row.usage);
    }
    let daily = series.rows.iter().map(|row| Day { date: date(row.start_ms), tokens: Taken::of(&row.usage) });
    let mut by_account = Vec::new();
    for row in shares(&desk, span).await? {
        let number = row.name.parse().ok();
        let view = if number.is_some() { desk.fleet.get(&row.name).await.ok() } else { None };
        let account_name = view.map(|view| view.label);
        by_account.push(Share { account_id: number, account_name, tokens: Taken::of(&row.usage) });
    }
    let total = Taken::of(&total);
    exchange::ok(&TokenStats { period: Period::of(days, span), total, daily: daily.collect(), by_account })
}

/// What each account was used for, the most used first.
#[utoipa::path(
    get, path = "/admin/stats/account-usage", tag = "admin",
    params(Asked),
    responses((status = 200, body = AccountsUsage), (status = 400)),
)]
pub(crate) async fn accounts(State(desk): State<Arc<Desk>>, uri: Uri) -> Result<Response, Refused> {
    let (days, span) = asked(&desk, &uri)?;
    let used = shares(&desk, span).await?;
    let views = listing::all(&desk.fleet, &Filter::default(), Sort::default()).await?;
    let mut accounts: Vec<AccountUsage> =
        views.into_iter().map(|view| AccountUsage::of(view, &used)).collect();
    accounts.sort_by_key(|account| std::cmp::Reverse(account.tokens.total_tokens));
    exchange::ok(&AccountsUsage { period: Period::of(days, span), accounts })
}

fn asked(desk: &Desk, uri: &Uri) -> Result<(u32, Span), Refused> {
    let Asked { days } = exchange::query(uri)?;
    if !(1..=MOST_DAYS).contains(&days) {
        return Err(Refused::invalid(format!("days must be from 1 to {MOST_DAYS}.")));
    }
    Ok((days, Span::days_until((desk.now)(), days)))
}

async fn shares(desk: &Desk, span: Span) -> Result<Vec<UsageRow>, Refused> {
    let of = UsageFilter::default();
    let rows = desk.books.top(of, span, Group::Account, Order::Tokens, MOST_ACCOUNTS).await?;
    // What reached no account is nobody's share.
    Ok(rows.into_iter().filter(|row| !matches!(row.name.as_str(), "" | "0")).collect())
}

fn date(ms: u64) -> String {
    moment::text(ms).chars().take_while(|letter| *letter != 'T').collect()
}

impl Default for Asked {
    fn default() -> Self {
        Self { days: 7 }
    }
}

impl Period {
    fn of(days: u32, span: Span) -> Self {
        Self { start_date: date(span.from_ms), end_date: date(span.to_ms.saturating_sub(1)), days }
    }
}

impl Taken {
    fn of(usage: &Usage) -> Self {
        Self {
            input_tokens: usage.input,
            output_tokens: usage.output,
            // The sum of the two above, as scripts of that system take it to be.
            total_tokens: usage.input.saturating_add(usage.output),
            requests: usage.requests,
        }
    }
}

impl AccountUsage {
    fn of(view: View, used: &[UsageRow]) -> Self {
        let number = view.number.to_string();
        let usage = used.iter().find(|row| row.name == number).map(|row| row.usage).unwrap_or_default();
        Self {
            account_id: view.number,
            is_active: view.wishes.enabled,
            is_healthy: is_healthy(&view),
            tokens: Taken::of(&usage),
            total_requests_all_time: view.counts.total_requests,
            total_tokens_all_time: view.counts.total_tokens,
            last_used: view.counts.last_used_ms.map(moment::text),
            account_name: view.label,
        }
    }
}
