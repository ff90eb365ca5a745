//! `doctor`: what stands between this machine and an answer, each with the next step.

mod network;

use std::fs::File;
use std::process::ExitCode;

use clap::Args;
use qm_accounts::View;
use qm_pool::Health;
use qm_relay::Admission as _;
use qm_store::{Filter, Sort, Store};
use qm_store_sqlite::SqliteStore;
use serde_json::json;

use crate::config::{Config, Master};
use crate::desk::Place;
use crate::fleet::Kept;
use crate::{access, fleet, keyring, print};

/// Flags of the doctor.
#[derive(Args, Debug)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Do not look whether the upstream answers, and what time it is there
    #[arg(long)]
    offline: bool,
}

/// What was looked at, and what was found.
struct Finding {
    what: String,
    /// Why it is well, or what is wrong and what to do.
    found: Result<String, String>,
}

/// Most accounts that are told of one by one.
const MOST_ACCOUNTS: u32 = 1_000;

/// Looks at everything. The exit code is 1 when something is wrong. Changes nothing, and makes nothing.
pub(crate) async fn run(config: &Config, doctor: &Doctor) -> anyhow::Result<ExitCode> {
    let mut findings = Vec::new();
    if config.database.path.exists() {
        database(config, &mut findings).await;
    } else {
        findings.push(keys(config.keys.clients.len() + config.keys.admins.len()));
        let words = format!("{} is not there yet; the first start makes it", config.database.path.display());
        findings.push(Finding::well("database", words));
    }
    if !doctor.offline {
        network::look(config, &mut findings).await;
    }
    let ill = findings.iter().any(|finding| finding.found.is_err());
    if doctor.place.json {
        let found = findings.iter().map(|Finding { what, found }| {
            json!({ "what": what, "ok": found.is_ok(), "words": found.as_ref().unwrap_or_else(|words| words) })
        });
        print::value(&json!({ "ok": !ill, "findings": found.collect::<Vec<_>>() }))?;
    } else {
        print::table(["", "what", "found"], findings.iter().map(Finding::row))?;
    }
    Ok(if ill { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

impl Finding {
    fn well(what: impl Into<String>, words: impl Into<String>) -> Self {
        Self { what: what.into(), found: Ok(words.into()) }
    }

    fn ill(what: impl Into<String>, words: impl Into<String>) -> Self {
        Self { what: what.into(), found: Err(words.into()) }
    }

    fn row(&self) -> [String; 3] {
        let (mark, words) = match &self.found {
            Ok(words) => ("ok", words),
            Err(words) => ("WRONG", words),
        };
        [mark.to_owned(), self.what.clone(), words.clone()]
    }
}

/// How many are in force.
fn keys(number: usize) -> Finding {
    match number {
        0 => Finding::ill(
            "keys",
            "there is none, so every request is refused: `quartermaster keys create` makes one, or set OPENAI_KEYS",
        ),
        1 => Finding::well("keys", "1 is in force"),
        number => Finding::well("keys", format!("{number} are in force")),
    }
}

async fn database(config: &Config, findings: &mut Vec<Finding>) {
    let path = config.database.path.display();
    let store = match SqliteStore::open(&config.database.path).await {
        Ok(store) => store,
        Err(error) => {
            findings.push(Finding::ill("database", error.to_string()));
            return;
        }
    };
    findings.push(match access::open(config, &store).await {
        Ok(access) => keys(access.census()),
        Err(error) => Finding::ill("keys", error.to_string()),
    });
    findings.push(match store.settings_of_connection().await {
        Ok([journal, ..]) => Finding::well("database", format!("{path} opens (journal mode {journal})")),
        Err(error) => Finding::ill("database", format!("{path}: {error}")),
    });
    master(config, store, findings).await;
}

async fn master(config: &Config, store: SqliteStore, findings: &mut Vec<Finding>) {
    let in_use = store.secrets().keys_in_use().await.unwrap_or_default();
    if let Master::Beside(path) = &config.master
        && in_use.is_empty()
        && !path.exists()
    {
        let words = format!("{} is not there yet; the first start makes it", path.display());
        findings.push(Finding::well("master key", words));
        return;
    }
    let ring = match keyring::open(&config.master, &store).await {
        Ok(ring) => ring,
        Err(error) => {
            findings.push(Finding::ill("master key", format!("{error:#}")));
            return;
        }
    };
    let missing: Vec<&str> =
        in_use.iter().map(|(id, _)| id.as_str()).filter(|id| ring.key(id).is_none()).collect();
    findings.push(if missing.is_empty() {
        mode(config)
    } else {
        let missing = missing.join(", ");
        Finding::ill(
            "master key",
            format!("secrets are sealed with {missing}, which is not here: give that key too"),
        )
    });
    let kept = Kept { store, keyring: std::sync::Arc::new(ring) };
    if let Err(error) = accounts(config, &kept, findings).await {
        findings.push(Finding::ill("accounts", format!("{error:#}")));
    }
    kept.store.close().await;
}

/// Who can read the master key.
fn mode(config: &Config) -> Finding {
    let (Master::File(path) | Master::Beside(path)) = &config.master else {
        return Finding::well("master key", "given in QM_MASTER_KEY; it opens everything");
    };
    match File::open(path) {
        Ok(file) if keyring::open_to_others(&file) => {
            let words = format!("others on this machine can read {0}: chmod 600 {0}", path.display());
            Finding::ill("master key", words)
        }
        Ok(_) => Finding::well("master key", format!("{} opens everything", path.display())),
        Err(error) => Finding::ill("master key", format!("{}: {error}", path.display())),
    }
}

async fn accounts(config: &Config, kept: &Kept, findings: &mut Vec<Finding>) -> anyhow::Result<()> {
    let fleet = fleet::open(config, kept).await?;
    findings.push(if fleet.terms_acknowledged().await? {
        Finding::well("terms", "the note on the upstream's terms is acknowledged")
    } else {
        Finding::well(
            "terms",
            "not acknowledged yet; `login`, `accounts add` and `accounts import` ask for it",
        )
    });
    let listing = fleet.list(&Filter::default(), Sort::default(), None, MOST_ACCOUNTS).await?;
    if listing.total == 0 && config.accounts.is_empty() {
        let words = "there is none: `quartermaster login`, `accounts add` or `accounts import` bring some";
        findings.push(Finding::ill("accounts", words));
    }
    let now_ms = fleet::now_ms();
    findings.extend(listing.accounts.iter().map(|view| account(view, now_ms)));
    Ok(())
}

fn account(view: &View, now_ms: u64) -> Finding {
    let (number, what) = (view.number, format!("account {} ({})", view.number, view.label));
    let token = match view.login.expires_ms {
        Some(expires_ms) if expires_ms > now_ms => {
            format!("token good for {}", print::span(expires_ms - now_ms))
        }
        _ if view.login.has_refresh_token => "token to be renewed".to_owned(),
        _ => "no token needed".to_owned(),
    };
    let because = format!("{} {}", print::state(view, now_ms), print::reason(view));
    let because = because.trim();
    match &view.health.state {
        _ if view.health.trouble.is_some() => Finding::ill(
            what,
            format!("{because}: bring back its master key, or log in again with `login --renew {number}`"),
        ),
        Health::Broken => {
            Finding::ill(what, format!("{because}: log in again with `login --renew {number}`"))
        }
        Health::Suspended => Finding::ill(
            what,
            format!("{because}: ask the upstream's support, then `accounts enable {number}`"),
        ),
        Health::Disabled { .. } => {
            Finding::well(what, format!("{because}; `accounts enable {number}` brings it back"))
        }
        Health::Ready | Health::Cooling { .. } | Health::Exhausted { .. } => {
            Finding::well(what, format!("{because}; {token}"))
        }
    }
}
