//! `accounts`: what an operator does to accounts at the command line.

mod add;
mod export;
mod import;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use qm_accounts::verbs::Listing;
use qm_accounts::{Actor, Checkup, Refreshed, View};
use qm_store::{Filter, Sort};
use serde_json::{Value, json};

use crate::desk::{Desk, Place};
use crate::progress::Progress;
use crate::{fleet, print};

/// `accounts` and what is to be done.
#[derive(Args, Debug)]
pub(crate) struct Accounts {
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List accounts and how they are
    List(List),
    /// Add one account, whose secrets are asked for or come by standard input
    Add(add::Add),
    /// Take accounts from a file, a folder or the database of another program
    Import(import::Import),
    /// Write accounts to a file, logins included
    Export(export::Export),
    /// Ask the upstream how accounts are; costs no credits
    Test(Named),
    /// Renew the tokens of accounts now
    Refresh(Refresh),
    /// Switch accounts on, and forget what was held against them
    Enable(Named),
    /// Switch accounts off
    Disable(Named),
    /// Remove accounts for good
    Remove(Named),
}

#[derive(Args, Debug)]
struct List {
    /// Only those in this state: ready, cooling, exhausted, suspended, broken or disabled
    #[arg(long, value_name = "STATE")]
    state: Option<String>,
    /// Only those with this in their label, owner, notes or id
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
}

#[derive(Args, Debug)]
struct Named {
    /// Numbers or ids of accounts
    #[arg(required = true, value_name = "ACCOUNT")]
    accounts: Vec<String>,
}

#[derive(Args, Debug)]
struct Refresh {
    /// Numbers or ids of accounts
    #[arg(required_unless_present = "all", value_name = "ACCOUNT")]
    accounts: Vec<String>,
    /// All of them, some at a time
    #[arg(long, conflicts_with = "accounts")]
    all: bool,
}

/// Accounts read at once.
const PAGE: u32 = 500;

/// Does it. The exit code is 1 when some accounts of several could not be dealt with.
pub(crate) async fn run(desk: &Desk, accounts: &Accounts) -> anyhow::Result<ExitCode> {
    match &accounts.what {
        What::List(list) => show(desk, list).await,
        What::Add(add) => add::run(desk, add).await,
        What::Import(import) => import::run(desk, import).await,
        What::Export(export) => export::run(desk, export).await,
        What::Test(named) => test(desk, named).await,
        What::Refresh(asked) => refresh(desk, asked).await,
        What::Enable(named) => switch(desk, named, true).await,
        What::Disable(named) => switch(desk, named, false).await,
        What::Remove(named) => remove(desk, named).await,
    }
}

async fn show(desk: &Desk, list: &List) -> anyhow::Result<ExitCode> {
    let filter = Filter { state: list.state.clone(), search: list.search.clone(), ..Filter::default() };
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let Listing { accounts, next, .. } =
            desk.fleet.list(&filter, Sort::default(), after.as_ref(), PAGE).await?;
        all.extend(accounts);
        after = next;
        if after.is_none() {
            break;
        }
    }
    if desk.json {
        print::value(&json!({ "accounts": all.iter().map(print::account).collect::<Vec<_>>() }))?;
    } else if all.is_empty() {
        print::out(
            "There is no such account. `quartermaster login`, `accounts add` or `accounts import` bring some.",
        )?;
    } else {
        let now_ms = fleet::now_ms();
        let head = ["no", "label", "kind", "from", "state", "answered", "failed", "reason"];
        print::table(head, all.iter().map(|view| row(view, now_ms)))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn row(view: &View, now_ms: u64) -> [String; 8] {
    [
        view.number.to_string(),
        view.label.clone(),
        view.login.kind.clone(),
        view.slot.clone().unwrap_or_else(|| view.origin.to_owned()),
        print::state(view, now_ms),
        view.counts.success_count.to_string(),
        view.counts.error_total.to_string(),
        print::reason(view),
    ]
}

async fn test(desk: &Desk, named: &Named) -> anyhow::Result<ExitCode> {
    let mut told = Vec::new();
    let total = named.accounts.len();
    let progress = Progress::of("Testing", total);
    progress.tell(0, total);
    for id in &named.accounts {
        told.push((id.clone(), desk.fleet.test(id).await));
        progress.tell(told.len(), total);
    }
    // Its line goes before the report comes.
    drop(progress);
    let well = told.iter().all(|(_, tested)| tested.as_ref().is_ok_and(|checkup| checkup.token.is_ok()));
    if desk.json {
        let tests = told.iter().map(|(id, tested)| match tested {
            Ok(checkup) => tested_json(checkup),
            Err(error) => json!({ "account": id, "error": error.to_string() }),
        });
        print::value(&json!({ "tests": tests.collect::<Vec<_>>() }))?;
    } else {
        print::table(["no", "label", "token", "models", "credits"], told.iter().map(tested_row))?;
    }
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn refresh(desk: &Desk, asked: &Refresh) -> anyhow::Result<ExitCode> {
    let mut done = Vec::new();
    if asked.all {
        let progress = Progress::of("Renewing", 0);
        let tell = |so_far, total| progress.tell(so_far, total);
        let all = desk.fleet.refresh_all(&Actor::Cli, tell).await?;
        let outcome = |one: Refreshed| {
            let renewed = one.result.map(|()| "renewed").map_err(|error| error.to_string());
            (one.number.to_string(), renewed)
        };
        done.extend(all.into_iter().map(outcome));
    }
    for id in &asked.accounts {
        let refreshed = desk.fleet.refresh(id, &Actor::Cli).await;
        done.push((id.clone(), refreshed.map(|_| "renewed").map_err(|error| error.to_string())));
    }
    print::fates("account", &done, desk.json)
}

fn tested_json(checkup: &Checkup) -> Value {
    json!({
        "account": print::account(&checkup.view),
        "token": checkup.token.as_ref().err().map_or("ok".to_owned(), ToString::to_string),
        "models": checkup.models,
        "credits": checkup.usage.as_ref().ok().map(|usage| json!({ "used": usage.used, "limit": usage.limit })),
    })
}

fn tested_row((id, tested): &(String, Result<Checkup, qm_accounts::AccountError>)) -> [String; 5] {
    match tested {
        Ok(checkup) => {
            let token = checkup.token.as_ref().err().map_or("ok".to_owned(), ToString::to_string);
            let models =
                checkup.models.as_ref().map_or("unknown".to_owned(), |models| models.len().to_string());
            let credits =
                checkup.usage.as_ref().map(|usage| format!("{:.1} of {:.0}", usage.used, usage.limit));
            let view = &checkup.view;
            [
                view.number.to_string(),
                view.label.clone(),
                token,
                models,
                credits.unwrap_or("not told".to_owned()),
            ]
        }
        Err(error) => [id.clone(), String::new(), error.to_string(), String::new(), String::new()],
    }
}

async fn switch(desk: &Desk, named: &Named, on: bool) -> anyhow::Result<ExitCode> {
    let mut done = Vec::new();
    for id in &named.accounts {
        let switched = if on {
            desk.fleet.enable(id, &Actor::Cli).await
        } else {
            desk.fleet.disable(id, &Actor::Cli).await
        };
        let word = if on { "enabled" } else { "disabled" };
        done.push((id.clone(), switched.map(|_| word).map_err(|error| error.to_string())));
    }
    print::fates("account", &done, desk.json)
}

async fn remove(desk: &Desk, named: &Named) -> anyhow::Result<ExitCode> {
    let mut done = Vec::new();
    for id in &named.accounts {
        let removed = desk.fleet.remove(id, &Actor::Cli).await;
        done.push((id.clone(), removed.map(|()| "removed").map_err(|error| error.to_string())));
    }
    print::fates("account", &done, desk.json)
}
