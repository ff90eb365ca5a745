//! Accounts of the environment: their logins are changed there, and renewed here.
//!
//! | the environment says of a slot | and the store has | then |
//! | --- | --- | --- |
//! | a token | nothing | it is kept |
//! | the token it was made from | that, rotated since | the stored one is newer and stays |
//! | another token | one made from the token before | the environment's replaces it |
//! | nothing any more | an account | it is switched off until the slot is back |

use std::collections::HashSet;

use qm_credential::Draft;
use qm_store::{AccountPatch, AccountRecord, Change, NewAccount, Origin, StoreError};

use crate::{AccountError, Actor, ErrorKind, Fleet};

/// What is remembered of a slot that the environment does not have any more.
const ABSENT: &str = "environment.absent/";

/// Of such a slot: its account was in use, and is again when the slot is back.
const SWITCHED_OFF: &str = "switched-off";

/// Of such a slot: people had switched its account off before.
const WAS_OFF: &str = "was-off";

/// An account that the environment names.
#[derive(Clone, Debug)]
pub struct EnvironmentAccount {
    /// Its place there, the same at every start: `AMAZONQ_ACCOUNT_3`.
    pub slot: String,
    /// The account.
    pub draft: Draft,
}

/// What became of the environment's accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Slots that are new.
    pub added: Vec<String>,
    /// Slots whose login is as it was, or newer.
    pub kept: Vec<String>,
    /// Slots whose login the environment has changed.
    pub replaced: Vec<String>,
    /// Slots that the environment has no more, whose accounts are switched off.
    pub absent: Vec<String>,
    /// Slots that cannot be accounts, and why.
    pub refused: Vec<(String, AccountError)>,
}

/// What became of one.
enum Became {
    Added,
    Kept,
    Replaced,
}

impl Fleet {
    /// Makes the accounts of the environment what it says. One that cannot be never keeps the others from it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn reconcile_environment(
        &self,
        accounts: Vec<EnvironmentAccount>,
    ) -> Result<Reconciled, AccountError> {
        if !accounts.is_empty() && !self.terms_acknowledged().await? {
            tracing::info!(
                accounts = accounts.len(),
                "accounts in the environment are taken as the acknowledgement of the note on the upstream's terms \
                 (README)"
            );
        }
        let mut done = Reconciled::default();
        // Ids of accounts that a slot of today stands for.
        let mut present = HashSet::new();
        for EnvironmentAccount { slot, draft } in accounts {
            match self.reconcile(&slot, &draft).await {
                Ok((became, record)) => {
                    present.insert(record.id);
                    let list = match became {
                        Became::Added => &mut done.added,
                        Became::Kept => &mut done.kept,
                        Became::Replaced => &mut done.replaced,
                    };
                    list.push(slot);
                }
                Err(error) => {
                    if let ErrorKind::Duplicate { of } = &error.kind {
                        // Under another slot, or added by hand: it is there, and that is what counts.
                        present.insert(of.clone());
                    }
                    // A mistake in what the environment says is no reason to switch off what it said before.
                    let before = self.inner.store.accounts().by_slot(&slot).await?;
                    present.extend(before.map(|record| record.id));
                    tracing::warn!(slot, %error, "an account of the environment is not taken");
                    done.refused.push((slot, error));
                }
            }
        }
        done.absent = self.switch_off_absent(&present).await?;
        Ok(done)
    }

    /// Whether this slot was there and is there no more.
    pub(crate) async fn is_absent(&self, slot: &str) -> Result<bool, AccountError> {
        Ok(self.inner.store.settings().value(&format!("{ABSENT}{slot}")).await?.is_some())
    }

    async fn reconcile(&self, slot: &str, draft: &Draft) -> Result<(Became, AccountRecord), AccountError> {
        let accounts = self.inner.store.accounts();
        let fingerprint = draft.credential.fingerprint().hex();
        let Some(record) = accounts.by_slot(slot).await? else {
            let new = self.inner.new_account(draft, Origin::Environment)?;
            let (slot, env_fingerprint) = (Some(slot.to_owned()), Some(fingerprint));
            let record = accounts.insert(NewAccount { slot, env_fingerprint, ..new }, self.now_ms()).await?;
            self.inner.enter(record.clone());
            self.audit(&Actor::Environment, "account.add", &record.id, String::new()).await?;
            return Ok((Became::Added, record));
        };
        let became = if record.env_fingerprint.as_ref() == Some(&fingerprint) {
            Became::Kept
        } else {
            self.replace_from_environment(&record, draft, fingerprint).await?;
            Became::Replaced
        };
        let record = self.said_again(slot, &record, draft).await?;
        Ok((became, record))
    }

    /// The environment has another login for the slot.
    async fn replace_from_environment(
        &self,
        record: &AccountRecord,
        draft: &Draft,
        fingerprint: String,
    ) -> Result<(), AccountError> {
        let (house, accounts) = (&self.inner, self.inner.store.accounts());
        let known = accounts.by_fingerprint(&fingerprint).await?;
        if let Some(known) = known.filter(|known| known.id != record.id) {
            return Err(StoreError::DuplicateLogin { account: known.id }.into());
        }
        let mut secret = house.new_secret(&record.id, &draft.credential, "never")?;
        secret.env_fingerprint = Some(fingerprint);
        if !accounts.replace_secret(&record.id, record.secret.generation, secret, self.now_ms()).await? {
            let words = "The account's login was renewed meanwhile: start again.";
            return Err(AccountError::new(ErrorKind::Conflict, words));
        }
        let now = accounts.by_id(&record.id).await?.ok_or_else(AccountError::not_found)?;
        house.enter(now);
        house.forgive(record.number).await;
        self.audit(&Actor::Environment, "account.login", &record.id, String::new()).await
    }

    /// What the environment says besides the login counts at every start; what it leaves out is people's.
    async fn said_again(
        &self,
        slot: &str,
        record: &AccountRecord,
        draft: &Draft,
    ) -> Result<AccountRecord, AccountError> {
        let (settings, key) = (self.inner.store.settings(), format!("{ABSENT}{slot}"));
        let absent = settings.value(&key).await?;
        let enabled = draft.enabled.or((absent.as_deref() == Some(SWITCHED_OFF)).then_some(true));
        let wishes = &record.wishes;
        let arn = draft.credential.arn.as_ref().map(|arn| arn.value.clone());
        let patch = AccountPatch {
            label: draft.label.clone().filter(|label| *label != wishes.label),
            weight: draft.weight.filter(|weight| *weight != wishes.weight),
            enabled: enabled.filter(|enabled| *enabled != wishes.enabled),
            arn_pin: arn.filter(|arn| wishes.arn_pin.as_ref() != Some(arn)).map_or(Change::Keep, Change::Set),
            ..AccountPatch::default()
        };
        let record = self.patched(&record.id, patch).await?;
        if absent.is_some() {
            settings.clear(&key).await?;
        }
        Ok(record)
    }

    async fn switch_off_absent(&self, present: &HashSet<String>) -> Result<Vec<String>, AccountError> {
        let all = self.inner.store.accounts().all().await?.changed;
        let mut absent = Vec::new();
        for record in all.into_iter().filter(|record| record.origin == Origin::Environment) {
            let Some(slot) = record.slot.clone().filter(|_| !present.contains(&record.id)) else { continue };
            if !self.is_absent(&slot).await? {
                self.now_absent(&slot, &record).await?;
            }
            absent.push(slot);
        }
        Ok(absent)
    }

    async fn now_absent(&self, slot: &str, record: &AccountRecord) -> Result<(), AccountError> {
        let how = if record.wishes.enabled { SWITCHED_OFF } else { WAS_OFF };
        self.inner.store.settings().set(&format!("{ABSENT}{slot}"), how, self.now_ms()).await?;
        if record.wishes.enabled {
            let patch = AccountPatch { enabled: Some(false), ..AccountPatch::default() };
            self.patched(&record.id, patch).await?;
            self.audit(&Actor::Environment, "account.disable", &record.id, String::new()).await?;
        }
        tracing::info!(slot, "the environment has this account no more; it is switched off");
        Ok(())
    }
}
