//! `usage`: what was used, by whom.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use qm_ledger::{Books, Form, Series, Span};
use qm_store::{Group, Order, Step, Store, Usage as Sums, UsageFilter, UsageRow};
use qm_store_sqlite::SqliteStore;
use serde_json::{Value, json};

use crate::config::Config;
use crate::desk::{self, Place};
use crate::{fleet, ledger, print};

/// Which sums.
#[derive(Args, Debug)]
pub(crate) struct Usage {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Of how many days (UTC), today among them
    #[arg(long, value_name = "NUMBER", default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=732))]
    days: u32,
    /// A line for each of these, the largest first; without it one for each day
    #[arg(long, value_name = "WHAT")]
    by: Option<By>,
    /// What is largest: requests, tokens, credits or failed
    #[arg(long, value_name = "WHAT", default_value = "tokens", requires = "by")]
    order: Largest,
    /// Most lines
    #[arg(long, value_name = "NUMBER", default_value_t = 50, requires = "by")]
    limit: u32,
    /// Only of the key with this id
    #[arg(long, value_name = "ID")]
    key: Option<String>,
    /// Only of this owner's keys
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// Only of this team's keys
    #[arg(long, value_name = "NAME")]
    team: Option<String>,
    /// Only of this model, as it was asked upstream
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// Print CSV, for spreadsheets
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum By {
    Key,
    Account,
    Model,
    Protocol,
    Owner,
    Team,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Largest {
    Requests,
    Tokens,
    Credits,
    Failed,
}

/// Letters of an id that are enough to find it by.
const ID_SHOWN: usize = 8;

/// What was found.
struct Found {
    /// Each with what people call it, where that is another word.
    rows: Vec<(UsageRow, Option<String>)>,
    total: Sums,
}

/// Reads the sums; no master key is needed.
pub(crate) async fn run(config: &Config, usage: &Usage) -> anyhow::Result<ExitCode> {
    let store = desk::store_that_is_there(config).await?;
    let found = usage.ask(&ledger::open(config, &store), &store).await;
    store.close().await;
    usage.tell(&found?)?;
    Ok(ExitCode::SUCCESS)
}

impl Usage {
    async fn ask(&self, books: &Books, store: &SqliteStore) -> anyhow::Result<Found> {
        let of = UsageFilter {
            key_id: self.key.clone(),
            owner: self.owner.clone(),
            team: self.team.clone(),
            model: self.model.clone(),
            ..UsageFilter::default()
        };
        let span = Span::days_until(fleet::now_ms(), self.days);
        let rows = match self.by {
            Some(by) => books.top(of.clone(), span, by.group(), self.order.order(), self.limit).await?,
            None => books.series(of.clone(), span, Some(Step::Day), Group::None).await?.rows,
        };
        let mut named = Vec::new();
        for row in rows {
            let called = self.called(store, &row.name).await?;
            named.push((row, called));
        }
        Ok(Found { rows: named, total: books.totals(of, span).await? })
    }

    /// What people call the key of this id, the account of this number; nothing for one that is gone.
    async fn called(&self, store: &SqliteStore, name: &str) -> anyhow::Result<Option<String>> {
        Ok(match (self.by, name.parse::<i64>()) {
            (Some(By::Key), _) => store.keys().by_id(name).await?.map(|key| key.wishes.name),
            (Some(By::Account), Ok(number)) => {
                store.accounts().by_number(number).await?.map(|account| account.wishes.label)
            }
            _ => None,
        })
    }

    fn tell(&self, found: &Found) -> anyhow::Result<()> {
        let Found { rows, total } = found;
        let name = |row: &UsageRow| match self.by {
            Some(_) => row.name.clone(),
            None => print::day(row.start_ms),
        };
        let shown_name = |(row, called): &(UsageRow, Option<String>)| match called {
            Some(called) => format!("{called} ({})", row.name.chars().take(ID_SHOWN).collect::<String>()),
            None => name(row),
        };
        if self.place.json {
            let rows = rows.iter().map(|(row, called)| line(&name(row), called.as_deref(), &row.usage));
            return print::value(&json!({
                "days": self.days,
                "by": self.what(),
                "rows": rows.collect::<Vec<_>>(),
                "total": line("", None, total),
            }));
        }
        if self.csv {
            let span = Span::days_until(fleet::now_ms(), self.days);
            let series =
                Series { step: Step::Day, span, rows: rows.iter().map(|(row, _)| row.clone()).collect() };
            return print::out(String::from_utf8(series.export(Form::Csv))?.trim_end());
        }
        let shown = |name: String, usage: &Sums| {
            let [requests, failed] = [usage.requests, usage.failed].map(|number| number.to_string());
            let [input, output] = [usage.input, usage.output].map(|number| number.to_string());
            [name, requests, failed, input, output, credits(usage)]
        };
        let head = [self.what(), "requests", "failed", "tokens in", "tokens out", "credits"];
        let all = rows.iter().map(|named| shown(shown_name(named), &named.0.usage));
        print::table(head, all.chain([shown("all".to_owned(), total)]))
    }

    fn what(&self) -> &'static str {
        match self.by {
            None => "day",
            Some(By::Key) => "key",
            Some(By::Account) => "account",
            Some(By::Model) => "model",
            Some(By::Protocol) => "protocol",
            Some(By::Owner) => "owner",
            Some(By::Team) => "team",
        }
    }
}

impl By {
    fn group(self) -> Group {
        match self {
            Self::Key => Group::Key,
            Self::Account => Group::Account,
            Self::Model => Group::Model,
            Self::Protocol => Group::Protocol,
            Self::Owner => Group::Owner,
            Self::Team => Group::Team,
        }
    }
}

impl Largest {
    fn order(self) -> Order {
        match self {
            Self::Requests => Order::Requests,
            Self::Tokens => Order::Tokens,
            Self::Credits => Order::Credits,
            Self::Failed => Order::Failed,
        }
    }
}

fn credits(usage: &Sums) -> String {
    format!("{:.2}", usage.credits_micro as f64 / 1e6)
}

fn line(name: &str, called: Option<&str>, usage: &Sums) -> Value {
    json!({
        "name": name,
        "label": called,
        "requests": usage.requests,
        "succeeded": usage.succeeded,
        "clientGone": usage.client_gone,
        "refused": usage.refused,
        "failed": usage.failed,
        "inputTokens": usage.input,
        "outputTokens": usage.output,
        "cacheReadTokens": usage.cache_read,
        "cacheWriteTokens": usage.cache_write,
        "credits": usage.credits_micro as f64 / 1e6,
    })
}
