//! Accounts by the batch, of which nobody knows yet whether they serve: taken in switched off, tried one after the
//! other behind everybody's back, and switched on if they answer (q2api's feed; spec/mission.md A2.3).

use std::sync::Arc;

use qm_amazonq::fault::Failure;
use qm_credential::Draft;
use qm_pool::{Ailment, Outcome};
use qm_relay::hello;
use qm_store::{AccountPatch, AccountRecord, Change};
use serde_json::{Map, Value};

use crate::house::House;
use crate::import::{ImportInput, ImportOptions, Report};
use crate::roster::{Entry, pool_id};
use crate::verbs::log;
use crate::{AccountError, Actor, ErrorKind, Fleet};

/// In an account's `other`: it waits to be tried. Kept with it, so that a restart forgets nobody.
const PENDING: &str = "feedPending";

/// In an account's `other`: why it was not switched on. q2api's scripts look for this name, and for this reason.
const FAILED: &str = "failedReason";
const ACCESS_DENIED: &str = "AccessDenied";

/// How often an account is tried again whose failure says nothing of it.
pub(crate) const AGAIN_MS: u64 = 60_000;

/// For how long. Then that failure is the reason.
const PATIENCE_MS: u64 = 24 * 3600 * 1000;

/// How often the end of a trial is written anew when the account was written meanwhile.
const TRIES: usize = 8;

// === impl Fleet ===

impl Fleet {
    /// Takes in accounts from a file or request body of any format of [`Fleet::import`], switched off. [`Fleet::run`],
    /// in whichever process, renews each one's token, chats with it once, and switches it on if it answers; else
    /// `other.failedReason` says why not. What the report says was added is durable.
    ///
    /// # Errors
    /// As [`Fleet::import`].
    pub async fn feed(&self, batch: &[u8], actor: &Actor) -> Result<Report, AccountError> {
        let options = ImportOptions { enabled: Some(false), ..ImportOptions::default() };
        let report = self.take_in(ImportInput::File(batch), &options, Some(dress), actor).await?;
        self.inner.fed.notify_one();
        Ok(report)
    }
}

/// What is to be known of the account at this place of the batch, from one on.
fn dress(draft: &mut Draft, place: usize) {
    if draft.label.as_ref().is_none_or(String::is_empty) {
        draft.label = Some(format!("批量账号 {place}"));
    }
    draft.other.insert("source".to_owned(), "feed".into());
    draft.other.insert(PENDING.to_owned(), true.into());
}

/// Whether an account waits to be tried. Switching it on by hand calls that off.
pub(crate) fn is_pending(record: &AccountRecord) -> bool {
    // Nearly none does; those are not parsed for it.
    let says = |other: &&String| other.contains(PENDING);
    let other = record.wishes.other.as_ref().filter(|_| !record.wishes.enabled).filter(says);
    other.is_some_and(|other| object(other).get(PENDING) == Some(&Value::Bool(true)))
}

fn object(other: &str) -> Map<String, Value> {
    serde_json::from_str(other).unwrap_or_default()
}

// === impl House ===

impl House {
    /// Tries an account that waits for that.
    pub(crate) async fn try_fed(self: &Arc<Self>, number: i64) {
        let Some(Entry { record, made: Ok(made) }) = self.entry(number) else { return };
        let tokens = made.account.tokens();
        let renewable = tokens.credential().refresh_token.is_some();
        let token = if renewable { tokens.force().await } else { tokens.fresh().await };
        let verdict = match token {
            Err(failure) => {
                self.ails(number, &failure);
                Err((is_passing(&failure, None), failure))
            }
            Ok(_) => match hello(&made.account, &self.random).await {
                Ok(()) => Ok(()),
                Err(unanswered) => {
                    log(self.pool.report(pool_id(number), &unanswered.outcome, self.now_ms()));
                    let passing = is_passing(&unanswered.failure, Some(&unanswered.outcome));
                    Err((passing, unanswered.failure))
                }
            },
        };
        let in_time = self.now_ms().saturating_sub(record.created_ms) < PATIENCE_MS;
        let failed = match verdict {
            Ok(()) => None,
            Err((true, failure)) if in_time => {
                tracing::info!(account = record.id, code = %failure.fault.code, "an account that was fed is tried again");
                return;
            }
            Err((_, failure)) => Some(reason(&failure)),
        };
        if let Err(error) = self.end_trial(&record.id, failed).await {
            tracing::warn!(%error, account = record.id, "what a trial has shown cannot be written");
        }
    }

    async fn end_trial(self: &Arc<Self>, id: &str, failed: Option<String>) -> Result<(), AccountError> {
        // Health and tokens are written beside this and make a new revision each: then it is read and tried anew.
        for _ in 0..TRIES {
            match self.end_trial_of(id, failed.as_deref()).await {
                Err(AccountError { kind: ErrorKind::Conflict, .. }) => {}
                ended => return ended,
            }
        }
        self.end_trial_of(id, failed.as_deref()).await
    }

    async fn end_trial_of(self: &Arc<Self>, id: &str, failed: Option<&str>) -> Result<(), AccountError> {
        let accounts = self.store.accounts();
        // As it is by now: people may have called it off.
        let Some(record) = accounts.by_id(id).await?.filter(is_pending) else { return Ok(()) };
        let mut other = record.wishes.other.as_deref().map(object).unwrap_or_default();
        other.remove(PENDING);
        let detail = serde_json::json!({ "fed": true, "failed": failed });
        let enabled = failed.is_none();
        other.extend(failed.map(|reason| (FAILED.to_owned(), reason.into())));
        let other = Change::Set(Value::Object(other).to_string());
        let patch = AccountPatch { other, enabled: Some(enabled), ..AccountPatch::default() };
        self.patched(id, patch, Some(record.revision)).await?;
        let entry = Actor::House.did("account.change", id, detail.to_string(), self.now_ms());
        self.store.audit().append(entry).await?;
        Ok(())
    }
}

/// Whether a failure says nothing of the account: the network's or the upstream's passing trouble.
fn is_passing(failure: &Failure, outcome: Option<&Outcome>) -> bool {
    match outcome {
        Some(Outcome::Ailing(ailment, _)) => matches!(
            ailment,
            Ailment::Network | Ailment::Failed | Ailment::Throttled { .. } | Ailment::ModelBusy { .. }
        ),
        Some(_) => false,
        None => crate::care::refused(failure).kind == ErrorKind::Unavailable,
    }
}

fn reason(failure: &Failure) -> String {
    let code = &failure.fault.code;
    if code.contains(ACCESS_DENIED) { ACCESS_DENIED.to_owned() } else { code.to_string() }
}
