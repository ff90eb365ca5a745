//! What people do with keys. Every act is in the audit.

use std::sync::Arc;

use qm_keys::{Digest, Hint, token};
use qm_store::{Change, KeyFilter, KeyMark, KeyOrigin, KeyPlace, KeyRecord, NewKey};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::edit::{KeyEdit, KeyWish};
use crate::entry::Entry;
use crate::house::House;
use crate::view::KeyView;
use crate::{Access, AccessError, Actor};

/// Longest time for which a key is good after it was rotated, in milliseconds.
pub const LONGEST_OVERLAP_MS: u64 = 30 * 86_400_000;

/// Some keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The keys. Those from configuration stand on the first page, before the others.
    pub keys: Vec<KeyView>,
    /// The number after which the next page begins; nothing after the last.
    pub next: Option<i64>,
    /// How many keys the filter lets through, on all pages.
    pub total: u64,
}

impl Access {
    /// One page of the keys, by number; `limit` kept ones at most.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(
        &self,
        filter: &KeyFilter,
        place: KeyPlace,
        limit: u32,
    ) -> Result<Listing, AccessError> {
        let page = self.house.store.keys().list(filter, place, limit).await?;
        let now_ms = self.house.now_ms();
        let configured: Vec<_> = self.house.roster().configured();
        let fit = configured.iter().filter(|entry| passes(entry, filter));
        let mut keys: Vec<_> = fit.map(|entry| KeyView::configured(entry)).collect();
        let total = page.total + keys.len() as u64;
        if place.after.is_some() {
            keys.clear();
        }
        keys.extend(page.keys.into_iter().map(|record| KeyView::of(record, now_ms)));
        Ok(Listing { keys, next: page.next, total })
    }

    /// The key of this id, or of this number written out.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`].
    pub async fn show(&self, id: &str) -> Result<KeyView, AccessError> {
        match self.house.find(id).await {
            Ok(record) => Ok(KeyView::of(record, self.house.now_ms())),
            Err(error) => {
                let configured = self.house.entry(id).filter(|entry| entry.record.is_none());
                configured.map(|entry| KeyView::configured(&entry)).ok_or(error)
            }
        }
    }

    /// Makes a key. The key itself is returned this once and kept nowhere.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`] for a wish that cannot be granted.
    pub async fn create(&self, wish: KeyWish, actor: &Actor) -> Result<(KeyView, SecretString), AccessError> {
        let house = &self.house;
        let origin = if *actor == Actor::Cli { KeyOrigin::Cli } else { KeyOrigin::Api };
        let (key, new) = house.mint(wish, origin, actor)?;
        let detail = json!({ "name": new.wishes.name, "scopes": new.wishes.scopes }).to_string();
        let _changing = house.changing.lock().await;
        let record = house.store.keys().insert(new, house.now_ms()).await?;
        let view = house.take_in(record).await?;
        house.audit_of_secret(actor, "key.create", &view.id, detail).await;
        Ok((view, key))
    }

    /// Changes what people set; only if the key is of this revision, where one is named.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`], [`crate::ErrorKind::NotFound`], [`crate::ErrorKind::ReadOnly`],
    /// [`crate::ErrorKind::Changed`]; [`crate::ErrorKind::Conflict`] if no admin key would be left.
    pub async fn change(
        &self,
        id: &str,
        edit: KeyEdit,
        if_revision: Option<i64>,
        actor: &Actor,
    ) -> Result<KeyView, AccessError> {
        let house = &self.house;
        let detail = json!({ "changed": edit.names() }).to_string();
        let locks_out = edit.enabled == Some(false) || edit.scopes.is_some_and(|scopes| !scopes.are_admin());
        let end = edit.expires_ms.clone();
        let patch = edit.into_patch(house.now_ms())?;
        let _changing = house.changing.lock().await;
        let record = house.find(id).await?;
        if locks_out {
            house.keeps_an_admin(&record.id, actor)?;
        }
        if let Change::Set(end_ms) = end {
            house.keeps_an_admin_beyond(&record, end_ms, actor)?;
        }
        let changed = house.store.keys().update(&record.id, patch, if_revision, house.now_ms()).await?;
        let view = house.take_in(changed.ok_or_else(AccessError::not_found)?).await?;
        house.audit(actor, "key.change", &view.id, detail).await?;
        Ok(view)
    }

    /// Revokes a key: from now on it opens nothing, and its sessions are over. Whoever holds its old form, too.
    ///
    /// # Errors
    /// As [`Access::change`].
    pub async fn revoke(&self, id: &str, actor: &Actor) -> Result<KeyView, AccessError> {
        let house = &self.house;
        let _changing = house.changing.lock().await;
        let record = house.find(id).await?;
        house.keeps_an_admin(&record.id, actor)?;
        let revoked = house.store.keys().revoke(&record.id, house.now_ms()).await?;
        let view = house.take_in(revoked.ok_or_else(AccessError::not_found)?).await?;
        house.sessions().retain(|_, session| session.record.key_id != view.id);
        house.audit(actor, "key.revoke", &view.id, String::new()).await?;
        Ok(view)
    }

    /// Takes a revocation back. Sessions and an old form of the key stay gone.
    ///
    /// # Errors
    /// As [`Access::change`].
    pub async fn restore(&self, id: &str, actor: &Actor) -> Result<KeyView, AccessError> {
        let house = &self.house;
        let _changing = house.changing.lock().await;
        let record = house.find(id).await?;
        let restored = house.store.keys().restore(&record.id, house.now_ms()).await?;
        let view = house.take_in(restored.ok_or_else(AccessError::not_found)?).await?;
        house.audit(actor, "key.restore", &view.id, String::new()).await?;
        Ok(view)
    }

    /// Gives a key a new form, returned this once. The one it has is good for `overlap_ms` more; zero ends it
    /// at once, and its sessions: whoever has got hold of it may have opened one.
    ///
    /// # Errors
    /// As [`Access::change`], and [`crate::ErrorKind::Conflict`] for a key that is revoked.
    pub async fn rotate(
        &self,
        id: &str,
        overlap_ms: u64,
        if_revision: Option<i64>,
        actor: &Actor,
    ) -> Result<(KeyView, SecretString), AccessError> {
        if overlap_ms > LONGEST_OVERLAP_MS {
            return Err(AccessError::invalid("overlap", "overlap: expected at most 30 days."));
        }
        let house = &self.house;
        let (key, mark) = house.mint_mark()?;
        let _changing = house.changing.lock().await;
        let record = house.find(id).await?;
        if record.revoked_ms.is_some() {
            return Err(AccessError::conflict("This key is revoked. Restore it first, or make another."));
        }
        let now_ms = house.now_ms();
        let until_ms = (overlap_ms > 0).then(|| now_ms.saturating_add(overlap_ms));
        let rotated = house.store.keys().rotate(&record.id, mark, until_ms, if_revision, now_ms).await?;
        let view = house.take_in(rotated.ok_or_else(AccessError::not_found)?).await?;
        if until_ms.is_none() {
            house.sessions().retain(|_, session| session.record.key_id != view.id);
        }
        let detail = json!({ "overlap_ms": overlap_ms }).to_string();
        house.audit_of_secret(actor, "key.rotate", &view.id, detail).await;
        Ok((view, key))
    }

    /// Forgets a key and its sessions. Its receipts stay.
    ///
    /// # Errors
    /// As [`Access::change`].
    pub async fn remove(&self, id: &str, if_revision: Option<i64>, actor: &Actor) -> Result<(), AccessError> {
        let house = &self.house;
        let _changing = house.changing.lock().await;
        let record = house.find(id).await?;
        house.keeps_an_admin(&record.id, actor)?;
        if !house.store.keys().remove(&record.id, if_revision, house.now_ms()).await? {
            return Err(AccessError::not_found());
        }
        house.leave(&record.id);
        let detail = json!({ "name": record.wishes.name }).to_string();
        house.audit(actor, "key.remove", &record.id, detail).await
    }
}

impl House {
    /// The record of this id, or of this number written out.
    pub(crate) async fn find(&self, id: &str) -> Result<KeyRecord, AccessError> {
        if self.entry(id).is_some_and(|entry| entry.record.is_none()) {
            return Err(AccessError::read_only());
        }
        let keys = self.store.keys();
        let record = match id.parse() {
            Ok(number) => keys.by_number(number).await?,
            Err(_) => keys.by_id(id).await?,
        };
        record.ok_or_else(AccessError::not_found)
    }

    pub(crate) fn mint(
        &self,
        wish: KeyWish,
        origin: KeyOrigin,
        actor: &Actor,
    ) -> Result<(SecretString, NewKey), AccessError> {
        let wishes = wish.into_record(self.now_ms())?;
        let (key, mark) = self.mint_mark()?;
        Ok((key, NewKey { id: self.uuid(), mark, wishes, origin, created_by: actor.name() }))
    }

    fn mint_mark(&self) -> Result<(SecretString, KeyMark), AccessError> {
        let key = token::mint_key(self.random_bytes());
        let hint = Hint::of(key.expose_secret());
        let hint =
            hint.ok_or_else(|| AccessError::conflict("The key that was made has not the form of one."))?;
        let digest = Digest::of(key.expose_secret()).hex();
        Ok((key, KeyMark { digest, hint_prefix: hint.prefix, hint_last4: hint.last4 }))
    }

    /// Takes in what was just written.
    pub(crate) async fn take_in(&self, record: KeyRecord) -> Result<KeyView, AccessError> {
        let view = KeyView::of(record.clone(), self.now_ms());
        self.enter(record).await?;
        Ok(view)
    }

    /// The audit of an act that gave out a secret, which exists nowhere else: the act must not fail by it any more.
    pub(crate) async fn audit_of_secret(&self, actor: &Actor, action: &str, subject: &str, detail: String) {
        if self.audit(actor, action, subject, detail).await.is_err() {
            tracing::error!(action, subject, "done, but not written into the audit");
        }
    }

    /// Whether somebody could still open management without this key. The command line needs no key and may take the
    /// last one.
    fn keeps_an_admin(&self, without: &str, actor: &Actor) -> Result<(), AccessError> {
        let now_ms = self.now_ms();
        let roster = self.roster();
        let is_admin = |entry: &Arc<Entry>| entry.scopes.are_admin() && entry.is_in_force(now_ms);
        let is_affected = roster.by_id(without).is_some_and(is_admin);
        let another = roster.entries().any(|entry| &*entry.id != without && is_admin(entry));
        if *actor == Actor::Cli || !is_affected || another {
            return Ok(());
        }
        Err(AccessError::conflict("This is the last admin key that is in force. Make another one first."))
    }

    /// Whether an admin's key is in force for as long as now, when this one ends at that time: an end that is set is a
    /// revocation that waits.
    fn keeps_an_admin_beyond(
        &self,
        record: &KeyRecord,
        end_ms: u64,
        actor: &Actor,
    ) -> Result<(), AccessError> {
        let last_ms = |entry: &Arc<Entry>| {
            let own = entry.record.as_ref().and_then(|record| record.wishes.expires_ms);
            own.unwrap_or(u64::MAX)
        };
        let now_ms = self.now_ms();
        let roster = self.roster();
        let is_admin = |entry: &Arc<Entry>| entry.scopes.are_admin() && entry.is_in_force(now_ms);
        let Some(own) = roster.by_id(&record.id).filter(|own| is_admin(own)) else { return Ok(()) };
        let until_ms = last_ms(own);
        let is_as_long = |other: &Arc<Entry>| is_admin(other) && last_ms(other) >= until_ms;
        let another = roster.entries().any(|other| *other.id != *record.id && is_as_long(other));
        if *actor == Actor::Cli || end_ms >= until_ms || another {
            return Ok(());
        }
        let words = "This is the last admin key that is in force for so long. Make another one first.";
        Err(AccessError::conflict(words))
    }
}

/// Whether a key from configuration is one of those that are asked for.
fn passes(entry: &Entry, filter: &KeyFilter) -> bool {
    let KeyFilter { enabled, revoked, alive_at_ms: _, owner, team, tag, scope, origin, search } = filter;
    let has = |word: &String| entry.scopes.words().any(|own| own == word);
    let found = |search: &String| entry.id.contains(&search.to_ascii_lowercase());
    *enabled != Some(false)
        && *revoked != Some(true)
        && owner.is_none()
        && team.is_none()
        && tag.is_none()
        && origin.is_none()
        && scope.as_ref().is_none_or(has)
        && search.as_ref().is_none_or(found)
}
