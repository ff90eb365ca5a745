//! What is decided while the gateway runs, and outlives it: the seam of management's settings.
//!
//! What the configuration says wins and is not changed here, so that a file or an environment under version control stays the
//! truth about what it names. All decisions are one record of the store: a change is whole or did not happen.

mod document;

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use qm_access::Actor;
use qm_accounts::Fleet;
use qm_admin::settings::{Current, Retention, Settings, SettingsError, SettingsErrorKind, SettingsPatch};
use qm_ledger::Books;
use qm_pool::Strategy;
use qm_relay::{Accounts as _, Aliases, Names, Naming};
use qm_store::{AuditEntry, Filter, Sort, Store, StoreError};
use qm_store_sqlite::SqliteStore;
use serde_json::json;
use tokio::sync::Mutex;

use crate::config::Config;
use crate::{fleet, ledger};

pub(crate) use document::Document;

/// Under which name the decisions are kept.
const RECORD: &str = "house.decided";

/// Accounts that are asked for their models at once, when somebody wants to know.
const ASKED: u32 = 3;

/// How often it is looked for what others decided.
const LOOK: Duration = Duration::from_secs(1);

/// What decisions take effect on.
pub(crate) struct Decided {
    fleet: Fleet,
    books: Books,
    names: Arc<Names>,
    store: SqliteStore,
    /// What holds; locked from reading to writing, so that of two changes none is lost.
    now: Mutex<Document>,
    /// What the configuration says, which no decision touches.
    fixed: Vec<&'static str>,
}

/// The naming of models as the configuration has it, decisions taken in.
pub(crate) fn naming(config: &Config) -> Naming {
    Naming {
        aliases: Aliases::new(config.models.aliases.iter().cloned()),
        default_model: config.models.default.clone(),
    }
}

/// Takes earlier decisions into the configuration, where it says nothing itself. To be done before anything is built.
pub(crate) async fn take_in(config: &mut Config, store: &SqliteStore) -> anyhow::Result<()> {
    let Some(text) = store.settings().value(RECORD).await? else { return Ok(()) };
    if let Ok(decided) = serde_json::from_str::<Document>(&text) {
        decided.take_into(config);
    } else {
        // Of a later version, say. The gateway serves all the same.
        tracing::warn!("what was decided while running cannot be read, and is left out");
    }
    Ok(())
}

impl Decided {
    /// What holds by this configuration, from [`take_in`].
    pub(crate) fn new(config: &Config, fleet: &Fleet, books: &Books, store: &SqliteStore) -> Self {
        Self {
            fleet: fleet.clone(),
            books: books.clone(),
            names: Arc::new(Names::new(naming(config))),
            store: store.clone(),
            now: Mutex::new(Document::of(config)),
            fixed: document::fixed(config),
        }
    }

    /// The names of models, for requests.
    pub(crate) fn names(&self) -> Arc<Names> {
        Arc::clone(&self.names)
    }

    /// Notices what other gateways on the same database decide, until `stop`.
    pub(crate) async fn run(&self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        let mut look = tokio::time::interval(LOOK);
        loop {
            tokio::select! {
                () = &mut stop => return,
                _ = look.tick() => {}
            }
            if let Err(error) = self.notice().await {
                tracing::warn!(error, "what was decided elsewhere cannot be taken in; it is tried again");
            }
        }
    }

    async fn notice(&self) -> Result<(), String> {
        // Read while nothing is changed here, or what was read before a change would undo it.
        let mut now = self.now.lock().await;
        let Some(kept) = self.stored().await.map_err(|error| error.to_string())? else { return Ok(()) };
        let next = kept.without(&self.fixed).over(&now);
        if next != *now {
            *now = next;
            self.apply(&now, &Actor::House).await.map_err(|error| error.words.into_owned())?;
        }
        Ok(())
    }

    /// What is decided, at whichever gateway. What cannot be read was said at the start.
    async fn stored(&self) -> Result<Option<Document>, StoreError> {
        let text = self.store.settings().value(RECORD).await?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    fn current(&self, now: &Document) -> Current {
        let Document { aliases, strategy, keeps_receipts, retention, .. } = now.clone();
        let strategy = strategy.unwrap_or_else(|| self.fleet.strategy().word().to_owned());
        let [receipts_days, hours_days, days_days] = retention.map(Option::unwrap_or_default);
        Current {
            default_model: now.default_model(),
            aliases: aliases.unwrap_or_default(),
            strategy,
            keeps_receipts: keeps_receipts.unwrap_or(true),
            retention: Retention { receipts_days, hours_days, days_days },
            fixed: self.fixed.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    /// Has it hold from the next request on.
    async fn apply(&self, now: &Document, actor: &Actor) -> Result<(), SettingsError> {
        self.names.set(now.naming());
        self.books.set_keeps(now.keeps_receipts.unwrap_or(true));
        self.books.set_retention(ledger::days(now.retention.map(Option::unwrap_or_default)));
        let wished = now.strategy.as_deref().and_then(Strategy::of_word);
        if let Some(strategy) = wished.filter(|strategy| *strategy != self.fleet.strategy()) {
            self.fleet.set_strategy(strategy, &as_of_accounts(actor)).await.map_err(|error| {
                SettingsError { kind: SettingsErrorKind::Internal, words: error.to_string().into() }
            })?;
        }
        Ok(())
    }
}

#[async_trait]
impl Settings for Decided {
    async fn current(&self) -> Result<Current, SettingsError> {
        Ok(self.current(&*self.now.lock().await))
    }

    async fn change(&self, patch: SettingsPatch, actor: &Actor) -> Result<Current, SettingsError> {
        let mut now = self.now.lock().await;
        let changed = document::names(&patch);
        if let Some(name) = changed.iter().find(|name| self.fixed.contains(name)) {
            let words = format!("{name} is set in the gateway's configuration, and is changed there.");
            return Err(SettingsError { kind: SettingsErrorKind::Fixed, words: words.into() });
        }
        let next = now.changed(patch)?;
        if next == *now {
            return Ok(self.current(&now));
        }
        // What is fixed here may be decided at another gateway on the same database, and stays so.
        let stored = self.stored().await.map_err(failed)?.unwrap_or_default();
        let kept = next.without(&self.fixed).over(&stored);
        let at_ms = fleet::now_ms();
        let text = serde_json::to_string(&kept).map_err(|_| unwritten())?;
        self.store.settings().set(RECORD, &text, at_ms).await.map_err(failed)?;
        // It is decided now: what holds must not differ from what the next start takes in, whatever becomes of the audit.
        let before = std::mem::replace(&mut *now, next);
        let detail = json!({ "before": before, "after": *now });
        let applied = self.apply(&now, actor).await;
        self.store.audit().append(entry(actor, detail.to_string(), at_ms)).await.map_err(failed)?;
        applied?;
        Ok(self.current(&now))
    }

    fn models(&self) -> Vec<String> {
        self.fleet.catalogue().models.iter().map(|model| model.id.clone()).collect()
    }

    async fn sync_models(&self) -> Vec<String> {
        let ready = Filter { state: Some("ready".to_owned()), ..Filter::default() };
        if let Ok(listing) = self.fleet.list(&ready, Sort::default(), None, ASKED).await {
            for account in listing.accounts {
                // One that does not answer says so in its own state.
                drop(self.fleet.test(&account.id).await);
            }
        }
        self.models()
    }
}

fn as_of_accounts(actor: &Actor) -> qm_accounts::Actor {
    match actor {
        Actor::Key { id, source } => qm_accounts::Actor::Admin { key: id.clone(), source: source.clone() },
        Actor::Cli => qm_accounts::Actor::Cli,
        Actor::Stranger { .. } | Actor::House => qm_accounts::Actor::House,
    }
}

fn entry(actor: &Actor, detail: String, at_ms: u64) -> AuditEntry {
    let source = match actor {
        Actor::Key { source, .. } | Actor::Stranger { source } => source.clone(),
        Actor::Cli | Actor::House => String::new(),
    };
    let action = "settings.change".to_owned();
    AuditEntry { at_ms, actor: actor.name(), source, action, subject: String::new(), detail }
}

fn failed(error: StoreError) -> SettingsError {
    match error {
        StoreError::Busy => SettingsError {
            kind: SettingsErrorKind::Unavailable,
            words: "The database is busy: try again.".into(),
        },
        other => {
            tracing::error!(error = %other, "the store failed");
            SettingsError {
                kind: SettingsErrorKind::Internal,
                words: "The database failed; the log has the reason.".into(),
            }
        }
    }
}

fn unwritten() -> SettingsError {
    SettingsError { kind: SettingsErrorKind::Internal, words: "The settings cannot be written.".into() }
}

/// By name; the last of a name that is written twice.
fn by_name(aliases: &[qm_relay::Alias]) -> BTreeMap<String, String> {
    aliases.iter().map(|alias| (alias.name.clone(), alias.model.clone())).collect()
}
