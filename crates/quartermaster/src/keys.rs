//! `keys`: what an operator does to API keys at the command line.

mod create;
mod shape;

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use qm_access::{Access, AccessError, Actor, ErrorKind, KeyEdit, KeyView, Listing};
use qm_keys::{Scope, Scopes};
use qm_store::{KeyFilter, KeyPlace};
use qm_store_sqlite::SqliteStore;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::config::{Config, time};
use crate::desk::Place;
use crate::{access, print};

/// `keys` and what is to be done.
#[derive(Args, Debug)]
pub(crate) struct Keys {
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a key; it is shown this once
    Create(create::Create),
    /// List keys: never the keys themselves
    List(List),
    /// Show one key with its limits, and what it used of its budgets
    Show(Named),
    /// Revoke keys: from now on they open nothing
    Revoke(Named),
    /// Take revocations back, and switch keys on
    Enable(Named),
    /// Switch keys off
    Disable(Named),
    /// Give a key a new form, shown this once
    Rotate(Rotate),
    /// Forget keys for good; their receipts stay
    Remove(Named),
}

#[derive(Args, Debug)]
struct List {
    /// Only keys of this owner
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// Only keys of this team
    #[arg(long, value_name = "NAME")]
    team: Option<String>,
    /// Only keys with this tag
    #[arg(long, value_name = "TEXT")]
    tag: Option<String>,
    /// Only keys with these letters in name, description, owner, team, hint or id
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Only keys that can be used
    #[arg(long)]
    active: bool,
}

#[derive(Args, Debug)]
struct Named {
    /// Numbers or ids of keys
    #[arg(required = true, value_name = "KEY")]
    keys: Vec<String>,
}

#[derive(Args, Debug)]
struct Rotate {
    /// Number or id of the key
    #[arg(value_name = "KEY")]
    key: String,
    /// How long the key as it was is good beside the new one: up to 30d; 0 ends it at once
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = time)]
    overlap: Duration,
}

/// What the commands work with.
struct Desk {
    access: Access,
    json: bool,
}

/// Keys read at once.
const PAGE: u32 = 500;

/// Does it; no master key is needed. A running gateway notices within about a second. The exit code is 1 when some keys of
/// several could not be dealt with.
pub(crate) async fn run(config: &Config, keys: &Keys) -> anyhow::Result<ExitCode> {
    let store = SqliteStore::open(&config.database.path).await?;
    let outcome = match access::open(config, &store).await {
        Ok(access) => work(&Desk { access, json: keys.place.json }, &keys.what).await,
        Err(error) => Err(error.into()),
    };
    store.close().await;
    outcome
}

async fn work(desk: &Desk, what: &What) -> anyhow::Result<ExitCode> {
    let Desk { access, .. } = desk;
    match what {
        What::Create(create) => {
            let (view, key) = access.create(create.wish()?, &Actor::Cli).await?;
            desk.hand_out(&view, &key, "Made")
        }
        What::List(list) => desk.list(list).await,
        What::Show(named) => desk.show(named).await,
        What::Revoke(named) => {
            desk.each(named, "revoked", async |id| access.revoke(id, &Actor::Cli).await.map(drop)).await
        }
        What::Enable(named) => desk.each(named, "enabled", async |id| enable(access, id).await).await,
        What::Disable(named) => {
            let off = || KeyEdit { enabled: Some(false), ..KeyEdit::default() };
            let disable = async |id: &str| access.change(id, off(), None, &Actor::Cli).await.map(drop);
            desk.each(named, "disabled", disable).await
        }
        What::Rotate(rotate) => {
            let overlap_ms = rotate.overlap.as_millis() as u64;
            let (view, key) = access.rotate(&rotate.key, overlap_ms, None, &Actor::Cli).await?;
            desk.hand_out(&view, &key, "Rotated")
        }
        What::Remove(named) => {
            desk.each(named, "removed", async |id| access.remove(id, None, &Actor::Cli).await).await
        }
    }
}

/// Whatever kept it from being used by somebody's wish is gone; what has expired stays so.
async fn enable(access: &Access, id: &str) -> Result<(), AccessError> {
    let view = access.show(id).await?;
    if view.is_read_only() {
        // Says so.
        return access.restore(id, &Actor::Cli).await.map(drop);
    }
    if view.revoked_ms.is_some() {
        access.restore(id, &Actor::Cli).await?;
    }
    if !view.enabled {
        let on = KeyEdit { enabled: Some(true), ..KeyEdit::default() };
        access.change(id, on, None, &Actor::Cli).await?;
    }
    Ok(())
}

impl Desk {
    /// The one time that a key is shown. It alone goes to standard output, so that a script can take it from there.
    fn hand_out(&self, view: &KeyView, key: &SecretString, done: &str) -> anyhow::Result<ExitCode> {
        if self.json {
            let mut shown = shape::json(view);
            if let Value::Object(fields) = &mut shown {
                fields.insert("key".to_owned(), key.expose_secret().into());
            }
            print::value(&json!({ "key": shown }))?;
            return Ok(ExitCode::SUCCESS);
        }
        let KeyView { name, id, .. } = view;
        let number = view.number.map_or_else(String::new, |number| format!(" {number}"));
        print::aside(&format!("{done}: key{number} ({name}), id {id}. It is shown this once:"))?;
        print::out(key.expose_secret())?;
        Ok(ExitCode::SUCCESS)
    }

    async fn list(&self, list: &List) -> anyhow::Result<ExitCode> {
        let List { owner, team, tag, search, active } = list;
        let filter = KeyFilter {
            enabled: active.then_some(true),
            revoked: active.then_some(false),
            alive_at_ms: active.then(crate::fleet::now_ms),
            owner: owner.clone(),
            team: team.clone(),
            tag: tag.clone(),
            search: search.clone(),
            ..KeyFilter::default()
        };
        let (mut all, mut place) = (Vec::new(), KeyPlace::default());
        loop {
            let Listing { keys, next, .. } = self.access.list(&filter, place, PAGE).await?;
            all.extend(keys);
            place.after = next;
            if next.is_none() {
                break;
            }
        }
        if self.json {
            print::value(&json!({ "keys": all.iter().map(shape::json).collect::<Vec<_>>() }))?;
        } else if all.is_empty() {
            print::out("There is no such key. `quartermaster keys create --name NAME` makes one.")?;
        } else {
            let head = ["no", "name", "key", "opens", "state", "owner", "limits", "requests", "last used"];
            print::table(head, all.iter().map(shape::row))?;
            if !all.iter().any(may_manage) {
                print::out(
                    "None of them is an admin's: `quartermaster keys create --name NAME --scope admin`.",
                )?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn show(&self, named: &Named) -> anyhow::Result<ExitCode> {
        let mut shown = Vec::new();
        for id in &named.keys {
            let view = self.access.show(id).await?;
            let standing = self.access.standing(&view.id).await.ok();
            shown.push((view, standing));
        }
        if self.json {
            let keys = shown.iter().map(|(view, standing)| shape::whole(view, standing.as_ref()));
            print::value(&json!({ "keys": keys.collect::<Vec<_>>() }))?;
        } else {
            for (view, standing) in &shown {
                print::table(["", ""], shape::lines(view, standing.as_ref()))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Does it to each key that was named, and says what became of each.
    async fn each(
        &self,
        named: &Named,
        done_word: &'static str,
        work: impl AsyncFn(&str) -> Result<(), AccessError>,
    ) -> anyhow::Result<ExitCode> {
        let mut done = Vec::new();
        for id in &named.keys {
            let outcome = work(id).await.map(|()| done_word);
            done.push((id.clone(), outcome.map_err(|error| words(&error))));
        }
        print::fates("key", &done, self.json)
    }
}

fn may_manage(key: &KeyView) -> bool {
    Scopes::of_words(&key.scopes).is_ok_and(|scopes| scopes.open(Scope::Admin))
}

fn words(error: &AccessError) -> String {
    match error.kind {
        ErrorKind::NotFound => "not found".to_owned(),
        _ => error.to_string(),
    }
}
