//! From a record of the store to an account that serves, and back out.

use std::sync::{Arc, PoisonError};

use qm_amazonq::Surface;
use qm_credential::{Arn, ArnOrigin, Credential};
use qm_pool::{Ailment, Evidence, Outcome};
use qm_store::AccountRecord;
use qm_upstream::{Account, Learned, Parts, Pins};

use crate::AccountError;
use crate::house::House;
use crate::keeper::StoreKeeper;
use crate::records::{credential_of, proxy_of};
use crate::roster::{Entry, Made, pool_id, stored, traits};

impl House {
    /// Takes a record in: a new account, or what others have changed of one that is here.
    pub(crate) fn enter(self: &Arc<Self>, record: AccountRecord) {
        let _one_at_a_time = self.entering.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.entry(record.number);
        if known.as_ref().is_some_and(|known| known.record.revision > record.revision) {
            return;
        }
        let (id, now_ms) = (pool_id(record.number), self.now_ms());
        let (is_new, could_not_serve) = (known.is_none(), known.as_ref().is_some_and(|it| it.made.is_err()));
        let made = match known {
            Some(Entry { record: old, made: Ok(made) }) if old.wishes.proxy == record.wishes.proxy => {
                if old.secret == record.secret && old.wishes == record.wishes {
                    Ok(made)
                } else {
                    self.renew(made, &record)
                }
            }
            _ => self.make(&record),
        };
        if could_not_serve && made.is_ok() {
            // What the pool was told below has passed.
            self.pool.remove(id);
        }
        self.pool.add(id, traits(&record), stored(&record), now_ms);
        match &made {
            Ok(_) if is_new || could_not_serve => self.recall_quota(&record),
            Ok(_) => {}
            Err(trouble) if could_not_serve => {
                tracing::debug!(account = record.id, %trouble, "still unusable");
            }
            Err(trouble) => {
                tracing::error!(account = record.id, %trouble, "an account cannot serve");
                let [code, words] = ["account/unusable", trouble.as_ref()].map(Into::into);
                let evidence = Evidence { code, words, upstream_request_id: None };
                // Its record may be sound and only the key missing: the writer does not store this.
                let _moved = self.pool.report(id, &Outcome::Ailing(Ailment::LoginDead, evidence), now_ms);
            }
        }
        self.write_roster(|roster| roster.put(Entry { record: Arc::new(record), made }));
    }

    /// Takes in what another process may have written: with the record, the health that is stored there.
    pub(crate) fn enter_from_others(self: &Arc<Self>, record: AccountRecord) {
        let known = self.entry(record.number);
        let (id, stored) = (pool_id(record.number), stored(&record));
        let news = known
            .is_some_and(|known| known.made.is_ok() && known.record.learned.health != record.learned.health);
        self.enter(record);
        if news && let Some(moved) = self.pool.adopt(id, stored, self.now_ms()) {
            tracing::info!(
                account.number = id.0,
                from = moved.from.word(),
                to = moved.to.word(),
                "another process has changed an account's state"
            );
        }
    }

    /// Lets an account go. Requests that it answers go on.
    pub(crate) fn leave(&self, number: i64) {
        self.pool.remove(pool_id(number));
        self.write_roster(|roster| drop(roster.remove(number)));
    }

    pub(crate) fn entry(&self, number: i64) -> Option<Entry> {
        self.roster.read().unwrap_or_else(PoisonError::into_inner).by_number(number).cloned()
    }

    pub(crate) fn find(&self, id: &str) -> Result<Entry, AccountError> {
        let roster = self.roster.read().unwrap_or_else(PoisonError::into_inner);
        roster.find(id).cloned().ok_or_else(AccountError::not_found)
    }

    pub(crate) fn write_roster<R>(&self, work: impl FnOnce(&mut crate::roster::Roster) -> R) -> R {
        work(&mut self.roster.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// The account that is here already, with what is new of it.
    fn renew(&self, made: Made, record: &AccountRecord) -> Result<Made, Arc<str>> {
        let credential =
            credential_of(&self.keyring, record).map_err(|error| Arc::from(error.to_string()))?;
        made.account.set_pins(self.pins(record, &credential));
        // What this process has renewed itself is no news.
        if made.keeper.take_notice(record.secret.generation) {
            let old = made.account.tokens().credential();
            if is_same_login(&old, &credential) {
                made.account.tokens().replace(credential);
            } else {
                made.account.replace_login(credential);
            }
        }
        Ok(made)
    }

    fn make(self: &Arc<Self>, record: &AccountRecord) -> Result<Made, Arc<str>> {
        let credential =
            credential_of(&self.keyring, record).map_err(|error| Arc::from(error.to_string()))?;
        let proxy = proxy_of(&self.keyring, record).map_err(|error| Arc::from(error.to_string()))?;
        let client = match &proxy {
            None => self.outbound.client.clone(),
            Some(proxy) => (self.outbound.through)(proxy).map_err(Arc::from)?,
        };
        let keeper = Arc::new(StoreKeeper::new(self, record));
        let account = Account::new(Parts {
            name: name(record),
            number: pool_id(record.number).0,
            pins: self.pins(record, &credential),
            credential,
            client,
            endpoints: self.outbound.endpoints.clone(),
            learned: learned(record),
            keeper: Arc::clone(&keeper) as _,
            clock: Arc::clone(&self.now),
            random: Arc::clone(&self.random),
        });
        Ok(Made { account: Arc::new(account), keeper, told: None })
    }

    fn pins(&self, record: &AccountRecord, credential: &Credential) -> Pins {
        let (wishes, house) = (&record.wishes, &self.outbound.pins);
        let surface = match wishes.surface_pin.as_deref() {
            None => house.surface,
            Some("auto") => None,
            Some(name) => Surface::named(name),
        };
        let parsed =
            wishes.arn_pin.as_ref().map(|arn| Arn::parse(arn, ArnOrigin::Operator, &credential.kind));
        let arn = parsed.and_then(Result::ok);
        Pins { surface, arn, region: wishes.region.clone().or_else(|| house.region.clone()) }
    }
}

/// What logs and admins call an account: its number, and what people call it.
fn name(record: &AccountRecord) -> String {
    format!("{} ({})", record.number, record.wishes.label)
}

fn learned(record: &AccountRecord) -> Learned {
    let face = &record.learned.face;
    if face.is_empty() { Learned::default() } else { serde_json::from_str(face).unwrap_or_default() }
}

/// Whether one is the other, renewed. What was learned of an account holds as long as it logs in with the same client.
fn is_same_login(old: &Credential, new: &Credential) -> bool {
    let client = |login: &Credential| login.client.as_ref().map(|client| client.id.clone());
    old.kind == new.kind && client(old) == client(new) && old.api_key.is_none()
}
