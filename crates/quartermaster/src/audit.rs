//! `audit`: what people did, as it was written down, and whether it still stands as it was written.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use qm_store::audit::{BrokenChain, verify};
use qm_store::{AuditFilter, AuditRecord, Store};
use qm_store_sqlite::SqliteStore;
use serde_json::{Value, json};

use crate::config::Config;
use crate::desk::{self, Place};
use crate::print;

/// `audit` and what is to be done.
#[derive(Args, Debug)]
pub(crate) struct Audit {
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List what was done, newest first
    List(List),
    /// Check that no entry was changed, removed or put in since it was written
    Verify,
}

#[derive(Args, Debug)]
struct List {
    /// Only what this one did: `cli`, `house`, `environment`, or `key` and the key's id
    #[arg(long, value_name = "ACTOR")]
    actor: Option<String>,
    /// Only this, or what is below it: `account` finds `account.export`
    #[arg(long, value_name = "ACTION")]
    action: Option<String>,
    /// Only what was done to this id
    #[arg(long, value_name = "ID")]
    subject: Option<String>,
    /// Most entries
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    limit: u32,
}

/// Entries read at once.
const PAGE: u32 = 1_000;

/// Reads the audit; no master key is needed. The exit code is 1 when the chain is broken.
pub(crate) async fn run(config: &Config, audit: &Audit) -> anyhow::Result<ExitCode> {
    let store = desk::store_that_is_there(config).await?;
    let outcome = match &audit.what {
        What::List(list) => show(&store, list, audit.place.json).await,
        What::Verify => check(&store, audit.place.json).await,
    };
    store.close().await;
    outcome
}

async fn show(store: &SqliteStore, list: &List, json: bool) -> anyhow::Result<ExitCode> {
    let List { actor, action, subject, limit } = list;
    let mut filter =
        AuditFilter { actor: actor.clone(), action: action.clone(), subject: subject.clone(), before: None };
    let mut found: Vec<AuditRecord> = Vec::new();
    while (found.len() as u64) < u64::from(*limit) {
        let page = store.audit().list(&filter, PAGE.min(*limit - found.len() as u32)).await?;
        let Some(oldest) = page.last() else { break };
        filter.before = Some(oldest.number);
        found.extend(page);
    }
    if json {
        print::value(&json!({ "entries": found.iter().map(entry).collect::<Vec<_>>() }))?;
    } else {
        print::table(["no", "when", "who", "from", "what", "to", "more"], found.iter().map(row))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn entry(AuditRecord { number, entry, hash }: &AuditRecord) -> Value {
    // What is no JSON is shown as the text it is.
    let detail = serde_json::from_str(&entry.detail).unwrap_or_else(|_| Value::from(entry.detail.as_str()));
    json!({
        "number": number,
        "atMs": entry.at_ms,
        "actor": entry.actor,
        "source": entry.source,
        "action": entry.action,
        "subject": entry.subject,
        "detail": detail,
        "hash": hash,
    })
}

fn row(AuditRecord { number, entry, .. }: &AuditRecord) -> [String; 7] {
    [
        number.to_string(),
        print::moment(entry.at_ms),
        entry.actor.clone(),
        entry.source.clone(),
        entry.action.clone(),
        entry.subject.clone(),
        entry.detail.clone(),
    ]
}

async fn check(store: &SqliteStore, json: bool) -> anyhow::Result<ExitCode> {
    let walked = walk(store).await?;
    if json {
        print::value(&match &walked {
            Ok((number, hash)) => json!({ "whole": true, "entries": number, "lastHash": hash }),
            Err(broken) => json!({ "whole": false, "brokenAt": broken.number }),
        })?;
    } else {
        print::out(&match &walked {
            Ok((0, _)) => "The audit is empty.".to_owned(),
            Ok((number, hash)) => format!(
                "Entries 1 to {number} follow from one another. The hash of the last is {hash}; \
                 note it elsewhere, for whoever can write the database could write the whole audit anew."
            ),
            Err(broken) => broken.to_string(),
        })?;
    }
    Ok(if walked.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Number and hash of the last entry, or where the chain breaks.
async fn walk(store: &SqliteStore) -> anyhow::Result<Result<(i64, String), BrokenChain>> {
    let mut last = (0, String::new());
    loop {
        let page = store.audit().chain(last.0, PAGE).await?;
        if page.is_empty() {
            return Ok(Ok(last));
        }
        match verify(last.0, &last.1, &page) {
            Ok(next) => last = next,
            Err(broken) => return Ok(Err(broken)),
        }
    }
}
